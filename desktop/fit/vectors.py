"""Models that make vectors or scores of texts: every token that a step reads is an output."""

from __future__ import annotations

from desktop.fit.layers import has_no_context, has_output
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader

ROWS_A_STEP = 128
"""llama.cpp keeps the logits of every output, wanted or not: 300 MB for a step of 512 tokens with
150,000 words. A text that may be read in parts is read in parts of this size."""
_BOTH_WAYS = ("gemma-embedding",)  # by their architecture; others say so
_POOLED = range(1, 5)  # llama.cpp's mean, cls, last, rank


def makes_vectors(header: ModelHeader) -> bool:
    """Whether the file is meant for vectors or scores, not for writing."""
    if header.arch_integer("pooling_type") in _POOLED:
        return True
    if header.architecture in _BOTH_WAYS or not has_output(header):
        return True
    # A diffusion model looks both ways too, and writes.
    return _stated_both_ways(header) and not has_no_context(header)


def _stated_both_ways(header: ModelHeader) -> bool:
    return header.metadata.get(f"{header.architecture}.attention.causal") is False


def computes_logits(header: ModelHeader) -> bool:
    """Whether its graph ends in scores for the vocabulary."""
    return has_output(header) and header.architecture not in _BOTH_WAYS


def looks_back_only(architecture: str, *, stated_causal: bool) -> bool:
    """Whether each token sees those before it alone, so that a text can be read in parts."""
    return stated_causal and architecture not in _BOTH_WAYS


def rows_read(header: ModelHeader, plan: Plan) -> int:
    """Tokens of one step, all of them outputs."""
    causal = not _stated_both_ways(header) and has_output(header)
    if looks_back_only(header.architecture, stated_causal=causal):
        return min(plan.batch_tokens, max(ROWS_A_STEP, plan.parallel))
    return plan.batch_tokens


def output_rows(header: ModelHeader, plan: Plan) -> int:
    """Rows of results that one step may give."""
    return rows_read(header, plan) if makes_vectors(header) else plan.output_rows
