"""Actions by mouse and keyboard, links, the context menu."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui.language import Translation
from desktop.ui.tokens import LIGHT
from desktop.ui.transcript.menu import fill_menu
from desktop.ui.transcript.targets import Action, Target
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.view import TranscriptView
from desktop.ui.transcript.wandering import targets_of
from tests.ui.transcript.conftest import assistant, dialogue, user

# The offscreen platform says so of every window with a layout.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

LEFT = Qt.MouseButton.LeftButton
KEY = Qt.Key
CTRL = Qt.KeyboardModifier.ControlModifier
ANSWER = "See [the page](https://a.example/).\n\n```python\nx = 1\ny = 2\n```"


@pytest.fixture
def chat(view: TranscriptView) -> TranscriptView:
    view.set_turns([user(1, "Question"), assistant(2, ANSWER)])
    return view


def target_of(view: TranscriptView, row: int, action: Action) -> Target:
    return next(target for target in targets_of(view.stage, row) if target.action == action)


def point_of(view: TranscriptView, row: int, target: Target) -> QPoint:
    return target.rect.center() + view.row_rect(row).topLeft()


def click(view: TranscriptView, row: int, action: Action) -> None:
    QTest.mouseClick(view.viewport(), LEFT, pos=point_of(view, row, target_of(view, row, action)))


def test_what_each_message_offers(chat: TranscriptView) -> None:
    assert [t.action for t in targets_of(chat.stage, 0)] == ["copy", "edit"]
    assert [t.action for t in targets_of(chat.stage, 1)] == [
        "link",
        "copy_code",
        "regenerate",
        "copy",
    ]


def test_actions_are_large_enough_to_hit(chat: TranscriptView) -> None:
    for row in range(2):
        for target in targets_of(chat.stage, row):
            if target.action not in ("link", "copy_code"):
                assert target.rect.height() >= LIGHT.sizes.target


def test_answer_again(qtbot: QtBot, chat: TranscriptView) -> None:
    with qtbot.waitSignal(chat.regenerate_requested) as signal:
        click(chat, 1, "regenerate")
    assert signal.args == [2]


def test_edit(qtbot: QtBot, chat: TranscriptView) -> None:
    with qtbot.waitSignal(chat.edit_requested) as signal:
        click(chat, 0, "edit")
    assert signal.args == [1]


def test_copy_code(chat: TranscriptView) -> None:
    click(chat, 1, "copy_code")
    assert QGuiApplication.clipboard().text() == "x = 1\ny = 2"


def test_copy_code_that_is_drawn_in_parts(view: TranscriptView) -> None:
    code = "\n".join(f"line_{number} = {number}" for number in range(900))
    view.set_turns([assistant(1, f"Here:\n\n```python\n{code}\n```\n\nDone.")])
    first = next(row for row in range(len(view.stage.rows)) if view.stage.layout(row).targets)
    view.press(first, view.stage.layout(first).targets[0])
    assert QGuiApplication.clipboard().text() == code


def test_copy_a_message_brings_markdown_and_formatted_text(chat: TranscriptView) -> None:
    click(chat, 1, "copy")
    data = QGuiApplication.clipboard().mimeData()
    assert data.text() == ANSWER
    assert '<a href="https://a.example/">the page</a>' in data.html()


def test_copied_html_never_holds_an_image(view: TranscriptView) -> None:
    view.set_turns([assistant(1, "![x](https://a.example/x.png) <img src=y>")])
    view.copy_turn(1)
    assert "<img" not in QGuiApplication.clipboard().mimeData().html()


def test_it_says_that_it_was_copied(qtbot: QtBot, chat: TranscriptView) -> None:
    click(chat, 1, "copy")
    assert chat.attention.copied is not None
    qtbot.waitUntil(lambda: chat.attention.copied is None)


def test_a_link_is_only_told(qtbot: QtBot, chat: TranscriptView) -> None:
    with qtbot.waitSignal(chat.link_activated) as signal:
        click(chat, 1, "link")
    assert signal.args == ["https://a.example/"]


def test_dragging_over_a_link_does_not_follow_it(qtbot: QtBot, chat: TranscriptView) -> None:
    start = point_of(chat, 1, target_of(chat, 1, "link"))
    with qtbot.assertNotEmitted(chat.link_activated):
        QTest.mousePress(chat.viewport(), LEFT, pos=start)
        QTest.mouseMove(chat.viewport(), start + QPoint(14, 0))
        QTest.mouseRelease(chat.viewport(), LEFT, pos=start + QPoint(14, 0))


def test_letting_go_elsewhere_does_nothing(qtbot: QtBot, chat: TranscriptView) -> None:
    start = point_of(chat, 1, target_of(chat, 1, "regenerate"))
    with qtbot.assertNotEmitted(chat.regenerate_requested):
        QTest.mousePress(chat.viewport(), LEFT, pos=start)
        QTest.mouseRelease(chat.viewport(), LEFT, pos=start - QPoint(0, 120))


def test_the_pointer_shows_what_can_be_done(chat: TranscriptView) -> None:
    shapes = Qt.CursorShape
    port = chat.viewport()
    QTest.mouseMove(port, point_of(chat, 1, target_of(chat, 1, "copy")))
    assert port.cursor().shape() == shapes.PointingHandCursor
    QTest.mouseMove(port, point_of(chat, 1, target_of(chat, 1, "link")))
    assert port.cursor().shape() == shapes.PointingHandCursor
    QTest.mouseMove(port, point_of(chat, 1, target_of(chat, 1, "link")) + QPoint(200, 0))
    assert port.cursor().shape() == shapes.IBeamCursor
    QTest.mouseMove(port, QPoint(3, 3))
    assert port.cursor().shape() == shapes.ArrowCursor


def test_what_a_user_can_do_shows_when_the_pointer_is_there(chat: TranscriptView) -> None:
    rect = target_of(chat, 0, "edit").rect.translated(chat.row_rect(0).topLeft())
    away = chat.viewport().grab(rect).toImage()
    QTest.mouseMove(chat.viewport(), chat.row_rect(0).center())
    assert chat.viewport().grab(rect).toImage() != away


class Form(QWidget):
    """A view between two fields, as in the window."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.after = QLineEdit(), QLineEdit()
        self.view = TranscriptView(LIGHT)
        layout = QVBoxLayout(self)
        for widget in (self.before, self.view, self.after):
            layout.addWidget(widget)
        self.resize(900, 700)


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    made = Form()
    qtbot.addWidget(made)
    made.view.set_turns([user(1, "Question"), assistant(2, ANSWER)])
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.before.setFocus()
    return made


