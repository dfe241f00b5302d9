from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.messages import Messages
from desktop.hardware import nvml
from desktop.hardware.abc import GpuScan
from desktop.hardware.machine import Gpu, Machine, Memory, machine_from_json, printable
from desktop.hardware.nvidia import NvidiaProbe, nvml_command, read_answer
from tests.hardware.trees import GIB

MEMORY = Memory(32 * GIB, 20 * GIB)
CARDS = ("GeForce RTX 4090",)

_RTX_4090 = {
    "name": "NVIDIA GeForce RTX 4090",
    "total_bytes": 25757220864,
    "free_bytes": 24000000000,
    "compute_capability": "8.9",
    "error": "",
}


class FakeNvml:
    """pynvml's functions over cards given as (name, (major, minor), total, free)."""

    NVMLError = pynvml.NVMLError
    NVML_ERROR_NOT_SUPPORTED = pynvml.NVML_ERROR_NOT_SUPPORTED

    def __init__(self, *cards: tuple[Any, tuple[int, int], Any, Any], init_error: int = 0) -> None:
        self.cards = cards
        self.init_error = init_error

    def nvmlInit(self) -> None:  # noqa: N802
        if self.init_error:
            raise pynvml.NVMLError(self.init_error)

    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "560.35.03"

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if self.cards[index][0] is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return index

    def nvmlDeviceGetName(self, handle: int) -> Any:  # noqa: N802
        return self.cards[handle][0]

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:  # noqa: N802
        return self.cards[handle][1]

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        total = self.cards[handle][2]
        if isinstance(total, pynvml.NVMLError):
            raise total
        return SimpleNamespace(total=total, free=self.cards[handle][3])


def _scan(fake: FakeNvml, cards: tuple[str, ...] = CARDS) -> GpuScan:
    """From NVML to GPUs, through the JSON that goes between the two processes."""
    return read_answer(json.loads(json.dumps(nvml.ask(fake))), cards, MEMORY)


def _kinds(scan: GpuScan) -> list[str]:
    return [note.kind for note in scan.notes]


def test_one_card() -> None:
    scan = _scan(FakeNvml(("NVIDIA GeForce RTX 4090", (8, 9), 25757220864, 24000000000)))
    assert scan == GpuScan(
        gpus=(
            Gpu(
                name="NVIDIA GeForce RTX 4090",
                vendor="nvidia",
                backend="cuda",
                total_bytes=25757220864,
                free_bytes=24000000000,
                driver="560.35.03",
                compute_capability="8.9",
            ),
        )
    )


def test_several_cards_and_one_that_is_lost() -> None:
    scan = _scan(
        FakeNvml(
            ("NVIDIA RTX A6000", (8, 6), 48 * GIB, 47 * GIB),
            (None, (0, 0), 0, 0),
            (b"Tesla P40", (6, 1), 24 * GIB, 24 * GIB),
        )
    )
    assert [gpu.name for gpu in scan.gpus] == ["NVIDIA RTX A6000", "Tesla P40"]
    assert _kinds(scan) == ["gpu_unreadable"]


def test_a_chip_that_shares_main_memory() -> None:
    """GB10 and Jetson: NVML knows no memory of the GPU's own."""
    not_supported = pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
    (gpu,) = _scan(FakeNvml(("NVIDIA GB10", (12, 1), not_supported, 0))).gpus
    assert (gpu.unified, gpu.integrated, gpu.dedicated_bytes) == (True, True, 0)
    assert (gpu.total_bytes, gpu.free_bytes) == (MEMORY.total_bytes, MEMORY.available_bytes)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (pynvml.NVML_ERROR_LIBRARY_NOT_FOUND, "nvidia_no_driver"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "nvidia_driver_not_loaded"),
        (pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH, "nvidia_wrong_version"),
        (pynvml.NVML_ERROR_FUNCTION_NOT_FOUND, "nvidia_wrong_version"),
        (pynvml.NVML_ERROR_NO_PERMISSION, "nvidia_no_permission"),
        (pynvml.NVML_ERROR_UNINITIALIZED, "nvidia_failed"),
        (pynvml.NVML_ERROR_UNKNOWN, "nvidia_failed"),
    ],
)
def test_what_nvml_refuses(code: int, kind: str) -> None:
    scan = _scan(FakeNvml(init_error=code))
    assert scan.gpus == ()
    assert _kinds(scan) == [kind]
    assert dict(scan.notes[0].params)["name"] == "GeForce RTX 4090"


def test_neither_library_nor_card_is_nothing_to_tell() -> None:
    assert _scan(FakeNvml(init_error=pynvml.NVML_ERROR_LIBRARY_NOT_FOUND), ()) == GpuScan()


def test_a_driver_without_its_card() -> None:
    assert _kinds(_scan(FakeNvml())) == ["nvidia_no_card"]
    assert _kinds(_scan(FakeNvml(), ())) == []


def test_a_function_that_fails_after_the_start() -> None:
    fake = FakeNvml()

    def fail() -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)

    fake.nvmlDeviceGetCount = fail  # type: ignore[method-assign]
    assert _kinds(_scan(fake)) == ["nvidia_failed"]


