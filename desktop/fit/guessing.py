"""How far ahead a model may be guessed, as its header says."""

from __future__ import annotations

from desktop.fit.layers import has_no_context, recurs, rolls_back
from desktop.fit.vectors import makes_vectors
from desktop.gguf.header import ModelHeader

DRAFT_TOKENS = 16
"""Guessed tokens a step, for all sequences together: a row of logits each."""
DRAFT_TOKENS_BACK = 3
"""Where each of them takes a copy of all recurrent states, for each sequence (llama.cpp's 3)."""
_ONE_HEAD = frozenset(
    {
        "bailingmoe3",
        "cohere2moe",
        "deepseek2",
        "deepseek32",
        "deepseek4",
        "glm-dsa",
        "glm4moe",
        "nemotron_h_moe",
        "qwen35",
        "qwen35moe",
        "qwen3next",
    }
)
_SEVERAL_HEADS = frozenset({"hy_v3", "mimo2", "step35"})
"""Architectures whose prediction heads llama.cpp can run, one of them or several: of several the
first is used. For others, and without the heads' tensors, it would end the process."""
_TENSORS = ("eh_proj", "enorm", "hnorm")


def draft_tokens(header: ModelHeader, wished: int | None = None, *, heads: bool = False) -> int:
    """As many as are `wished`, or worth their memory; 0 where it cannot go back by a few tokens.

    With `heads` the model predicts them itself, which is worth copies of its states.
    """
    if has_no_context(header) or makes_vectors(header):
        return 0
    if not recurs(header):
        return DRAFT_TOKENS if wished is None else wished
    if not rolls_back(header):
        return 0
    return wished if wished is not None else DRAFT_TOKENS_BACK * heads


def has_heads(header: ModelHeader) -> bool:
    """Whether the file has layers that predict ahead ("MTP", "nextn") which llama.cpp can run."""
    arch, count = header.architecture, header.arch_integer("nextn_predict_layers")
    if not (arch in _SEVERAL_HEADS and count > 0) and not (arch in _ONE_HEAD and count == 1):
        return False
    first = header.block_count - count
    return all(header.tensor(f"blk.{first}.nextn.{name}.weight") for name in _TENSORS)
