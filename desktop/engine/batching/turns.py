"""Which of the active sequences a step works for: all, unless they cannot share one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from desktop.engine.adapters import AdapterKey
from desktop.engine.slot import Slot


class Turns:
    """A context computes with one set of adapters at a time: the sets take steps in turn.

    After a step that failed for no known reason each of its sequences goes alone once.
    """

    def __init__(self) -> None:
        self._alone: list[Slot] = []
        self._last: AdapterKey | None = None

    def of(self, active: Collection[Slot]) -> Sequence[Slot]:
        """Those whose turn it is, all with the same adapters."""
        if self._alone:
            return self._alone[:1]
        slots = list(active)
        if not slots or all(slot.adapters == slots[0].adapters for slot in slots):
            return slots
        keys = list(dict.fromkeys(slot.adapters for slot in slots))
        place = keys.index(self._last) + 1 if self._last in keys else 0
        key = keys[place % len(keys)]
        return [slot for slot in slots if slot.adapters == key]

    def taken(self, key: AdapterKey) -> None:
        """The step for `key` was computed."""
        self._last = key
        del self._alone[:1]

    def each_alone(self, slots: Sequence[Slot]) -> None:
        self._alone = list(slots)

    def forget(self, slot: Slot) -> None:
        """It takes no part any more."""
        if self._alone:
            self._alone = [other for other in self._alone if other is not slot]
