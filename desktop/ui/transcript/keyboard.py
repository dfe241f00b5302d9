"""The keyboard: scrolling, selecting, pressing what has the focus."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtWidgets import QScrollBar, QWidget

from desktop.ui.transcript.painting import Attention
from desktop.ui.transcript.selection import Position, Selection, position_at
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.targets import Target
from desktop.ui.transcript.wandering import step_message

_KEY = Qt.Key
_CTRL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_MOVE = QTextCursor.MoveOperation


class Host(Protocol):
    """What the keyboard needs of the view."""

    stage: Stage
    selection: Selection
    attention: Attention
    shows_focus: bool

    def viewport(self) -> QWidget: ...
    def verticalScrollBar(self) -> QScrollBar: ...
    def press(self, row: int, target: Target) -> None: ...
    def copy(self) -> None: ...
    def select_all(self) -> None: ...
    def jump_to_end(self) -> None: ...
    def refresh(self) -> None: ...
    def tell_focus(self) -> None: ...


class Keyboard:
    """Turns keys into what the reader means by them."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def press(self, event: QKeyEvent) -> bool:
        """Act on a key; False when it means nothing here."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self._host.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._host.select_all()
        elif event.modifiers() & _SHIFT and self._select(event):
            pass
        elif event.modifiers() & _CTRL and event.key() in (_KEY.Key_Up, _KEY.Key_Down):
            self._message(forward=event.key() == _KEY.Key_Down)
        else:
            return self._plain(event)
        return True

    def _plain(self, event: QKeyEvent) -> bool:
        key = event.key()
        attention = self._host.attention
        if key in (_KEY.Key_Return, _KEY.Key_Enter, _KEY.Key_Space):
            if attention.focus is None:
                return False
            self._host.press(attention.focus_row, attention.focus)
        elif key == _KEY.Key_Escape:
            return self._escape()
        elif key == _KEY.Key_Home:
            self._host.verticalScrollBar().setValue(0)
        elif key == _KEY.Key_End:
            self._host.jump_to_end()
        else:
            return False  # arrows and pages are the scroll area's own
        return True

    def _escape(self) -> bool:
        attention, selection = self._host.attention, self._host.selection
        if attention.focus is None and selection.span is None:
            return False
        attention.focus, attention.focus_row = None, -1
        selection.clear()
        self._host.viewport().update()
        return True

    def _message(self, *, forward: bool) -> None:
        if step_message(self._host.stage, self._host.attention, forward=forward):
            self._host.shows_focus = True
            self._host.refresh()
            self._host.tell_focus()

    def _select(self, event: QKeyEvent) -> bool:
        """Extend the selection by a letter, word, line or page."""
        word = bool(event.modifiers() & _CTRL)
        moves = {
            _KEY.Key_Left: _MOVE.WordLeft if word else _MOVE.Left,
            _KEY.Key_Right: _MOVE.WordRight if word else _MOVE.Right,
            _KEY.Key_Up: _MOVE.Up,
            _KEY.Key_Down: _MOVE.Down,
            _KEY.Key_Home: _MOVE.Start if word else _MOVE.StartOfLine,
            _KEY.Key_End: _MOVE.End if word else _MOVE.EndOfLine,
        }
        move = moves.get(_KEY(event.key()))
        stage = self._host.stage
        if move is None or not stage.visible:
            return False
        focus = self._host.selection.focus or self._first_visible()
        if self._host.selection.anchor is None:
            self._host.selection.begin(stage, focus)
        moved = _moved(stage, focus, move)
        self._host.selection.move_focus(moved)
        self._reveal(moved)
        self._host.refresh()
        return True

    def _first_visible(self) -> Position:
        stage = self._host.stage
        row, y = stage.visible[0]
        return position_at(stage.layout(row), row, 0, max(0, -y))

    def _reveal(self, position: Position) -> None:
        stage = self._host.stage
        if position.row >= len(stage.rows):
            return
        layout = stage.layout(position.row)
        if position.block >= len(layout.blocks):
            return
        block = layout.blocks[position.block]
        line = block.document.findBlock(position.at)
        text_line = line.layout().lineForTextPosition(position.at - line.position())
        y = block.y + block.inset_y + int(line.layout().position().y())
        height = stage.kit.formats.line_height
        if text_line.isValid():
            y, height = y + int(text_line.y()), int(text_line.height())
        stage.show_row(position.row, y, y + height)


def _moved(stage: Stage, position: Position, move: QTextCursor.MoveOperation) -> Position:
    """The place after a movement, across blocks and rows."""
    row = min(position.row, len(stage.rows) - 1)
    blocks = stage.layout(row).blocks
    if position.block < len(blocks):
        document = blocks[position.block].document
        cursor = QTextCursor(document)
        cursor.setPosition(min(position.at, blocks[position.block].end))
        before = cursor.position()
        if cursor.movePosition(move) and cursor.position() != before:
            return Position(row, position.block, cursor.position())
    if move in (_MOVE.Left, _MOVE.WordLeft, _MOVE.Up):
        return _before(stage, row, position.block)
    if move in (_MOVE.Right, _MOVE.WordRight, _MOVE.Down):
        return _after(stage, row, position.block)
    return position


def _before(stage: Stage, row: int, block: int) -> Position:
    while block == 0 or not stage.layout(row).blocks:
        if row == 0:
            return Position(0, 0, 0)
        row -= 1
        block = len(stage.layout(row).blocks)
    block -= 1
    return Position(row, block, stage.layout(row).blocks[block].end)


def _after(stage: Stage, row: int, block: int) -> Position:
    while block + 1 >= len(stage.layout(row).blocks):
        if row + 1 >= len(stage.rows):
            blocks = stage.layout(row).blocks
            return Position(row, len(blocks) - 1, blocks[-1].end) if blocks else Position(row, 0, 0)
        row, block = row + 1, -1
    return Position(row, block + 1, 0)
