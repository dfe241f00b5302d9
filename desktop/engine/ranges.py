"""Numbers of a request that must lie within bounds: they come from JSON and pipes."""

from __future__ import annotations

import math

from desktop.common.errors import RequestError


def whole(name: str, value: object, low: int, high: int) -> None:
    """Raise RequestError("bad_sampling") unless `value` is a whole number from `low` to `high`."""
    if not isinstance(value, int) or not low <= value <= high:
        raise RequestError("bad_sampling", name=name, value=str(value), low=low, high=high)


def within(name: str, value: object, low: float, high: float) -> None:
    """Raise RequestError("bad_sampling") unless `value` is a finite number in that range."""
    number = value if isinstance(value, int | float) else math.nan
    if not math.isfinite(number) or not low <= number <= high:
        raise RequestError("bad_sampling", name=name, value=str(value), low=low, high=high)
