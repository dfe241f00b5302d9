"""How far ahead a plan guesses, what that costs, and when it is given up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import UsageError
from desktop.fit.companions import Companions
from desktop.fit.guessing import DRAFT_TOKENS, DRAFT_TOKENS_BACK, draft_tokens, has_heads
from desktop.fit.memory import Footprint
from desktop.fit.overheads import output_bytes
from desktop.fit.planner import plan as make_plan
from desktop.fit.planner import smaller
from desktop.fit.types import Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from tests.fit.machines import desktop, laptop
from tests.tiny_architectures import write_tiny_bert, write_tiny_gemma2, write_tiny_mamba
from tests.tiny_guessers import write_tiny_lfm2, write_tiny_mtp
from tests.tiny_models import write_tiny_model


def _header(write: Any, folder: Path, **fields: Any) -> ModelHeader:
    return read_header(write(folder / "model.gguf", **fields))


@pytest.mark.parametrize(
    ("write", "tokens"),
    [
        (write_tiny_model, DRAFT_TOKENS),
        (write_tiny_gemma2, DRAFT_TOKENS),
        (write_tiny_mtp, DRAFT_TOKENS),
        (write_tiny_mamba, 0),
        (write_tiny_lfm2, 0),
        (write_tiny_bert, 0),
    ],
)
def test_who_can_go_back_guesses(write: Any, tokens: int, tmp_path: Path) -> None:
    header = _header(write, tmp_path)
    assert draft_tokens(header) == tokens
    assert make_plan(laptop(), header, Wish()).plan.draft_tokens == tokens


def test_states_are_copied_for_what_the_model_itself_predicts(tmp_path: Path) -> None:
    assert draft_tokens(_header(write_tiny_lfm2, tmp_path), heads=True) == DRAFT_TOKENS_BACK
    (tmp_path / "mamba").mkdir()
    assert draft_tokens(_header(write_tiny_mamba, tmp_path / "mamba"), heads=True) == 0


def test_heads_are_there_only_if_their_tensors_are(tmp_path: Path) -> None:
    assert has_heads(_header(write_tiny_mtp, tmp_path))
    assert not has_heads(_header(write_tiny_mtp, tmp_path, heads=False))
    assert not has_heads(_header(write_tiny_model, tmp_path))


def test_heads_are_loaded_where_all_lies_on_graphics_or_where_asked_for(tmp_path: Path) -> None:
    header = _header(write_tiny_mtp, tmp_path)
    on_card, on_processor = desktop(24), laptop()
    assert make_plan(on_card, header, Wish()).plan.mtp
    assert not make_plan(on_card, header, Wish(mtp=False)).plan.mtp
    assert not make_plan(on_processor, header, Wish()).plan.mtp
    assert make_plan(on_processor, header, Wish(mtp=True)).plan.mtp


def test_heads_take_memory(tmp_path: Path) -> None:
    header = _header(write_tiny_mtp, tmp_path)
    without = make_plan(laptop(), header, Wish(mtp=False))
    with_heads = make_plan(laptop(), header, Wish(mtp=True))
    ahead = sum(Footprint(header).ahead_bytes)
    assert with_heads.total_bytes > without.total_bytes + ahead


def test_a_wish_for_heads_that_are_not_there_is_answered(tmp_path: Path) -> None:
    report = make_plan(laptop(), _header(write_tiny_model, tmp_path), Wish(mtp=True))
    assert not report.plan.mtp
    assert "no_heads" in [warning.kind for warning in report.warnings]


def test_each_guess_takes_a_row_of_logits(tmp_path: Path) -> None:
    header = _header(write_tiny_model, tmp_path)
    plan = replace(make_plan(laptop(), header, Wish()).plan, parallel=2, draft_tokens=6)
    assert plan.output_rows == 8
    assert output_bytes(header, plan) == 8 * 4 * header.vocab_size
    assert replace(plan, ubatch=4).output_rows == 4


def test_ways_back_are_part_of_the_context(tmp_path: Path) -> None:
    header = _header(write_tiny_lfm2, tmp_path)
    plan = make_plan(laptop(), header, Wish()).plan
    footprint = Footprint(header)
    plain = footprint.place(plan)["CPU"].context_bytes
    guessing = footprint.place(replace(plan, draft_tokens=3))["CPU"].context_bytes
    states = sum(footprint.state_bytes(cache, plan) for cache in footprint.caches)
    assert guessing == plain + 3 * states


def test_the_next_smaller_plan_does_without_heads(tmp_path: Path) -> None:
    header = _header(write_tiny_mtp, tmp_path)
    plan = make_plan(desktop(24), header, Wish()).plan
    after = smaller(plan, header)
    assert after == replace(plan, mtp=False)


def test_a_plan_keeps_its_guesses_on_paper(tmp_path: Path) -> None:
    plan = make_plan(desktop(24), _header(write_tiny_mtp, tmp_path), Wish()).plan
    assert plan.mtp
    assert plan.draft_tokens
    assert Plan.from_json(plan.to_json()) == plan
    old = {
        name: value for name, value in plan.to_json().items() if name not in ("draft_tokens", "mtp")
    }
    assert Plan.from_json(old) == replace(plan, mtp=False, draft_tokens=0)


def test_a_wish_says_how_far_ahead(tmp_path: Path) -> None:
    header = _header(write_tiny_model, tmp_path)
    assert make_plan(laptop(), header, Wish(draft_tokens=0)).plan.draft_tokens == 0
    assert make_plan(laptop(), header, Wish(draft_tokens=5)).plan.draft_tokens == 5
    with pytest.raises(UsageError):
        make_plan(laptop(), header, Wish(draft_tokens=-1))


def test_a_wish_for_states_to_go_back_to_is_granted_where_that_is_possible(tmp_path: Path) -> None:
    header = _header(write_tiny_lfm2, tmp_path)
    assert make_plan(laptop(), header, Wish(draft_tokens=4)).plan.draft_tokens == 4
    (tmp_path / "mamba").mkdir()
    mamba = _header(write_tiny_mamba, tmp_path / "mamba")
    assert make_plan(laptop(), mamba, Wish(draft_tokens=4)).plan.draft_tokens == 0


def test_beside_a_draft_model_heads_are_not_loaded(tmp_path: Path) -> None:
    header = _header(write_tiny_mtp, tmp_path)
    companions = Companions(draft=header)
    assert not make_plan(desktop(24), header, Wish(), companions=companions).plan.mtp
