"""The computer watched while somebody looks: once a second, for five minutes back."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from desktop.common.logs import get_logger
from desktop.hardware.live import LiveSample

EVERY_S = 1.0
KEPT = 300
"""Five minutes: what the chart shows, and what "why is it slow?" looks back on."""

_log = get_logger("services")


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
    """One thread that reads the sensors once a second while there are listeners.

    Listeners are called on that thread. The sensors are made when somebody looks first, and
    closed (the driver's child process with them) when nobody looks any more.
    """

    def __init__(
        self,
        make_sensors: Callable[[], Sensors],
        *,
        engine: Callable[[], EngineShare] = EngineShare,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_sensors = make_sensors
        self._engine = engine
        self._every_s = every_s
        self._clock = clock
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._listeners: list[Listener] = []
        self._thread: threading.Thread | None = None
        self._kept: deque[LiveReading] = deque(maxlen=KEPT)
        self._closed = False
        self._speed = SpeedMeter()

    @property
    def speed(self) -> SpeedMeter:
        """Where answers report the tokens that they write."""
        return self._speed

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every reading from now on; returns how to end that."""
        with self._lock:
            self._listeners.append(listener)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()

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

    def _run(self) -> None:
        sensors = self._make_sensors()
        try:
            due = self._clock()
            while self._go_on():
                self._publish(self._read(sensors))
                due = max(due + self._every_s, self._clock())
                self._wake.wait(due - self._clock())
                self._wake.clear()
        finally:
            sensors.close()

    def _go_on(self) -> bool:
        """Whether somebody still looks; else the thread takes itself out."""
        with self._lock:
            if self._listeners:
                return True
            self._thread = None
            return False

    def _read(self, sensors: Sensors) -> LiveReading:
        sample = sensors.sample()
        speed, answering = self._speed.take(self._clock())
        return LiveReading(sample, self._engine(), speed, answering)

    def _publish(self, reading: LiveReading) -> None:
        with self._lock:
            self._kept.append(reading)
            listeners = list(self._listeners)
        for listener in listeners:
            listener(reading)


class SpeedMeter:
    """Counts the tokens that answers write, from any thread, and tells their speed a second.

    An answer reports its pieces as they come and, at its end, the speed that the engine measured.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[object] = set()
        self._tokens = 0
        self._since: float | None = None
        self._last: float | None = None

    @property
    def last(self) -> float | None:
        """Tokens a second of the last answer that ended; None before the first."""
        return self._last

    def began(self, answer: object) -> None:
        """An answer is under way: it reads or writes."""
        with self._lock:
            self._open.add(answer)

    def wrote(self, tokens: int = 1) -> None:
        """So many tokens were written."""
        with self._lock:
            self._tokens += tokens

    def ended(self, answer: object, tokens_per_s: float | None = None) -> None:
        """That answer has ended, with the engine's own measure where there is one."""
        with self._lock:
            self._open.discard(answer)
            if tokens_per_s:
                self._last = tokens_per_s

    def take(self, now: float) -> tuple[float | None, bool]:
        """Tokens a second since the last call, None where nothing was written; and whether an
        answer is under way."""
        with self._lock:
            tokens, since = self._tokens, self._since
            self._tokens, self._since = 0, now
            answering = bool(self._open)
        if not tokens or since is None or now <= since:
            return None, answering or bool(tokens)
        return tokens / (now - since), True