def actions_on_the_way(form: Form, key: Qt.Key) -> list[str]:
    found: list[str] = []
    for _step in range(20):
        QTest.keyClick(form.focusWidget(), key)
        if form.focusWidget() is not form.view:
            break
        focus = form.view.attention.focus
        found.append(focus.action if focus else "")
    return found


def test_tab_goes_through_the_actions_and_on(form: Form) -> None:
    found = actions_on_the_way(form, KEY.Key_Tab)
    assert found == ["", "copy", "edit", "link", "copy_code", "regenerate", "copy"]
    assert form.focusWidget() is form.after


def test_back_tab_goes_the_other_way(form: Form) -> None:
    form.after.setFocus()
    found = actions_on_the_way(form, KEY.Key_Backtab)
    assert found == ["copy", "regenerate", "copy_code", "link", "edit", "copy"]
    assert form.focusWidget() is form.before


def test_the_focus_has_a_ring_in_the_accent(form: Form) -> None:
    actions_on_the_way(form, KEY.Key_Tab)
    form.view.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(form.view, KEY.Key_Tab)
    focus = form.view.attention.focus
    assert focus is not None
    rect = focus.rect.translated(form.view.row_rect(form.view.attention.focus_row).topLeft())
    image = form.view.viewport().grab(rect).toImage()
    colours = {image.pixelColor(x, 1).name() for x in range(image.width())}
    assert LIGHT.accent.lower() in colours


def test_a_link_with_the_focus_has_a_ring(form: Form) -> None:
    view = form.view
    target = target_of(view, 1, "link")
    rect = target.rect.translated(view.row_rect(1).topLeft())
    before = view.viewport().grab(rect).toImage()
    view.attention.focus_row, view.attention.focus = 1, target
    assert view.viewport().grab(rect).toImage() != before


def test_links_to_the_same_place_are_each_reached(form: Form) -> None:
    form.view.set_turns([assistant(1, "[a](http://x.y) [b](http://x.y) [a](http://x.y)")])
    found = actions_on_the_way(form, KEY.Key_Tab)
    assert found == ["", "link", "link", "link", "regenerate", "copy"]


