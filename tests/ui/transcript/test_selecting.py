"""Selecting over messages by mouse and keyboard, and what is copied."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.selection import Position
from desktop.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import assistant, dialogue, user

LEFT = Qt.MouseButton.LeftButton
KEY = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def point_of(view: TranscriptView, row: int, word: str) -> QPoint:
    """The middle of a word on the viewport."""
    y = dict(view.stage.visible)[row]
    for block in view.stage.layout(row).blocks:
        cursor = block.document.find(word)
        if not cursor.isNull():
            line = block.document.findBlock(cursor.selectionStart())
            middle = (cursor.selectionStart() + cursor.selectionEnd()) // 2 - line.position()
            text_line = line.layout().lineForTextPosition(middle)
            x = float(text_line.cursorToX(middle)[0])  # type: ignore[index]
            place = line.layout().position()
            return QPoint(
                int(view.column_left() + block.x + block.inset_x + place.x() + x),
                int(y + block.y + block.inset_y + place.y() + text_line.rect().center().y()),
            )
    raise AssertionError(word)


def drag(view: TranscriptView, start: QPoint, end: QPoint) -> None:
    port = view.viewport()
    QTest.mousePress(port, LEFT, pos=start)
    QTest.mouseMove(port, (start + end) / 2)
    QTest.mouseMove(port, end)
    QTest.mouseRelease(port, LEFT, pos=end)


@pytest.fixture
def chat(view: TranscriptView) -> TranscriptView:
    view.set_turns(
        [
            user(1, "How are you today"),
            assistant(2, "I am **fine** thanks.\n\n- apples\n- pears\n\nGoodbye then."),
            user(3, "See you"),
        ]
    )
    return view


def test_dragging_selects_over_messages(chat: TranscriptView) -> None:
    drag(chat, point_of(chat, 0, "today"), point_of(chat, 1, "fine"))
    text = chat.selected_text()
    assert text.startswith("ay\n\nI am fi") or text.startswith("day\n\nI am f")


def test_dragging_upwards_is_the_same(chat: TranscriptView) -> None:
    start, end = point_of(chat, 0, "today"), point_of(chat, 1, "fine")
    drag(chat, start, end)
    down = chat.selected_text()
    drag(chat, end, start)
    assert chat.selected_text() == down


def test_a_double_click_selects_a_word(chat: TranscriptView) -> None:
    QTest.mouseDClick(chat.viewport(), LEFT, pos=point_of(chat, 1, "thanks"))
    assert chat.selected_text() == "thanks"


def test_a_third_click_selects_the_paragraph(chat: TranscriptView) -> None:
    point = point_of(chat, 1, "thanks")
    QTest.mouseDClick(chat.viewport(), LEFT, pos=point)
    QTest.mousePress(chat.viewport(), LEFT, pos=point)
    QTest.mouseRelease(chat.viewport(), LEFT, pos=point)
    assert chat.selected_text() == "I am fine thanks."


def test_a_click_clears_the_selection(chat: TranscriptView) -> None:
    chat.select_all()
    QTest.mouseClick(chat.viewport(), LEFT, pos=point_of(chat, 1, "pears"))
    assert chat.selected_text() == ""


def test_shift_click_extends(chat: TranscriptView) -> None:
    QTest.mouseClick(chat.viewport(), LEFT, pos=point_of(chat, 1, "apples"))
    QTest.mouseClick(chat.viewport(), LEFT, SHIFT, point_of(chat, 1, "Goodbye"))
    assert "• pears" in chat.selected_text()


def test_the_selection_is_drawn(chat: TranscriptView) -> None:
    before = chat.viewport().grab().toImage()
    QTest.mouseDClick(chat.viewport(), LEFT, pos=point_of(chat, 1, "thanks"))
    assert chat.viewport().grab().toImage() != before


def test_dragging_beyond_the_edge_scrolls(qtbot: QtBot, view: TranscriptView) -> None:
    view.set_turns(dialogue(40))
    value = view.verticalScrollBar().value()
    port = view.viewport()
    start = QPoint(port.width() // 2, 300)
    QTest.mousePress(port, LEFT, pos=start)
    QTest.mouseMove(port, QPoint(port.width() // 2, 100))
    QTest.mouseMove(port, QPoint(port.width() // 2, -60))
    qtbot.waitUntil(lambda: view.verticalScrollBar().value() < value - 300)
    QTest.mouseRelease(port, LEFT, pos=QPoint(port.width() // 2, -60))
    assert view.selected_text().count("Question") >= 2
    assert not view._pointer._auto.isActive()


def test_select_all_copies_messages_as_their_source(chat: TranscriptView) -> None:
    chat.setFocus()
    QTest.keyClick(chat, KEY.Key_A, CTRL)
    QTest.keyClick(chat, KEY.Key_C, CTRL)
    assert QGuiApplication.clipboard().text() == "\n\n".join(turn.text for turn in chat.turns)


def test_a_message_between_two_parts_is_copied_as_its_source(chat: TranscriptView) -> None:
    chat.selection.begin(chat.stage, Position(0, 0, 8))
    chat.selection.extend(chat.stage, Position(2, 0, 3))
    assert chat.selected_text() == f"you today\n\n{chat.turns[1].text}\n\nSee"


def test_select_all_of_a_huge_chat_is_quick_to_copy(view: TranscriptView) -> None:
    view.set_turns(dialogue(5000))
    view.select_all()
    text = view.selected_text()
    assert text.count("The **end**") == 2500
    assert len(view.stage._layouts) < 50


def test_part_of_a_table_is_copied_with_tabs(view: TranscriptView) -> None:
    view.set_turns([assistant(1, "| a | b |\n|---|---|\n| one | two |\n| three | four |")])
    end = view.stage.layout(0).blocks[0].end
    view.selection.begin(view.stage, Position(0, 0, 5))
    view.selection.extend(view.stage, Position(0, 0, end))
    assert view.selected_text() == "one\ttwo\nthree\tfour"


def test_emoji_do_not_shift_what_is_copied(view: TranscriptView) -> None:
    view.set_turns([assistant(1, "😀😀 smile word 😀")])
    QTest.mouseDClick(view.viewport(), LEFT, pos=point_of(view, 0, "word"))
    assert view.selected_text() == "word"


def test_shift_and_arrows_extend_over_blocks(chat: TranscriptView) -> None:
    chat.setFocus()
    chat.selection.begin(chat.stage, Position(1, 0, 10))
    for _step in range(12):
        QTest.keyClick(chat, KEY.Key_Right, SHIFT)
    assert chat.selected_text() == "thanks.\n\n• appl"
    for _step in range(9):
        QTest.keyClick(chat, KEY.Key_Left, SHIFT)
    assert chat.selected_text() == "tha"
    QTest.keyClick(chat, KEY.Key_Escape)
    assert chat.selected_text() == ""


def test_shift_and_arrows_go_over_messages(chat: TranscriptView) -> None:
    chat.setFocus()
    chat.selection.begin(chat.stage, Position(0, 0, 12))
    QTest.keyClick(chat, KEY.Key_End, SHIFT)
    QTest.keyClick(chat, KEY.Key_Right, SHIFT)
    QTest.keyClick(chat, KEY.Key_Right, SHIFT)
    assert chat.selected_text() == "today\n\nI"


def test_the_live_message_is_copied_as_it_is_by_now(view: TranscriptView) -> None:
    view.set_turns([user(1, "Hi")])
    view.append_turn(assistant(2, "", state="streaming"))
    view.begin_stream(2)
    view.feed(2, "So *far*")
    view.select_all()
    assert view.selected_text() == "Hi\n\nSo *far*"


def test_paint_with_everything_selected(chat: TranscriptView) -> None:
    chat.select_all()
    chat.viewport().repaint()
    spans = [
        chat.selection.within(row, number, block)
        for row in range(3)
        for number, block in enumerate(chat.stage.layout(row).blocks)
    ]
    assert None not in spans
