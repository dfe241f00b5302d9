"""The selected text: two ends, each a row, a block in it and a position in that block."""

from __future__ import annotations

from typing import Literal, NamedTuple

from PySide6.QtGui import QTextCursor

from desktop.ui.transcript.blocks import Block
from desktop.ui.transcript.extract import block_text
from desktop.ui.transcript.rows import RowLayout
from desktop.ui.transcript.stage import Stage

Unit = Literal["letter", "word", "block"]


class Position(NamedTuple):
    """A place between two letters; ordered as the text is."""

    row: int
    block: int
    at: int


class Selection:
    """From `anchor`, where it began, to `focus`, which moves; by letters, words or blocks."""

    def __init__(self) -> None:
        self.anchor: Position | None = None
        self.focus: Position | None = None
        self._unit: Unit = "letter"
        self._first: tuple[Position, Position] | None = None
        self.everything = False

    def clear(self) -> None:
        self.anchor = self.focus = self._first = None
        self.everything = False

    def begin(self, stage: Stage, position: Position, unit: Unit = "letter") -> None:
        """Start at a place, with the word or block around it."""
        self.clear()
        self._unit = unit
        self._first = _around(stage, position, unit)
        self.anchor, self.focus = self._first

    def extend(self, stage: Stage, position: Position) -> None:
        """Go on to a place, whole words or blocks where it began so."""
        if self._first is None:
            self.begin(stage, position)
            return
        self.everything = False
        start, end = _around(stage, position, self._unit)
        if start < self._first[0]:
            self.anchor, self.focus = self._first[1], start
        else:
            self.anchor, self.focus = self._first[0], max(end, self._first[1])

    def move_focus(self, position: Position) -> None:
        """Extend letter by letter, by keyboard."""
        if self.anchor is None:
            self.anchor = position
        self.focus = position
        self.everything = False
        self._unit, self._first = "letter", (self.anchor, self.anchor)

    def select_all(self, stage: Stage) -> None:
        """Everything, whether laid out or not."""
        self.clear()
        if stage.rows:
            self.anchor = Position(0, 0, 0)
            self.focus = Position(len(stage.rows), 0, 0)
            self._first = (self.anchor, self.anchor)
            self.everything = True

    @property
    def span(self) -> tuple[Position, Position] | None:
        """The ends in the order of the text; None when nothing is selected."""
        if self.anchor is None or self.focus is None or self.anchor == self.focus:
            return None
        return min(self.anchor, self.focus), max(self.anchor, self.focus)

    def within(self, row: int, number: int, block: Block) -> tuple[int, int] | None:
        """The selected part of a block, as positions; None when there is none."""
        span = self.span
        if span is None:
            return None
        start, end = span
        if (row, number) < start[:2] or (row, number) > end[:2]:
            return None
        first = start.at if (row, number) == start[:2] else 0
        last = min(end.at, block.end) if (row, number) == end[:2] else block.end
        return (first, last) if first < last or (first, last) == (0, 0) else None

    def text(self, stage: Stage) -> str:
        """The selected text: messages that are wholly in it as Markdown, else as it is seen."""
        span = self.span
        if span is None:
            return ""
        parts: list[str] = []
        row = span[0].row
        while row <= span[1].row and row < len(stage.rows):
            index = stage.rows[row].turn
            rows = stage.rows_of_turn(index)
            if row == rows.start and self._whole(stage, rows):
                parts.append(stage.turns[index].text if stage.live is None else _text(stage, index))
                row = rows.stop
                continue
            parts.append(self._row_text(stage, row))
            row += 1
        return "\n\n".join(part for part in parts if part)

    def _whole(self, stage: Stage, rows: range) -> bool:
        """Whether a message is selected wholly, and is not the only one that is."""
        span = self.span
        if span is None:
            return False
        start, end = span
        if start > Position(rows.start, 0, 0) or end.row < rows.stop - 1:
            return False
        if start.row < rows.start or end.row >= rows.stop:
            inside = end.row >= rows.stop
        else:
            inside = self.everything
        if not inside:
            last = stage.layout(rows.stop - 1)
            number = len(last.blocks) - 1
            at_end = end >= Position(
                rows.stop - 1, number, last.blocks[number].end if number >= 0 else 0
            )
            inside = at_end and start.row < rows.start
        return inside

    def _row_text(self, stage: Stage, row: int) -> str:
        layout = stage.layout(row)
        parts = []
        for number, block in enumerate(layout.blocks):
            part = self.within(row, number, block)
            if part is not None:
                parts.append(block_text(block, *part))
        return "\n\n".join(parts)


def _text(stage: Stage, index: int) -> str:
    live = stage.live
    if live is not None and live.layout.row.turn == index:
        return live.text
    return stage.turns[index].text


def _around(stage: Stage, position: Position, unit: Unit) -> tuple[Position, Position]:
    blocks = stage.layout(position.row).blocks
    if unit == "letter" or position.block >= len(blocks):
        return position, position
    cursor = QTextCursor(blocks[position.block].document)
    cursor.setPosition(min(position.at, blocks[position.block].end))
    kind = QTextCursor.SelectionType
    cursor.select(kind.WordUnderCursor if unit == "word" else kind.BlockUnderCursor)
    start, end = cursor.selectionStart(), cursor.selectionEnd()
    if unit == "block":
        # Qt takes the break before the paragraph along.
        line = blocks[position.block].document.findBlock(position.at)
        start, end = line.position(), line.position() + line.length() - 1
    return position._replace(at=start), position._replace(at=end)


def position_at(layout: RowLayout, row: int, x: int, y: int) -> Position:
    """The place nearest to a point of a row, from its top and the column's left."""
    number = layout.block_at(y)
    if number < 0:
        return Position(row, 0, 0)
    block = layout.blocks[number]
    if y < block.y and number == 0:
        return Position(row, 0, 0)
    if y > block.y + block.height:
        return Position(row, number, block.end)
    return Position(row, number, block.position_at(x - block.x, y - block.y))
