"""A smaller version made in the window, by llama.cpp's own quantizer."""

from __future__ import annotations

from pathlib import Path

from desktop.ui.mine.smaller_sheet import SmallerSheet
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import bring, mine_of, sheet_of, shown


def opened(driven: Driven, name: str) -> SmallerSheet:
    mine_of(driven).doings.smaller(shown(driven, name))
    sheet = sheet_of(driven)
    assert isinstance(sheet, SmallerSheet)
    return sheet


def test_from_the_menu_to_the_list(driven: Driven, model_file: Path) -> None:
    name = bring(driven, model_file).name
    before = model_file.read_bytes()
    sheet = opened(driven, name)
    driven.until(lambda: sheet.choices)
    kinds = [choice.plan.quantization for _button, choice in sheet.choices]
    assert kinds == ["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"]
    before_all = sheet.chosen()
    assert before_all is not None
    assert before_all.is_recommended
    sheet.all_kinds.click()
    assert "IQ4_XS" in [choice.plan.quantization for _button, choice in sheet.choices]
    assert sheet.chosen() is before_all
    (button,) = [b for b, choice in sheet.choices if choice.plan.quantization == "Q8_0"]
    button.setChecked(True)
    sheet.make.click()
    driven.until(lambda: "is in your models" in driven.window.toast.text)
    shelf = driven.desk.house.shelf
    driven.until(lambda: any(m.quantization == "Q8_0" for m in shelf.models))
    made = next(m for m in shelf.models if m.quantization == "Q8_0")
    assert made.path.parent == driven.services.places.main()
    assert "made here from" in shown(driven, made.name).origin
    assert model_file.read_bytes() == before
    assert shelf.works.all == ()


def test_the_last_resort_is_warned_of(driven: Driven, model_file: Path) -> None:
    sheet = opened(driven, bring(driven, model_file).name)
    driven.until(lambda: sheet.choices)
    (button,) = [b for b, choice in sheet.choices if choice.plan.quantization == "Q2_K"]
    button.setChecked(True)
    assert sheet.warning.isVisible()
    assert "last resort" in sheet.warning.text()
    assert "Q2_K" in button.accessibleName()
    assert button.accessibleDescription()


def test_nothing_is_made_without_the_button(driven: Driven, model_file: Path) -> None:
    sheet = opened(driven, bring(driven, model_file).name)
    driven.until(lambda: sheet.choices)
    sheet.close()
    assert driven.desk.house.shelf.works.all == ()


def test_a_file_that_cannot_be_read_is_said(driven: Driven, model_file: Path) -> None:
    entry_name = bring(driven, model_file).name
    entry = shown(driven, entry_name)
    model_file.write_bytes(b"no longer a model")
    mine_of(driven).doings.smaller(entry)
    sheet = sheet_of(driven)
    assert isinstance(sheet, SmallerSheet)
    driven.until(lambda: model_file.name in sheet._waiting.text())
    assert not sheet.make.isEnabled()
