"""The way back for memories that cannot be cut: recurrent states and sliding windows.

What such a model remembers besides its whole attention is saved at places that a later prompt
is likely to part at: near the end of a prompt (the answer is written anew, or its reasoning is
left out of the history), where a turn begins (the question is edited), and now and then on the
way through a long text.
"""

from __future__ import annotations

from collections.abc import Iterable

from desktop.engine.sequence_memory import SequenceMemory
from desktop.engine.slot import Checkpoint, Slot, Task

BEFORE_THE_END = 8
"""Tokens of a prompt behind its last checkpoint: what templates put before an answer differs."""
APART_TOKENS = 64
EVERY_TOKENS = 2048
MOST_A_SEQUENCE = 8
MOST_BYTES = 512 << 20
"""Of all sequences together; a big model's window alone may take 100 MB."""


class Checkpoints:
    """Makes them, within limits, and goes back to them. One thread's property."""

    def __init__(self, memory: SequenceMemory, most_bytes: int = MOST_BYTES) -> None:
        self._memory = memory
        self._most_bytes = most_bytes

    def plan(self, slot: Slot, task: Task) -> None:
        """`slot` begins to read what `task` has new: say where its steps are to end."""
        if self._memory.goes_back:
            return
        done, end = len(slot.cached), len(task.tokens) - BEFORE_THE_END
        if end - done >= APART_TOKENS:
            slot.stop_at(_outside_media(task, end))
        if done and done - _last(slot) >= APART_TOKENS:
            self._make(slot)

    def passed(self, slot: Slot, slots: Iterable[Slot]) -> None:
        """A step has read on: here may be such a place."""
        done = len(slot.cached)
        task = slot.task
        planned = task is not None and (
            done == _outside_media(task, len(task.tokens) - BEFORE_THE_END) or done in slot.stops
        )
        if done - _last(slot) >= (APART_TOKENS if planned else EVERY_TOKENS):
            self._make(slot)
            self._limit(slots)

    def go_back(self, slot: Slot, length: int) -> bool:
        """Put back what was there after `length`; the rest must still be cut off."""
        for one in slot.checkpoints:
            if one.length == length:
                return self._memory.load(slot.sequence, one.state, partial=True)
        return False

    def _make(self, slot: Slot) -> None:
        size = self._memory.size(slot.sequence, partial=True)
        if not 0 < size <= self._most_bytes // 4:
            return
        state = self._memory.save(slot.sequence, partial=True)
        if state is None:
            return
        slot.checkpoints.append(Checkpoint(len(slot.cached), state))
        if len(slot.checkpoints) > MOST_A_SEQUENCE:
            del slot.checkpoints[_least_missed(slot.checkpoints)]

    def _limit(self, slots: Iterable[Slot]) -> None:
        """Who was used longest ago loses his oldest first; each keeps one as long as it can."""
        held = sorted((slot for slot in slots if slot.checkpoints), key=lambda slot: slot.used_s)
        total = sum(len(one.state) for slot in held for one in slot.checkpoints)
        for least in (1, 0):
            for slot in held:
                while total > self._most_bytes and len(slot.checkpoints) > least:
                    total -= len(slot.checkpoints.pop(0).state)


def _last(slot: Slot) -> int:
    return slot.checkpoints[-1].length if slot.checkpoints else 0


def _outside_media(task: Task, position: int) -> int:
    for span in task.spans:
        if span.start < position < span.end:
            return span.start
    return position


def _least_missed(checkpoints: list[Checkpoint]) -> int:
    """The one whose neighbours lie closest together; never the last."""
    lengths = [0, *(one.length for one in checkpoints)]
    gaps = [lengths[n + 2] - lengths[n] for n in range(len(checkpoints) - 1)]
    return gaps.index(min(gaps))
