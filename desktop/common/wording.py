"""Numbers, sizes and times as people of a language write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

Language = Literal["de", "en"]

# Decimal units: what a shop, a download page and the model's own page say.
_BYTE_UNITS = ("byte", "kB", "MB", "GB", "TB", "PB")
# Memory is sold, and shown by systems, in units of 1,024 that are called by the same names.
_MEMORY_STEP = 1024
_GERMAN_MARKS = str.maketrans(",.", ".,")
_SECONDS_IN = {"h": 3600, "min": 60}
_MINUTES_UP_TO_S = 5400
_GERMAN_MONTHS = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
)
_ENGLISH_MONTHS = (
    "January February March April May June July August September October November December"
)
_MONTHS: Mapping[Language, list[str]] = {
    "de": _GERMAN_MONTHS.split(),
    "en": _ENGLISH_MONTHS.split(),
}


def format_number(x: float, language: Language, digits: int = 0) -> str:
    """``12.345,6`` in German, ``12,345.6`` in English; `digits` stand behind the decimal mark."""
    text = f"{x:,.{digits}f}"
    if text[0] == "-" and not text.strip("-0,."):
        text = text[1:]
    return text.translate(_GERMAN_MARKS) if language == "de" else text


def format_energy(wh: float, language: Language) -> str:
    """Watt-hours without their unit: ``0,021`` or ``1,4``, two digits that say something."""
    digits = next((n for n in range(1, 6) if round(wh, n) >= 10 ** (1 - n)), 5)
    return format_number(wh, language, digits if wh < 10 else 0)


def format_bytes(n: int, language: Language) -> str:
    """``5,6 GB`` or ``5.6 GB``; one digit behind the mark below a hundred (of kB: below ten)."""
    return _size(n, language, 1000)


def format_memory(n: int, language: Language) -> str:
    """``16 GB`` for 16 GiB of RAM, as on the box and in the system's own display.

    Never for files and disks: those are `format_bytes`.
    """
    gib = n / _MEMORY_STEP**3
    if gib >= 1 and gib == int(gib):
        return f"{format_number(gib, language)} GB"
    return _size(n, language, _MEMORY_STEP)


def _size(n: int, language: Language, step: int) -> str:
    if n < 0:
        return "-" + _size(-n, language, step)
    if n < 1000:
        one, many = ("Byte", "Byte") if language == "de" else ("byte", "bytes")
        return f"{n} {one if n == 1 else many}"
    value, unit = float(n), 0
    while unit == 0 or (_rounded(value, unit) >= 1000 and unit < len(_BYTE_UNITS) - 1):
        value, unit = value / step, unit + 1
    return f"{format_number(value, language, _digits(value, unit))} {_BYTE_UNITS[unit]}"


def format_speed(tokens_per_s: float, language: Language) -> str:
    """A speed that nobody has measured yet: ``9,1``, ``38``, ``1.400``."""
    if tokens_per_s < 9.95:
        return format_number(tokens_per_s, language, 1)
    if tokens_per_s >= 100:
        tokens_per_s = float(f"{tokens_per_s:.2g}")
    return format_number(tokens_per_s, language)


def format_times(factor: float, language: Language) -> str:
    """How many times as much: ``1,9``, ``2``."""
    whole = f"{factor:.1f}".endswith(".0")
    return format_number(factor, language, 0 if whole else 1)


def format_about(seconds: float, language: Language) -> str:
    """``etwa 45 Sekunden``: a time that is a guess, without the digits that it does not have."""
    german = language == "de"
    if seconds < 0.75:
        return "weniger als einer Sekunde" if german else "less than a second"
    if seconds < 1.5:
        return "etwa einer Sekunde" if german else "about a second"
    about = "etwa" if german else "about"
    if seconds >= _MINUTES_UP_TO_S:
        hours = format_number(seconds / _SECONDS_IN["h"], language, 1)
        return f"{about} {hours} {_plural('h', 2, language)}"
    step, unit = (1, "s") if seconds < 10 else (5, "s") if seconds < 90 else (60, "min")
    shown = max(step, round(seconds / step) * step) // _SECONDS_IN.get(unit, 1)
    return f"{about} {shown} {_plural(unit, shown, language)}"


def _digits(value: float, unit: int) -> int:
    return 0 if value >= (9.95 if unit == 1 else 99.95) else 1


def _rounded(value: float, unit: int) -> float:
    """As it will be shown: 999.96 MB must become 1.0 GB and not 1,000 MB."""
    return round(value, _digits(value, unit))


def format_duration(seconds: float, language: Language) -> str:
    """``2,4 Sekunden`` (below ten), ``45 Sekunden``, ``2 Minuten 5 Sekunden``, ``1 Stunde``."""
    seconds = max(0.0, seconds)
    if 0 < seconds < 9.95:
        shown = format_number(seconds, language, 1)
        if float(f"{seconds:.1f}") != 1.0:
            return f"{shown} {_plural('s', 2, language)}"
        return f"1 {_plural('s', 1, language)}"
    whole = round(seconds)
    parts: list[tuple[int, str]] = []
    if whole >= _SECONDS_IN["h"]:
        minutes = round(whole / 60)
        parts = [(minutes // 60, "h"), (minutes % 60, "min")]
    elif whole >= _SECONDS_IN["min"]:
        parts = [(whole // 60, "min"), (whole % 60, "s")]
    else:
        parts = [(whole, "s")]
    said = [f"{n} {_plural(unit, n, language)}" for n, unit in parts if n or len(parts) == 1]
    return " ".join(said)


def format_day(day: str, language: Language) -> str:
    """``2026-04-01`` as ``1. April 2026``; what names no day (``2026-04``) stays."""
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return day
    dot = "." if language == "de" else ""
    return f"{found.day}{dot} {_MONTHS[language][found.month - 1]} {found.year}"


def _plural(unit: str, n: int, language: Language) -> str:
    words = {
        "de": {
            "h": ("Stunde", "Stunden"),
            "min": ("Minute", "Minuten"),
            "s": ("Sekunde", "Sekunden"),
        },
        "en": {"h": ("hour", "hours"), "min": ("minute", "minutes"), "s": ("second", "seconds")},
    }
    return words[language][unit][0 if n == 1 else 1]
