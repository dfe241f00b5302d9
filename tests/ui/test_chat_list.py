"""The sidebar: rename in place, delete with a way back, search, days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListView
from pytestqt.modeltest import ModelTester

from desktop.chats.model import Chat
from desktop.ui.chats.chat_rows import IS_HEADING, ChatRows
from tests.ui.conftest import Driven

TODAY = date(2026, 11, 20)


def chat(number: int, title: str, days_ago: int) -> Chat:
    moment = datetime(2026, 11, 20, 12).timestamp() - days_ago * 86_400
    return Chat(f"c{number}", title, moment, moment, "guide", None)


@pytest.fixture
def rows() -> ChatRows:
    return ChatRows("New chat", lambda *_: None, lambda _id: False, lambda: TODAY)


@pytest.fixture
def filled(driven: Driven) -> Driven:
    """Three chats, the last made is the newest."""
    for title in ("Lease", "Roof", "Recipe"):
        driven.services.store.create_chat(title=title, model="guide")
    driven.desk.house.chats.reload()
    driven.until(lambda: len(driven.titles()) == 3)
    return driven


def test_rows_pass_qts_own_checks(rows: ChatRows, qtmodeltester: ModelTester) -> None:
    rows.show([chat(1, "A", 0), chat(2, "B", 3)])
    qtmodeltester.check(rows)  # type: ignore[no-untyped-call]


def test_chats_stand_below_their_day(rows: ChatRows) -> None:
    rows.show([chat(1, "A", 0), chat(2, "", 1), chat(3, "C", 5), chat(4, "D", 90)])
    shown = [(str(i.data()), bool(i.data(IS_HEADING))) for i in map(rows.index, range(8))]
    assert shown == [
        ("Today", True),
        ("A", False),
        ("Yesterday", True),
        ("New chat", False),
        ("Last week", True),
        ("C", False),
        ("Older", True),
        ("D", False),
    ]


def test_clock_that_went_back_is_today(rows: ChatRows) -> None:
    tomorrow = (TODAY + timedelta(days=1)) - TODAY
    rows.show([chat(1, "From the future", -tomorrow.days)])
    assert rows.index(0).data() == "Today"


def test_f2_renames_in_place(filled: Driven) -> None:
    view = filled.window.chats.sidebar.list
    view.setFocus()
    view.setCurrentIndex(filled.window.chats.sidebar.rows.index(1))
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "Apple cake")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    filled.until(lambda: "Apple cake" in {c.title for c in filled.services.store.list_chats()})
    assert "Apple cake" in filled.titles()


def test_delete_after_a_rename_takes_the_renamed_chat(filled: Driven) -> None:
    sidebar = filled.window.chats.sidebar
    view = sidebar.list
    filled.desk.house.conversation.show(filled.desk.house.chats.chats[0].id)
    view.setFocus()
    view.setCurrentIndex(sidebar.rows.index(2))
    renamed = view.chosen()
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    editor.setText("Other")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    filled.until(lambda: "Other" in {c.title for c in filled.services.store.list_chats()})
    filled.desk.house.chats.reload()
    filled.until(lambda: view.hasFocus() and view.state() != QListView.State.EditingState)
    filled.bot.wait(0)
    assert view.chosen() == renamed
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert renamed not in {c.id for c in filled.desk.house.chats.chats}


def test_escape_leaves_a_rename_without_a_change(filled: Driven) -> None:
    view = filled.window.chats.sidebar.list
    view.setFocus()
    view.setCurrentIndex(filled.window.chats.sidebar.rows.index(1))
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    QTest.keyClicks(editor, "Something else")
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert sorted(filled.titles()) == ["Lease", "Recipe", "Roof"]


def test_answer_that_ends_does_not_disturb_a_rename(filled: Driven) -> None:
    view = filled.window.chats.sidebar.list
    view.setFocus()
    view.setCurrentIndex(filled.window.chats.sidebar.rows.index(1))
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    editor.setText("Half a na")
    filled.services.store.create_chat(title="Came meanwhile", model="guide")
    filled.desk.house.chats.reload()
    filled.until(lambda: len(filled.desk.house.chats.chats) == 4)
    assert editor.text() == "Half a na"
    QTest.keyClicks(editor, "me")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    filled.until(lambda: {"Half a name", "Came meanwhile"} <= set(filled.titles()))


def test_delete_and_undo(filled: Driven) -> None:
    view = filled.window.chats.sidebar.list
    view.setFocus()
    view.setCurrentIndex(filled.window.chats.sidebar.rows.index(1))
    gone = view.chosen()
    title = view.currentIndex().data()
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert title not in filled.titles()
    filled.until(lambda: gone not in {c.id for c in filled.services.store.list_chats()})
    toast = filled.window.toast
    assert str(title) in toast.text
    QTest.mouseClick(toast.action, Qt.MouseButton.LeftButton)
    filled.until(lambda: title in filled.titles())
    assert filled.desk.house.conversation.current == gone
    assert toast.text == ""


def test_ctrl_z_undoes_while_the_toast_shows(filled: Driven) -> None:
    view = filled.window.chats.sidebar.list
    view.setFocus()
    view.setCurrentIndex(filled.window.chats.sidebar.rows.index(1))
    title = view.currentIndex().data()
    QTest.keyClick(view, Qt.Key.Key_Delete)
    QTest.keyClick(view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    filled.until(lambda: title in filled.titles())


def test_deleting_the_open_chat_shows_the_next(filled: Driven) -> None:
    talk, chats = filled.desk.house.conversation, filled.desk.house.chats
    ids = [c.id for c in chats.chats]
    talk.show(ids[1])
    chats.delete(ids[1])
    assert talk.current == ids[2]


def test_search_filters_titles(filled: Driven) -> None:
    search = filled.window.chats.sidebar.search
    QTest.keyClick(filled.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert search.hasFocus()
    QTest.keyClicks(search, "ROO")
    assert filled.titles() == ["Roof"]
    QTest.keyClicks(search, "xyz")
    assert filled.titles() == []
    search.clear()
    assert len(filled.titles()) == 3


def test_menu_offers_rename_and_delete(filled: Driven) -> None:
    view = filled.window.chats.sidebar.list
    menu = view.menu(filled.window.chats.sidebar.rows.index(1))
    assert [a.text() for a in menu.actions()] == ["Rename", "Delete"]
    menu.actions()[1].trigger()
    assert len(filled.titles()) == 2
    assert QApplication.activePopupWidget() is None
