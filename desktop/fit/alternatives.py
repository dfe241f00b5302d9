"""What would serve better where a model does not fit or answers slowly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.fit.offload import least
from desktop.fit.other_sizes import requantized, shrunk
from desktop.fit.types import Alternative, FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.mixes import known_mix

Replan = Callable[[ModelHeader, Wish], FitReport]

_QUANTIZATIONS = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")
"""The better first. Below, answers get worse than a smaller model's of the same size."""

_LAST_RESORT = "Q3_K_M"

_SMALLER_SHARE = 0.95  # of the bits: less is no other quantization
_USUAL = "Q4_K_M"
_BILLIONS = (1, 2, 3, 4, 8, 12, 14, 24, 32, 49, 70, 120)
_WORTH_SAYING = 1.25  # so much faster, or it is no answer


def alternatives(
    header: ModelHeader, wish: Wish, report: FitReport, replan: Replan
) -> tuple[Alternative, ...]:
    """Nothing where the model lies on the graphics, or on the processor at a pleasant speed.

    `replan` plans another header or wish on the same machine.
    """
    if report.verdict in ("gpu", "cpu") and _is_pleasant(report):
        return ()
    return tuple(_alternatives(header, wish, report, replan))


def _alternatives(
    header: ModelHeader, wish: Wish, report: FitReport, replan: Replan
) -> Iterator[Alternative]:
    if (wish.kv_type is None and wish.priority == "quality") or wish.kv_type == "f16":
        yield from _kv_type(header, wish, report, replan)
    if wish.context is not None:
        yield from _context(header, wish, report, replan)
    fewer_bits = list(_quantization(header, wish, report, replan))
    yield from fewer_bits
    if not _is_pleasant(report) and not any(_is_fast(other) for other in fewer_bits):
        yield from _model(header, wish, report, replan)


def _kv_type(
    header: ModelHeader, wish: Wish, report: FitReport, replan: Replan
) -> Iterator[Alternative]:
    other = replan(header, replace(wish, kv_type="q8_0"))
    if other.plan.kv_type == "q8_0" and _is_better(other, report):
        yield _alternative("kv_type", other, {"kv_type": "q8_0"})


def _context(
    header: ModelHeader, wish: Wish, report: FitReport, replan: Replan
) -> Iterator[Alternative]:
    other = replan(header, replace(wish, context=None))
    context = other.plan.context
    if context < report.plan.context and _is_better(other, report):
        yield _alternative("context", other, {"context": context})


def _quantization(
    header: ModelHeader, wish: Wish, report: FitReport, replan: Replan
) -> Iterator[Alternative]:
    """The best that is pleasant; else the smallest that is good, if it helps at all."""
    if not known_mix(_USUAL) or not header.parameters:
        return
    found: tuple[str, FitReport, int] | None = None
    for quantization in (*_QUANTIZATIONS, _LAST_RESORT):
        if quantization == _LAST_RESORT and (found is not None or _is_pleasant(report)):
            break
        smaller = requantized(header, quantization)
        if smaller.tensor_bytes > header.tensor_bytes * _SMALLER_SHARE:
            continue
        other = replan(smaller, wish)
        if not _is_better(other, report):
            continue
        found = (quantization, other, smaller.file_bytes)
        if _is_pleasant(other):
            break
    if found is not None:
        quantization, other, size = found
        yield _alternative("quantization", other, {"quantization": quantization, "size": size})


def _model(
    header: ModelHeader, wish: Wish, report: FitReport, replan: Replan
) -> Iterator[Alternative]:
    """The largest model that would be pleasant here, in the usual quantization."""
    below = [
        size for size in _BILLIONS if size * 1_000_000_000 < _SMALLER_SHARE * header.parameters
    ]
    usual = requantized(header, _USUAL)
    tried: dict[int, FitReport] = {}

    def pleasant(steps_down: int) -> bool:
        smaller = shrunk(usual, below[-1 - steps_down] * 1_000_000_000)
        tried[steps_down] = replan(smaller, replace(wish, gpu_layers=None))
        return _is_pleasant(tried[steps_down])

    if not below or not pleasant(len(below) - 1):
        return
    steps = least(len(below) - 1, pleasant)
    other = tried[steps]
    if _is_better(other, report):
        params: dict[str, str | int | float] = {
            "billions": below[-1 - steps],
            "quantization": _USUAL,
            "size": other.model.file_bytes,
        }
        yield _alternative("model", other, params)


def _alternative(kind: str, other: FitReport, params: dict[str, str | int | float]) -> Alternative:
    return Alternative(kind, params, other.verdict, other.speed.tokens_per_s)


def _is_pleasant(report: FitReport) -> bool:
    if report.verdict == "too_large":
        return False
    speed = report.speed.tokens_per_s
    return speed is None or speed >= COMFORTABLE_TOKENS_PER_S


def _is_fast(other: Alternative) -> bool:
    return (other.tokens_per_s or 0.0) >= COMFORTABLE_TOKENS_PER_S


def _is_better(other: FitReport, report: FitReport) -> bool:
    if other.verdict == "too_large":
        return False
    if report.verdict == "too_large":
        return True
    before, after = report.speed.tokens_per_s, other.speed.tokens_per_s
    return before is not None and after is not None and after >= before * _WORTH_SAYING
