"""Opening a model whose wishes for guessing ahead cannot be met."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from desktop.fit.planner import smaller
from desktop.gguf.reader import read_header
from desktop.services.open_failures import may_step
from tests.engine.driving import plan_for
from tests.tiny_guessers import write_tiny_mtp


def test_without_the_functions_for_heads_the_next_plan_does_without(tmp_path: Path) -> None:
    header = read_header(write_tiny_mtp(tmp_path / "model.gguf"))
    plan = plan_for(mtp=True, draft_tokens=16)
    assert may_step("no_mtp", plan)
    assert smaller(plan, header) == replace(plan, mtp=False)


def test_a_draft_model_with_other_words_is_no_fault_of_the_plan() -> None:
    assert not may_step("draft_vocabulary", plan_for())
    assert not may_step("draft_recurrent", plan_for())
