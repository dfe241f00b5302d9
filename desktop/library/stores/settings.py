"""Settings that another program keeps for a model, as far as they mean the same here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from desktop.library.model_settings import ModelSettings

MAX_CONTEXT = 1 << 24
MAX_PROMPT = 100_000


def settings_of(values: Mapping[str, Any], names: Mapping[str, str]) -> ModelSettings:
    """`names` says under which name the program keeps each of ours; nonsense is left out."""

    def number(ours: str, low: float, high: float) -> float | None:
        value = _number(values.get(names.get(ours, "")))
        return value if value is not None and low <= value <= high else None

    def whole(ours: str, low: int, high: int) -> int | None:
        value = number(ours, low, high)
        return None if value is None else int(value)

    prompt = _words(values.get(names.get("system_prompt", "")))
    return ModelSettings(
        context_tokens=whole("context_tokens", 1, MAX_CONTEXT),
        temperature=number("temperature", 0.0, 5.0),
        top_p=number("top_p", 0.0, 1.0),
        top_k=whole("top_k", 0, 1_000_000),
        min_p=number("min_p", 0.0, 1.0),
        repeat_penalty=number("repeat_penalty", 0.0, 5.0),
        system_prompt=prompt or None,
    )


def _words(value: object) -> str:
    """A text that can be stored: JSON may hold half a letter."""
    if not isinstance(value, str):
        return ""
    return value[:MAX_PROMPT].strip().encode("utf-8", "replace").decode("utf-8")


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, int | float) and abs(value) < 1e18 and math.isfinite(value):
        return float(value)
    return None
