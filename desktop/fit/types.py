"""What goes into a fit and what comes out: wishes, plans, reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from desktop.common.errors import Param

KvType = Literal["f16", "q8_0", "q4_0"]
Verdict = Literal["gpu", "partly_gpu", "cpu", "too_large"]
Method = Literal["header", "dry_run", "measured"]
Basis = Literal["measured", "predicted"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for; None leaves the choice to the planner.

    `context` is n_ctx in tokens, shared by `parallel` conversations, as llama.cpp means it.
    """

    context: int | None = None
    kv_type: KvType = "f16"
    parallel: int = 1
    gpu_layers: int | None = None
    ubatch: int = 512
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to open a model. `context` is n_ctx in tokens over all `parallel` sequences.

    `gpu_layers` counts llama.cpp's way: the output layer is one more than the model's layers.
    `device` is llama.cpp's name of the GPU (``CUDA0``), empty for the CPU alone.
    """

    gpu_layers: int
    context: int
    kv_type: KvType
    parallel: int
    flash_attention: bool
    expert_layers_on_cpu: int
    ubatch: int
    threads: int
    use_mmap: bool
    device: str = ""

    def to_json(self) -> dict[str, object]:
        """The plan as interfaces.md has it, with the fields that opening needs besides."""
        return {
            "gpu_layers": self.gpu_layers,
            "context": self.context,
            "kv_type": self.kv_type,
            "parallel": self.parallel,
            "flash_attention": self.flash_attention,
            "expert_layers_on_cpu": self.expert_layers_on_cpu,
            "ubatch": self.ubatch,
            "threads": self.threads,
            "use_mmap": self.use_mmap,
            "device": self.device,
        }


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What one device must hold, and what it has; `available_bytes` None: nobody knows.

    `capacity_bytes` is all the memory of the device, whoever uses it.
    """

    device: str
    weights_bytes: int
    context_bytes: int
    compute_bytes: int
    capacity_bytes: int
    available_bytes: int | None

    @property
    def total_bytes(self) -> int:
        """All that the plan takes of this device."""
        return self.weights_bytes + self.context_bytes + self.compute_bytes

    def to_json(self) -> dict[str, object]:
        return {
            "device": self.device,
            "weights_bytes": self.weights_bytes,
            "context_bytes": self.context_bytes,
            "compute_bytes": self.compute_bytes,
            "total_bytes": self.total_bytes,
            "available_bytes": self.available_bytes,
            "capacity_bytes": self.capacity_bytes,
        }


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second; None where nothing is known to predict it from."""

    prompt_tokens_per_s: float | None
    tokens_per_s: float | None
    basis: Basis

    def to_json(self) -> dict[str, object]:
        return {
            "prompt_tokens_per_s": _rounded(self.prompt_tokens_per_s),
            "tokens_per_s": _rounded(self.tokens_per_s),
            "basis": self.basis,
        }


@dataclass(frozen=True, slots=True)
class ModelSummary:
    name: str
    architecture: str
    quantization: str
    parameters: int
    file_bytes: int
    layers: int

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "architecture": self.architecture,
            "quantization": self.quantization,
            "parameters": self.parameters,
            "file_bytes": self.file_bytes,
            "layers": self.layers,
        }


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """Something to know about a plan that still works: ``fit.warning.<kind>`` has its sentence."""

    kind: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class FitReport:
    """The answer: `reason_key` with `reason_params` is its sentence in the message catalogue."""

    model: ModelSummary
    plan: Plan
    memory: tuple[DeviceMemory, ...]
    verdict: Verdict
    speed: Speed
    method: Method
    reason_key: str
    reason_params: Mapping[str, Param]
    warnings: tuple[PlanWarning, ...] = ()

    def to_json(self, reason: str, warnings: tuple[str, ...] = ()) -> dict[str, object]:
        """As interfaces.md has it; `reason` and `warnings` are the sentences for a person."""
        return {
            "model": self.model.to_json(),
            "plan": self.plan.to_json(),
            "memory": [device.to_json() for device in self.memory],
            "verdict": self.verdict,
            "speed": self.speed.to_json(),
            "method": self.method,
            "reason": reason,
            "warnings": list(warnings),
        }


def _rounded(tokens_per_s: float | None) -> float | None:
    return None if tokens_per_s is None else round(tokens_per_s, 2)
