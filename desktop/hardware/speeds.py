"""How fast each device of a machine computes, as measured through the engine's own kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.hardware.fields import Fields

MOST_THREADS = 512
_MOST_RATE = 1e18
_MOST_STEP_S = 60.0
_MAX_DEPTH = 4

ATTENTION = "attention:"
"""What the names of attention's speeds begin with; the cache's type follows: ``attention:f16``."""

VALUES = "values"
"""The name of the work between the products: norms, rotations, activations of f32 values."""

EXPERTS = "experts:"
"""As a type's own speed, but with one matrix of many chosen for each row: ``experts:Q4_K``."""


@dataclass(frozen=True, slots=True)
class KernelSpeed:
    """One kind of work: a product with weights of a tensor type (``Q4_K``) or what stands above.

    `read_bytes_per_s`: bytes of weights (of f32 values) that a product with one row reads a
    second; attention's keys and values count once for every head that asks. `operations_per_s`:
    arithmetic with 512 rows, two operations a multiplication (`VALUES`: values written a second).
    """

    type_name: str
    read_bytes_per_s: float
    operations_per_s: float


@dataclass(frozen=True, slots=True)
class DeviceSpeed:
    """One device, by llama.cpp's name for it, with `threads` of the processor (0: a graphics card).

    `step_s` is what starting a graph costs, `node_s` what each small operation in it costs;
    `copy_bytes_per_s` is from main memory to the device. `steady` says whether the device had
    nothing else to do meanwhile.
    """

    device: str
    threads: int
    kernels: tuple[KernelSpeed, ...]
    step_s: float
    copy_bytes_per_s: float | None = None
    node_s: float = 0.0
    steady: bool = True

    def kernel(self, type_name: str) -> KernelSpeed | None:
        """What was measured for this kind of work."""
        for kernel in self.kernels:
            if kernel.type_name == type_name:
                return kernel
        return None

    def to_json(self) -> dict[str, object]:
        return {
            "device": self.device,
            "threads": self.threads,
            "kernels": [
                {
                    "type_name": kernel.type_name,
                    "read_bytes_per_s": kernel.read_bytes_per_s,
                    "operations_per_s": kernel.operations_per_s,
                }
                for kernel in self.kernels
            ],
            "step_s": self.step_s,
            "copy_bytes_per_s": self.copy_bytes_per_s,
            "node_s": self.node_s,
            "steady": self.steady,
        }


def speed_from_json(obj: object) -> DeviceSpeed:
    """One device as `to_json` wrote it. Raises MachineError."""
    return _device(Fields.root(obj, max_depth=_MAX_DEPTH))


def speeds_from_json(root: Fields) -> tuple[DeviceSpeed, ...]:
    """The speeds under ``speeds``; none where they are missing. Raises MachineError."""
    return tuple(_device(fields) for fields in root.groups("speeds"))


def speeds_to_json(speeds: tuple[DeviceSpeed, ...]) -> list[Mapping[str, object]]:
    return [speed.to_json() for speed in speeds]


def _device(fields: Fields) -> DeviceSpeed:
    return DeviceSpeed(
        device=fields.text("device"),
        threads=fields.count("threads", most=MOST_THREADS),
        kernels=tuple(_kernel(kernel) for kernel in fields.groups("kernels")),
        step_s=fields.number("step_s", default=0.0, most=_MOST_STEP_S),
        copy_bytes_per_s=fields.optional_number("copy_bytes_per_s", least=1.0, most=_MOST_RATE),
        node_s=fields.number("node_s", default=0.0, most=_MOST_STEP_S),
        steady=fields.optional_flag("steady") is not False,
    )


def _kernel(fields: Fields) -> KernelSpeed:
    return KernelSpeed(
        type_name=fields.text("type_name"),
        read_bytes_per_s=fields.required_number("read_bytes_per_s", least=1.0, most=_MOST_RATE),
        operations_per_s=fields.required_number("operations_per_s", least=1.0, most=_MOST_RATE),
    )
