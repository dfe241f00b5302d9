"""A model's own settings in the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.library.model_settings import ModelSettings
from desktop.ui.mine.settings_sheet import EXACT, SettingsSheet
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import bring, mine_of, sheet_of, shown


@pytest.fixture
def name(driven: Driven, model_file: Path) -> str:
    return bring(driven, model_file).name


def opened(driven: Driven, name: str) -> SettingsSheet:
    mine_of(driven).doings.settings(shown(driven, name))
    sheet = sheet_of(driven)
    assert isinstance(sheet, SettingsSheet)
    driven.until(lambda: sheet.save.isEnabled())
    return sheet


def test_what_is_saved_is_kept_and_shown_again(driven: Driven, name: str) -> None:
    sheet = opened(driven, name)
    assert sheet.chosen() == ModelSettings()
    sheet.context.choose(4096)
    sheet.freedom.choose(EXACT)
    sheet.instruction.setPlainText("  Answer briefly. ")
    sheet.save.click()
    service = driven.services.model_settings
    wanted = ModelSettings(4096, EXACT, system_prompt="Answer briefly.")
    driven.until(lambda: service.own(name) == wanted)
    driven.until(lambda: "are kept" in driven.window.toast.text)
    again = opened(driven, name)
    assert again.chosen() == wanted
    again.reset.click()
    again.save.click()
    driven.until(lambda: service.own(name) == ModelSettings())


def test_thinking_is_offered_where_a_model_can(driven: Driven, name: str) -> None:
    sheet = opened(driven, name)
    assert not sheet.thinking.isVisible()
    sheet.close()
    driven.services.model_settings.keep(name, ModelSettings(reasoning="on"))
    sheet = opened(driven, name)
    assert sheet.thinking.isVisible()
    assert sheet.thinking.currentData() == "on"
    sheet.thinking.choose("off")
    sheet.save.click()
    service = driven.services.model_settings
    driven.until(lambda: service.own(name) == ModelSettings(reasoning="off"))


def test_no_more_pages_than_it_was_trained_for(driven: Driven, name: str) -> None:
    sheet = opened(driven, name)
    offered = [sheet.context.itemData(n) for n in range(sheet.context.count())]
    assert offered == [0, 2048, 4096]


def test_numbers_for_experts(driven: Driven, name: str) -> None:
    driven.services.model_settings.keep(name, ModelSettings(top_k=20, template="{{ x }}"))
    sheet = opened(driven, name)
    assert sheet.experts.isVisible()  # something there is not as recommended
    assert sheet.experts.top_k.text() == "20"
    assert sheet.experts.top_p.text() == ""
    assert sheet.experts.top_p.placeholderText() == "0.95"
    sheet.experts.top_p.setText("0,9")
    sheet.experts.top_k.setText("")
    sheet.experts.own_template.click()
    assert "im_start" in sheet.experts.template.toPlainText()
    sheet.experts.template.setPlainText("")
    sheet.save.click()
    own = driven.services.model_settings.own
    driven.until(lambda: own(name) == ModelSettings(top_p=0.9))


@pytest.mark.parametrize("typed", ["much", "1.5", "-1", "nan"])
def test_what_is_no_number_of_its_range_is_said(driven: Driven, name: str, typed: str) -> None:
    sheet = opened(driven, name)
    sheet.more.click()
    sheet.experts.min_p.setText(typed)
    sheet.save.click()
    assert sheet.problem.isVisible()
    assert "from 0 to 1" in sheet.problem.text()
    assert driven.services.model_settings.own(name) == ModelSettings()


def test_an_own_temperature(driven: Driven, name: str) -> None:
    driven.services.model_settings.keep(name, ModelSettings(temperature=1.3))
    sheet = opened(driven, name)
    assert sheet.temperature.isVisible()
    assert sheet.temperature.text() == "1.3"
    sheet.temperature.setText("1.4")
    sheet.save.click()
    driven.until(lambda: driven.services.model_settings.own(name).temperature == 1.4)


def test_an_open_model_can_be_opened_anew(driven: Driven, name: str) -> None:
    model = driven.desk.house.model
    model.choose(name)
    driven.until(lambda: model.state.phase == "ready")
    driven.until(lambda: shown(driven, name).in_use)
    sheet = opened(driven, name)
    sheet.context.choose(2048)
    sheet.save.click()
    driven.until(lambda: "are kept" in driven.window.toast.text)
    assert driven.window.toast.undo()  # does what its button does
    driven.until(lambda: len(driven.opener.engines) == 2)


def test_a_model_that_is_gone_is_said_in_the_dialog(driven: Driven, name: str) -> None:
    entry = shown(driven, name)
    driven.services.library.remove(name, delete_file=False)
    mine_of(driven).doings.settings(entry)
    sheet = sheet_of(driven)
    assert isinstance(sheet, SettingsSheet)
    driven.until(lambda: sheet.problem.isVisible())
    assert not sheet.save.isEnabled()
