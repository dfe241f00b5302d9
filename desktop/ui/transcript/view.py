"""The transcript: shows a conversation, takes the mouse and the keyboard, and nothing else.

It knows no chat, store or engine: turns come in as `ViewTurn`, wishes go out as signals.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QMenu, QWidget

from desktop.ui.tokens import LIGHT, Theme
from desktop.ui.transcript import words
from desktop.ui.transcript.accessible import AccessibleArea
from desktop.ui.transcript.blocks import Kit
from desktop.ui.transcript.clipboard import message_data, text_data
from desktop.ui.transcript.copying import code_of
from desktop.ui.transcript.end_button import EndButton
from desktop.ui.transcript.formats import Formats
from desktop.ui.transcript.keyboard import Keyboard
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.menu import fill_menu
from desktop.ui.transcript.painting import Attention, IconOf, RowPainter
from desktop.ui.transcript.pointer import Pointer
from desktop.ui.transcript.sample import draw_sample
from desktop.ui.transcript.selection import Selection
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.targets import Target
from desktop.ui.transcript.turns import ViewTurn
from desktop.ui.transcript.wandering import step

_PREPARE_MS = 400
_PULSE_MS = 60
_PULSE_STEP = 0.05
_COPIED_MS = 1_500
_RECOLOUR_MS = 60


class TranscriptView(AccessibleArea):
    """A conversation of any length; the last message may be written while one reads."""

    regenerate_requested = Signal(int)
    edit_requested = Signal(int)
    link_activated = Signal(str)
    at_end_changed = Signal(bool)

    def __init__(
        self,
        theme: Theme = LIGHT,
        *,
        icon_of: IconOf | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._shelf = LexerShelf()
        self._icon_of = icon_of
        self._theme = theme
        formats = Formats(theme)
        self.stage = Stage(Kit(formats, self._shelf))
        self.selection = Selection()
        self.attention = Attention()
        self._painter = RowPainter(formats, icon_of)
        self._notice = ""
        self._motion = QApplication.isEffectEnabled(Qt.UIEffect.UI_General)
        self._locked = False
        self._prepared = False
        self._was_at_end = True
        self._announced = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(words.conversation())
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self._end_button = EndButton(theme, self)
        self._end_button.clicked.connect(self.jump_to_end)
        self._end_button.hide()
        self._pointer = Pointer(self)
        self._keyboard = Keyboard(self)
        self._pulse = self._timer(_PULSE_MS, self._beat)
        self._copied = self._timer(_COPIED_MS, self._forget_copied)
        self._copied.setSingleShot(True)
        self._recolour = self._timer(_RECOLOUR_MS, self._colour)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    # What is shown

    def set_theme(self, theme: Theme) -> None:
        """Show everything in this theme; also after the language or the fonts have changed."""
        self._theme = theme
        formats = Formats(theme)
        self._painter = RowPainter(formats, self._icon_of)
        self.stage.set_kit(Kit(formats, self._shelf))
        self._end_button.set_theme(theme)
        self._resized()

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
        self._announced = 0
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

    def jump_to_end(self) -> None:
        """Show the end and stay there."""
        self.stage.sticks = True
        self.refresh()

    # Layout

    def column_left(self) -> int:
        """Where the text column begins on the viewport."""
        return (self.viewport().width() - self.stage.column) // 2

    def row_rect(self, row: int) -> QRect:
        for number, y in self.stage.visible:
            if number == row:
                height = self.stage.layout(row).height
                return QRect(self.column_left(), y, self.stage.column, height)
        return QRect()

    def _foot_height(self) -> int:
        sizes = self._theme.sizes
        return sizes.space_4 + (sizes.target if self._notice else 0)

    def _resized(self) -> None:
        sizes = self._theme.sizes
        width = self.viewport().width()
        margin = sizes.space_5 if width > sizes.dialog else sizes.space_4
        self.stage.foot = self._foot_height()
        self.stage.set_size(
            max(sizes.target, min(sizes.column, width - 2 * margin)), self.viewport().height()
        )
        self.refresh()

    def refresh(self) -> None:
        """Lay out and draw what is visible."""
        self._place()
        self.viewport().update()
        self._watch_colours()

    def _place(self) -> None:
        """Lay out what is visible and bring the scroll bar in line with it."""
        self.stage.place()
        bar = self.verticalScrollBar()
        self._locked = True
        bar.setRange(0, self.stage.most)
        bar.setPageStep(max(1, self.stage.view_height - self._theme.sizes.space_6))
        bar.setSingleStep(self._theme.sizes.target)
        bar.setValue(self.stage.most if self.stage.sticks else self.stage.value)
        self._locked = False
        if self.stage.sticks != self._was_at_end:
            self._was_at_end = self.stage.sticks
            self.at_end_changed.emit(self._was_at_end)
        self._place_end_button()

    def _place_end_button(self) -> None:
        show = not self.stage.sticks and self.stage.most > self.stage.value
        if show != self._end_button.isVisibleTo(self):
            self._end_button.setVisible(show)
        if show:
            place = self.viewport().geometry()
            button = self._end_button
            bottom = place.bottom() - button.height() - self._theme.sizes.space_2
            button.move(place.center().x() - button.width() // 2, bottom)

    def _show_growth(self, before: dict[int, int]) -> None:
        """Draw what is new of the message that is written; what only moved up is moved.

        Drawing the whole view anew is most of what a frame costs.
        """
        live, viewport = self.stage.live, self.viewport()
        number, y = self.stage.visible[-1]
        if live is None or number != len(self.stage.rows) - 1 or number not in before:
            viewport.update()
            return
        up = before[number] - y
        whole_pixels = self.devicePixelRatioF().is_integer()
        if up < 0 or up >= viewport.height() or (up and not whole_pixels):
            viewport.update()
            return
        if up:
            viewport.scroll(0, -up)
        blocks = live.layout.blocks
        first = blocks[live.settled - 1].y if live.settled else 0
        viewport.update(0, max(0, y + first), viewport.width(), viewport.height())

    def _scrolled(self, value: int) -> None:
        if self._locked:
            return
        self.stage.scroll_to(value)
        self.refresh()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        return None

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._resized()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._prepared:
            self._prepared = True
            QTimer.singleShot(_PREPARE_MS, self, self._prepare)

    def _prepare(self) -> None:
        """Do ahead what would make the first answer stutter: lexers, fonts, glyphs."""
        self._shelf.prepare()
        draw_sample(self.stage.kit, self._painter)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(words.conversation())
            self.set_theme(self._theme)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        clip = event.rect()
        painter.fillRect(clip, self._theme.color("background"))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = self.column_left()
        for number, y in self.stage.visible:
            layout = self.stage.layout(number)
            if y > clip.bottom() or y + layout.height < clip.top():
                continue
            painter.translate(left, y)
            local = clip.translated(-left, -y)
            self._painter.paint(painter, layout, number, self.selection, self.attention, local)
            painter.translate(-left, -y)
        if self._notice and self.stage.visible:
            number, y = self.stage.visible[-1]
            if number == len(self.stage.rows) - 1:
                top = y + self.stage.layout(number).height
                rect = QRect(left, top, self.stage.column, self._theme.sizes.target)
                self._painter.paint_notice(painter, rect, self._notice)
        if self.hasFocus() and self.attention.focus is None and self._keyboard.shows_focus:
            self._painter.paint_focus(painter, self.viewport().rect())
        painter.end()

    def _beat(self) -> None:
        live = self.stage.live
        if live is None or not live.layout.waiting:
            self._pulse.stop()
            return
        self.attention.pulse = (self.attention.pulse + _PULSE_STEP) % 1.0
        rect = self.row_rect(len(self.stage.rows) - 1)
        self.viewport().update(rect)

    def _watch_colours(self) -> None:
        if not self._recolour.isActive() and self._shelf.busy:
            self._recolour.start()

    def _colour(self) -> None:
        busy = self._shelf.busy
        if self.stage.recolour():
            self.refresh()
        if not busy:
            self._recolour.stop()

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

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._keyboard.shows_focus = False
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
            self._keyboard.shows_focus = True
            self.refresh()
            self.tell_focus()
            return True
        return super().focusNextPrevChild(forward)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._keyboard.shows_focus = event.reason() in reasons
        if event.reason() == Qt.FocusReason.BacktabFocusReason:
            step(self.stage, self.attention, forward=False)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.attention.focus, self.attention.focus_row = None, -1
        self.viewport().update()
