"""NVIDIA's energy counters (millijoules since the driver was loaded), asked in a child process."""

from __future__ import annotations

import json
from collections.abc import Sequence

from desktop.hardware.nvidia_live import LiveChild, live_command

_FIRST_WAIT_S = 3.0  # the driver's library takes its time to start
_WAIT_S = 0.25
_MOST_STARTS = 2
_MILLI = 1e-3


class NvidiaCounter:
    """The sum over all cards that count. The child is started by the first reading."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command) if command is not None else live_command()
        self._child: LiveChild | None = None
        self._starts = 0

    def joules(self) -> float | None:
        """None where no card counts, or the driver does not answer in time."""
        is_first = self._child is None
        child = self._child or self._start()
        if child is None:
            return None
        child.take()  # an answer that came too late for its question
        child.ask()
        line = child.wait(_FIRST_WAIT_S if is_first else _WAIT_S)
        if line is None:
            self.close()
            return None
        return total_joules(line)

    def close(self) -> None:
        """End the child; a later reading starts another."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _start(self) -> LiveChild | None:
        if self._starts >= _MOST_STARTS:
            return None
        self._starts += 1
        try:
            self._child = LiveChild(self._command)
        except OSError:
            self._starts = _MOST_STARTS
        return self._child


def total_joules(line: str) -> float | None:
    """Of one JSON line of the child; None where no card tells."""
    try:
        cards = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(cards, list):
        return None
    counts = [card.get("energy_mj") for card in cards if isinstance(card, dict)]
    known = [count for count in counts if isinstance(count, int) and count >= 0]
    return sum(known) * _MILLI if known else None