@pytest.mark.parametrize("total", [0, -1, 1 << 62, "24 GB", True])
def test_a_driver_that_lies_about_memory(total: Any) -> None:
    answer = {"code": 0, "driver": "1", "cards": [{**_RTX_4090, "total_bytes": total}]}
    scan = read_answer(answer, CARDS, MEMORY)
    assert scan.gpus == ()
    assert _kinds(scan) == ["gpu_implausible"]


@pytest.mark.parametrize("free", [-1, 1 << 60, None, "all", True])
def test_free_memory_that_cannot_be_is_unknown(free: Any) -> None:
    answer = {"code": 0, "driver": "1", "cards": [{**_RTX_4090, "free_bytes": free}]}
    assert read_answer(answer, CARDS, MEMORY).gpus[0].free_bytes is None


def _probe(code: str) -> NvidiaProbe:
    return NvidiaProbe([sys.executable, "-c", code])


def _within(seconds: float) -> float:
    return time.monotonic() + seconds


def test_a_child_that_answers() -> None:
    answer = {"code": 0, "detail": "", "driver": "560", "cards": [_RTX_4090]}
    scan = _probe(f"print('''{json.dumps(answer)}''')").scan(CARDS, MEMORY, _within(60))
    assert [gpu.name for gpu in scan.gpus] == ["NVIDIA GeForce RTX 4090"]


def test_a_library_that_prints_before_it() -> None:
    answer = {"code": 0, "detail": "", "driver": "560", "cards": [_RTX_4090]}
    code = f"print('WARNING: infoROM is corrupted'); print({json.dumps(answer)!r})"
    assert len(_probe(code).scan(CARDS, MEMORY, _within(60)).gpus) == 1


def test_a_driver_that_hangs_forever() -> None:
    started = time.monotonic()
    probe = _probe("import threading; threading.Event().wait()")
    scan = probe.scan(CARDS, MEMORY, _within(0.3))
    assert time.monotonic() - started < 2
    assert scan.gpus == ()
    assert _kinds(scan) == ["nvidia_no_answer"]
    assert "GeForce RTX 4090" in Messages("de").text(
        "notes.nvidia_no_answer", **dict(scan.notes[0].params)
    )


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left behind: no process, no open pipe (a ResourceWarning fails the test)."""
    children: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def remember(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        children.append(real(*args, **kwargs))
        return children[-1]

    monkeypatch.setattr(subprocess, "Popen", remember)
    _probe("import threading; threading.Event().wait()").scan(CARDS, MEMORY, _within(0.2))
    for thread in threading.enumerate():
        if thread.name == "nvml-reaper":
            thread.join(10)
    assert children[0].poll() is not None
    assert children[0].stdout is not None
    assert children[0].stdout.closed


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.abort()",
        "raise SystemExit(3)",
        "print('not json')",
        "print('[]')",
        "pass",
        "print('[' * 100000)",
        "print('{}')",
        "print('{\"code\": 0}')",
        'print(\'{"code": 0, "cards": 5}\')',
        "import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)",
    ],
)
def test_a_child_that_crashes_or_babbles(code: str) -> None:
    scan = _probe(code).scan(CARDS, MEMORY, _within(60))
    assert scan.gpus == ()
    assert _kinds(scan) == ["nvidia_failed"]


def test_a_python_that_cannot_be_started() -> None:
    scan = NvidiaProbe(["/nonexistent/python"]).scan(CARDS, MEMORY, _within(60))
    assert _kinds(scan) == ["nvidia_failed"]


def test_the_real_child_answers_on_every_machine() -> None:
    """With or without NVIDIA's library: one JSON document and exit code 0."""
    done = subprocess.run(nvml_command(), capture_output=True, check=True, timeout=60)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer.keys() == {"code", "detail", "driver", "cards"}
    assert (answer["code"] == 0) == bool(answer["driver"])


def test_the_child_is_found_from_any_folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app may be started anywhere, and a folder `desktop` may lie there."""
    (tmp_path / "desktop").mkdir()
    (tmp_path / "desktop" / "__init__.py").write_text("raise SystemExit(5)")
    monkeypatch.chdir(tmp_path)
    assert _kinds(NvidiaProbe().scan(CARDS, MEMORY, _within(60))) != ["nvidia_failed"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
_CARDS = st.dictionaries(st.sampled_from(tuple(_RTX_4090)), _JSON).map(
    lambda some: {**_RTX_4090, **some}
)
_ANSWERS = st.fixed_dictionaries(
    {"code": st.just(0) | _JSON, "driver": _JSON, "detail": _JSON},
    optional={"cards": st.lists(_CARDS | _JSON, max_size=3) | _JSON},
)


@given(_ANSWERS)
def test_any_answer_gives_gpus_that_can_be(answer: dict[str, Any]) -> None:
    scan = read_answer(answer, CARDS, MEMORY)
    machine = printable(Machine(MEMORY, gpus=scan.gpus, notes=scan.notes))
    assert machine_from_json(machine.to_json()) == machine
    assert scan.gpus or scan.notes
