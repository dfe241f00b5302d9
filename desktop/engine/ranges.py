"""Numbers of a request that must lie within bounds: they come from JSON and pipes."""

from __future__ import annotations

from desktop.common.errors import RequestError


def whole(name: str, value: object, low: int, high: int) -> None:
    """Raise RequestError("bad_sampling") unless `value` is a whole number from `low` to `high`."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise _out(name, value, low, high)


def within(name: str, value: object, low: float, high: float) -> None:
    """Raise RequestError("bad_sampling") unless `value` is a finite number in that range."""
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not low <= value <= high  # NaN is not, either
    ):
        raise _out(name, value, low, high)


def _out(name: str, value: object, low: float, high: float) -> RequestError:
    # A whole number of a million digits takes longer to write than to refuse.
    huge = isinstance(value, int) and value.bit_length() > 256
    shown = "a huge number" if huge else str(value)[:64]
    return RequestError("bad_sampling", name=name, value=shown, low=low, high=high)
