"""Who gets the next free sequence: by priority, then turn about between those who ask."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from desktop.engine.slot import Task

_ASKERS = 1024


class WaitingLine(Sequence[Task]):
    """Requests without a sequence, the next one first.

    Each asker (`Request.client`, else its conversation) has turns of its own, one a request: of
    equal priority the lowest turn goes first, then the earliest arrival. So fifty requests of one
    asker let somebody else's first pass after the one that is next. An asker who comes back after
    a while begins at the turn that is being served: resting saves up nothing.
    (Start-time fair queueing with requests of equal weight.)
    """

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._turns: dict[str, int] = {}
        self._served = 0

    def put(self, task: Task) -> None:
        """A new request gets its turn; one that had to give up its place keeps the one it had."""
        if task.turn < 0:
            asker = task.request.client or task.request.conversation
            task.turn = max(self._turns.get(asker, -1) + 1, self._served)
            self._turns[asker] = task.turn
        bisect.insort(self._tasks, task, key=_order)

    def take(self, task: Task) -> None:
        """`task` has got its sequence."""
        self._tasks.remove(task)
        self._served = max(self._served, task.turn)
        if len(self._turns) > _ASKERS:
            self._turns = {
                asker: turn for asker, turn in self._turns.items() if turn > self._served
            }

    def remove(self, request_id: str) -> Task | None:
        """Take a request out that does not want to wait any more."""
        for task in self._tasks:
            if task.request.id == request_id:
                self._tasks.remove(task)
                return task
        return None

    def empty(self) -> list[Task]:
        """Everybody who waits, taken out."""
        tasks, self._tasks = self._tasks, []
        return tasks

    def first(self, wanted: Callable[[Task], bool]) -> Task | None:
        return next((task for task in self._tasks if wanted(task)), None)

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> list[Task]: ...
    def __getitem__(self, place: int | slice) -> Task | list[Task]:
        return self._tasks[place]


def _order(task: Task) -> tuple[int, int, int]:
    return (-task.request.priority, task.turn, task.arrival)
