"""Processor features that decide which code llama.cpp runs, under one name on every system."""

from __future__ import annotations

from collections.abc import Iterable

# Our name, then the names that systems use for it: Linux x86 flags and ARM features
# (/proc/cpuinfo), py-cpuinfo, macOS sysctl. What is not listed here decides nothing.
_NAMES: dict[str, tuple[str, ...]] = {
    "sse4_2": ("sse4_2", "sse4.2"),
    "avx": ("avx", "avx1.0"),
    "f16c": ("f16c",),
    "fma": ("fma",),
    "bmi2": ("bmi2",),
    "avx2": ("avx2",),
    "avx_vnni": ("avx_vnni",),
    "avx512f": ("avx512f",),
    "avx512cd": ("avx512cd",),
    "avx512bw": ("avx512bw",),
    "avx512dq": ("avx512dq",),
    "avx512vl": ("avx512vl",),
    "avx512_vbmi": ("avx512vbmi", "avx512_vbmi"),
    "avx512_vnni": ("avx512_vnni", "avx512vnni"),
    "avx512_bf16": ("avx512_bf16", "avx512bf16"),
    "amx_tile": ("amx_tile",),
    "amx_int8": ("amx_int8",),
    "amx_bf16": ("amx_bf16",),
    "neon": ("asimd", "neon", "advsimd"),
    "fp16": ("asimdhp", "fphp", "feat_fp16"),
    "dotprod": ("asimddp", "feat_dotprod"),
    "i8mm": ("i8mm", "feat_i8mm"),
    "bf16": ("bf16", "feat_bf16"),
    "sve": ("sve",),
    "sve2": ("sve2",),
    "sme": ("sme", "feat_sme"),
    "rvv": ("rvv",),
}
_BY_NAME = {name: ours for ours, theirs in _NAMES.items() for name in (ours, *theirs)}


def known_features(flags: Iterable[str]) -> tuple[str, ...]:
    """Those of a system's flags that matter here, by our names, in the order of the table."""
    found = {_BY_NAME[flag.lower()] for flag in flags if flag.lower() in _BY_NAME}
    return tuple(name for name in _NAMES if name in found)
