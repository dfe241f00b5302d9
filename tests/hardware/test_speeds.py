"""Measured speeds in a machine's description: strict, and small enough to be read by a person."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.common.errors import MachineError
from desktop.hardware.machine import machine_from_json
from desktop.hardware.speeds import DeviceSpeed, KernelSpeed, speed_from_json

FIRST = "speeds[0].kernels[0]."
KERNEL = {"type_name": "Q4_K", "read_bytes_per_s": 2e10, "operations_per_s": 3e11}


def described(**changes: Any) -> dict[str, Any]:
    device = {"device": "CPU", "threads": 4, "kernels": [KERNEL], "step_s": 1e-5, **changes}
    return {"memory": {"total_bytes": 16 << 30}, "speeds": [device]}


def test_what_is_missing_is_nothing() -> None:
    (speed,) = machine_from_json(described(step_s=None)).speeds
    assert speed == DeviceSpeed("CPU", 4, (KernelSpeed("Q4_K", 2e10, 3e11),), 0.0)
    assert speed.kernel("Q4_K") == speed.kernels[0]
    assert speed.kernel("Q8_0") is None
    assert speed_from_json(speed.to_json()) == speed


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"threads": -1}, "speeds[0].threads"),
        ({"step_s": float("nan")}, "speeds[0].step_s"),
        ({"node_s": 1e9}, "speeds[0].node_s"),
        ({"steady": "yes"}, "speeds[0].steady"),
        ({"copy_bytes_per_s": 0}, "speeds[0].copy_bytes_per_s"),
        ({"kernels": {}}, "speeds[0].kernels"),
        ({"kernels": [{**KERNEL, "operations_per_s": None}]}, FIRST + "operations_per_s"),
        ({"kernels": [{**KERNEL, "read_bytes_per_s": -5}]}, FIRST + "read_bytes_per_s"),
        ({"kernels": [{**KERNEL, "read_bytes_per_s": True}]}, FIRST + "read_bytes_per_s"),
        ({"kernels": [{**KERNEL, "operations_per_s": 1e400}]}, FIRST + "operations_per_s"),
        ({"kernels": [{**KERNEL, "type_name": 5}]}, FIRST + "type_name"),
    ],
)  # fmt: skip
def test_nonsense_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MachineError) as raised:
        machine_from_json(described(**changes))
    assert raised.value.kind == "bad_machine"
    assert raised.value.params["field"] == field
