"""How many threads compute: fewer beside other programs and on battery, never more than planned."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import psutil

from desktop.engine.model import Context
from desktop.engine.others_load import OthersLoad
from desktop.fit.types import Plan
from desktop.hardware.power import on_battery

LOOK_S = 1.0
_POWER_LOOK_S = 15.0
_LOOKS_DOWN = 2
_LOOKS_UP = 4
_BUSY = 0.3
"""Of a core: others that take less than that are not in the way."""


class Threads:
    """Looks about once a second while steps are computed; one thread's property.

    Beside one busy program two threads on two cores wrote 29 to 41 tokens a second, one thread
    75: a step waits for its slowest thread, so each thread needs a core of its own. Down after
    two looks that agree, up after four, so that it does not swing.
    """

    def __init__(
        self,
        context: Context,
        plan: Plan,
        *,
        cores: int | None = None,
        others: Callable[[], float] | None = None,
        battery: Callable[[], bool | None] = on_battery,
        clock: Callable[[], float] = time.monotonic,
        beside: Sequence[Context] = (),
    ) -> None:
        """`others` tells how many cores other programs have kept busy since it was last asked.

        `beside` are contexts that compute in turn with `context`.
        """
        self._contexts = (context, *beside)
        self._cores = cores or psutil.cpu_count(logical=False) or os.cpu_count() or 1
        self._others = others or _OthersCores()
        self._battery, self._clock = battery, clock
        self._most = plan.threads or unplanned_threads(self._cores)
        self._most_batch = plan.threads_batch or self._most
        self._now = (self._most, self._most_batch)
        self._wanted = self._now
        self._agreed = 0
        self._next_look_s = clock() + LOOK_S
        self._next_power_s = clock()
        self._on_battery = False
        if plan.threads == 0:
            self._set(self._now)

    @property
    def threads(self) -> tuple[int, int]:
        """How many write and how many read now."""
        return self._now

    def look(self) -> None:
        """Costs next to nothing unless it is time to look."""
        now_s = self._clock()
        if now_s < self._next_look_s:
            return
        self._next_look_s = now_s + LOOK_S
        if now_s >= self._next_power_s:
            self._next_power_s = now_s + _POWER_LOOK_S
            self._on_battery = bool(self._battery())
        wanted = self._suited(self._others())
        if wanted != self._wanted:
            self._wanted, self._agreed = wanted, 0
        self._agreed += 1
        down = sum(wanted) < sum(self._now)
        if wanted != self._now and self._agreed >= (_LOOKS_DOWN if down else _LOOKS_UP):
            self._set(wanted)

    def _suited(self, others: float) -> tuple[int, int]:
        free = self._cores - max(0, int(others + 1 - _BUSY))
        most, most_batch = self._most, self._most_batch
        if self._on_battery:
            most, most_batch = -(-most // 2), -(-most_batch // 2)
        return max(1, min(most, free)), max(1, min(most_batch, free))

    def _set(self, threads: tuple[int, int]) -> None:
        self._now = threads
        for context in self._contexts:
            context.set_threads(*threads)


def unplanned_threads(cores: int) -> int:
    """A machine with more than two cores keeps one for everything else."""
    return cores - 1 if cores > 2 else cores


class _OthersCores:
    """From one call to the next."""

    def __init__(self) -> None:
        self._load = OthersLoad()

    def __call__(self) -> float:
        share, self._load = self._load.share(), OthersLoad()
        return share * (os.cpu_count() or 1)
