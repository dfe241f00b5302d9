"""What answers cost in energy: the computer's counters, shared among the answers that run.

Several answers at a time share what is counted while they run in equal parts. Nothing is taken
off for what else the computer does: the method that is named says what was counted.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from desktop.engine.engine import Engine
from desktop.engine.events import Event, Finished, Started
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.hardware.energy import EnergyMeter, EnergyReading, EnergySource
from desktop.hardware.energy_native import native_energy
from desktop.services.wrapped_engine import WrappedEngine

EnergyMethod = Literal["cpu", "gpu", "cpu_gpu", "battery"]
"""Counters of the processor, of the graphics cards, of both; the drain of the whole computer."""

LOOK_EVERY_S = 2.0
"""So often while answers run: a power that changes is summed, and no counter wraps unseen."""

MeterMaker = Callable[[bool], EnergyMeter]


@dataclass(frozen=True, slots=True)
class Energy:
    joules: float
    method: EnergyMethod


@dataclass(slots=True)
class _Running:
    """Joules of one answer so far, by the sources that were counted from its beginning on."""

    joules: dict[EnergySource, float]
    with_gpu: bool


class EnergyShares:
    """Every method may be called from any thread. Reads nothing while no answer runs."""

    def __init__(
        self,
        make_meter: MeterMaker = lambda with_gpu: native_energy(with_gpu=with_gpu),
        *,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._make_meter = make_meter
        self._look_every_s = look_every_s
        self._lock = threading.Lock()
        self._meter: EnergyMeter | None = None
        self._with_gpu = False
        self._last = EnergyReading()
        self._running: dict[int, _Running] = {}
        self._number = 0
        self._watch: threading.Thread | None = None
        self._stop = threading.Event()

    def begin(self, *, with_gpu: bool) -> int:
        """An answer begins; returns its number for `end`. `with_gpu`: a graphics card computes."""
        with self._lock:
            self._look(with_gpu=with_gpu)
            self._number += 1
            known: dict[EnergySource, float] = dict.fromkeys(self._last.counted, 0.0)
            self._running[self._number] = _Running(known, with_gpu)
            self._start_watch()
            return self._number

    def end(self, number: int) -> Energy | None:
        """What the answer took; None where nothing was counted all the time, or at a second end."""
        with self._lock:
            if number not in self._running:
                return None
            self._look()
            ended = self._running.pop(number)
        return told(ended.joules, with_gpu=ended.with_gpu)

    def close(self) -> None:
        """Let go of the counters."""
        self._stop.set()
        with self._lock:
            self._running.clear()
            if self._meter is not None:
                self._meter.close()
                self._meter = None

    def _look(self, *, with_gpu: bool = False) -> None:
        """Give what was counted since the last look to those who ran meanwhile."""
        if self._meter is None or (with_gpu and not self._with_gpu):
            if self._meter is not None:
                self._meter.close()
            self._with_gpu = self._with_gpu or with_gpu
            self._meter = self._make_meter(self._with_gpu)
            self._last = EnergyReading()
        now = self._meter.read()
        counted = now.since(self._last)
        self._last = now
        for answer in self._running.values():
            answer.joules = {
                source: so_far + counted[source] / len(self._running)
                for source, so_far in answer.joules.items()
                if source in counted
            }

    def _start_watch(self) -> None:
        if self._watch is not None and self._watch.is_alive():
            return
        self._stop.clear()
        self._watch = threading.Thread(target=self._keep_looking, name="energy", daemon=True)
        self._watch.start()

    def _keep_looking(self) -> None:
        while not self._stop.wait(self._look_every_s):
            with self._lock:
                if not self._running:
                    self._watch = None
                    return
                self._look()


def told(shares: Mapping[EnergySource, float], *, with_gpu: bool) -> Energy | None:
    """The best figure: what computes is counted, else the whole computer; None where neither is."""
    cpu, gpu, battery = (shares.get(source) for source in ("cpu", "gpu", "battery"))
    if with_gpu and cpu is not None and gpu is not None:
        return Energy(cpu + gpu, "cpu_gpu")
    if with_gpu and gpu is not None:
        return Energy(gpu, "gpu")
    if battery is not None and (cpu is None or with_gpu):
        return Energy(battery, "battery")
    return None if cpu is None else Energy(cpu, "cpu")


class MeteredEngine(WrappedEngine):
    """An engine whose answers say what they took, where this computer can tell."""

    def __init__(self, engine: Engine, shares: EnergyShares, *, with_gpu: bool) -> None:
        super().__init__(engine)
        self._shares = shares
        self._with_gpu = with_gpu

    def submit(self, request: Request) -> Stream:
        stream = self._engine.submit(request)
        answer = _Answer(self._shares, with_gpu=self._with_gpu)
        stream.amend = answer.hear
        weakref.finalize(stream, answer.leave).atexit = False
        return stream


class _Answer:
    """One answer on its way; what it heard last ends its share."""

    def __init__(self, shares: EnergyShares, *, with_gpu: bool) -> None:
        self._shares = shares
        self._with_gpu = with_gpu
        self._number: int | None = None

    def hear(self, event: Event) -> Event:
        """The event, the last one with what was taken."""
        if isinstance(event, Started):
            self._number = self._shares.begin(with_gpu=self._with_gpu)
            return event
        energy = self.leave()
        if energy is None or not isinstance(event, Finished):
            return event
        stats = replace(event.stats, energy_j=energy.joules, energy_method=energy.method)
        return replace(event, stats=stats)

    def leave(self) -> Energy | None:
        """The end, or nobody reads any more."""
        number, self._number = self._number, None
        return None if number is None else self._shares.end(number)
