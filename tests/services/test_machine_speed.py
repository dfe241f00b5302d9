"""Measured once, kept by what decides the speeds, measured again when it was not worth much."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import EngineError
from desktop.common.paths import Paths
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory
from desktop.hardware.speeds import DeviceSpeed, KernelSpeed
from desktop.services.machine import MachineService
from desktop.services.machine_speed import MachineSpeeds, better, machine_key

GIB = 1 << 30
CARD = Gpu("A card", "nvidia", "cuda", 8 * GIB, None, driver="570.1", device="CUDA0")
MACHINE = Machine(
    Memory(16 * GIB),
    Cpu("A processor", physical_cores=4, logical_cores=8),
    engine=EngineInfo("0.3.36", ("CPU",)),
)
DAY_S = 86_400.0


def speed(rate: float, *, device: str = "CPU", steady: bool = True) -> DeviceSpeed:
    kernels = (KernelSpeed("Q4_K", rate, 10 * rate),)
    return DeviceSpeed(device, 3, kernels, step_s=1 / rate, node_s=1 / rate, steady=steady)


class Measures:
    """Gives the next of `rates` (None: the device does not answer) and counts."""

    def __init__(self, *rates: float | None, steady: bool = True) -> None:
        self.rates = list(rates)
        self.steady = steady
        self.asked: list[str] = []

    def __call__(
        self,
        threads: int,
        timeout_s: float,
        devices: tuple[str, ...] | None = None,
        *,
        cache_bytes: int | None = None,
        servers: tuple[str, ...] = (),
    ) -> tuple[DeviceSpeed, ...]:
        assert threads == 3  # of four cores one is left for everything else
        assert timeout_s > 0
        assert cache_bytes is None
        assert devices is not None
        self.asked += devices
        rate = self.rates.pop(0)
        if rate is None:
            return ()
        return (speed(rate, device=devices[0], steady=self.steady),)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1e9

    def __call__(self) -> float:
        return self.now_s


def rates(speeds: tuple[DeviceSpeed, ...]) -> list[float]:
    return [one.kernels[0].read_bytes_per_s for one in speeds]


def test_measured_once_and_kept_over_a_restart(tmp_path: Path) -> None:
    measures, clock, path = Measures(5e9), Clock(), tmp_path / "speeds.json"
    first = MachineSpeeds(path, measure=measures, clock=clock)
    assert first.known(MACHINE) == ()
    assert rates(first.measured(MACHINE)) == [5e9]
    again = MachineSpeeds(path, measure=measures, clock=clock)
    assert again.known(MACHINE) == again.measured(MACHINE) == (speed(5e9),)
    assert measures.asked == ["CPU"]


def test_every_device_by_itself(tmp_path: Path) -> None:
    measures = Measures(5e9, 50e9)
    speeds = MachineSpeeds(tmp_path / "s.json", measure=measures, clock=Clock())
    assert rates(speeds.measured(replace(MACHINE, gpus=(CARD,)))) == [5e9, 50e9]
    assert measures.asked == ["CPU", "CUDA0"]


@pytest.mark.parametrize(
    "other",
    [
        replace(MACHINE, engine=EngineInfo("0.4", ("CPU",))),
        replace(MACHINE, gpus=(CARD,)),
        replace(MACHINE, gpus=(replace(CARD, driver="580.2"),)),
        replace(MACHINE, cpu=replace(MACHINE.cpu, name="Another")),
        replace(MACHINE, cpu=replace(MACHINE.cpu, usable_cores=2)),
    ],
)
def test_what_decides_the_speeds_is_another_key(other: Machine) -> None:
    assert machine_key(other) != machine_key(MACHINE)


def test_what_is_free_is_not() -> None:
    now = replace(MACHINE, memory=Memory(16 * GIB, 3 * GIB), gpus=(CARD,))
    then = replace(now, memory=Memory(16 * GIB), gpus=(replace(CARD, free_bytes=GIB),))
    assert machine_key(now) == machine_key(then)


def test_a_busy_machine_is_measured_again_soon(tmp_path: Path) -> None:
    measures, clock = Measures(2e9, 5e9, steady=False), Clock()
    speeds = MachineSpeeds(tmp_path / "s.json", measure=measures, clock=clock)
    assert rates(speeds.measured(MACHINE)) == [2e9]
    clock.now_s += 60
    assert rates(speeds.measured(MACHINE)) == [2e9]
    clock.now_s += 600
    measures.steady = True
    assert rates(speeds.measured(MACHINE)) == [5e9]
    clock.now_s += 0.9 * DAY_S
    assert rates(speeds.measured(MACHINE)) == [5e9]
    assert len(measures.asked) == 2


def test_the_second_day_measures_again_and_the_better_counts(tmp_path: Path) -> None:
    measures, clock = Measures(5e9, 4e9), Clock()
    speeds = MachineSpeeds(tmp_path / "s.json", measure=measures, clock=clock)
    speeds.measured(MACHINE)
    clock.now_s += 1.1 * DAY_S
    assert rates(speeds.measured(MACHINE)) == [5e9]
    clock.now_s += 20 * DAY_S
    speeds.measured(MACHINE)
    assert len(measures.asked) == 2


def test_a_device_that_fails_is_left_alone_for_a_day(tmp_path: Path) -> None:
    measures, clock = Measures(5e9, None, 60e9), Clock()
    speeds = MachineSpeeds(tmp_path / "s.json", measure=measures, clock=clock)
    with_card = replace(MACHINE, gpus=(CARD,))
    assert rates(speeds.measured(with_card)) == [5e9]
    assert rates(speeds.measured(with_card)) == [5e9]
    assert measures.asked == ["CPU", "CUDA0"]


def test_no_child_is_no_figure(tmp_path: Path) -> None:
    def fails(*_: object, **__: object) -> tuple[DeviceSpeed, ...]:
        raise EngineError("no_child")

    assert MachineSpeeds(tmp_path / "s.json", measure=fails).measured(MACHINE) == ()


def test_without_an_engine_nothing_is_measured(tmp_path: Path) -> None:
    measures = Measures()
    speeds = MachineSpeeds(tmp_path / "s.json", measure=measures)
    assert speeds.measured(replace(MACHINE, engine=EngineInfo())) == ()
    assert speeds.measured(replace(MACHINE, engine=None)) == ()


def _spoilt(text: str) -> list[str]:
    document = json.loads(text)
    (key,) = document
    entry = document[key]["CPU"]
    broken = [
        {key: {"CPU": {**entry, "next_s": "soon"}}},
        {key: {"CPU": {**entry, "times": -1}}},
        {key: {"CPU": {**entry, "speed": {"kernels": [{"type_name": "Q4_K"}]}}}},
        {key: {"CPU": 5}},
        {key: []},
        [document],
    ]
    return [text[:-9], "", "\0", "[" * 100_000, *map(json.dumps, broken)]


def test_a_broken_file_is_measured_anew(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    MachineSpeeds(path, measure=Measures(5e9)).measured(MACHINE)
    for text in _spoilt(path.read_text()):
        path.write_text(text)
        speeds = MachineSpeeds(path, measure=Measures(7e9))
        assert rates(speeds.measured(MACHINE)) == [7e9], text[:40]


def test_a_clock_that_was_wrong_is_no_reason_to_wait_for_years(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "s.json"
    clock.now_s = 4e9
    MachineSpeeds(path, measure=Measures(5e9), clock=clock).measured(MACHINE)
    measures = Measures(6e9)
    assert rates(MachineSpeeds(path, measure=measures, clock=Clock()).measured(MACHINE)) == [6e9]


def test_a_disk_that_takes_nothing_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    speeds = MachineSpeeds(tmp_path / "file" / "s.json", measure=Measures(5e9))
    assert rates(speeds.measured(MACHINE)) == [5e9]


def test_the_file_does_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    speeds = MachineSpeeds(path, measure=Measures(*[5e9] * 20))
    for number in range(20):
        speeds.measured(replace(MACHINE, engine=EngineInfo(f"1.{number}")))
    assert len(json.loads(path.read_text())) == 8


def test_of_two_measurements_the_faster_figures() -> None:
    slow, fast = speed(4e9), speed(5e9)
    assert better(slow, fast) == better(fast, slow) == fast
    busy = speed(9e9, steady=False)
    assert better(busy, slow) == slow
    assert better(slow, busy) == slow
    assert better(None, busy) == busy


def test_the_machine_knows_its_speeds(hausgeist_home: Path, tmp_path: Path) -> None:
    measures = Measures(5e9)
    service = MachineService(
        Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)}),
        look=lambda **_: MACHINE,
        measure=lambda machine, _cache: machine,
        ask_engine=lambda _timeout_s: EngineInfo("0.3.36", ("CPU",)),
        speeds=MachineSpeeds(tmp_path / "s.json", measure=measures),
    )
    assert rates(service.machine().speeds) == [5e9]
    assert rates(service.machine(refresh=True).speeds) == [5e9]
    assert measures.asked == ["CPU"]


def test_before_a_load_nothing_is_measured(hausgeist_home: Path, tmp_path: Path) -> None:
    """`current` looks at a card's memory again: no time for anything else then."""
    measures, clock = Measures(5e9, 60e9, steady=False), Clock()
    service = MachineService(
        Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)}),
        look=lambda **_: replace(MACHINE, gpus=(replace(CARD, device="CUDA0"),)),
        measure=lambda machine, _cache: machine,
        ask_engine=lambda _timeout_s: EngineInfo("0.3.36", ("CPU",)),
        speeds=MachineSpeeds(tmp_path / "s.json", measure=measures, clock=clock),
    )
    first = service.machine().speeds
    clock.now_s += 3600
    assert service.current().speeds == first
    assert len(measures.asked) == len(first)
