"""Joules that this computer has used: counters where it has them, the battery's drain else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

EnergySource = Literal["cpu", "gpu", "battery"]


@dataclass(frozen=True, slots=True)
class Counted:
    """Joules from an arbitrary start; another `run` after a time in which nobody counted."""

    joules: float
    run: int = 0


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """What was counted so far by source; only differences mean something.

    "cpu": the processor packages with their memory; "gpu": the graphics cards that count;
    "battery": the whole computer, while it runs on its battery. What cannot be read is missing.
    """

    counted: Mapping[EnergySource, Counted] = field(default_factory=dict)

    def since(self, earlier: EnergyReading) -> dict[EnergySource, float]:
        """Joules between the two, of the sources that were counted all the time."""
        found: dict[EnergySource, float] = {}
        for source, now in self.counted.items():
            before = earlier.counted.get(source)
            if before is not None and before.run == now.run and now.joules >= before.joules:
                found[source] = now.joules - before.joules
        return found


class EnergyMeter(Protocol):
    """One thread at a time reads."""

    def read(self) -> EnergyReading:
        """What has been used until now; milliseconds, and raises nothing."""
        ...

    def close(self) -> None:
        """Let go of what reading holds open."""
        ...


class Counter(Protocol):
    """A number of joules that only grows; None while it cannot be read."""

    def joules(self) -> float | None: ...

    def close(self) -> None: ...


class NativeEnergy:
    """The counters of the computer that this runs on; see `EnergyMeter`."""

    def __init__(self, counters: Mapping[EnergySource, Counter]) -> None:
        self._counters = dict(counters)
        self._runs: dict[EnergySource, int] = dict.fromkeys(self._counters, 0)

    def read(self) -> EnergyReading:
        found: dict[EnergySource, Counted] = {}
        for source, counter in self._counters.items():
            joules = counter.joules()
            if joules is None:
                self._runs[source] += 1
            else:
                found[source] = Counted(joules, self._runs[source])
        return EnergyReading(found)

    def close(self) -> None:
        for counter in self._counters.values():
            counter.close()
