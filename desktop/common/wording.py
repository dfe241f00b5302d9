"""Numbers, sizes and times as people of a language write them."""

from __future__ import annotations

from typing import Literal

Language = Literal["de", "en"]

# Decimal units: what a shop, a download page and the model's own page say.
_BYTE_UNITS = ("byte", "kB", "MB", "GB", "TB", "PB")
_GERMAN_MARKS = str.maketrans(",.", ".,")
_SECONDS_IN = {"h": 3600, "min": 60}


def format_number(x: float, language: Language, digits: int = 0) -> str:
    """``12.345,6`` in German, ``12,345.6`` in English; `digits` stand behind the decimal mark."""
    text = f"{x:,.{digits}f}"
    if text[0] == "-" and not text.strip("-0,."):
        text = text[1:]
    return text.translate(_GERMAN_MARKS) if language == "de" else text


def format_bytes(n: int, language: Language) -> str:
    """``5,6 GB`` or ``5.6 GB``; one digit behind the mark below a hundred (of kB: below ten)."""
    if n < 0:
        return "-" + format_bytes(-n, language)
    if n < 1000:
        one, many = ("Byte", "Byte") if language == "de" else ("byte", "bytes")
        return f"{n} {one if n == 1 else many}"
    value, unit = float(n), 0
    while unit == 0 or (_rounded(value, unit) >= 1000 and unit < len(_BYTE_UNITS) - 1):
        value, unit = value / 1000, unit + 1
    return f"{format_number(value, language, _digits(value, unit))} {_BYTE_UNITS[unit]}"


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
