"""An engine whose load, answers and end go into the history: sizes and speeds, no words."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from desktop.engine.engine import Engine
from desktop.engine.events import EndEvent, Finished, Stats
from desktop.engine.memory_now import MemoryNow
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.fit.memory import CPU
from desktop.services.held_memory import HeldMemory
from desktop.services.history import History
from desktop.services.history_records import (
    CloseRecord,
    HeldBytes,
    LoadRecord,
    Rates,
    SpeedRecord,
)
from desktop.services.wrapped_engine import WrappedEngine

LEAST_READ_TOKENS = 64
"""A shorter prompt's time is mostly that of starting."""

LEAST_WRITTEN_TOKENS = 16

MemoryMeter = Callable[[], MemoryNow]


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where an engine's figures go."""

    history: History
    held: HeldMemory


class RecordedEngine(WrappedEngine):
    """An engine that writes down what it does. `load` is its record so far, written at once."""

    def __init__(
        self,
        engine: Engine,
        recorder: Recorder,
        load: LoadRecord,
        before: MemoryNow,
        meter: MemoryMeter,
    ) -> None:
        """`before`: the process as it was before the load; `meter` tells how it is now."""
        super().__init__(engine)
        self._recorder = recorder
        self._load = load
        self._before = before
        self._meter = meter
        self._lock = threading.Lock()
        # A reader that goes away without reading to the end takes its stream out of here.
        self._alone: weakref.WeakKeyDictionary[Stream, bool] = weakref.WeakKeyDictionary()
        self._most_bytes = 0
        self._answers = 0
        self._closed = False
        rows = load.actual or load.predicted
        recorder.held.hold(
            load.id, rows, mapped=load.plan.use_mmap, machine=load.conditions.machine
        )
        recorder.history.add(load)

    @property
    def load_id(self) -> str:
        """Its load's name in the history and in the tally of what is held."""
        return self._load.id

    def submit(self, request: Request) -> Stream:
        stream = self._engine.submit(request)
        with self._lock:
            for other in self._alone:
                self._alone[other] = False
            self._alone[stream] = not self._alone
        stream.on_end = self._ended
        return stream

    def close(self) -> None:
        with self._lock:
            first, self._closed = not self._closed, True
        if not first:
            self._engine.close()
            return
        peak_bytes = self._peak_bytes()
        try:
            self._engine.close()
        finally:
            self._recorder.held.release(self._load.id)
        usage = self._engine.memory_usage()
        self._recorder.history.add(
            CloseRecord(
                load=self._load.id,
                at=self._recorder.history.now,
                actual=tuple(map(HeldBytes.actual, usage or ())),
                peak_bytes={CPU: peak_bytes},
                answers=self._answers,
            )
        )

    def _ended(self, event: EndEvent) -> None:
        with self._lock:
            stream = next((s for s in self._alone if s.request_id == event.request_id), None)
            alone = stream is not None and self._alone.pop(stream)
            if not isinstance(event, Finished):
                return
            self._answers += 1
        self._peak_bytes()
        rates = rates_of(event.stats)
        if alone and rates != Rates():
            self._recorder.history.add(self._speed(event.stats, rates))

    def _speed(self, stats: Stats, rates: Rates) -> SpeedRecord:
        return SpeedRecord(
            load=self._load.id,
            at=self._recorder.history.now,
            read_tokens=stats.prompt_tokens - stats.cached_tokens,
            written_tokens=stats.completion_tokens,
            context_tokens=stats.context_tokens_used,
            rates=rates,
        )

    def _peak_bytes(self) -> int:
        """The most that the process has grown since before the load, as far as it was seen.

        Its own record tells only where it was broken since then: it may be an earlier model's.
        """
        now = self._meter()
        most = now.process_bytes
        if now.peak_bytes > self._before.peak_bytes:
            most = max(most, now.peak_bytes)
        with self._lock:
            self._most_bytes = max(self._most_bytes, most - self._before.process_bytes, 0)
            return self._most_bytes


def rates_of(stats: Stats) -> Rates:
    """The speeds that an answer was long enough to show."""
    read = stats.prompt_tokens - stats.cached_tokens
    prompt = stats.prompt_tokens_per_s if read >= LEAST_READ_TOKENS else 0.0
    written = stats.tokens_per_s if stats.completion_tokens >= LEAST_WRITTEN_TOKENS else 0.0
    return Rates(prompt or None, written or None)
