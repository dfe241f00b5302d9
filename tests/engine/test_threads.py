"""Fewer threads beside others and on battery, without swinging."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.engine.threads import Threads, unplanned_threads
from tests.engine.driving import plan_for


@dataclass
class _Machine:
    """Stands for the context too: it hears which numbers are set."""

    cores: int = 8
    others: float = 0.0
    battery: bool | None = None
    now_s: float = 0.0
    told: list[tuple[int, int]] = field(default_factory=list)

    def set_threads(self, writing: int, reading: int) -> None:
        self.told.append((writing, reading))

    def threads(self, planned: int = 4, batch: int = 0) -> Threads:
        return Threads(
            self,  # type: ignore[arg-type]
            plan_for(threads=planned, threads_batch=batch),
            cores=self.cores,
            others=lambda: self.others,
            battery=lambda: self.battery,
            clock=lambda: self.now_s,
        )

    def look(self, threads: Threads, seconds: int) -> tuple[int, int]:
        for _ in range(seconds):
            self.now_s += 1.0
            threads.look()
        return threads.threads


def test_beside_others_each_thread_has_a_core_of_its_own() -> None:
    machine = _Machine(cores=2)
    threads = machine.threads(planned=2)
    assert machine.look(threads, 5) == (2, 2)
    assert machine.told == []  # the context was opened so
    machine.others = 1.0
    assert machine.look(threads, 2) == (1, 1)
    machine.others = 0.0
    assert machine.look(threads, 3) == (1, 1)
    assert machine.look(threads, 1) == (2, 2)


def test_a_moment_of_load_changes_nothing() -> None:
    machine = _Machine(cores=4)
    threads = machine.threads(planned=4)
    for others in (3.0, 0.0, 3.0, 0.0, 0.1, 0.2):
        machine.others = others
        machine.look(threads, 1)
    assert machine.told == []


def test_a_plan_with_few_threads_keeps_them_where_cores_are_free() -> None:
    machine = _Machine(cores=8, others=3.0)
    assert machine.look(machine.threads(planned=4, batch=8), 3) == (4, 5)


def test_there_is_always_one_thread() -> None:
    machine = _Machine(cores=4, others=9.0)
    assert machine.look(machine.threads(), 3) == (1, 1)


def test_on_battery_half_of_them() -> None:
    machine = _Machine(battery=True)
    threads = machine.threads(planned=6, batch=8)
    assert machine.look(threads, 3) == (3, 4)
    machine.battery = False
    assert machine.look(threads, 25) == (6, 8)


def test_without_a_plan_one_core_stays_free() -> None:
    assert [unplanned_threads(cores) for cores in (1, 2, 3, 4, 16)] == [1, 2, 2, 3, 15]
    machine = _Machine(cores=8)
    machine.threads(planned=0)
    assert machine.told == [(7, 7)]


def test_looking_often_asks_seldom() -> None:
    machine = _Machine()
    asked: list[float] = []

    def others() -> float:
        asked.append(machine.now_s)
        return 0.0

    threads = Threads(
        machine,  # type: ignore[arg-type]
        plan_for(threads=4),
        cores=8,
        others=others,
        battery=lambda: None,
        clock=lambda: machine.now_s,
    )
    for _ in range(1000):
        machine.now_s += 0.01
        threads.look()
    assert len(asked) <= 10


def test_contexts_that_compute_in_turn_follow() -> None:
    machine, beside = _Machine(cores=2), _Machine()
    threads = Threads(
        machine,  # type: ignore[arg-type]
        plan_for(threads=2),
        cores=2,
        others=lambda: 1.0,
        battery=lambda: None,
        clock=lambda: machine.now_s,
        beside=[beside],  # type: ignore[list-item]
    )
    assert machine.look(threads, 3) == (1, 1)
    assert beside.told == machine.told == [(1, 1)]
