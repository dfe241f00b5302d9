"""Graphics processors' memory bandwidth and arithmetic, by name where the name is known.

Sources: the makers' data sheets (bytes per second of the memory interface).
"""

from __future__ import annotations

import re
from functools import lru_cache

from desktop.hardware.machine import POOL_BACKEND, Gpu

_GB = 1_000_000_000
_GIB = 1 << 30

_BY_NAME_GB_PER_S: tuple[tuple[str, int], ...] = (
    (r"h200", 4800),
    (r"h100", 3350),
    (r"a100", 1555),
    (r"l40s?\b", 864),
    (r"\bl4\b", 300),
    (r"\bt4\b", 320),
    (r"\bp40\b", 346),
    (r"\bp100\b", 732),
    (r"v100", 900),
    (r"\ba10\b", 600),
    (r"rtx a6000", 768),
    (r"rtx a5000", 768),
    (r"rtx a4000", 448),
    (r"rtx a2000", 288),
    (r"rtx (pro )?6000", 1200),
    (r"5090.*laptop", 896),
    (r"5090", 1792),
    (r"5080.*laptop", 896),
    (r"5080", 960),
    (r"5070 ti", 896),
    (r"5070", 672),
    (r"5060", 448),
    (r"5050", 320),
    (r"4090.*laptop", 576),
    (r"4090", 1008),
    (r"4080.*laptop", 432),
    (r"4080", 717),
    (r"4070 ti super", 672),
    (r"4070.*laptop", 256),
    (r"4070", 504),
    (r"4060 ti", 288),
    (r"4060", 272),
    (r"4050", 192),
    (r"3090", 936),
    (r"3080 ti", 912),
    (r"3080", 760),
    (r"3070", 448),
    (r"3060 ti", 448),
    (r"3060", 360),
    (r"3050", 192),
    (r"2080 ti", 616),
    (r"20[78]0", 448),
    (r"2060", 336),
    (r"16[56]0", 192),
    (r"1080 ti", 484),
    (r"10[78]0", 320),
    (r"1060", 192),
    (r"1050", 112),
    (r"7900 xtx", 960),
    (r"7900 xt", 800),
    (r"7800 xt", 624),
    (r"7700 xt", 432),
    (r"7600", 288),
    (r"90[67]0", 640),
    (r"6[89]00", 512),
    (r"6700", 384),
    (r"6600", 224),
    (r"8060s|strix halo|ai max", 256),
    (r"\bb580", 456),
    (r"a7[57]0", 512),
    (r"m[1-4] ultra", 800),
    (r"m4 max", 546),
    (r"m[1-3] max", 400),
    (r"m4 pro", 273),
    (r"m3 pro", 150),
    (r"m[12] pro", 200),
    (r"m5", 153),
    (r"m4", 120),
    (r"m[23]", 100),
    (r"m1", 68),
)
_BY_SIZE_GB_PER_S = ((20, 700), (11, 400), (7, 270), (3, 180), (0, 60))
_UNIFIED_GB_PER_S = 60
# Nobody knows what another machine computes with before it is measured: as slow as an old laptop,
# so that nothing goes there that fits here.
_POOL_GB_PER_S = 12
_NVIDIA_OPERATIONS_A_BYTE = (
    (r"[45]0[5-9]0|rtx pro|\bl4|h[12]00", 130),
    (r"30[5-9]0|a100|a[456]000", 70),
    (r"20[678]0|\bt4\b|16[56]0", 45),
    (r"10[5-8]0|\bp40\b|\bp100\b", 30),
)


@lru_cache(maxsize=256)
@lru_cache(maxsize=256)
def gpu_bandwidth_bytes_per_s(gpu: Gpu) -> float:
    """By the GPU's name; else as its memory's size is usual."""
    if gpu.backend == POOL_BACKEND:
        return _POOL_GB_PER_S * _GB
    name = gpu.name.lower()
    for pattern, gigabytes in _BY_NAME_GB_PER_S:
        if re.search(pattern, name):
            return gigabytes * _GB
    if gpu.unified or gpu.integrated:
        return _UNIFIED_GB_PER_S * _GB
    size = gpu.total_bytes / _GIB
    return next(speed for least, speed in _BY_SIZE_GB_PER_S if size >= least) * _GB


@lru_cache(maxsize=256)
def gpu_operations_per_s(gpu: Gpu) -> float:
    """Arithmetic grows with bandwidth: so many operations a byte, by the kind of graphics.

    Sources: prompt speeds (pp512) of 7B and 8B models at 4 bits in llama.cpp's public benchmark
    threads, times two operations a parameter, over the data sheets' bandwidths.
    """
    return gpu_bandwidth_bytes_per_s(gpu) * _operations_a_byte(gpu)


@lru_cache(maxsize=256)
def gpu_read_share(gpu: Gpu) -> float:
    """Of the bandwidth that generating reaches (the same threads' tg128)."""
    if gpu.vendor == "apple":
        return 0.78
    if _is_old_intel(gpu):
        return 0.3
    if gpu.integrated or gpu.unified:
        return 0.45 if gpu.vendor == "intel" else 0.6
    return {"nvidia": 0.72, "amd": 0.6, "intel": 0.6}.get(gpu.vendor, 0.6)


def _operations_a_byte(gpu: Gpu) -> float:
    if gpu.vendor == "apple":
        return 21
    if _is_old_intel(gpu):
        return 6
    if gpu.integrated or gpu.unified:
        return 12 if gpu.vendor == "intel" else 35
    if gpu.vendor != "nvidia":
        return 35
    name = gpu.name.lower()
    for pattern, ratio in _NVIDIA_OPERATIONS_A_BYTE:
        if re.search(pattern, name):
            return ratio
    return 50


def _is_old_intel(gpu: Gpu) -> bool:
    """Before Xe: too slow to be of help beside a good processor."""
    if gpu.vendor != "intel":
        return False
    name = gpu.name.lower()
    return re.search(r"\b(u?hd)\b|iris\W*(\w+\W+)?(plus|pro|graphics [56])", name) is not None
