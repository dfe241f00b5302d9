"""Draws the rows that are on screen and keeps the scroll bar and their places in line."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from desktop.ui.tokens import Theme
from desktop.ui.transcript.accessible import AccessibleArea
from desktop.ui.transcript.blocks import Kit
from desktop.ui.transcript.end_button import EndButton
from desktop.ui.transcript.formats import Formats
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.painting import Attention, IconOf, RowPainter
from desktop.ui.transcript.sample import draw_sample
from desktop.ui.transcript.selection import Selection
from desktop.ui.transcript.stage import Stage

_PREPARE_MS = 400
_PULSE_MS = 60
_PULSE_STEP = 0.05
_RECOLOUR_MS = 60


class Canvas(AccessibleArea):
    """The drawn side of the transcript: layout, painting, scrolling, the theme."""

    at_end_changed = Signal(bool)

    def __init__(self, theme: Theme, icon_of: IconOf | None, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._shelf = LexerShelf()
        self._icon_of = icon_of
        self._theme = theme
        formats = Formats(theme)
        self.stage = Stage(Kit(formats, self._shelf))
        self.selection = Selection()
        self.attention = Attention()
        self.shows_focus = False
        self._painter = RowPainter(formats, icon_of)
        self._notice = ""
        self._motion = QApplication.isEffectEnabled(Qt.UIEffect.UI_General)
        self._locked = False
        self._prepared = False
        self._was_at_end = True
        self._coloured = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self._end_button = EndButton(theme, self)
        self._end_button.clicked.connect(self.jump_to_end)
        self._end_button.hide()
        self._pulse = self._timer(_PULSE_MS, self._beat)
        self._recolour = self._timer(_RECOLOUR_MS, self._colour)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(interval_ms)
        timer.timeout.connect(slot)
        return timer

    def set_theme(self, theme: Theme) -> None:
        """Show everything in this theme; also after the language or the fonts have changed."""
        self._theme = theme
        formats = Formats(theme)
        self._painter = RowPainter(formats, self._icon_of)
        self.stage.set_kit(Kit(formats, self._shelf))
        self._end_button.set_theme(theme)
        self._resized()

    def jump_to_end(self) -> None:
        """Show the end and stay there."""
        self.stage.sticks = True
        self.refresh()

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
        if self._has_ring:  # it must not move along
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
        if self._has_ring:
            self._painter.paint_focus(painter, self.viewport().rect())
        painter.end()

    @property
    def _has_ring(self) -> bool:
        """Whether the whole view has the focus, and none of its actions."""
        return self.shows_focus and self.attention.focus is None and self.hasFocus()

    def _beat(self) -> None:
        live = self.stage.live
        if live is None or not live.layout.waiting:
            self._pulse.stop()
            return
        self.attention.pulse = (self.attention.pulse + _PULSE_STEP) % 1.0
        rect = self.row_rect(len(self.stage.rows) - 1)
        self.viewport().update(rect)

    def _watch_colours(self) -> None:
        if not self._recolour.isActive() and self._colours_to_come:
            self._recolour.start()

    @property
    def _colours_to_come(self) -> bool:
        return self._shelf.busy or self._shelf.made != self._coloured

    def _colour(self) -> None:
        self._coloured = self._shelf.made
        if self.stage.recolour():
            self.refresh()
        if not self._colours_to_come:
            self._recolour.stop()
