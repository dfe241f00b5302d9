"""The dialog with all that is known of a model."""

from __future__ import annotations

from desktop.ui.mine.details_sheet import DetailsSheet
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import mine_of, sheet_of
from tests.ui.stand_ins import MACHINE


def opened(driven: Driven) -> DetailsSheet:
    mine = mine_of(driven)
    mine.doings.details(mine.table.rows[0])
    sheet = sheet_of(driven)
    assert isinstance(sheet, DetailsSheet)
    return sheet


def test_details_of_a_model(driven: Driven) -> None:
    driven.desk.house.shelf.judge_for(MACHINE)
    sheet = opened(driven)
    driven.until(lambda: sheet.details is not None)
    assert sheet.details is not None
    lines = dict(sheet.details.lines)
    assert "computing" in lines["Main memory"]
    assert lines["File"].endswith(".gguf")
    assert "Rule of thumb" in lines


def test_details_of_a_file_that_is_gone(driven: Driven) -> None:
    mine = mine_of(driven)
    mine.table.rows[0].model.path.unlink()
    sheet = opened(driven)
    driven.until(lambda: sheet.problem.isVisible())
    assert "guide.gguf" in sheet.problem.text()
    assert sheet.details is None
    assert driven.window.banners.texts == []
