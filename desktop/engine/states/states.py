"""The states of conversations that lost their sequence, in a bounded part of main memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import psutil

from desktop.engine.sequence_memory import SequenceMemory
from desktop.engine.slot import Task, common_prefix
from desktop.engine.states.saved_state import SavedState, reusable

_FREE_SHARE = 0.1
"""Of all main memory this much stays free, whatever the limit allows."""


class States:
    """The least recently used go first, to `spill` (a file) if somebody takes them there.

    Safe from any thread: callers put in what they read from files.
    """

    def __init__(self, limit_bytes: int, spill: Callable[[SavedState], None] | None = None) -> None:
        self._limit = limit_bytes
        self._spill = spill
        self._lock = threading.Lock()
        self._states: list[SavedState] = []  # the most recently used last

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(state.bytes for state in self._states)

    def takes(self, size: int) -> bool:
        """Whether a state of `size` bytes may be kept at all."""
        if not 0 < size <= self._limit:
            return False
        memory = psutil.virtual_memory()
        return bool(memory.available - size >= _FREE_SHARE * memory.total)

    def put(self, state: SavedState) -> None:
        """Keep `state` in the place of what it makes worthless."""
        with self._lock:
            self._states = [one for one in self._states if not _replaces(state, one)]
            self._states.append(state)
            spilled = []
            while sum(one.bytes for one in self._states) > self._limit:
                spilled.append(self._states.pop(0))
        if self._spill is not None:
            for one in spilled:
                self._spill(one)

    def find(self, task: Task, memory: SequenceMemory) -> tuple[SavedState | None, int]:
        """The state that saves most of the reading, and how many tokens of it."""
        with self._lock:
            states = list(self._states)
        best, best_kept = None, 0
        for state in states:
            kept = reusable(state, state.first, task, memory)
            if kept > best_kept:
                best, best_kept = state, kept
        return best, best_kept

    def take(self, state: SavedState) -> None:
        """It has got a sequence again."""
        with self._lock:
            self._states = [one for one in self._states if one is not state]

    def forget(self, conversation: str) -> None:
        """Keep nothing of a conversation."""
        with self._lock:
            self._states = [one for one in self._states if one.conversation != conversation]

    def all(self) -> Iterable[SavedState]:
        """What is there, the most recently used first."""
        with self._lock:
            return self._states[::-1]


def _replaces(new: SavedState, old: SavedState) -> bool:
    """An older state of the same conversation, or a beginning of what `new` holds in whole."""
    if old.adapters != new.adapters:
        return False
    if old.conversation and old.conversation == new.conversation:
        return True
    return (
        not old.conversation
        and len(old.cached) <= len(new.cached)
        and common_prefix(old.cached, new.cached) == len(old.cached)
    )
