"""The dialog with all that is known of a model."""

from __future__ import annotations

import pytest
from shiboken6 import isValid

from desktop.ui.mine.details_sheet import DetailsSheet
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import mine_of, sheet_of
from tests.ui.stand_ins import MACHINE


def test_an_answer_after_the_dialog_was_closed_is_dropped(driven: Driven) -> None:
    sheet = opened(driven)
    late = sheet.while_open(lambda _answer: pytest.fail("it is closed"))
    sheet.close()
    driven.until(lambda: not isValid(sheet))
    late("anything")


def opened(driven: Driven) -> DetailsSheet:
    mine = mine_of(driven)
    mine.doings.details(mine.table.rows[0])
    sheet = sheet_of(driven)
    assert isinstance(sheet, DetailsSheet)
    return sheet


def test_details_of_a_model(driven: Driven) -> None:
    driven.desk.house.shelf.judge_for(MACHINE)
    sheet = opened(driven)
    driven.until(lambda: sheet.parts)
    lines = sheet.lines
    assert "computing" in lines["Main memory"]
    assert lines["File"].endswith(".gguf")
    assert "Rule of thumb" in lines


def test_details_of_a_file_that_is_gone(driven: Driven) -> None:
    mine = mine_of(driven)
    mine.table.rows[0].model.path.unlink()
    sheet = opened(driven)
    driven.until(lambda: sheet.problem.isVisible())
    assert "guide.gguf" in sheet.problem.text()
    assert sheet.lines["File"].endswith("guide.gguf")  # where it should lie is told all the same
    assert driven.window.banners.texts == []
