"""What any part of the window may ask to be told to the user: a toast or a banner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NoticeTone = Literal["info", "ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Action:
    """A button: its words and what it does."""

    label: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Toast:
    """Something done, told in passing; may be undone while it shows."""

    text: str
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Banner:
    """Something to know, which stays until dismissed. A later one of its `key` replaces it."""

    key: str
    text: str
    tone: NoticeTone = "warn"
    actions: tuple[Action, ...] = ()
