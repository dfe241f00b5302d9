"""The mouse: selecting by letters, words and blocks, pressing actions, following links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget

from desktop.ui.transcript.painting import Attention
from desktop.ui.transcript.selection import Position, Selection, position_at
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.targets import Target

_AUTO_SCROLL_MS = 33
_SHAPES = Qt.CursorShape


class Host(Protocol):
    """What the pointer needs of the view."""

    stage: Stage
    selection: Selection
    attention: Attention

    def viewport(self) -> QWidget: ...
    def verticalScrollBar(self) -> QScrollBar: ...
    def column_left(self) -> int: ...
    def press(self, row: int, target: Target) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """What lies at a point of the view; `row` is -1 where there is no message."""

    row: int = -1
    position: Position | None = None
    target: Target | None = None
    href: str = ""
    on_text: bool = False


class Pointer:
    """Turns mouse events into selection and presses."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._pressed: Target | None = None
        self._pressed_link = ""
        self._selecting = False
        self._last = QPoint()
        self._double_at = QPoint()
        self._clicks = QTimer(host.viewport())
        self._clicks.setSingleShot(True)
        self._auto = QTimer(host.viewport())
        self._auto.setInterval(_AUTO_SCROLL_MS)
        self._auto.timeout.connect(self._scroll_on)

    def place(self, point: QPoint) -> Place:
        """What lies at a point of the viewport; outside of rows, what is nearest."""
        stage = self._host.stage
        if not stage.visible:
            return Place()
        row, y = stage.visible[0]
        for number, top in stage.visible:
            if top > point.y():
                break
            row, y = number, top
        layout = stage.layout(row)
        local = QPoint(point.x() - self._host.column_left(), point.y() - y)
        target = next((t for t in layout.targets if t.rect.contains(local)), None)
        position = position_at(layout, row, local.x(), local.y())
        href, on_text = "", False
        if position.block < len(layout.blocks):
            block = layout.blocks[position.block]
            x, below = local.x() - block.x, local.y() - block.y
            on_text = 0 <= x < block.width and 0 <= below < block.height
            href = block.link_at(x, below) if on_text else ""
        return Place(row, position, target, href, on_text)

    def press(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position().toPoint()
        place = self.place(point)
        self._host.attention.focus, self._host.attention.focus_row = None, -1
        self._pressed, self._pressed_link = place.target, place.href
        if place.target is not None or place.position is None:
            return
        stage, selection = self._host.stage, self._host.selection
        third = self._clicks.isActive() and (point - self._double_at).manhattanLength() < 6
        if third:
            selection.begin(stage, place.position, "block")
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and selection.anchor:
            selection.extend(stage, place.position)
        else:
            selection.begin(stage, place.position)
        self._selecting = True
        self._host.viewport().update()

    def double_click(self, event: QMouseEvent) -> None:
        place = self.place(event.position().toPoint())
        if place.target is not None or place.position is None:
            self.press(event)
            return
        self._host.selection.begin(self._host.stage, place.position, "word")
        self._selecting = True
        self._double_at = event.position().toPoint()
        self._clicks.start(QApplication.doubleClickInterval())
        self._host.viewport().update()

    def move(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        self._last = point
        if not self._selecting:
            self._hover(point)
            return
        self._extend(point)
        outside = not 0 <= point.y() < self._host.viewport().height()
        if outside and not self._auto.isActive():
            self._auto.start()
        elif not outside:
            self._auto.stop()

    def release(self, event: QMouseEvent) -> None:
        self._auto.stop()
        was_selecting, self._selecting = self._selecting, False
        place = self.place(event.position().toPoint())
        pressed, self._pressed = self._pressed, None
        if pressed is not None and pressed.same(place.target):
            self._host.press(place.row, pressed)
        elif was_selecting and self._host.selection.span is None:
            href = self._pressed_link
            if href and place.href == href and place.position is not None:
                self._host.press(place.row, Target("link", "", QRect(), place.position.block, href))
        self._pressed_link = ""

    def leave(self) -> None:
        attention = self._host.attention
        if attention.hover_row >= 0:
            attention.hover_row, attention.hover = -1, None
            self._host.viewport().update()

    def wheel(self, event: QWheelEvent) -> bool:
        """Scroll a wide table to the side; False when the event is not for one."""
        way = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta()
        sideways = way.x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not sideways:
            sideways = way.y()
        if abs(sideways) <= abs(way.y()) and not event.modifiers():
            return False
        place = self.place(event.position().toPoint())
        if place.position is None or not place.on_text or not sideways:
            return False
        block = self._host.stage.layout(place.row).blocks[place.position.block]
        if not block.most_scroll_x:
            return False
        block.scroll_x = max(0, min(block.most_scroll_x, block.scroll_x - sideways))
        self._host.viewport().update()
        return True

    def _extend(self, point: QPoint) -> None:
        place = self.place(point)
        if place.position is not None:
            self._host.selection.extend(self._host.stage, place.position)
            self._host.viewport().update()

    def _scroll_on(self) -> None:
        """Scroll while the pointer is held beyond an edge, the faster the farther."""
        height = self._host.viewport().height()
        beyond = self._last.y() - height if self._last.y() >= height else self._last.y()
        bar = self._host.verticalScrollBar()
        bar.setValue(bar.value() + max(-80, min(80, beyond // 2 + (1 if beyond > 0 else -1))))
        self._extend(self._last)

    def _hover(self, point: QPoint) -> None:
        place = self.place(point)
        attention = self._host.attention
        changed = attention.hover_row != place.row or attention.hover != place.target
        attention.hover_row, attention.hover = place.row, place.target
        if place.target is not None or place.href:
            shape = _SHAPES.PointingHandCursor
        else:
            shape = _SHAPES.IBeamCursor if place.on_text else _SHAPES.ArrowCursor
        viewport = self._host.viewport()
        if viewport.cursor().shape() != shape:
            viewport.setCursor(shape)
        if changed:
            viewport.update()
