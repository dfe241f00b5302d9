"""Numbers between bounds, as GBNF: digit by digit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

MOST_DIGITS = 16
"""Digits of a whole number, and behind the point: what a double holds."""

_ANY_WHOLE = f'("0" | [1-9] [0-9]{{0,{MOST_DIGITS - 1}}})'


@dataclass(frozen=True, slots=True)
class Bounds:
    """`low` and `high` None for none; `open` ones are not allowed themselves."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    def tightened(self, other: Bounds) -> Bounds:
        """What both allow."""
        low, low_open = _tighter(self.low, self.low_open, other.low, other.low_open, highest=True)
        high, high_open = _tighter(
            self.high, self.high_open, other.high, other.high_open, highest=False
        )
        return Bounds(low, high, low_open, high_open)

    @property
    def bounded(self) -> bool:
        return self.low is not None or self.high is not None

    def hold(self, number: Decimal) -> bool:
        """Whether `number` is inside."""
        if self.low is not None and (number < self.low or (self.low_open and number == self.low)):
            return False
        out = self.high_open and number == self.high
        return self.high is None or (number <= self.high and not out)

    def whole_ends(self) -> tuple[int | None, int | None]:
        """The least and the greatest whole number inside."""
        low = high = None
        if self.low is not None:
            low = int(self.low.to_integral_value(rounding="ROUND_CEILING"))
            low += self.low_open and low == self.low
        if self.high is not None:
            high = int(self.high.to_integral_value(rounding="ROUND_FLOOR"))
            high -= self.high_open and high == self.high
        return low, high


def _tighter(
    one: Decimal | None, one_open: bool, two: Decimal | None, two_open: bool, *, highest: bool
) -> tuple[Decimal | None, bool]:
    if one is None or two is None:
        return (two, two_open) if one is None else (one, one_open)
    if one == two:
        return one, one_open or two_open
    return (one, one_open) if (one > two) == highest else (two, two_open)


def whole_number(bounds: Bounds) -> str:
    """Whole numbers inside of `bounds`; "" where there are none."""
    low, high = bounds.whole_ends()
    if low is None and high is None:
        return f'"-"? {_ANY_WHOLE}'
    if low is not None and high is not None and low > high:
        return ""
    ways: list[str] = []
    if low is None or low < 0:
        least, most = (1 if high is None or high >= 0 else -high), (None if low is None else -low)
        ways.append(f'"-" ({_natural(least, most)})')
    if high is None or high >= 0:
        ways.append(_natural(max(low or 0, 0), high))
    return " | ".join(ways)


