"""What a screen reader finds: a list of messages with their text, and their actions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.view import TranscriptView
from tests.ui.transcript.conftest import assistant, dialogue, user

NAME = QAccessible.Text.Name
ROLE = QAccessible.Role
UNAVOIDABLE = "This plugin does not support propagateSizeHints()"


@pytest.fixture
def chat(view: TranscriptView) -> TranscriptView:
    view.set_turns([user(1, "Hello"), assistant(2, "I am **here**.\n\n- one\n- two")])
    return view


def interface(view: TranscriptView) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(view)


def children(parent: QAccessibleInterface) -> list[QAccessibleInterface]:
    return [parent.child(number) for number in range(parent.childCount())]


def test_the_conversation_is_a_list_of_messages(chat: TranscriptView) -> None:
    found = interface(chat)
    assert found.role() == ROLE.List
    assert found.text(NAME) == "Conversation"
    assert [child.role() for child in children(found)] == [ROLE.ListItem, ROLE.ListItem]
    assert [child.text(NAME) for child in children(found)] == [
        "You: Hello",
        "Hausgeist: I am here.\n\n• one\n• two",
    ]


def test_actions_are_buttons_of_their_message(chat: TranscriptView) -> None:
    answer = interface(chat).child(1)
    buttons = children(answer)
    assert [button.text(NAME) for button in buttons] == ["Answer again", "Copy"]
    assert {button.role() for button in buttons} == {ROLE.Button}
    assert [answer.indexOfChild(button) for button in buttons] == [0, 1]
    assert buttons[0].parent() is answer


def test_a_button_can_be_pressed_by_a_program(qtbot: QtBot, chat: TranscriptView) -> None:
    action = interface(chat).child(1).child(0).actionInterface()
    with qtbot.waitSignal(chat.regenerate_requested) as signal:
        action.doAction(action.actionNames()[0])
    assert signal.args == [2]


def test_interfaces_know_where_they_are(chat: TranscriptView) -> None:
    found = interface(chat)
    corner = chat.viewport().mapToGlobal(chat.row_rect(1).topLeft())
    assert found.child(1).rect().topLeft() == corner
    assert found.childAt(corner.x() + 5, corner.y() + 5) is found.child(1)
    assert found.child(1).rect().intersects(found.child(1).child(0).rect())


def test_messages_that_come_and_go(chat: TranscriptView) -> None:
    found = interface(chat)
    gone = found.child(1)
    chat.remove_after(1)
    chat.append_turn(user(7, "Next"))
    assert found.childCount() == 2
    assert found.child(1).text(NAME) == "You: Next"
    assert not gone.isValid()
    assert gone.text(NAME) == ""


def test_the_same_message_is_the_same_interface(chat: TranscriptView) -> None:
    found = interface(chat)
    assert found.child(0) is found.child(0)
    assert found.indexOfChild(found.child(1)) == 1
    assert found.child(99) is None


def test_messages_off_screen_are_told_as_such(view: TranscriptView) -> None:
    view.set_turns(dialogue(200))
    found = interface(view)
    assert found.child(0).state().offscreen
    assert not found.child(199).state().offscreen
    assert found.child(0).text(NAME).startswith("You: Question 1")


def test_the_focus_is_on_the_action(chat: TranscriptView) -> None:
    chat.setFocus()
    QTest.keyClick(chat, Qt.Key.Key_Tab)
    child = interface(chat).focusChild()
    assert child.text(NAME) == "Copy"
    assert child.state().focused


def test_errors_are_read_with_the_message(view: TranscriptView) -> None:
    view.set_turns([assistant(1, "", state="failed", error="It did not fit.")])
    assert interface(view).child(0).text(NAME) == "Hausgeist: It did not fit."


def test_the_end_of_an_answer_is_announced(
    chat: TranscriptView, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str] = []
    monkeypatch.setattr(QAccessible, "isActive", lambda: True)
    monkeypatch.setattr(
        QAccessible,
        "updateAccessibility",
        lambda event: spoken.append(event.message()) if hasattr(event, "message") else None,
    )
    chat.append_turn(assistant(3, "", state="streaming"))
    chat.begin_stream(3)
    chat.feed(3, "A paragraph.\n\nAnother.")
    chat.end_stream(3, assistant(3, "A paragraph.\n\nAnother."))
    assert spoken[-1] == "Hausgeist: A paragraph.\n\nAnother."


READER = """
import sys
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView

app = QApplication([])
QAccessible.setActive(True)

def read(interface):
    for number in range(interface.childCount()):
        child = interface.child(number)
        assert QAccessible.uniqueId(child) and child.text(QAccessible.Text.Name)
        assert child.valueInterface() is None and child.textInterface() is None
        read(child)

def visit():
    view = TranscriptView()
    view.show()
    for chat in range(2):
        view.set_turns([ViewTurn(n, "assistant", f"Text {n}") for n in range(5)])
        read(QAccessible.queryAccessibleInterface(view))
    view.append_turn(ViewTurn(9, "user", "New", can_edit=True))
    read(QAccessible.queryAccessibleInterface(view))
    view.remove_after(2)
    return view

visit()
gone = visit()
gone.deleteLater()
app.processEvents()
kept = visit()
"""


def test_a_reader_does_not_bring_the_app_down_at_its_end() -> None:
    # Interfaces that Python freed, or that Qt had been given twice, ended the process on quitting.
    ended = subprocess.run(
        [sys.executable, "-c", READER],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr.replace(UNAVOIDABLE, "").strip()) == (0, "")
