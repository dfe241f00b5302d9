"""llama.cpp's log, kept and never printed: the last lines explain a failure."""

from __future__ import annotations

from collections import deque

_DEBUG, _WARN, _ERROR, _CONTINUED = 1, 3, 4, 5
_MAX_LINES = 3000


class LogTail:
    """The last lines, each with its level; fed from any thread that llama.cpp logs in."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=_MAX_LINES)
        self._count = 0
        self._level = 0

    def receive(self, level: int, text: bytes | None, _user_data: object) -> None:
        """llama.cpp's callback: whole lines, or pieces of one at the level "continued"."""
        if level == _DEBUG or not text:
            return
        if level == _CONTINUED:
            level = self._level
        self._level = level
        for line in text.decode("utf-8", "replace").splitlines():
            if line.strip(" ."):
                self._lines.append((level, line.rstrip()))
                self._count += 1

    def mark(self) -> int:
        """A place in the log, for `since`."""
        return self._count

    def since(self, mark: int) -> list[str]:
        """The lines after `mark`, as far as they are kept."""
        wanted = min(self._count - mark, len(self._lines))
        return [line for _, line in list(self._lines)[len(self._lines) - wanted :]]

    def complaints(self, mark: int, limit: int = 6) -> str:
        """llama.cpp's last errors after `mark`, its warnings where there are none."""
        wanted = min(self._count - mark, len(self._lines))
        fresh = list(self._lines)[len(self._lines) - wanted :]
        for threshold in (_ERROR, _WARN):
            found = [line for level, line in fresh if level == threshold]
            if found:
                return "\n".join(found[-limit:])
        return ""
