"""The computer watched while somebody looks: once a second, for five minutes back."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from desktop.common.errors import HausgeistError
from desktop.engine.events import Stats
from desktop.hardware.live import LiveSample
from desktop.services.turn_events import (
    TurnEnded,
    TurnEvent,
    TurnListener,
    TurnReasoning,
    TurnText,
)

EVERY_S = 1.0
KEPT = 300
"""Five minutes: what the chart shows, and what "why is it slow?" looks back on."""

PATIENCE_S = 3.0
"""An answer that takes longer is watched too: who then asks why it was slow gets an answer."""


class Sensors(Protocol):
    """Reads the hardware. A value that cannot be read is None; nothing is raised."""

    def sample(self) -> LiveSample: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EngineShare:
    """What the open model takes: its name, bytes by llama.cpp's device names ("" is unknown)."""

    model: str = ""
    device_bytes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveReading:
    """A sample with what the engine did since the last one.

    `tokens_per_s` is the writing speed in that second (None: nothing was written), `answering`
    tells whether an answer was under way.
    """

    sample: LiveSample
    engine: EngineShare = EngineShare()
    tokens_per_s: float | None = None
    answering: bool = False


Listener = Callable[[LiveReading], None]


class LiveMonitor:
    """One thread that reads the sensors once a second while somebody looks, or waits for an answer.

    Listeners are called on that thread. The sensors are made when they are needed first, and
    closed (the driver's child process with them) when they are no longer.
    """

    def __init__(
        self,
        make_sensors: Callable[[], Sensors],
        *,
        every_s: float = EVERY_S,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_sensors = make_sensors
        self.engine = EngineShare()
        """What the open model takes; told by whoever opens and closes models."""
        self._every_s = every_s
        self._patience_s = patience_s
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._listeners: list[Listener] = []
        self._thread: threading.Thread | None = None
        self._kept: deque[LiveReading] = deque(maxlen=KEPT)
        self._closed = False
        self.speed = SpeedMeter(self._answer_began)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every reading from now on; returns how to end that."""
        with self._lock:
            self._listeners.append(listener)
            self._start(0.0)
            self._wake.set()

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)
                if not self._listeners:
                    self._wake.set()

        return unsubscribe

    def history(self) -> tuple[LiveReading, ...]:
        """The readings of the last five minutes, oldest first; with gaps where nobody looked."""
        oldest = self._clock() - KEPT * self._every_s
        with self._lock:
            return tuple(r for r in self._kept if r.sample.at >= oldest)

    def close(self, timeout_s: float = 2.0) -> None:
        """No more readings; waits for the thread for a moment."""
        with self._lock:
            self._closed = True
            self._listeners.clear()
            thread = self._thread
            self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)

    def _answer_began(self) -> None:
        with self._lock:
            self._start(self._patience_s)

    def _start(self, patience_s: float) -> None:
        """Under the lock: begin to read, unless that is so already."""
        if self._thread is None and not self._closed:
            self._wake.clear()
            self._thread = threading.Thread(
                target=self._run, args=(patience_s,), name="live", daemon=True
            )
            self._thread.start()

    def _run(self, patience_s: float) -> None:
        if patience_s:
            self._wake.wait(patience_s)  # somebody who looks ends the wait
        if not self._go_on():
            return
        sensors = self._make_sensors()
        try:
            due = self._clock()
            self.speed.take(due)  # from now on what is written counts
            while self._go_on():
                self._publish(self._read(sensors))
                due = max(due + self._every_s, self._clock())
                self._wake.wait(due - self._clock())
                self._wake.clear()
        finally:
            self.speed.rest()
            sensors.close()

    def _go_on(self) -> bool:
        """Whether somebody looks or waits for an answer; else the thread takes itself out."""
        with self._lock:
            if not self._closed and (self._listeners or self.speed.answering):
                return True
            self._thread = None
            return False

    def _read(self, sensors: Sensors) -> LiveReading:
        sample = sensors.sample()
        speed, answering = self.speed.take(sample.at)
        return LiveReading(sample, self.engine, speed, answering)

    def keep(self, reading: LiveReading) -> None:
        """Add a reading to the history."""
        with self._lock:
            self._kept.append(reading)

    def _publish(self, reading: LiveReading) -> None:
        self.keep(reading)
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(reading)


CountTokens = Callable[[str], int]


class SpeedMeter:
    """Counts the tokens that answers write, from any thread, and tells their speed a second."""

    def __init__(self, on_begin: Callable[[], None] = lambda: None) -> None:
        self._on_begin = on_begin
        self._lock = threading.Lock()
        self._open: set[object] = set()
        self._written: dict[CountTokens, list[str]] = {}
        self._since: float | None = None
        self.last: Stats | None = None
        """What the last answer took, by the engine's own measure."""

    @property
    def answering(self) -> bool:
        """Whether an answer is under way."""
        return bool(self._open)

    def listen(self, then: TurnListener, count_tokens: CountTokens) -> TurnListener:
        """A listener for one answer that counts and passes everything on to `then`."""
        answer = object()

        def hear(event: TurnEvent) -> None:
            begins = False
            with self._lock:
                if isinstance(event, TurnText | TurnReasoning) and self._since is not None:
                    self._written.setdefault(count_tokens, []).append(event.text)
                elif isinstance(event, TurnEnded):
                    self._open.discard(answer)
                    self.last = event.stats or self.last
                elif not isinstance(event, TurnText | TurnReasoning):
                    begins = answer not in self._open
                    self._open.add(answer)
            if begins:
                self._on_begin()
            then(event)

        return hear

    def rest(self) -> None:
        """Nobody looks any more: what is written from now on is not kept to be counted."""
        with self._lock:
            self._written, self._since = {}, None

    def take(self, now: float) -> tuple[float | None, bool]:
        """Tokens a second since the last call, None where nothing was written; and whether an
        answer was under way."""
        with self._lock:
            written, since = self._written, self._since
            self._written, self._since = {}, now
            answering = bool(self._open or written)
        if not written or since is None or now <= since:
            return None, answering
        tokens = sum(_tokens(count, pieces) for count, pieces in written.items())
        return tokens / (now - since), answering


def _tokens(count: CountTokens, pieces: list[str]) -> int:
    try:
        return count("".join(pieces))
    except HausgeistError:  # its model was closed meanwhile; a piece is about a token
        return len(pieces)
