"""This machine's kernels, measured for real, in children that may die."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.common.errors import EngineError
from desktop.engine import kernels, process
from desktop.engine.ggml import Backend
from desktop.engine.kernel_timing import CACHE_TYPES, EXPERT_TYPE, Measurement
from desktop.engine.kernels import CPU, measure_kernels
from desktop.engine.llama import llama
from desktop.hardware.speeds import ATTENTION, EXPERTS, VALUES, DeviceSpeed
from tests.rpc_servers import rpc_server

MIB = 1 << 20


def measurement(types: tuple[str, ...], seconds: float = 60.0) -> DeviceSpeed:
    with Backend(llama(), CPU, 1) as backend:
        return Measurement(backend, 1, 4 * MIB, seconds, types).run()


def test_every_kind_of_work_is_measured() -> None:
    speed = measurement(("Q4_K", "F16", "IQ2_XS"))
    assert (speed.device, speed.threads, speed.copy_bytes_per_s) == (CPU, 1, None)
    names = {kernel.type_name for kernel in speed.kernels}
    attention = {ATTENTION + kind for kind in CACHE_TYPES}
    assert names == {"Q4_K", "F16", "IQ2_XS", VALUES, EXPERTS + EXPERT_TYPE, *attention}
    for kernel in speed.kernels:
        assert 1e6 < kernel.read_bytes_per_s < 1e13, kernel
        assert 1e6 < kernel.operations_per_s < 1e15, kernel
    assert 0 <= speed.node_s < 0.05
    assert 0 <= speed.step_s < 0.5


def test_wide_weights_are_read_faster_than_lookup_tables() -> None:
    """An order that holds on every processor: it shows that it is the weights that are timed."""
    speed = measurement(("F16", "IQ2_XS"))
    plain, looked_up = speed.kernel("F16"), speed.kernel("IQ2_XS")
    assert plain is not None
    assert looked_up is not None
    assert plain.read_bytes_per_s > looked_up.read_bytes_per_s


def test_the_time_is_kept_and_the_most_usual_comes_first() -> None:
    speed = measurement(("Q4_K", "Q6_K", "Q8_0", "F16"), seconds=0.0)
    assert {kernel.type_name for kernel in speed.kernels} == {VALUES, "Q4_K"}


def test_types_that_a_device_lacks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backend, "supports", lambda _self, _node: False)
    assert [kernel.type_name for kernel in measurement(("Q4_K",)).kernels] == [VALUES]


def test_a_busy_machine_is_measured_by_one_thread_s_own_time() -> None:
    with Backend(llama(), CPU, 2) as backend:
        busy = Measurement(backend, 2, 4 * MIB, 0.0, ())
        busy._wall_s = 1000.0  # others have had the processor
        speed = busy.run()
    fine = sys.platform != "win32"
    assert (speed.threads, speed.steady) == ((1 if fine else 2), False)
    assert busy.in_processor_time is fine


def test_a_device_that_is_not_there() -> None:
    with pytest.raises(EngineError) as raised:
        Backend(llama(), "Vulkan7", 1)
    assert raised.value.kind == "no_device"
    assert measure_kernels(1, 20.0, ("Vulkan7",)) == ()


def test_from_a_child() -> None:
    (speed,) = measure_kernels(1, 60.0, (CPU,), types=("Q4_K",), in_processor_time=True)
    assert speed.kernel("Q4_K") is not None


def test_another_device_is_measured_by_the_same_graphs() -> None:
    with rpc_server() as server:
        (speed,) = measure_kernels(1, 60.0, ("RPC0",), types=("Q4_K",), servers=(server,))
    assert (speed.device, speed.threads) == ("RPC0", 0)
    assert speed.kernel("Q4_K") is not None
    assert speed.copy_bytes_per_s is not None
    assert speed.copy_bytes_per_s > 1e6


def _child_that(text: str) -> Callable[[], list[str]]:
    root = str(Path(process.__file__).resolve().parents[2])
    return lambda: [sys.executable, "-c", f"import sys; sys.path.append({root!r}); {text}"]


NONSENSE = json.dumps({"speed": {"device": "CPU", "kernels": [{"type_name": "Q4_K"}]}})


@pytest.mark.parametrize(
    "behaviour",
    [
        "import os; os.abort()",
        "import time; time.sleep(60)",
        f"print({NONSENSE!r}, flush=True); sys.stdin.read()",
        "print('{}', flush=True); sys.stdin.read()",
    ],
    ids=["crash", "hang", "nonsense", "nothing"],
)
def test_a_driver_that_fails_has_no_figures(
    behaviour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "child_command", _child_that(behaviour))
    assert measure_kernels(1, 0.5, ("Vulkan0",)) == ()


PARTLY = json.dumps(
    {
        "so_far": {
            "device": "Vulkan0",
            "threads": 0,
            "kernels": [
                {"type_name": "Q4_K", "read_bytes_per_s": 3e8, "operations_per_s": 3e9},
            ],
            "step_s": 0.001,
        }
    }
)


def test_a_device_that_is_slow_is_known_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    behaviour = f"import time; print({PARTLY!r}, flush=True); time.sleep(60)"
    monkeypatch.setattr(process, "child_command", _child_that(behaviour))
    (speed,) = measure_kernels(1, 0.5, ("Vulkan0",))
    assert speed.kernels[0].read_bytes_per_s == 3e8


def test_weights_are_larger_than_the_caches() -> None:
    assert kernels._weights_bytes(CPU, 32 * MIB) > 32 * MIB
    assert kernels._weights_bytes(CPU, None) > 32 * MIB
    assert kernels._weights_bytes(CPU, 10_000 * MIB) <= 256 * MIB
    assert kernels._weights_bytes("CUDA0", 32 * MIB) > 128 * MIB
