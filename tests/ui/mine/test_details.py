"""The dialog with all that is known of a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from shiboken6 import isValid

from desktop.fit.types import Speed
from desktop.gguf.reader import read_header
from desktop.services.tune_records import TUNE_RECORDS_FILE, TuneRecords
from desktop.services.tune_report import Trial, TuneReport
from desktop.ui.mine.details_sheet import DetailsSheet
from desktop.ui.parts.button import IconButton
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import bring, mine_of, sheet_of, shown
from tests.ui.stand_ins import MACHINE
from tests.ui.stand_ins import report as stand_in_report


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


def test_long_paths_and_hashes_do_not_widen_the_dialog(
    driven: Driven, tmp_path: Path, model_file: Path
) -> None:
    folder = tmp_path / ("a-folder-with-a-very-long-name-" * 4)
    folder.mkdir()
    file = folder / "My own model, written by hand.gguf"
    shutil.move(model_file, file)
    model = bring(driven, file)
    driven.services.library.know_hashes(model.name, ("ab" * 32,))
    mine_of(driven).doings.details(shown(driven, model.name))
    sheet = sheet_of(driven)
    assert isinstance(sheet, DetailsSheet)
    driven.until(lambda: len(sheet.parts) > 1)
    driven.until(lambda: sheet._body.width() <= sheet._area.viewport().width())
    (copy,) = [b for b in sheet.findChildren(IconButton) if str(file) in b.accessibleName()]
    copy.click()
    assert QGuiApplication.clipboard().text() == str(file)


def test_the_same_model_elsewhere_is_named(driven: Driven, model_file: Path) -> None:
    twin = model_file.with_name("twin.gguf")
    shutil.copyfile(model_file, twin)
    model = bring(driven, model_file)
    driven.desk.house.shelf.bring_in([twin])
    driven.until(lambda: not driven.desk.house.shelf.importing)
    mine_of(driven).doings.details(shown(driven, model.name))
    sheet = sheet_of(driven)
    assert isinstance(sheet, DetailsSheet)
    driven.until(lambda: "The same model" in sheet.lines)
    assert sheet.lines["The same model"] == str(twin)


def test_what_tuning_found_is_told(driven: Driven, model_file: Path) -> None:
    model = bring(driven, model_file)
    header = read_header(model_file)
    predicted = stand_in_report(speed=5.0)
    found = TuneReport(
        chosen=predicted.plan,
        speed=Speed(None, 9.1, "measured"),
        trials=(Trial(predicted.plan, ok=True, tokens_per_s=9.1),),
        seconds=3.0,
        stopped="done",
        predicted=predicted,
    )
    records = TuneRecords(driven.services.paths.data_dir / TUNE_RECORDS_FILE)
    records.keep(header, MACHINE, found)
    driven.desk.house.shelf.judge_for(MACHINE)
    mine_of(driven).doings.details(shown(driven, model.name))
    sheet = sheet_of(driven)
    assert isinstance(sheet, DetailsSheet)
    driven.until(lambda: "Tried out" in sheet.lines)
    assert "9.1 tokens/s" in sheet.lines["Tried out"]
