"""Why is it slow: each reason from the readings that show it, and from no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest

from desktop.common.errors import Param
from desktop.common.messages import Messages
from desktop.common.wording import Language
from desktop.engine.events import Stats
from desktop.fit.types import FitReport, Speed, Verdict
from desktop.hardware.live import CpuLive, DiskLive, GpuLive, LiveSample, MemoryLive, PowerLive
from desktop.hardware.machine import EngineInfo, Gpu, Machine, Memory
from desktop.services.live import LiveReading
from desktop.services.why_slow import Evidence, Kind, relevant, why_slow
from tests.ui.stand_ins import PLAN, report

GIB = 1 << 30
CARD = Gpu("RTX 4070", "nvidia", "cuda", 12 * GIB, 2 * GIB, device="CUDA0")
MACHINE = Machine(Memory(16 * GIB), gpus=(CARD,), engine=EngineInfo("b1", ("CUDA", "CPU")))
CALM = LiveSample(0.0, CpuLive(0.3, 0.2, 60.0), MemoryLive(16 * GIB, 9 * GIB, GIB, GIB))
ANSWER = Stats(prompt_tokens=50, completion_tokens=91, prompt_s=1.0, generation_s=10.0)


def readings(
    sample: LiveSample, count: int = 10, *, answering: bool = True
) -> tuple[LiveReading, ...]:
    return tuple(
        LiveReading(replace(sample, at=100.0 + second), answering=answering)
        for second in range(count)
    )


def kinds(
    sample: LiveSample = CALM,
    *,
    machine: Machine = MACHINE,
    fit: FitReport | None = None,
    last: Stats | None = ANSWER,
    answering: bool = True,
) -> list[Kind]:
    found = why_slow(Evidence(readings(sample, answering=answering), machine, fit, last))
    return [cause.kind for cause in found]


def judged(
    verdict: Verdict, speed: float | None = 9.0, *, gpu_layers: int = 0, experts: int = 0
) -> FitReport:
    found = report(verdict=verdict, speed=speed)
    plan = replace(PLAN, gpu_layers=gpu_layers, expert_layers_on_cpu=experts)
    return replace(found, plan=plan, speed=Speed(None, speed, "predicted"))


def test_calm_computer_has_nothing_to_say() -> None:
    assert kinds(fit=judged("gpu", gpu_layers=37)) == []
    assert why_slow(Evidence(())) == ()


def test_full_memory_that_swaps() -> None:
    memory = MemoryLive(16 * GIB, GIB, 9 * GIB, 0, swap_in_bytes_per_s=3e7)
    found = why_slow(Evidence(readings(replace(CALM, memory=memory))))
    assert found[0].kind == "swapping"
    assert found[0].params["ours"] == 9.0
    assert found[0].params["others"] == 6.0
    stalled = replace(memory, swap_in_bytes_per_s=0.0, stalled=0.4)
    assert kinds(replace(CALM, memory=stalled)) == ["swapping"]


def test_pages_that_come_in_with_room_to_spare_are_no_swapping() -> None:
    """Windows counts mapped files' pages with the page file's."""
    memory = replace(CALM.memory, swap_in_bytes_per_s=3e8)
    assert kinds(replace(CALM, memory=memory)) == []


def test_nearly_full_memory() -> None:
    memory = MemoryLive(16 * GIB, GIB // 2, GIB, 0, swap_in_bytes_per_s=0.0)
    assert kinds(replace(CALM, memory=memory)) == ["memory_full"]


def test_model_that_does_not_stay_in_memory() -> None:
    disk = DiskLive(GIB, 5e8, 4e8)
    assert kinds(replace(CALM, disk=disk)) == ["disk"]
    # A model that is being loaded reads, too.
    assert kinds(replace(CALM, disk=disk), answering=False) == []


def test_other_programs_on_the_processor() -> None:
    sample = replace(CALM, cpu=CpuLive(0.95, 0.4))
    assert kinds(sample) == ["others_cpu"]
    assert kinds(sample, fit=judged("gpu", gpu_layers=37)) == []


def test_driver_that_moves_into_main_memory() -> None:
    full = GpuLive(CARD.name, "", 12 * GIB, 12 * GIB, 11 * GIB, shared_bytes=2 * GIB)
    assert kinds(replace(CALM, gpus=(full,))) == ["gpu_spill"]
    # Integrated graphics have nothing but main memory.
    shared = replace(MACHINE, gpus=(replace(CARD, unified=True, integrated=True),))
    assert kinds(replace(CALM, gpus=(full,)), machine=shared) == []


def test_few_layers_and_who_takes_the_room() -> None:
    fit = judged("partly_gpu", gpu_layers=12)
    found = why_slow(Evidence(readings(CALM), MACHINE, fit, ANSWER))
    assert [c.kind for c in found] == ["few_layers"]
    assert found[0].params == {"layers": 12, "all": 36}
    taken = GpuLive(CARD.name, "", 12 * GIB, 10 * GIB, 4 * GIB)
    assert set(kinds(replace(CALM, gpus=(taken,)), fit=fit)) == {"others_gpu", "few_layers"}


def test_fewer_layers_weigh_more() -> None:
    def weight(layers: int) -> float:
        fit = judged("partly_gpu", gpu_layers=layers)
        return why_slow(Evidence((), MACHINE, fit, None))[0].weight

    assert weight(3) > weight(20) > weight(35)


def test_experts_in_main_memory() -> None:
    assert kinds(fit=judged("partly_gpu", gpu_layers=37, experts=20)) == ["few_experts"]


def test_card_that_the_engine_cannot_use() -> None:
    unused = replace(MACHINE, gpus=(replace(CARD, device=""),))
    assert kinds(machine=unused, fit=judged("cpu")) == ["gpu_unused"]
    # The planner may prefer the processor to a card that it could use.
    assert kinds(fit=judged("cpu")) == []
    small = replace(MACHINE, gpus=(replace(CARD, device="", total_bytes=GIB),))
    assert kinds(machine=small, fit=judged("cpu")) == []


@pytest.mark.parametrize(
    ("power", "kind"),
    [
        (PowerLive(on_battery=True), "battery"),
        (PowerLive(on_battery=False, saving=True), "saving"),
        (PowerLive(on_battery=True, saving=True), "saving"),
    ],
)
def test_power(power: PowerLive, kind: Kind) -> None:
    assert kinds(replace(CALM, power=power)) == [kind]


def test_battery_is_forgotten_as_soon_as_the_plug_is_in() -> None:
    battery = replace(CALM, power=PowerLive(on_battery=True))
    plugged = LiveReading(replace(CALM, at=120.0, power=PowerLive(on_battery=False)))
    assert why_slow(Evidence((*readings(battery), plugged))) == ()


def test_heat() -> None:
    assert kinds(replace(CALM, cpu=CpuLive(0.5, 0.5, 97.0))) == ["heat"]
    assert kinds(replace(CALM, cpu=CpuLive(0.5, 0.5, 85.0, throttled=True))) == ["heat"]
    # A clock that is held down without a temperature may be the battery's doing.
    assert kinds(replace(CALM, cpu=CpuLive(0.5, 0.5, None, throttled=True))) == []
    hot = GpuLive(CARD.name, "", 12 * GIB, GIB, GIB, temperature_c=87.0, throttled=True)
    assert kinds(replace(CALM, gpus=(hot,))) == ["gpu_heat"]
    assert kinds(replace(CALM, gpus=(replace(hot, throttled=False),))) == []


def test_long_chat_that_is_read_each_time() -> None:
    last = replace(ANSWER, prompt_tokens=6000, cached_tokens=200, prompt_s=30.0)
    found = why_slow(Evidence(readings(CALM), MACHINE, None, last))
    assert [c.kind for c in found] == ["long_chat"]
    assert found[0].params == {"seconds": 30, "tokens": 5800}


def test_large_model_is_as_fast_as_it_can_be() -> None:
    last = replace(ANSWER, completion_tokens=21)  # 2 tokens a second
    assert kinds(fit=judged("cpu", 2.1), last=last) == ["large_model"]
    assert kinds(fit=judged("cpu", 2.1), last=None) == ["large_model"]
    assert kinds(fit=judged("cpu", 9.0)) == []


def test_slower_than_expected_without_a_reason_is_said() -> None:
    last = replace(ANSWER, completion_tokens=31)  # 3 tokens a second
    assert kinds(fit=judged("cpu", 9.0), last=last) == ["unexplained"]
    battery = replace(CALM, power=PowerLive(on_battery=True))
    assert kinds(battery, fit=judged("cpu", 9.0), last=last) == ["battery"]


def test_weightiest_first() -> None:
    sample = replace(
        CALM,
        cpu=CpuLive(0.9, 0.4, 97.0),
        memory=MemoryLive(16 * GIB, GIB, 9 * GIB, 0, swap_in_bytes_per_s=3e7),
        power=PowerLive(on_battery=True),
    )
    assert kinds(sample) == ["swapping", "others_cpu", "heat", "battery"]


def test_only_the_last_minute_counts_and_of_it_the_answer() -> None:
    found = relevant(readings(CALM, 200, answering=False))
    assert len(found) == 61
    mixed: Sequence[LiveReading] = [
        *readings(CALM, 30, answering=False),
        *(replace(r, answering=True) for r in readings(CALM, 40)[30:]),
    ]
    assert len(relevant(mixed)) == 10
    assert relevant(()) == ()


def test_one_reading_is_too_few_to_accuse_anybody() -> None:
    sample = replace(CALM, cpu=CpuLive(1.0, 0.1))
    assert why_slow(Evidence(readings(sample, 2), MACHINE)) == ()


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_reason_has_its_words(language: Language) -> None:
    messages = Messages(language)
    params: dict[str, Param] = {
        "ours": 1, "others": 1, "rate": 1, "free": 1, "gpu": "G", "shared": 1, "total": 1,
        "celsius": 90, "percent": 50, "layers": 1, "all": 2, "seconds": 3, "tokens": 4,
        "tokens_per_s": 2.0, "predicted": 9.0,
    }  # fmt: skip
    for kind in get_args(Kind):
        assert messages.text(f"slow.{kind}", **params)
        assert messages.text(f"slow.{kind}.do", **params)
