"""One line on standard error that changes while something takes its time."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from desktop.cli.front import Front, write

_REDRAW_EVERY_S = 0.1
# What is over sooner needs no line that only flickers.
_SHOWN_AFTER_S = 0.3


class StatusLine:
    """Shown only where standard error is a terminal; gone again at the end of the `with`."""

    def __init__(self, front: Front) -> None:
        self._shown = front.shows_progress
        self._text = ""
        self._drawn_s = time.monotonic() + _SHOWN_AFTER_S - _REDRAW_EVERY_S

    def show(self, text: str) -> None:
        """Replace the line; called often, drawn at most ten times a second."""
        now = time.monotonic()
        if not self._shown or text == self._text or now - self._drawn_s < _REDRAW_EVERY_S:
            return
        width = shutil.get_terminal_size().columns - 1
        line = text[:width]
        write(sys.stderr, "\r" + line + " " * max(0, len(self._text) - len(line)))
        self._text, self._drawn_s = line, now

    def clear(self) -> None:
        if self._text:
            write(sys.stderr, "\r" + " " * len(self._text) + "\r")
            self._text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()


def fetched(front: Front, status: StatusLine) -> Callable[[int], None]:
    """Shows how much of a header has come over the network."""
    return lambda n: status.show(front.text("cli.fit.fetching", fetched=n))
