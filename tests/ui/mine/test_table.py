"""The table of models: order, search, keys, mouse, narrow windows, thousands of rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from desktop.common.messages import Messages
from desktop.fit.types import Speed
from desktop.library.model import LibraryModel
from desktop.library.origin import Origin
from desktop.ui.mine.entries import EntryWords
from desktop.ui.mine.section import MyModels
from desktop.ui.mine.table_model import Column, ModelTable
from desktop.ui.rail import CHATS
from tests.ui.conftest import Driven
from tests.ui.mine.conftest import bring, made, mine_of, shown
from tests.ui.stand_ins import MACHINE, report

WithModels = Callable[[list[LibraryModel]], Driven]
TODAY = date(2026, 11, 20)


def moment(day: int, month: int = 11, year: int = 2026) -> float:
    return time.mktime((year, month, day, 12, 0, 0, 0, 0, -1))


def names(mine: MyModels) -> list[str]:
    return [one.model.name for one in mine.table.rows]


@pytest.fixture
def three(with_models: WithModels) -> Driven:
    now = time.time()
    return with_models(
        [
            made("Alder", 5.0, last_used_at=now - 40 * 86400),
            made("birch", 14.0, last_used_at=now),
            made("Cedar", 2.5, abilities=("vision", "tools")),
        ]
    )


def test_newest_first_and_the_guide_last(three: Driven) -> None:
    mine = mine_of(three)
    assert names(mine) == ["birch", "Alder", "Cedar", "guide"]
    mine.view.order_by(Column.NAME)
    assert names(mine) == ["Alder", "birch", "Cedar", "guide"]
    mine.view.order_by(Column.NAME, reverse=True)
    assert names(mine) == ["Cedar", "birch", "Alder", "guide"]
    mine.view.order_by(Column.SIZE)
    assert names(mine) == ["birch", "Alder", "Cedar", "guide"]
    mine.view.order_by(Column.ABILITIES)
    assert names(mine)[0] == "Cedar"


def test_a_click_on_a_heading_sorts_and_a_second_turns_it(three: Driven) -> None:
    three.window.resize(1180, 700)
    mine = mine_of(three)
    header = mine.view.horizontalHeader()
    three.until(lambda: header.width() > 800)
    at = QPoint(header.sectionViewportPosition(Column.SIZE) + 10, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert names(mine)[:3] == ["birch", "Alder", "Cedar"]
    assert mine.order.value is Column.SIZE
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert names(mine)[:3] == ["Cedar", "Alder", "birch"]


def test_the_keyboard_stays_on_its_model_when_the_order_changes(three: Driven) -> None:
    mine = mine_of(three)
    mine.view.mark("Alder")
    mine.view.order_by(Column.SIZE)
    assert mine.view.current is not None
    assert mine.view.current.model.name == "Alder"


def test_search_goes_over_all_words_of_a_row(three: Driven) -> None:
    mine = mine_of(three)
    mine.search.setText("pictures tools")
    assert names(mine) == ["Cedar"]
    mine.search.setText("nothing like it")
    assert names(mine) == []
    mine.search.setText("")
    assert len(names(mine)) == 4


def test_search_and_order_stand_there_only_for_many(with_models: WithModels) -> None:
    mine = mine_of(with_models([made(f"m{n}") for n in range(9)]))
    assert mine.search.isVisible()
    assert mine.order.isVisible()


def test_few_need_no_search(three: Driven) -> None:
    assert not mine_of(three).search.isVisible()


def test_enter_chats(three: Driven) -> None:
    mine = mine_of(three)
    mine.view.setFocus()
    mine.view.mark("Cedar")
    assert three.desk.house.model.state.name != "Cedar"
    QTest.keyClick(mine.view, Qt.Key.Key_Return)
    assert three.window.place == CHATS
    assert three.desk.house.model.state.name == "Cedar"


def test_the_guide_cannot_be_removed_or_renamed(three: Driven) -> None:
    mine = mine_of(three)
    mine.view.setFocus()
    mine.view.mark("guide")
    QTest.keyClick(mine.view, Qt.Key.Key_Delete)
    QTest.keyClick(mine.view, Qt.Key.Key_F2)
    assert "guide" in names(mine)
    assert mine.view.findChildren(QLineEdit) == []


def test_rename_in_place(driven: Driven, tmp_path: Path, tiny_model: Path) -> None:
    file = tmp_path / "odd-name.gguf"
    data = bytearray(tiny_model.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    shelf = driven.desk.house.shelf
    shelf.bring_in([file])
    driven.until(lambda: len(shelf.models) == 2)
    name = shelf.models[1].name
    driven.desk.house.model.choose(name)
    driven.until(lambda: driven.desk.house.model.state.phase == "ready")
    mine = mine_of(driven)
    mine.view.setFocus()
    mine.view.mark(name)
    QTest.keyClick(mine.view, Qt.Key.Key_F2)
    (editor,) = mine.view.findChildren(QLineEdit)
    editor.setText("Letters")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    driven.until(lambda: "Letters" in names(mine))
    assert driven.services.library.get("Letters").path == file
    assert driven.desk.house.model.state.name == "Letters"  # it stays open under its new name
    assert driven.desk.house.model.state.phase == "ready"
    assert driven.desk.session.settings.last_model == "Letters"


def test_a_name_that_is_taken_is_told(driven: Driven, tmp_path: Path, tiny_model: Path) -> None:
    for number in (1, 2):
        data = bytearray(tiny_model.read_bytes())
        data[-1] ^= number
        (tmp_path / f"model-{number}.gguf").write_bytes(data)
    shelf = driven.desk.house.shelf
    shelf.bring_in([tmp_path / "model-1.gguf", tmp_path / "model-2.gguf"])
    driven.until(lambda: len(shelf.models) == 3)
    first, second = (model.name for model in shelf.models[1:])
    shelf.rename(first, second)
    driven.until(lambda: driven.window.banners.texts)
    assert second in driven.window.banners.texts[0]


def test_the_button_in_a_row_chats(three: Driven) -> None:
    mine = mine_of(three)
    row = names(mine).index("birch")
    cell = mine.view.visualRect(mine.table.index(row, Column.DO))
    places = mine.view._delegate.buttons(cell, mine.table.rows[row])
    QTest.mouseClick(mine.view.viewport(), Qt.MouseButton.LeftButton, pos=places.chat.center())
    assert three.desk.house.model.state.name == "birch"
    assert three.window.place == CHATS


def test_what_does_not_run_offers_no_chat(with_models: WithModels) -> None:
    driven = with_models(
        [made("Gone", problem="vanished"), made("Finder", abilities=("embedding",))]
    )
    mine = mine_of(driven)
    driven.desk.house.shelf.judge_for(MACHINE)
    driven.until(lambda: driven.desk.house.shelf.reports)
    gone, finder = mine.entry_of("Gone"), mine.entry_of("Finder")
    assert gone is not None
    assert finder is not None
    assert not gone.can_chat
    assert not finder.can_chat
    assert finder.abilities == "Finding texts"
    texts = [action.text() for action in mine.doings.menu(gone, mine).actions()]
    assert "Chat" not in texts
    assert "Details" in texts


@pytest.mark.parametrize("width", [640, 760, 1180, 1600])
def test_what_has_no_column_is_told_in_the_second_line(three: Driven, width: int) -> None:
    three.window.resize(width, 700)
    mine = mine_of(three)
    three.until(lambda: mine.view.viewport().width() < width)
    view = mine.view
    shown = [c for c in Column if not view.isColumnHidden(c)]
    assert {Column.NAME, Column.HERE, Column.DO} <= set(shown)
    assert sum(view.columnWidth(c) for c in shown) <= view.viewport().width()
    assert view.columnWidth(Column.NAME) >= min(200, width // 3.5)
    told = view._delegate._second_line(mine.table.rows[0])
    assert ("14.0 GB" in told) == view.isColumnHidden(Column.SIZE)
    assert ("used today" in told) == view.isColumnHidden(Column.USED)


def test_the_page_scrolls_not_the_table(with_models: WithModels) -> None:
    driven = with_models([made(f"model {n:04}") for n in range(300)])
    mine = mine_of(driven)
    page = mine.view.parentWidget()
    driven.until(lambda: mine.view.height() > 300 * 40)
    mine.view.setFocus()
    mine.view.mark(mine.table.rows[250].model.name)
    assert page is not None
    rect = mine.view.visualRect(mine.view.currentIndex())
    assert mine.view.viewport().visibleRegion().contains(rect.center())


def test_screen_readers_hear_the_whole_row(three: Driven) -> None:
    mine = mine_of(three)
    interface = QAccessible.queryAccessibleInterface(mine.view)
    assert interface is not None
    said = str(mine.table.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole))
    assert said.startswith("birch, Q4_K_M")
    assert "used today" in said


def test_two_thousand_models_cost_little(with_models: WithModels) -> None:
    """A change of one verdict paints one row anew, and does not lay out the others."""
    many = [made(f"model {n:04}", n / 100) for n in range(2000)]
    driven = with_models(many)
    mine = mine_of(driven)
    resets: list[None] = []
    changed: list[tuple[int, int]] = []
    mine.table.modelReset.connect(lambda: resets.append(None))
    mine.table.dataChanged.connect(lambda a, b, _roles: changed.append((a.row(), b.row())))
    shelf = driven.desk.house.shelf
    name = mine.table.rows[700].model.name
    shelf.reports[name] = report(name, speed=3.0)
    mine.refresh()
    assert resets == []
    assert changed == [(700, 700)]


def test_the_model_keeps_qts_rules(qtmodeltester: object) -> None:
    table = ModelTable(lambda _old, _new: None)
    QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    words = EntryWords(Messages("en"), TODAY)
    entries = [words.entry(made(n), None, is_judged=False, in_use=False) for n in "cab"]
    table.show(entries)
    table.order_by(Column.NAME)
    table.filter_by("a")
    table.show([])


def test_words_for_when_and_whence() -> None:
    words = EntryWords(Messages("en"), TODAY)
    assert words.last(None) == "never"
    assert words.last(moment(20)) == "today"
    assert words.last(moment(19)) == "yesterday"
    assert words.last(moment(15)).startswith("5 day")  # the plural comes with the catalogue
    assert words.last(moment(3, 5)) == "May"
    assert words.last(moment(3, 5, 2025)) == "May 2025"
    hub = made("a", origin=Origin("hub", "org/repo", "a.gguf", is_verified=True))
    assert words.entry(hub, None, is_judged=False, in_use=False).origin == "Hugging Face, verified"
    here = made("b", origin=Origin("quantized", "Qwen3 8B"))
    assert "Qwen3 8B" in words.entry(here, None, is_judged=False, in_use=False).origin


def test_measured_is_told_from_reckoned() -> None:
    words = EntryWords(Messages("en"), TODAY)
    reckoned = report(speed=9.0)
    here = words.here(made("a"), reckoned, is_judged=True)
    assert here.number == "about 9.0 tokens/s"
    measured = replace(reckoned, speed=Speed(None, 9.0, "measured"))
    here = words.here(made("a"), measured, is_judged=True)
    assert here.number == "9.0 tokens/s"
    assert "Measured on this computer." in here.tip


def test_the_choosers_menu_holds_the_last_used_of_very_many(with_models: WithModels) -> None:
    """Two thousand entries were a menu that nobody could use."""
    now = time.time()
    many = [made(f"model {n:03}", last_used_at=now - n) for n in range(100, 0, -1)]
    driven = with_models(many)
    texts = [a.text() for a in driven.window.chats.pill.menu_of_models().actions()]
    models = [text for text in texts if "model 0" in text]
    assert texts[0] == "Hausgeist guide"
    assert models == [f"model {n:03}  ·  Q4_K_M" for n in range(1, 20)]
    assert "All models" in texts


def test_a_file_that_was_moved_can_be_shown(
    driven: Driven, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bring(driven, model_file).name
    moved = model_file.with_name("elsewhere-now.gguf")
    model_file.rename(moved)
    driven.desk.house.shelf.reload()
    driven.until(lambda: shown(driven, name).model.problem == "vanished")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(moved), ""))
    mine = mine_of(driven)
    menu = mine.doings.menu(shown(driven, name), mine)
    (find,) = [a for a in menu.actions() if a.text() == "Show where it is now …"]
    find.trigger()
    driven.until(lambda: shown(driven, name).model.path == moved)
    assert shown(driven, name).problem == ""


def test_what_vanished_and_came_from_the_hub_can_be_fetched_again(
    with_models: WithModels,
) -> None:
    origin = Origin("hub", "org/repo", "model-Q4_K_M.gguf")
    driven = with_models([made("Gone", problem="vanished", origin=origin)])
    asked: list[str] = []
    mine = mine_of(driven)
    mine.fetch_wanted.disconnect()
    mine.fetch_wanted.connect(asked.append)
    menu = mine.doings.menu(shown(driven, "Gone"), mine)
    (fetch,) = [a for a in menu.actions() if a.text() == "Download it again"]
    fetch.trigger()
    assert asked == ["org/repo:model-Q4_K_M.gguf"]


def test_the_keyboard_stays_where_a_model_was(three: Driven) -> None:
    """It used to stand nowhere after a model was renamed or removed."""
    mine = mine_of(three)
    mine.view.mark("Alder")
    entries = list(mine.table.rows)
    renamed = replace(entries[1], model=replace(entries[1].model, name="Ash"))
    mine.table.show([entries[0], renamed, *entries[2:]])
    assert mine.view.current is not None
    assert mine.view.current.model.name == "Ash"
    mine.table.show([entries[0], *entries[2:]])
    assert mine.view.current is not None
    assert mine.view.current.model.name == "Cedar"
