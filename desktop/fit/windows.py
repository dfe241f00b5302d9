"""Sliding windows: which layers of which models look back over a part of the context only.

The rules are those of llama.cpp's architectures (`load_arch_hparams`): a period, a list in the
header, or all layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.gguf.header import ModelHeader


@dataclass(frozen=True, slots=True)
class _Window:
    """Every `period`-th layer attends to everything; `first` says whether it leads its group."""

    period: int
    first: bool = False
    default: int = 0  # the window's size where the header does not say
    fixed: int = 0  # the window's size whatever the header says


_WINDOWS: Mapping[str, _Window] = {
    "afmoe": _Window(4),
    "cohere2": _Window(4),
    "cohere2moe": _Window(4, first=True),
    "exaone-moe": _Window(4, default=128),
    "exaone4": _Window(4, default=4096),
    "gemma2": _Window(2, default=4096),
    "gemma3": _Window(6),
    "gemma3n": _Window(5),
    "gpt-oss": _Window(2),
    "laguna": _Window(4, first=True),
    "llama4": _Window(4, default=8192, fixed=8192),
    "mellum": _Window(4),
    "muse-glimmer": _Window(4),
    "olmo2": _Window(4),
    "plamo3": _Window(8),
    "smallthinker": _Window(4, first=True, fixed=4096),
    # These say in the header which layers have a window; the period is never used.
    "dots3note": _Window(1),
    "gemma4": _Window(1),
    "granite_swa": _Window(1),
    "maple": _Window(1),
    "mimo2": _Window(1),
    "spark2_5": _Window(1),
    "step35": _Window(1),
}
"""Architectures whose sliding window llama.cpp honours; others that name one are dense to it."""

_EVERY_ATTENDING_LAYER = frozenset(("deepseek4", "lfm2"))
_EXAONE_WITH_WINDOW = 64  # layers: of that family only the 32B has one


def window_tokens(header: ModelHeader) -> int:
    """The sliding window's size in tokens; 0 where the model has none that counts."""
    rule = _WINDOWS.get(header.architecture)
    if rule is None:
        if header.architecture not in _EVERY_ATTENDING_LAYER:
            return 0
        return _positive(header, "attention.sliding_window")
    layers = header.block_count - _positive(header, "nextn_predict_layers")
    if header.architecture == "exaone4" and layers != _EXAONE_WITH_WINDOW:
        return 0
    stated = header.per_layer("attention.sliding_window")
    size = rule.default if stated is None else _positive(header, "attention.sliding_window")
    return rule.fixed if size and rule.fixed else size


def is_windowed(header: ModelHeader, layer: int) -> bool:
    """Whether `layer`, which attends, keeps the window's cells alone."""
    if not window_tokens(header):
        return False
    rule = _WINDOWS.get(header.architecture)
    if rule is None:
        return True  # LFM2
    pattern = header.per_layer("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        return layer < len(pattern) and bool(pattern[layer])
    period = rule.period if pattern is None else max(0, pattern)
    if period == 0:
        return True
    return layer % period != (0 if rule.first else period - 1)


def _positive(header: ModelHeader, key: str) -> int:
    return max(0, header.arch_integer(key))
