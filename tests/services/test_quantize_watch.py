"""What is told while a smaller version is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, StorageError
from desktop.engine.cancel import CancelToken
from desktop.engine.quantize import QuantizeStep
from desktop.gguf.reader import read_header
from desktop.services.quantize_plan import QuantizationPlan, plan_quantization
from desktop.services.quantize_watch import QuantizationProgress, QuantizationWatch
from tests.tiny_models import write_tiny_model

GB = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def plan(tmp_path: Path) -> QuantizationPlan:
    return plan_quantization(read_header(write_tiny_model(tmp_path / "m.gguf", width=256)), "Q8_0")


def test_four_times_a_second_and_how_long_it_will_take(
    plan: QuantizationPlan, tmp_path: Path
) -> None:
    told: list[QuantizationProgress] = []
    clock, part = Clock(), tmp_path / "x.part"
    watch = QuantizationWatch(part, plan, told.append, lambda _folder: GB, clock)
    for tenth in range(1, 41):
        clock.now_s = tenth / 10
        part.write_bytes(b"x" * (plan.file_bytes * tenth // 80))
        watch.step(QuantizeStep(tenth, 40))
    assert 12 <= len(told) <= 16
    assert [one.fraction for one in told] == sorted(one.fraction for one in told)
    assert told[0].left_s is None
    last = told[-1]
    assert last.left_s == pytest.approx(4.0, rel=0.15)  # half of it took four seconds
    assert last.total == 40
    assert 37 <= last.done <= 39


def test_the_hash_is_the_last_of_the_work(plan: QuantizationPlan, tmp_path: Path) -> None:
    told: list[QuantizationProgress] = []
    clock, part, cancel = Clock(), tmp_path / "x.part", CancelToken()
    watch = QuantizationWatch(part, plan, told.append, lambda _folder: GB, clock)
    part.write_bytes(b"x" * plan.file_bytes)
    watch.step(QuantizeStep(9, 9))
    hear = watch.hashed(cancel)
    clock.now_s = 1.0
    hear(plan.file_bytes)
    assert 0.9 < told[0].fraction < 1.0
    assert told[-1].fraction == 1.0
    cancel.cancel()
    with pytest.raises(CancelledError):
        hear(1)


def test_a_disk_that_fills_up_ends_it(plan: QuantizationPlan, tmp_path: Path) -> None:
    clock, part = Clock(), tmp_path / "x.part"
    watch = QuantizationWatch(part, plan, None, lambda _folder: 1000, clock)
    part.write_bytes(b"x")
    watch.step(QuantizeStep(1, 9))  # not asked at every step: a network drive is slow
    clock.now_s = 3.0
    with pytest.raises(StorageError) as full:
        watch.step(QuantizeStep(2, 9))
    assert full.value.kind == "disk_full"
