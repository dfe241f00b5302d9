"""Shapes of real models as the quantizer can read them: no words, every figure it asks for."""

from __future__ import annotations

from dataclasses import replace

from tests.fit.real_shapes import Shape

_ASKED = {
    "attention.layer_norm_rms_epsilon": 1e-5,
    "attention.layer_norm_epsilon": 1e-5,
    "rope.dimension_sections": [16, 24, 24, 0],
    "expert_group_scale": 1.0,
}


def with_what_is_asked(shape: Shape) -> Shape:
    """Its vocabulary is left out: the quantizer never reads it, and writing it takes seconds."""
    return replace(shape, vocab=64, metadata={**_ASKED, **shape.metadata})
