"""Settings that belong to one model, and outlive the library's index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """None everywhere means: as the model itself recommends, else as the app does.

    `template` is the text of a chat template (Jinja).
    """

    context_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    system_prompt: str | None = None
    template: str | None = None
