"""Sensors and drivers tell nonsense at times: whatever they say, the page has words for it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from desktop.common.messages import Messages
from desktop.engine.events import Stats
from desktop.hardware.live import CpuLive, DiskLive, GpuLive, LiveSample, MemoryLive, PowerLive
from desktop.hardware.machine import Gpu, Machine
from desktop.services.live import EngineShare, LiveReading
from desktop.services.why_slow import Evidence, why_slow
from desktop.ui.machine.cards import facts
from desktop.ui.machine.gauges import Now, gauges
from tests.ui.machine.scenes import CARD, GAMING
from tests.ui.stand_ins import MACHINE, report

shares = st.none() | st.floats(0, 1)
sizes = st.none() | st.integers(0, 1 << 50)
rates = st.none() | st.floats(0, 1e15)
warmth = st.none() | st.floats(-300, 1e4)
flags = st.none() | st.booleans()

gpus = st.builds(
    GpuLive,
    name=st.sampled_from([CARD.name, "another", ""]),
    key=st.sampled_from(["", "a", "b"]),
    total_bytes=sizes,
    used_bytes=sizes,
    ours_bytes=sizes,
    shared_bytes=sizes,
    load=shares,
    ours_load=shares,
    temperature_c=warmth,
    power_w=rates,
    power_limit_w=rates,
    throttled=flags,
)
samples = st.builds(
    LiveSample,
    at=st.floats(0, 1e9),
    cpu=st.builds(CpuLive, shares, shares, warmth, rates, flags),
    memory=st.builds(
        MemoryLive,
        st.integers(0, 1 << 50),
        sizes,
        st.integers(0, 1 << 50),
        st.integers(0, 1 << 50),
        sizes,
        sizes,
        rates,
        rates,
        shares,
    ),
    gpus=st.lists(gpus, max_size=3).map(tuple),
    disk=st.builds(DiskLive, sizes, rates, rates),
    power=st.builds(PowerLive, flags, shares, st.none() | st.integers(0, 1 << 20), rates, flags),
)
LENT = Gpu("192.168.1.20:50052", "other", "rpc", 8 << 30, 6 << 30, device="RPC0")
machines = st.sampled_from(
    [
        MACHINE,
        GAMING,
        replace(GAMING, gpus=(CARD, CARD)),
        replace(MACHINE, gpus=(LENT,)),
        replace(GAMING, gpus=(CARD, LENT)),
        replace(MACHINE, gpus=(replace(CARD, unified=True, integrated=True, device=""),)),
        replace(MACHINE, memory=replace(MACHINE.memory, available_bytes=None), disk=None),
    ]
)
answers = st.none() | st.builds(
    Stats,
    st.integers(0, 1 << 20),
    st.just(0),
    st.integers(0, 1 << 20),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)


@given(machines, samples, rates, st.booleans())
def test_gauges_of_any_reading(
    qapp: QApplication, machine: Machine, sample: LiveSample, speed: float | None, answering: bool
) -> None:
    assert qapp is not None
    engine = EngineShare("model", {"CUDA0": 1 << 30})
    reading = LiveReading(sample, engine, speed, answering)
    for language in ("de", "en"):
        known = facts(machine, language, 16)
        found = gauges(machine, Now(reading, speed, speed), language, known)
        assert len({gauge.key for gauge in found}) == len(found)
        for gauge in found:
            assert all(part.words for part in gauge.parts)
            assert gauge.ours is None or gauge.ours >= 0
            assert gauge.others >= 0


@given(machines, st.lists(samples, max_size=6), answers, st.booleans())
def test_reasons_of_any_readings(
    machine: Machine, some: list[LiveSample], last: Stats | None, answering: bool
) -> None:
    readings = [LiveReading(sample, answering=answering) for sample in some]
    for fit in (None, report(), report(verdict="partly_gpu", speed=None), report(speed=0.4)):
        for cause in why_slow(Evidence(readings, machine, fit, last)):
            assert 0 <= cause.weight <= 1
            for language in ("de", "en"):
                messages = Messages(language)
                assert messages.text(f"slow.{cause.kind}", **cause.params)


def test_another_computer_is_no_graphics_card() -> None:
    (fact,) = [
        one for one in facts(replace(MACHINE, gpus=(LENT,)), "en", 16) if LENT.name in one.figure
    ]
    assert (fact.name, fact.words) == ("Other computer", "lends up to 6.0 GB of its memory")
