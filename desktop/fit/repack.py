"""Which weights llama.cpp's CPU backend rearranges while loading, by what the processor can.

A rearranged weight is a copy: with a mapped file both lie in memory, and a tied embedding exists
twice (once to look rows up, once rearranged as the output). Source: ggml's repack.cpp, amx.
"""

from __future__ import annotations

from collections.abc import Iterable

_X86_AVX2 = ("Q4_0", "Q4_K", "IQ4_NL", "MXFP4")
_X86_AVX512 = ("Q2_K",)
_X86_AMX = ("Q4_0", "Q4_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS")
_ARM_DOTPROD = ("Q4_0", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "MXFP4", "Q8_0", "Q1_0")


def rearranged_types(features: Iterable[str]) -> frozenset[str]:
    """Names of tensor types, for a processor with `features`; none where nothing is known."""
    known = {feature.lower() for feature in features}
    types: set[str] = set()
    if "avx2" in known:
        types.update(_X86_AVX2)
    if "avx512f" in known:
        types.update(_X86_AVX512)
    if any(feature.startswith("amx_int8") for feature in known):
        types.update(_X86_AMX)
    if known & {"dotprod", "asimddp", "i8mm"}:
        types.update(_ARM_DOTPROD)
    return frozenset(types)
