"""NVIDIA's cards while they work: the child's answers, and a child that hangs, dies or lies."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pynvml
import pytest

from desktop.hardware import nvml_live
from desktop.hardware.live import GpuLive
from desktop.hardware.nvidia_live import NvidiaLive, live_command, read_answer
from tests.hardware.trees import GIB


class FakeNvmlError(Exception):
    """NVML's own error."""


@dataclass
class FakeNvml:
    """A card that answers everything, except what is named in `silent`."""

    silent: tuple[str, ...] = ()
    NVMLError = FakeNvmlError
    NVML_TEMPERATURE_GPU = 0

    def __getattr__(self, name: str) -> Callable[..., object]:
        values: dict[str, object] = {
            "nvmlInit": None,
            "nvmlDeviceGetCount": 1,
            "nvmlDeviceGetHandleByIndex": "card",
            "nvmlDeviceGetName": b"NVIDIA GeForce RTX 4070",
            "nvmlDeviceGetUUID": "GPU-1",
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(total=12 * GIB, used=7 * GIB),
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=63),
            "nvmlDeviceGetTemperature": 71,
            "nvmlDeviceGetTotalEnergyConsumption": 7_000_000,
            "nvmlDeviceGetPowerUsage": 151_000,
            "nvmlDeviceGetEnforcedPowerLimit": 200_000,
            "nvmlDeviceGetCurrentClocksThrottleReasons": 0x20 | 0x1,
            "nvmlDeviceGetComputeRunningProcesses": [
                SimpleNamespace(pid=100, usedGpuMemory=5 * GIB),
                SimpleNamespace(pid=7, usedGpuMemory=GIB),
                SimpleNamespace(pid=8, usedGpuMemory=None),
            ],
        }

        def call(*_: object) -> object:
            if name in self.silent:
                raise FakeNvmlError(name)
            return values[name]

        return call


def line(nvml: FakeNvml) -> str:
    out = io.StringIO()
    nvml_live.serve(nvml, io.StringIO("\n"), out)
    return out.getvalue()


def test_whole_way_from_nvml_to_the_reading() -> None:
    (gpu,) = read_answer(line(FakeNvml()), (100, 101))
    assert gpu == GpuLive(
        name="NVIDIA GeForce RTX 4070",
        key="GPU-1",
        total_bytes=12 * GIB,
        used_bytes=7 * GIB,
        ours_bytes=5 * GIB,
        load=0.63,
        temperature_c=71,
        power_w=151.0,
        power_limit_w=200.0,
        throttled=True,
    )


def test_every_value_may_be_missing() -> None:
    names = tuple(name for name in dir(pynvml) if name.startswith("nvmlDeviceGet"))
    silent = tuple(
        n for n in names if n not in ("nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex")
    )
    (gpu,) = read_answer(line(FakeNvml(silent)), (100,))
    assert gpu == GpuLive(name="NVIDIA GPU")


def test_library_that_refuses_answers_without_cards() -> None:
    assert read_answer(line(FakeNvml(("nvmlInit",))), ()) == ()


def test_idle_clock_is_no_throttling() -> None:
    nvml = FakeNvml()
    cards = nvml_live.cards(nvml, ["card"])
    cards[0]["throttle"] = 0
    (gpu,) = read_answer(json.dumps(cards), ())
    assert gpu.throttled is False
    assert gpu.ours_bytes == 0


@pytest.mark.parametrize(
    "text",
    ["", "no json", "{}", "[1, null]", "[" * 5000, '[{"total_bytes": -1, "load_percent": 900}]'],
)
def test_nonsense_is_no_reading(text: str) -> None:
    for gpu in read_answer(text, ()):
        assert gpu.total_bytes is None
        assert gpu.load is None


ANSWERING = 'import sys\nfor _ in sys.stdin: print(\'[{"name": "RTX"}]\', flush=True)'
DEAF = "import sys, time\nsys.stdin.read()"
DYING = "pass"


def child(code: str, clock: Callable[[], float] = time.monotonic) -> NvidiaLive:
    return NvidiaLive([sys.executable, "-S", "-c", code], clock)


def read_until(nvidia: NvidiaLive, wanted: Callable[[tuple[GpuLive, ...]], bool]) -> None:
    deadline = time.monotonic() + 20
    while not wanted(nvidia.sample(())):
        assert time.monotonic() < deadline


def test_answer_comes_one_reading_later_and_again() -> None:
    nvidia = child(ANSWERING)
    assert nvidia.sample(()) == ()
    read_until(nvidia, lambda gpus: [gpu.name for gpu in gpus] == ["RTX"])
    read_until(nvidia, lambda gpus: [gpu.name for gpu in gpus] == ["RTX"])
    nvidia.pause()


def test_child_that_hangs_is_ended_and_given_up_on_after_the_third() -> None:
    now = [0.0]
    nvidia = child(DEAF, lambda: now[0])
    started = []
    for _ in range(5):
        nvidia.sample(())
        if nvidia._child is not None:
            started.append(nvidia._child._process)
        now[0] += 10.0
        nvidia.sample(())
    assert len(started) == 3
    for process in started:
        assert process.wait(10) is not None
    assert nvidia.sample(()) == ()


def test_child_that_dies_is_started_again_but_not_for_ever() -> None:
    nvidia = child(DYING)
    read_until(nvidia, lambda _: nvidia._starts == 3 and nvidia._child is None)
    assert nvidia.sample(()) == ()
    assert nvidia._starts == 3


def test_command_that_is_not_there() -> None:
    nvidia = NvidiaLive(["/nowhere/python"])
    assert nvidia.sample(()) == ()
    assert nvidia.sample(()) == ()


def test_real_child_ends_with_its_input() -> None:
    """Without a driver it answers with no cards, and it must not outlive this process."""
    nvidia = NvidiaLive(live_command())
    nvidia.sample(())
    process = nvidia._child._process if nvidia._child is not None else None
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0
    nvidia.pause()
