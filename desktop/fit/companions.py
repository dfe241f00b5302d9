"""What goes with a model: a vision projector, a smaller model that drafts, LoRA adapters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader


@dataclass(frozen=True, slots=True)
class Companions:
    """Headers of the files that are opened together with a model.

    `predict_ahead`: the model's own prediction layers ("MTP", "nextn") are loaded too.
    """

    projector: ModelHeader | None = None
    draft: ModelHeader | None = None
    loras: tuple[ModelHeader, ...] = ()
    predict_ahead: bool = False


NO_COMPANIONS = Companions()


@dataclass(frozen=True, slots=True)
class CompanionBytes:
    """What the companions take of one device, all of them together."""

    weights_bytes: int = 0
    context_bytes: int = 0
    compute_bytes: int = 0


def companion_bytes(
    companions: Companions, plan: Plan, shares: Sequence[Share] = ()
) -> dict[str, CompanionBytes]:
    """By device, beside the model opened as `plan` says; empty without companions.

    Vision lies whole on the first GPU that takes part, a draft model wholly on the GPUs, and
    an adapter's tensors where the model's own tensors lie.
    """
    found: dict[str, CompanionBytes] = {}
    first = shares[0].device if shares and plan.gpu_layers > 0 else CPU
    if companions.projector is not None:
        _add(found, first, CompanionBytes(weights_bytes=companions.projector.tensor_bytes))
    if companions.draft is not None:
        footprint = Footprint(companions.draft)
        offloaded = footprint.all_layers if plan.gpu_layers > 0 else 0
        drafting = replace(plan, gpu_layers=offloaded, expert_layers_on_cpu=0, split=())
        for device, placed in footprint.place(drafting, shares).items():
            part = CompanionBytes(placed.weights_bytes, placed.context_bytes)
            _add(found, device, part)
    for lora in companions.loras:
        _add(found, first, CompanionBytes(weights_bytes=lora.tensor_bytes))
    return found


def _add(found: dict[str, CompanionBytes], device: str, more: CompanionBytes) -> None:
    old = found.get(device, CompanionBytes())
    found[device] = CompanionBytes(
        old.weights_bytes + more.weights_bytes,
        old.context_bytes + more.context_bytes,
        old.compute_bytes + more.compute_bytes,
    )