def multiples(bounds: Bounds, step: int, most: int) -> list[int] | None:
    """The multiples of `step` inside of `bounds`; None where they are more than `most`."""
    low, high = bounds.whole_ends()
    if low is None or high is None:
        return None
    first, last = -(-low // step), high // step
    return None if last - first >= most else [n * step for n in range(first, last + 1)]


def decimal_number(bounds: Bounds, places: int = MOST_DIGITS) -> str:
    """Numbers inside of `bounds` with at most `places` digits behind the point; "" for none.

    Without bounds an exponent is allowed too.
    """
    fraction = f'("." [0-9]{{1,{places}}})?' if places else ""
    if not bounds.bounded:
        exponent = "([eE] [-+]? [0-9]{1,2})?" if places == MOST_DIGITS else ""
        return f'"-"? {_ANY_WHOLE} {fraction} {exponent}'.rstrip()
    low, high = bounds.low, bounds.high
    out = bounds.low_open or bounds.high_open
    if low is not None and high is not None and (low > high or (low == high and out)):
        return ""
    ways: list[str] = []
    if low is None or low < 0:
        below = _size_between(
            Decimal(0) if high is None or high >= 0 else -high,
            None if low is None else -low,
            low_open=bounds.high_open and high is not None and high <= 0,
            high_open=bounds.low_open,
            places=places,
        )
        if below:
            ways.append(f'"-" ({below})')
    if high is None or high > 0 or (high == 0 and not bounds.high_open):
        above = _size_between(
            max(low or Decimal(0), Decimal(0)),
            high,
            low_open=bounds.low_open and low is not None and low >= 0,
            high_open=bounds.high_open,
            places=places,
        )
        if above:
            ways.append(above)
    return " | ".join(ways)


# -- whole numbers from 0 on -------------------------------------------------------------------


def _natural(low: int, high: int | None) -> str:
    """Numbers from `low` to `high`, both of them 0 or more; None for up to MOST_DIGITS digits."""
    if high is None:
        ways = []
        digits = len(str(low))
        if digits < MOST_DIGITS:
            ways.append(f"[1-9] [0-9]{{{digits},{MOST_DIGITS - 1}}}")
        top = 10**digits - 1
        return " | ".join([*_of_lengths(low, top), *ways])
    return " | ".join(_of_lengths(low, high))


def _of_lengths(low: int, high: int) -> Iterator[str]:
    """`low` to `high`, one length of digits after the other."""
    while low <= high:
        top = min(high, 10 ** len(str(low)) - 1)
        yield _between(str(low), str(top))
        low = top + 1


def _between(low: str, high: str) -> str:
    """Strings of digits between two of the same length."""
    if not low:
        return ""
    if low == high:
        return f'"{low}"'
    rest = len(low) - 1
    first, last = int(low[0]), int(high[0])
    if first == last:
        return f'"{low[0]}" ({_between(low[1:], high[1:])})'
    ways: list[str] = []
    if rest and int(low[1:]) > 0:
        ways.append(f'"{low[0]}" ({_between(low[1:], "9" * rest)})')
        first += 1
    tail = ""
    if rest and int(high[1:]) < 10**rest - 1:
        tail = f'"{high[0]}" ({_between("0" * rest, high[1:])})'
        last -= 1
    if first <= last:
        ways.append(f"{_digits(first, last)}{_many(rest)}")
    return " | ".join([*ways, tail] if tail else ways)


def _digits(first: int, last: int) -> str:
    return f'"{first}"' if first == last else f"[{first}-{last}]"


def _many(count: int) -> str:
    return "" if count == 0 else f" [0-9]{{{count}}}"


# -- decimals from 0 on ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _End:
    """An end of a range of fractions: digits behind the point without zeros at their end."""

    digits: str
    is_open: bool

    @property
    def first(self) -> int:
        return int(self.digits[:1] or "0")

    @property
    def rest(self) -> _End:
        return _End(self.digits[1:], self.is_open)


def _size_between(
    low: Decimal, high: Decimal | None, *, low_open: bool, high_open: bool, places: int
) -> str:
    """Numbers of 0 or more between two bounds."""
    low_whole, low_digits = _parts(low)
    low_end = _End(low_digits, low_open)
    if high is None:
        ways = [
            _with_fraction(str(low_whole), low_end, None, places),
            _with_fraction(f"({_natural(low_whole + 1, None)})", None, None, places),
        ]
    else:
        high_whole, high_digits = _parts(high)
        high_end = _End(high_digits, high_open)
        if low_whole == high_whole:
            return _with_fraction(str(low_whole), low_end, high_end, places)
        ways = [_with_fraction(str(low_whole), low_end, None, places)]
        if low_whole + 1 < high_whole:
            between = f"({_natural(low_whole + 1, high_whole - 1)})"
            ways.append(_with_fraction(between, None, None, places))
        ways.append(_with_fraction(str(high_whole), None, high_end, places))
    return " | ".join(way for way in ways if way)


def _parts(number: Decimal) -> tuple[int, str]:
    """Before and behind the point; the latter without zeros at its end."""
    whole, _, digits = format(number, "f").partition(".")
    return int(whole or "0"), digits.rstrip("0")


def _with_fraction(whole: str, low: _End | None, high: _End | None, places: int) -> str:
    """`whole` (digits, or a group) with a fraction between two ends; "" where there is none."""
    text = f'"{whole}"' if whole.isdigit() else whole
    may_end = _zero_fits(low, high)
    inner = _digits_between(low, high, places)
    if not inner:
        return text if may_end else ""
    return f'{text} ("." ({inner})){"?" if may_end else ""}'


def _zero_fits(low: _End | None, high: _End | None) -> bool:
    """Whether nothing behind here, so zero, is between."""
    above = low is None or not (low.digits or low.is_open)
    return above and (high is None or bool(high.digits) or not high.is_open)


def _digits_between(low: _End | None, high: _End | None, left: int) -> str:
    """One to `left` digits whose value is between; "" where there are none."""
    if left <= 0:
        return ""
    if low is None and high is None:
        return f"[0-9]{{1,{left}}}"
    if low is not None and high is not None and low.first == high.first:
        return _digit(low.first, low.rest, high.rest, left)
    ways: list[str] = []
    first, last = 0, 9
    if low is not None:
        ways.append(_digit(low.first, low.rest, None, left))
        first = low.first + 1
    if high is not None:
        ways.append(_digit(high.first, None, high.rest, left))
        last = high.first - 1
    if first <= last:
        more = f" [0-9]{{0,{left - 1}}}" if left > 1 else ""
        ways.append(f"{_digits(first, last)}{more}")
    return " | ".join(way for way in ways if way)


def _digit(digit: int, low: _End | None, high: _End | None, left: int) -> str:
    """A digit that is a bound's own, so that those behind it are bound too."""
    may_end = _zero_fits(low, high)
    inner = _digits_between(low, high, left - 1)
    if not inner:
        return f'"{digit}"' if may_end else ""
    return f'"{digit}" ({inner}){"?" if may_end else ""}'
