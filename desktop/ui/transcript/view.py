"""The transcript: shows a conversation, takes the mouse and the keyboard, and nothing else.

It knows no chat, store or engine: turns come in as `ViewTurn`, wishes go out as signals.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QWidget

from desktop.ui.tokens import LIGHT, Theme
from desktop.ui.transcript import words
from desktop.ui.transcript.canvas import Canvas
from desktop.ui.transcript.clipboard import message_data, text_data
from desktop.ui.transcript.copying import code_of
from desktop.ui.transcript.keyboard import Keyboard
from desktop.ui.transcript.menu import fill_menu
from desktop.ui.transcript.painting import IconOf
from desktop.ui.transcript.pointer import Pointer
from desktop.ui.transcript.targets import Target
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.wandering import step

_PREPARE_MS = 400
_PULSE_MS = 60
_PULSE_STEP = 0.05
_COPIED_MS = 1_500
_RECOLOUR_MS = 60


class TranscriptView(Canvas):
    """A conversation of any length; the last message may be written while one reads."""

    regenerate_requested = Signal(int)
    edit_requested = Signal(int)
    link_activated = Signal(str)

    def __init__(
        self,
        theme: Theme = LIGHT,
        *,
        icon_of: IconOf | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, icon_of, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(words.conversation())
        self.viewport().setMouseTracking(True)
        self._pointer = Pointer(self)
        self._keyboard = Keyboard(self)
        self._copied = self._timer(_COPIED_MS, self._forget_copied)
        self._copied.setSingleShot(True)

    # What is shown

    def set_motion(self, *, enabled: bool) -> None:
        """Whether the waiting indicator may move."""
        self._motion = enabled
        if not enabled:
            self._pulse.stop()

    def set_turns(self, turns: list[ViewTurn]) -> None:
        """Open a conversation at its end."""
        self.selection.clear()
        self._forget_attention()
        self._pulse.stop()
        self.forget_messages()
        self.stage.set_turns(turns)
        self.refresh()

    def append_turn(self, turn: ViewTurn) -> None:
        """Add a turn at the end."""
        self.stage.append(turn)
        self.refresh()
        self.tell_new(turn.id)
        if turn.state != "streaming":
            self.announce_turn(len(self.stage.turns) - 1)

    def begin_stream(self, turn_id: int) -> None:
        """The last turn is written from now on, after the text that it has already.

        KeyError when it is not there, ValueError when it is not the last.
        """
        index = self.stage.index_of(turn_id)
        text = self.stage.turns[index].text
        self.stage.begin_live(index)
        if text:
            self.stage.feed_live(text)
        if self._motion:
            self._pulse.start()
        self.refresh()

    def set_progress(self, turn_id: int, fraction: float | None) -> None:
        """How much of the prompt is read (0 to 1, None: unknown), until the first text comes."""
        live = self.stage.live
        if live is not None and live.turn.id == turn_id and live.layout.waiting:
            live.layout.fraction = fraction
            live.layout.width = 0
            if fraction is not None or not self._motion:
                self._pulse.stop()
            elif not self._pulse.isActive():
                self._pulse.start()
            self.viewport().update()

    def feed(self, turn_id: int, text: str) -> None:
        """More text for the turn that is being written; best not more often than every 33 ms."""
        live = self.stage.live
        if live is None or live.turn.id != turn_id:
            return
        before = dict(self.stage.visible)
        self.stage.feed_live(text)
        self._pulse.stop()
        self._place()
        self._show_growth(before)
        self._watch_colours()

    def end_stream(self, turn_id: int, turn: ViewTurn) -> None:
        """The turn is written; from now on it is shown as `turn` says.

        One that is not shown (another chat has been opened) is left alone.
        """
        if not self.stage.shows(turn_id):
            return
        self._pulse.stop()
        self.stage.end_live(turn)
        self.refresh()
        self.announce_turn(self.stage.index_of(turn_id))

    def replace_turn(self, turn: ViewTurn) -> None:
        """Show the turn with this id anew; KeyError when it is not there."""
        self.selection.clear()
        self.stage.replace(turn)
        self.refresh()

    def remove_after(self, turn_id: int | None) -> None:
        """Keep the turns up to this one, None for none; KeyError when it is not there."""
        self.selection.clear()
        self._forget_attention()
        self.stage.remove_after(-1 if turn_id is None else self.stage.index_of(turn_id))
        self.refresh()

    def set_notice(self, text: str) -> None:
        """A sentence below the last message, "" for none."""
        self._notice = text
        self.stage.foot = self._foot_height()
        self.refresh()

    @property
    def turns(self) -> list[ViewTurn]:
        """The turns that are shown."""
        return list(self.stage.turns)

    @property
    def at_end(self) -> bool:
        """Whether the end of the conversation is in view and stays there."""
        return self.stage.sticks

    # What can be done

    def press(self, row: int, target: Target) -> None:
        """Do what the action says."""
        turn = self.stage.turns[self.stage.rows[row].turn]
        if target.action == "link":
            self.link_activated.emit(target.href)
        elif target.action == "edit":
            self.edit_requested.emit(turn.id)
        elif target.action in ("regenerate", "retry"):
            self.regenerate_requested.emit(turn.id)
        elif target.action == "copy_code":
            QGuiApplication.clipboard().setMimeData(
                text_data(code_of(self.stage, row, target.block))
            )
            self._show_copied(row, target)
        else:
            self.copy_turn(turn.id)
            self._show_copied(row, target)

    def copy_turn(self, turn_id: int) -> None:
        """Copy a whole message: Markdown as text, formatted where a program takes that."""
        turn = self.stage.turns[self.stage.index_of(turn_id)]
        QGuiApplication.clipboard().setMimeData(message_data(turn))

    def copy(self) -> None:
        """Copy what is selected."""
        text = self.selection.text(self.stage)
        if text:
            QGuiApplication.clipboard().setMimeData(text_data(text))

    def select_all(self) -> None:
        """Select the whole conversation."""
        self.selection.select_all(self.stage)
        self.viewport().update()

    def selected_text(self) -> str:
        """The selected text as it would be copied."""
        return self.selection.text(self.stage)

    def _show_copied(self, row: int, target: Target) -> None:
        self.attention.copied_row, self.attention.copied = row, target
        self.announce(words.copied())
        self._copied.start()
        self.viewport().update()

    def _forget_copied(self) -> None:
        self.attention.copied_row, self.attention.copied = -1, None
        self.viewport().update()

    def _forget_attention(self) -> None:
        self.attention.hover_row = self.attention.focus_row = self.attention.copied_row = -1
        self.attention.hover = self.attention.focus = self.attention.copied = None

    # Mouse and keyboard

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(words.conversation())
            self.set_theme(self._theme)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.shows_focus = False
        self._pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pointer.double_click(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._pointer.leave()
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self._pointer.wheel(event):
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        position = event.pos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            position = self.viewport().rect().center()
        place = self._pointer.place(position)
        turn = self.stage.turns[self.stage.rows[place.row].turn] if place.row >= 0 else None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fill_menu(menu, self, place, turn, selected=self.selection.span is not None)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._keyboard.press(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        if self.hasFocus() and step(self.stage, self.attention, forward=forward):
            self.shows_focus = True
            self.refresh()
            self.tell_focus()
            return True
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.shows_focus = event.reason() in reasons
        if event.reason() == Qt.FocusReason.BacktabFocusReason:
            step(self.stage, self.attention, forward=False)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.attention.focus, self.attention.focus_row = None, -1
        self.viewport().update()