def test_enter_presses_what_has_the_focus(qtbot: QtBot, form: Form) -> None:
    view = form.view
    view.attention.focus_row, view.attention.focus = 1, target_of(view, 1, "regenerate")
    view.setFocus()
    with qtbot.waitSignal(view.regenerate_requested):
        QTest.keyClick(view, KEY.Key_Return)
    view.attention.focus = target_of(view, 1, "link")
    with qtbot.waitSignal(view.link_activated):
        QTest.keyClick(view, KEY.Key_Space)


@pytest.mark.parametrize("forward", [True, False])
def test_only_visible_messages_hold_the_focus(view: TranscriptView, forward: bool) -> None:
    view.set_turns(dialogue(500))
    view.setFocus()
    steps = 0
    while view.focusNextPrevChild(forward) and view.attention.focus is not None:
        steps += 1
        assert steps < 100
    assert steps > 0


def test_ctrl_up_goes_from_message_to_message(view: TranscriptView) -> None:
    view.set_turns(dialogue(100))
    for _step in range(30):
        QTest.keyClick(view, KEY.Key_Up, CTRL)
    assert view.attention.focus_row == 70
    assert 70 in dict(view.stage.visible)


def test_keys_scroll(view: TranscriptView) -> None:
    view.set_turns(dialogue(60))
    bar = view.verticalScrollBar()
    end = bar.value()
    QTest.keyClick(view, KEY.Key_PageUp)
    page = end - bar.value()
    assert 0.7 * view.viewport().height() < page <= view.viewport().height()
    QTest.keyClick(view, KEY.Key_Up)
    assert 0 < end - page - bar.value() < 100
    QTest.keyClick(view, KEY.Key_Home)
    assert view.stage.visible[0] == (0, view.stage.head)
    QTest.keyClick(view, KEY.Key_End)
    assert view.at_end


def labels(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def test_the_menu_offers_what_fits_the_place(qtbot: QtBot, chat: TranscriptView) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    place = chat._pointer.place(point_of(chat, 1, target_of(chat, 1, "link")))
    fill_menu(menu, chat, place, chat.turns[1], selected=False)
    assert labels(menu) == [
        "Open link",
        "Copy address of link",
        "Copy",
        "Copy whole message",
        "Select all",
        "Answer again",
    ]
    enabled = {action.text(): action.isEnabled() for action in menu.actions()}
    assert not enabled["Copy"]
    with qtbot.waitSignal(chat.link_activated):
        menu.actions()[0].trigger()
    menu.actions()[1].trigger()
    assert QGuiApplication.clipboard().text() == "https://a.example/"


def test_a_message_that_is_written_offers_nothing_yet(view: TranscriptView) -> None:
    view.set_turns([user(1, "Q")])
    view.append_turn(ViewTurn(2, "assistant", "", state="streaming", can_regenerate=True))
    view.begin_stream(2)
    view.feed(2, "Some text")
    assert targets_of(view.stage, 1) == []
    view.end_stream(2, replace(assistant(2, "Some text"), footer="1 s"))
    assert [t.action for t in targets_of(view.stage, 1)] == ["regenerate", "copy"]


def test_a_wide_table_scrolls_by_wheel(view: TranscriptView) -> None:
    view.set_turns([assistant(1, "|" + "column|" * 30 + "\n|" + "-|" * 30 + "\n|" + "cell|" * 30)])
    block = view.stage.layout(0).blocks[0]
    place = view.row_rect(0).topLeft() + QPoint(block.x + 40, block.y + 10)
    QTest.wheelEvent(view.window().windowHandle(), QPoint(place), QPoint(-240, 0))
    assert block.scroll_x == 240
    QTest.wheelEvent(view.window().windowHandle(), QPoint(place), QPoint(-99999, 0))
    assert block.scroll_x == block.most_scroll_x


def test_german_actions_have_room_for_their_words(view: TranscriptView, qapp: QApplication) -> None:
    translation = Translation(qapp)
    translation.use("de")
    try:
        view.set_turns([user(1, "Hallo")])
        row = view.stage.layout(0)
        metrics = row.kit.formats.small_metrics
        sizes = row.kit.formats.theme.sizes
        padding = sizes.icon_small + sizes.space_1 + 2 * sizes.space_2
        assert [target.label for target in row.targets] == ["Kopieren", "Bearbeiten"]
        for target in row.targets:
            assert target.rect.width() >= metrics.horizontalAdvance(target.label) + padding
    finally:
        translation.release()
