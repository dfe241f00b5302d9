"""The computer is watched while somebody looks, and at no other time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from desktop.common.errors import EngineError
from desktop.engine.events import Stats
from desktop.hardware.live import LiveSample
from desktop.services.live import KEPT, EngineShare, LiveMonitor, LiveReading, SpeedMeter
from desktop.services.turn_events import TurnEnded, TurnEvent, TurnProgress, TurnStarted, TurnText


class Clocked:
    """Sensors with a clock of their own: each sample is a second later."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0
        self.now = 100.0

    def make(self) -> Clocked:
        self.made += 1
        return self

    def sample(self) -> LiveSample:
        self.now += 1.0
        return LiveSample(self.now)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def sensors() -> Clocked:
    return Clocked()


def monitor(sensors: Clocked, every_s: float = 0.0) -> LiveMonitor:
    return LiveMonitor(sensors.make, every_s=every_s, clock=lambda: sensors.now)


def heard(live: LiveMonitor, count: int) -> list[LiveReading]:
    """Subscribe until so many readings have come."""
    queue: SimpleQueue[LiveReading] = SimpleQueue()
    stop = live.subscribe(queue.put)
    found = [queue.get(timeout=10) for _ in range(count)]
    stop()
    return found


def rest(live: LiveMonitor) -> None:
    """Wait until the monitor's thread has ended."""
    for thread in threading.enumerate():
        if thread.name == "live":
            thread.join(10)
    assert live._thread is None


def test_nothing_runs_before_somebody_looks(sensors: Clocked) -> None:
    live = monitor(sensors)
    assert live.history() == ()
    assert sensors.made == 0
    live.close()


def test_readings_come_and_stop_with_the_last_listener(sensors: Clocked) -> None:
    live = monitor(sensors)
    live.engine = EngineShare("model", {"CPU": 5})
    found = heard(live, 3)
    rest(live)
    assert [r.sample.at for r in found] == [101.0, 102.0, 103.0]
    assert found[0].engine.model == "model"
    assert sensors.closed == 1
    heard(live, 1)
    rest(live)
    assert (sensors.made, sensors.closed) == (2, 2)


def test_one_thread_for_all_listeners(sensors: Clocked) -> None:
    live = monitor(sensors)
    first: SimpleQueue[LiveReading] = SimpleQueue()
    stop = live.subscribe(first.put)
    second = heard(live, 2)
    stop()
    stop()  # twice does no harm
    rest(live)
    assert sensors.made == 1
    seen = [first.get() for _ in range(first.qsize())]
    assert all(reading in seen for reading in second)


def test_history_is_five_minutes_and_no_more(sensors: Clocked) -> None:
    live = LiveMonitor(sensors.make, every_s=0.0, clock=lambda: sensors.now)
    heard(live, KEPT + 20)
    rest(live)
    assert len(live._kept) == KEPT
    live = LiveMonitor(sensors.make, every_s=1.0, clock=lambda: sensors.now)
    live._kept.extend(LiveReading(LiveSample(at)) for at in (1.0, sensors.now - 5, sensors.now))
    assert [r.sample.at for r in live.history()] == [sensors.now - 5, sensors.now]


def test_closed_for_good(sensors: Clocked) -> None:
    live = monitor(sensors)
    heard(live, 1)
    live.close()
    live.subscribe(lambda _: None)
    assert live._thread is None
    assert sensors.closed == 1


def test_long_answer_is_watched_though_nobody_looks(sensors: Clocked) -> None:
    live = LiveMonitor(sensors.make, every_s=0.0, patience_s=0.001, clock=lambda: sensors.now)
    hear = live.speed.listen(lambda _: None, words)
    hear(TurnStarted(1, 10, 0))
    deadline = time.monotonic() + 10
    while len(live._kept) < 3:
        assert time.monotonic() < deadline
    hear(TurnEnded(1, "complete", Stats()))
    rest(live)
    assert (sensors.made, sensors.closed) == (1, 1)
    assert live._kept[0].answering


def test_short_answer_starts_no_sensors(sensors: Clocked) -> None:
    live = LiveMonitor(sensors.make, every_s=0.0, patience_s=60.0, clock=lambda: sensors.now)
    hear = live.speed.listen(lambda _: None, words)
    hear(TurnStarted(1, 10, 0))
    hear(TurnProgress(1, 5, 10))
    hear(TurnEnded(1, "complete", Stats()))
    live.close()
    rest(live)
    assert sensors.made == 0


def test_who_looks_need_not_wait_for_the_patience(sensors: Clocked) -> None:
    live = LiveMonitor(sensors.make, every_s=0.0, patience_s=60.0, clock=lambda: sensors.now)
    hear = live.speed.listen(lambda _: None, words)
    hear(TurnStarted(1, 10, 0))
    assert heard(live, 2)
    hear(TurnEnded(1, "complete", Stats()))
    live.close()
    rest(live)


def words(text: str) -> int:
    return len(text.split())


def test_speed_is_the_tokens_of_the_last_second() -> None:
    meter = SpeedMeter()
    passed: list[TurnEvent] = []
    meter.take(10.0)
    hear = meter.listen(passed.append, words)
    hear(TurnStarted(1, 100, 0))
    hear(TurnProgress(1, 50, 100))
    assert meter.take(11.0) == (None, True)  # it reads the question
    for piece in ("one ", "two ", "three four"):
        hear(TurnText(1, piece))
    assert meter.take(13.0) == (2.0, True)
    stats = Stats(completion_tokens=4, generation_s=2.0)
    hear(TurnEnded(1, "complete", stats))
    assert meter.take(14.0) == (None, False)
    assert meter.last == stats
    assert len(passed) == 6


def test_answer_of_one_second_was_an_answer() -> None:
    meter = SpeedMeter()
    meter.take(1.0)
    hear = meter.listen(lambda _: None, words)
    hear(TurnStarted(1, 1, 0))
    hear(TurnText(1, "all at once"))
    hear(TurnEnded(1, "failed", None))
    assert meter.take(2.0) == (3.0, True)
    assert meter.last is None


def test_nothing_is_kept_while_nobody_looks() -> None:
    meter = SpeedMeter()
    hear = meter.listen(lambda _: None, words)
    hear(TurnText(1, "unseen"))
    assert meter._written == {}
    meter.take(1.0)
    hear(TurnText(1, "seen"))
    meter.rest()
    assert meter._written == {}
    assert meter.take(2.0) == (None, False)


def test_two_answers_at_once_add_up() -> None:
    meter = SpeedMeter()
    meter.take(0.0)
    counters: list[Callable[[str], int]] = [words, len]
    for count in counters:
        meter.listen(lambda _: None, count)(TurnText(1, "a b"))
    assert meter.take(1.0) == (5.0, True)


def test_model_closed_meanwhile_counts_by_pieces() -> None:
    def closed(_text: str) -> int:
        raise EngineError("engine_closed")

    meter = SpeedMeter()
    meter.take(0.0)
    hear = meter.listen(lambda _: None, closed)
    hear(TurnText(1, "a b c"))
    hear(TurnText(1, "d"))
    assert meter.take(1.0) == (2.0, True)
