"""Energy shared among the answers that run, and told only where it was counted all the time."""

from __future__ import annotations

import gc
import threading
from collections.abc import Mapping

import pytest

from desktop.engine.events import Finished, Started
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.hardware.energy import Counted, EnergyReading, EnergySource
from desktop.services.energy import Energy, EnergyShares, MeteredEngine, told
from tests.services.fake_engine import FakeEngine


class Counting:
    """A meter whose counters a test turns by hand."""

    def __init__(self) -> None:
        self.now: dict[EnergySource, float] = {}
        self.run = 0
        self.reads = 0
        self.closed = 0

    def read(self) -> EnergyReading:
        self.reads += 1
        return EnergyReading({s: Counted(joules, self.run) for s, joules in self.now.items()})

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def meter() -> Counting:
    return Counting()


@pytest.fixture
def shares(meter: Counting) -> EnergyShares:
    return EnergyShares(lambda _with_gpu: meter, look_every_s=60.0)


def test_one_answer_takes_all(meter: Counting, shares: EnergyShares) -> None:
    meter.now["cpu"] = 100.0
    number = shares.begin(with_gpu=False)
    meter.now["cpu"] = 130.0
    assert shares.end(number) == Energy(30.0, "cpu")
    assert shares.end(number) is None


def test_two_answers_share_what_they_run_together(meter: Counting, shares: EnergyShares) -> None:
    meter.now["cpu"] = 0.0
    first = shares.begin(with_gpu=False)
    meter.now["cpu"] = 10.0
    second = shares.begin(with_gpu=False)
    meter.now["cpu"] = 30.0
    assert shares.end(first) == Energy(20.0, "cpu")
    meter.now["cpu"] = 35.0
    assert shares.end(second) == Energy(15.0, "cpu")


def test_idle_times_belong_to_nobody(meter: Counting, shares: EnergyShares) -> None:
    meter.now["cpu"] = 0.0
    shares.end(shares.begin(with_gpu=False))
    meter.now["cpu"] = 1000.0
    number = shares.begin(with_gpu=False)
    meter.now["cpu"] = 1001.0
    assert shares.end(number) == Energy(1.0, "cpu")


def test_nothing_is_guessed(meter: Counting, shares: EnergyShares) -> None:
    number = shares.begin(with_gpu=False)
    meter.now["cpu"] = 5.0  # it came only while the answer ran
    other = shares.begin(with_gpu=False)
    meter.now["cpu"] = 7.0
    assert shares.end(number) is None
    meter.run = 1  # and was away for a while
    assert shares.end(other) is None


def test_a_second_meter_where_a_card_computes(meter: Counting) -> None:
    made: list[bool] = []

    def make(with_gpu: bool) -> Counting:
        made.append(with_gpu)
        return meter

    shares = EnergyShares(make, look_every_s=60.0)
    for with_gpu in (False, True, False, True):
        shares.end(shares.begin(with_gpu=with_gpu))
    assert made == [False, True]
    assert meter.closed == 1
    shares.close()
    assert meter.closed == 2


def test_long_answers_are_looked_after(meter: Counting) -> None:
    """A power is summed look by look, so somebody has to look."""
    looked = threading.Event()
    meter.now["cpu"] = 0.0
    read = meter.read

    def told_of() -> EnergyReading:
        if meter.reads >= 3:
            looked.set()
        return read()

    meter.read = told_of  # type: ignore[method-assign]
    shares = EnergyShares(lambda _with_gpu: meter, look_every_s=0.001)
    number = shares.begin(with_gpu=False)
    assert looked.wait(5)
    shares.end(number)
    shares.close()


@pytest.mark.parametrize(
    ("counted", "with_gpu", "best"),
    [
        ({}, False, None),
        ({"cpu": 5.0}, False, Energy(5.0, "cpu")),
        ({"cpu": 5.0, "battery": 9.0}, False, Energy(5.0, "cpu")),
        ({"battery": 9.0}, False, Energy(9.0, "battery")),
        ({"gpu": 7.0}, False, None),  # the card did not compute
        ({"cpu": 5.0, "gpu": 7.0}, False, Energy(5.0, "cpu")),
        ({"cpu": 5.0, "gpu": 7.0}, True, Energy(12.0, "cpu_gpu")),
        ({"gpu": 7.0, "battery": 30.0}, True, Energy(7.0, "gpu")),
        ({"cpu": 5.0, "battery": 30.0}, True, Energy(30.0, "battery")),
        ({"cpu": 5.0}, True, Energy(5.0, "cpu")),
    ],
    ids=str,
)
def test_the_best_figure(
    counted: Mapping[EnergySource, float], with_gpu: bool, best: Energy | None
) -> None:
    assert told(counted, with_gpu=with_gpu) == best


def test_an_answer_says_what_it_took(meter: Counting, shares: EnergyShares) -> None:
    meter.now["cpu"] = 0.0
    engine = MeteredEngine(FakeEngine(["a", "b"]), shares, with_gpu=False)
    stream = engine.submit(Request("r", "hello"))
    first = stream.get(5)
    assert first is not None
    meter.now["cpu"] = 3600.0
    _, end = stream.collect(5)
    assert isinstance(end, Finished)
    assert (end.stats.energy_j, end.stats.energy_method) == (3600.0, "cpu")


def test_who_goes_away_ends_his_share(meter: Counting, shares: EnergyShares) -> None:
    meter.now["cpu"] = 0.0

    class Unending(FakeEngine):
        """Begins an answer and keeps nothing of it."""

        def submit(self, request: Request) -> Stream:
            stream = Stream(request.id, lambda _id: None)
            stream.put(Started(request.id, 3, 0))
            return stream

    engine = MeteredEngine(Unending(), shares, with_gpu=False)
    stream = engine.submit(Request("gone", "hello"))
    assert isinstance(stream.get(5), Started)
    del stream
    gc.collect()
    number = shares.begin(with_gpu=False)
    meter.now["cpu"] = 8.0
    assert shares.end(number) == Energy(8.0, "cpu")
