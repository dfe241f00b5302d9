"""What a plan would hold of each device's memory, asked of llama.cpp without allocating it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import LoadError
from desktop.engine.process import Child, ChildDiedError
from desktop.fit.types import Plan


@dataclass(frozen=True, slots=True)
class DeviceBuffers:
    """Bytes on one device; None where only the compute buffer could be read (not on Linux)."""

    weights_bytes: int | None
    context_bytes: int | None
    compute_bytes: int


@dataclass(frozen=True, slots=True)
class DryRun:
    """By llama.cpp's device names; host buffers of a GPU's backend count as ``CPU``.

    `output_bytes` (the logits, on the host) is not part of any device's sum.
    """

    devices: Mapping[str, DeviceBuffers]
    output_bytes: int


def dry_run(path: Path, plan: Plan, *, timeout_s: float = 20.0) -> DryRun:
    """Read the header and reserve on paper, in a child. Raises LoadError.

    Kinds: llama.cpp's refusal as in a real load, ``dry_run_died``, ``dry_run_hangs``.
    """
    with Child("dry_run") as child:
        try:
            child.send({"path": str(path), "plan": plan.to_json()})
            answer = child.receive(timeout_s)
        except ChildDiedError as death:
            raise LoadError("dry_run_died", path=str(path), detail=str(death)) from death
    if answer is None:
        raise LoadError("dry_run_hangs", path=str(path), timeout_s=timeout_s)
    if "error" in answer:
        raise LoadError(answer["error"], detail=answer["detail"], **answer["params"])
    devices = {name: DeviceBuffers(**buffers) for name, buffers in answer["devices"].items()}
    return DryRun(devices, answer["output_bytes"])
