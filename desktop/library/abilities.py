"""What a model can do besides writing, as far as its own file says."""

from __future__ import annotations

import re

from desktop.gguf.header import ModelHeader
from desktop.library.model import Ability

# Names that templates give to tools they are called with (Jinja variables and their fields).
_TOOLS = re.compile(r"\btools\b|\btool_calls?\b|\bfunctions\b|builtin_tools")
_REASONING = re.compile(
    r"<think>|</think>|<\|channel\|>|reasoning_content|enable_thinking|reasoning_effort"
    r"|<\|start_of_thought|\[THINK\]|<seed:think>|thinking_budget"
)
# Encoders: they write nothing, whatever stands in their files.
_EMBEDDING = re.compile(r"(?:.*-)?(?:bert|embedding)(?:-.*)?|t5encoder|eurobert")
_VISION_TENSORS = ("v.patch_embd.weight", "v.enc.embd.patch.weight", "mm.0.weight")
_POOLING_NONE = 0


def abilities_of(header: ModelHeader, *, has_projector: bool) -> tuple[Ability, ...]:
    """In the order of `Ability`; a model that embeds does nothing else."""
    if is_embedding(header):
        return ("embedding",)
    template = header.chat_template or ""
    found: list[Ability] = []
    if has_projector or any(header.tensor(name) is not None for name in _VISION_TENSORS):
        found.append("vision")
    if _TOOLS.search(template):
        found.append("tools")
    if _REASONING.search(template):
        found.append("reasoning")
    return tuple(found)


def is_embedding(header: ModelHeader) -> bool:
    """An encoder, or a model whose file asks for its states to be pooled."""
    if _EMBEDDING.fullmatch(header.architecture):
        return True
    pooling = header.integer(f"{header.architecture}.pooling_type")
    return pooling is not None and pooling != _POOLING_NONE
