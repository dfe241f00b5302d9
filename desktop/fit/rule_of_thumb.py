"""The rule that people know, M = P × Q / 8 × 1.2, to stand beside the exact figure."""

from __future__ import annotations

from desktop.gguf.header import ModelHeader

_OVERHEAD_TENTHS = 12


def rule_of_thumb_bytes(header: ModelHeader) -> int:
    """Parameters × bits / 8 × 1.2, with the bits that the quantization's name says.

    Source: the rule as it is passed on, M[GB] = P[billions] × Q[bits] / 8 × 1.2.
    """
    return header.parameters * nominal_bits(header.quantization) * _OVERHEAD_TENTHS // 80


def nominal_bits(quantization: str) -> int:
    """The bits a weight in a name such as ``Q4_K_M``; 16 where the name says nothing."""
    digits = "".join(character for character in quantization.split("_")[0] if character.isdigit())
    bits = int(digits) if digits else 16
    return bits if 1 <= bits <= 32 else 16
