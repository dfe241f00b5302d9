"""What goes into a fit and what comes out: wishes, plans, reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from desktop.common.errors import Param

KvType = Literal["f16", "q8_0", "q4_0"]
Verdict = Literal["gpu", "partly_gpu", "cpu", "too_large"]
Method = Literal["header", "dry_run", "measured"]
Basis = Literal["measured", "predicted"]
Priority = Literal["balanced", "quality", "speed"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for; None leaves the choice to the planner.

    `context` is n_ctx in tokens, shared by `parallel` conversations, as llama.cpp means it.
    `draft_tokens` may be guessed ahead in a step, 0 for none. `mtp`: whether the model's own
    layers for that are loaded, where the file has them.
    `priority`: "quality" keeps the context and its precision before speed, "speed" the reverse.
    """

    context: int | None = None
    kv_type: KvType | None = None
    parallel: int = 1
    gpu_layers: int | None = None
    ubatch: int | None = None
    threads: int | None = None
    priority: Priority = "balanced"
    draft_tokens: int | None = None
    mtp: bool | None = None
    flash_attention: bool | None = None
    expert_layers_on_cpu: int | None = None
    use_mmap: bool | None = None
    lock_memory: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How to open a model. `context` is n_ctx in tokens over all `parallel` sequences.

    `gpu_layers` counts llama.cpp's way: the output layer is one more than the model's layers.
    `device` is llama.cpp's name of the GPU (``CUDA0``), empty for the CPU alone or several GPUs.
    `split` says for several GPUs how many of the `gpu_layers` each takes, in llama.cpp's order.
    `threads_batch` is for prompts; 0 means as many as `threads`.
    `draft_tokens` are the most guessed ahead and judged in one step, over all sequences; `mtp`:
    the file's own layers for that (multi-token prediction) are loaded and guess.
    `lock_memory`: the weights in main memory are never swapped out (mlock), as far as the system
    allows.
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
    split: tuple[tuple[str, int], ...] = ()
    threads_batch: int = 0
    draft_tokens: int = 0
    mtp: bool = False
    lock_memory: bool = False

    @property
    def batch_tokens(self) -> int:
        """What one step computes at most."""
        return max(self.ubatch, self.parallel)

    @property
    def output_rows(self) -> int:
        """Rows of logits that one step may give: one a sequence, and one a guessed token."""
        return min(self.batch_tokens, self.parallel + self.draft_tokens)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """What `to_json` wrote, by any version; unknown fields are skipped.

        Raises ValueError where a field is missing or has no such type.
        """
        known = {field.name: field for field in fields(cls)}
        values = {name: value for name, value in document.items() if name in known}
        try:
            if "split" in values:
                values["split"] = tuple((str(name), int(n)) for name, n in values["split"])
            found = cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from error
        for name, value in values.items():
            if name != "split" and not _has_type(value, known[name].type):
                raise ValueError(f"{name} is {value!r}")
        return found

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
            "split": [list(part) for part in self.split],
            "threads_batch": self.threads_batch,
            "draft_tokens": self.draft_tokens,
            "mtp": self.mtp,
            "lock_memory": self.lock_memory,
        }


def _has_type(value: object, annotation: object) -> bool:
    if annotation == "bool":
        return isinstance(value, bool)
    if annotation == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What one device must hold, and what it has; `available_bytes` None: nobody knows.

    `output_bytes` are the logits, `repacked_bytes` weights that lie there a second time beside a
    mapped file, `driver_bytes` what the device's driver takes for itself.
    `capacity_bytes` is all the memory of the device, whoever uses it; `others_bytes` of it are
    other programs', and unloading our own models would free `ours_bytes`. Of what is available,
    `margin_bytes` stay free: the usual margin, with what failed loads have taught.
    """

    device: str
    weights_bytes: int
    context_bytes: int
    compute_bytes: int
    capacity_bytes: int
    available_bytes: int | None
    output_bytes: int = 0
    repacked_bytes: int = 0
    driver_bytes: int = 0
    others_bytes: int | None = None
    ours_bytes: int = 0
    margin_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All that the plan takes of this device."""
        return (
            self.weights_bytes
            + self.context_bytes
            + self.compute_bytes
            + self.output_bytes
            + self.repacked_bytes
            + self.driver_bytes
        )

    def to_json(self) -> dict[str, object]:
        return {
            "device": self.device,
            "weights_bytes": self.weights_bytes,
            "context_bytes": self.context_bytes,
            "compute_bytes": self.compute_bytes,
            "output_bytes": self.output_bytes,
            "repacked_bytes": self.repacked_bytes,
            "driver_bytes": self.driver_bytes,
            "total_bytes": self.total_bytes,
            "available_bytes": self.available_bytes,
            "capacity_bytes": self.capacity_bytes,
            "others_bytes": self.others_bytes,
            "ours_bytes": self.ours_bytes,
            "margin_bytes": self.margin_bytes,
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
class Alternative:
    """Something else that would serve better: ``fit.instead.<kind>`` has its sentence.

    Kinds: quantization (the same model with fewer bits), model (a smaller one), context, kv_type.
    """

    kind: str
    params: Mapping[str, Param]
    verdict: Verdict
    tokens_per_s: float | None


@dataclass(frozen=True, slots=True)
class FitReport:
    """The answer: `reason_key` with `reason_params` is its sentence in the message catalogue.

    Where the verdict is "too_large", `plan` is the attempt that comes nearest (as much on the
    graphics as they hold, the smallest context): it does not load, and `memory` shows where it
    fails. `missing_bytes` is what lacks there, beside what is kept free.
    `rule_of_thumb_bytes` is what parameters × bits / 8 × 1.2 would say, to be shown beside it.
    """

    model: ModelSummary
    plan: Plan
    memory: tuple[DeviceMemory, ...]
    verdict: Verdict
    speed: Speed
    method: Method
    reason_key: str
    reason_params: Mapping[str, Param]
    warnings: tuple[PlanWarning, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    rule_of_thumb_bytes: int = 0
    missing_bytes: int = 0

    @property
    def loads(self) -> bool:
        """Whether the plan can be opened with what is free now."""
        return self.verdict != "too_large"

    @property
    def total_bytes(self) -> int:
        """All that the plan takes, over all devices."""
        return sum(row.total_bytes for row in self.memory)

    def to_json(self, reason: str, warnings: tuple[str, ...] = ()) -> dict[str, object]:
        """As interfaces.md has it; `reason` and `warnings` are the sentences for a person.

        A speed is said of what does not load only if it was measured (it was opened all the same).
        """
        told = self.loads or self.speed.basis == "measured"
        speed = self.speed if told else Speed(None, None, "predicted")
        return {
            "model": self.model.to_json(),
            "plan": self.plan.to_json(),
            "memory": [device.to_json() for device in self.memory],
            "verdict": self.verdict,
            "loads": self.loads,
            "missing_bytes": self.missing_bytes,
            "speed": speed.to_json(),
            "method": self.method,
            "reason": reason,
            "warnings": list(warnings),
            "total_bytes": self.total_bytes,
            "rule_of_thumb_bytes": self.rule_of_thumb_bytes,
            "alternatives": [
                {
                    "kind": other.kind,
                    **other.params,
                    "verdict": other.verdict,
                    "tokens_per_s": _rounded(other.tokens_per_s),
                }
                for other in self.alternatives
            ],
        }


def _rounded(tokens_per_s: float | None) -> float | None:
    return None if tokens_per_s is None else round(tokens_per_s, 2)
