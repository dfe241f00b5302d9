"""What goes with a model: a vision projector, a smaller model that drafts, LoRA adapters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from desktop.fit.compute import estimated_compute
from desktop.fit.layers import attention_cache, rolls_back
from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.overheads import output_bytes
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader

_FLOAT_BYTES = 4
_POOLING_BYTES = 16 << 20
_MOST_MERGED_PATCHES = 4 * 46 * 46  # what llama.cpp tries out where images have any size
_AUDIO_FRAMES = 3000  # half a minute
_ANY_SIZE = ("qwen2vl_merger", "qwen2.5vl_merger", "qwen3vl_merger", "pixtral", "lfm2", "kimivl")
_LAYER = re.compile(r"blk\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Companions:
    """Headers of the files that are opened together with a model.

    `predict_ahead`: the model's own prediction layers ("MTP", "nextn") are loaded too, and try
    `drafted_tokens` at once (3 is llama.cpp's default).
    `projector_compute_bytes` is what libmtmd itself says, where it can be asked.
    """

    projector: ModelHeader | None = None
    draft: ModelHeader | None = None
    loras: tuple[ModelHeader, ...] = ()
    predict_ahead: bool = False
    drafted_tokens: int = 3
    projector_compute_bytes: int | None = None


NO_COMPANIONS = Companions()


@dataclass(frozen=True, slots=True)
class CompanionBytes:
    """What the companions take of one device, all of them together."""

    weights_bytes: int = 0
    context_bytes: int = 0
    compute_bytes: int = 0


class _Sums:
    def __init__(self) -> None:
        self.by_device: dict[str, CompanionBytes] = {}

    def add(self, device: str, weights: int = 0, context: int = 0, compute: int = 0) -> None:
        old = self.by_device.get(device, CompanionBytes())
        self.by_device[device] = CompanionBytes(
            old.weights_bytes + weights, old.context_bytes + context, old.compute_bytes + compute
        )


def companion_bytes(
    companions: Companions,
    plan: Plan,
    shares: Sequence[Share] = (),
    footprint: Footprint | None = None,
) -> dict[str, CompanionBytes]:
    """By device, beside the model of `footprint` opened as `plan` says; empty without companions.

    Vision lies whole on the first GPU that takes part, a draft model wholly on the GPUs, and
    an adapter's tensors where the model's own tensors lie.
    """
    sums = _Sums()
    taking_part = tuple(shares) if plan.gpu_layers > 0 else ()
    first = taking_part[0].device if taking_part else CPU
    if companions.projector is not None:
        compute = companions.projector_compute_bytes
        if compute is None:
            compute = projector_compute_bytes(companions.projector)
        sums.add(first, weights=companions.projector.tensor_bytes, compute=compute)
    if companions.draft is not None:
        rearranged = footprint.rearranged if footprint is not None else frozenset()
        _add_draft(sums, _footprint(companions.draft, rearranged), plan, taking_part)
    for lora in companions.loras:
        _add_lora(sums, lora, plan, taking_part, footprint)
    if (companions.predict_ahead or plan.mtp) and footprint is not None:
        _add_ahead(sums, footprint, plan, taking_part)
        _add_ways_back(sums, footprint, plan, taking_part, companions.drafted_tokens)
    return sums.by_device


def projector_compute_bytes(header: ModelHeader) -> int:
    """An estimate for one picture, or half a minute of sound: a tower's widest layer."""
    most = 0
    for kind in ("vision", "audio"):
        width = _clip(header, f"{kind}.embedding_length")
        forward = _clip(header, f"{kind}.feed_forward_length")
        if width:
            rows = _patches(header) if kind == "vision" else _AUDIO_FRAMES
            most = max(most, _FLOAT_BYTES * rows * (4 * width + forward))
    return most + _POOLING_BYTES


def _patches(header: ModelHeader) -> int:
    size, patch = _clip(header, "vision.image_size"), _clip(header, "vision.patch_size")
    stated = (size // patch) ** 2 if patch else 0
    projector = header.text("clip.projector_type") or header.text("clip.vision.projector_type")
    return max(stated, _MOST_MERGED_PATCHES) if projector in _ANY_SIZE else stated


def draft_plan(draft: Footprint, plan: Plan) -> Plan:
    """How a draft model is opened beside one that is opened as `plan` says."""
    return replace(
        plan,
        gpu_layers=draft.all_layers if plan.gpu_layers > 0 else 0,
        expert_layers_on_cpu=0,
        split=(),
        kv_type=plan.kv_type if draft.allows(plan.kv_type) else "f16",
        use_mmap=False,
        draft_tokens=0,
        mtp=False,
    )


def _add_draft(sums: _Sums, draft: Footprint, plan: Plan, shares: tuple[Share, ...]) -> None:
    drafting = draft_plan(draft, plan)
    compute = estimated_compute(draft, drafting, tuple(share.device for share in shares))
    for device, placed in draft.place(drafting, shares).items():
        work = compute.get(device, 0)
        work += output_bytes(draft.header, drafting) if device == CPU else 0
        sums.add(device, placed.weights_bytes, placed.context_bytes, work)


def _add_lora(
    sums: _Sums,
    lora: ModelHeader,
    plan: Plan,
    shares: tuple[Share, ...],
    footprint: Footprint | None,
) -> None:
    output = footprint.device_of(footprint.layers, plan, shares) if footprint is not None else CPU
    for tensor in lora.tensors:
        match = _LAYER.match(tensor.name)
        if footprint is None or tensor.name.startswith("token_embd."):
            device = CPU
        elif match is None:
            device = output
        else:
            device = footprint.device_of(int(match[1]), plan, shares)
        sums.add(device, weights=tensor.nbytes)


def _add_ahead(sums: _Sums, footprint: Footprint, plan: Plan, shares: tuple[Share, ...]) -> None:
    """The layers at the end of the file, with a context and buffers of their own."""
    ahead = range(footprint.used_layers, footprint.layers)
    if not ahead:
        return
    for layer in ahead:
        cache = attention_cache(footprint.header, layer)
        device = footprint.device_of(layer, plan, shares)
        context = footprint.cache_bytes(cache, plan)
        sums.add(device, footprint.ahead_bytes[layer], context)
    compute = estimated_compute(footprint, plan, tuple(share.device for share in shares))
    for device, size in compute.items():
        sums.add(device, compute=size)
    results = output_bytes(footprint.header, replace(plan, draft_tokens=0, mtp=False))
    hidden = _FLOAT_BYTES * max(0, footprint.header.embedding_length) * plan.parallel
    sums.add(CPU, compute=results + hidden)


def _add_ways_back(
    sums: _Sums, footprint: Footprint, plan: Plan, shares: tuple[Share, ...], drafted_tokens: int
) -> None:
    """A copy of every recurrent state for each token that may turn out wrong.

    Those that the plan itself counts on are part of the model's own context.
    """
    copies, plain = max(0, drafted_tokens - plan.draft_tokens), replace(plan, draft_tokens=0)
    if footprint.used_layers == footprint.layers or not rolls_back(footprint.header):
        return
    for layer in range(footprint.used_layers):
        states = footprint.state_bytes(footprint.caches[layer], plain)
        if states:
            device = footprint.device_of(layer, plan, shares)
            sums.add(device, context=copies * states)


@lru_cache(maxsize=4)
def _footprint(header: ModelHeader, rearranged: frozenset[str]) -> Footprint:
    return Footprint(header, rearranged)


def _clip(header: ModelHeader, key: str) -> int:
    return max(0, header.integer(f"clip.{key}") or 0)
