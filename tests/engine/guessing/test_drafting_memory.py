"""What guessing ahead takes: the plan's figures against what llama.cpp really holds."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.device_usage import DeviceUsage
from desktop.engine.dry_run import dry_run
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.guessing.draft_switch import DraftSwitch, Wanted
from desktop.engine.loaded import Loaded
from desktop.engine.usage import memory_usage
from desktop.fit.companions import Companions, companion_bytes
from desktop.fit.memory import Footprint
from desktop.fit.overheads import output_bytes
from desktop.fit.types import Plan
from desktop.gguf.reader import read_header
from tests.engine.driving import ask, drive, plan_for
from tests.tiny_guessers import (
    recited,
    reciting,
    write_tiny_lfm2,
    write_tiny_mtp,
    write_tiny_qwen35,
)
from tests.tiny_models import write_tiny_model

_A_BUFFER = 10_000
_PROMPT = "a" + recited("a", 90)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the breakdown is readable on Linux only"
)


class _Always(DraftSwitch):
    def may_pay(self, plain: int) -> bool:
        return True

    def counts(self, wanted: list[Wanted], plain: int, *, reading: bool) -> list[int]:  # type: ignore[override]
        return [min(one.length, self.limit // len(wanted)) for one in wanted]


def _held(loaded: Loaded) -> DeviceUsage:
    found = memory_usage(loaded.model, loaded.context, loaded.beside)
    assert found is not None
    (cpu,) = found
    return cpu


def _used(path: Path, plan: Plan, extras: Extras = NO_EXTRAS) -> tuple[DeviceUsage, DeviceUsage]:
    """Right after the load, and after answers full of guesses."""
    with closing(Loaded(path, plan, extras=extras)) as loaded:
        before = _held(loaded)
        assert loaded.drafter is not None
        loaded.drafter.switch = _Always(plan.draft_tokens, {})
        told = drive(loaded.batcher, ask("a", _PROMPT, 40), ask("b", _PROMPT + "x", 40))
        assert sum(one.end.stats.draft_tokens for one in told.values()) > 20
        return before, _held(loaded)


@pytest.mark.parametrize("write", [write_tiny_model, write_tiny_lfm2])
def test_guesses_take_what_the_plan_says(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", change=reciting())
    plan, header = plan_for(draft_tokens=8, use_mmap=False), read_header(path)
    before, after = _used(path, plan)
    placed = Footprint(header).place(plan)["CPU"]
    assert before.weights_bytes == pytest.approx(placed.weights_bytes, abs=_A_BUFFER)
    assert before.context_bytes == pytest.approx(placed.context_bytes, abs=_A_BUFFER)
    assert before.output_bytes == output_bytes(header, plan)
    assert before.compute_bytes == dry_run(path, plan).devices["CPU"].compute_bytes
    assert after == before


def test_a_draft_model_takes_what_the_plan_says(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", change=reciting())
    small = write_tiny_model(tmp_path / "small.gguf", layers=1, width=32, change=reciting())
    plan = plan_for(draft_tokens=8, use_mmap=False)
    before, after = _used(path, plan, Extras(draft=small))
    header = read_header(path)
    placed = Footprint(header).place(plan)["CPU"]
    companions = Companions(draft=read_header(small))
    beside = companion_bytes(companions, plan, footprint=Footprint(header))["CPU"]
    weights = placed.weights_bytes + beside.weights_bytes
    assert before.weights_bytes == pytest.approx(weights, abs=_A_BUFFER)
    context = placed.context_bytes + beside.context_bytes
    assert before.context_bytes == pytest.approx(context, abs=_A_BUFFER)
    assert after == before


@pytest.mark.parametrize("write", [write_tiny_mtp, write_tiny_qwen35])
def test_own_heads_take_what_the_plan_says(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", change=reciting())
    plan, header = plan_for(draft_tokens=4, mtp=True, use_mmap=False), read_header(path)
    before, after = _used(path, plan)
    footprint = Footprint(header)
    placed = footprint.place(plan)["CPU"]
    beside = companion_bytes(Companions(), plan, footprint=footprint)["CPU"]
    weights = placed.weights_bytes + beside.weights_bytes
    assert before.weights_bytes == pytest.approx(weights, abs=_A_BUFFER)
    context = placed.context_bytes + beside.context_bytes
    assert before.context_bytes == pytest.approx(context, abs=_A_BUFFER)
    rows = 4 * (header.vocab_size + header.embedding_length) * plan.parallel
    assert before.output_bytes == output_bytes(header, plan) + rows
    assert after == before
