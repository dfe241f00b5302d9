"""Which rows are on screen and where: all rows by estimated height, the visible ones laid out."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

from desktop.ui.transcript.blocks import CodeBlock, Kit
from desktop.ui.transcript.heights import Heights
from desktop.ui.transcript.live import LiveTurn
from desktop.ui.transcript.rows import Row, RowLayout, build_row, rows_of
from desktop.ui.transcript.turns import ViewTurn

_MOST_LAYOUTS = 48
_FEED_CHARS = 4_000


class Stage:
    """Turns, their rows and heights, and the part of them that shows.

    The place is kept as a row and the pixels of it above the upper edge, so that what the reader
    looks at stays where it is when heights elsewhere change. `sticks` keeps the end in view.
    """

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.turns: list[ViewTurn] = []
        self.rows: list[Row] = []
        self.live: LiveTurn | None = None
        self.sticks = True
        self.column = kit.formats.theme.sizes.column
        self.view_height = 1
        self.foot = 0
        self.visible: list[tuple[int, int]] = []
        self._index: dict[int, int] = {}
        self._first_row: list[int] = []
        self._heights = Heights()
        self._layouts: OrderedDict[int, RowLayout] = OrderedDict()
        self._row = 0
        self._offset = 0

    # What there is

    def set_turns(self, turns: list[ViewTurn]) -> None:
        """Show these turns, from their end."""
        self.turns = list(turns)
        self.live = None
        self.sticks = True
        self._rebuild()

    def index_of(self, turn_id: int) -> int:
        """The index of a turn; KeyError when it is not shown."""
        return self._index[turn_id]

    def shows(self, turn_id: int) -> bool:
        """Whether there is a turn with this id."""
        return turn_id in self._index

    def rows_of_turn(self, index: int) -> range:
        """The numbers of the rows of a turn."""
        following = index + 1
        end = self._first_row[following] if following < len(self.turns) else len(self.rows)
        return range(self._first_row[index], end)

    def append(self, turn: ViewTurn) -> None:
        """Add a turn at the end; one that was still being written stays as it is by then."""
        if self.live is not None:
            unfinished = self.live
            self.end_live(dataclasses.replace(unfinished.turn, text=unfinished.text))
        index = len(self.turns)
        self.turns.append(turn)
        self._index[turn.id] = index
        self._first_row.append(len(self.rows))
        for row in rows_of(index, turn):
            self._append_row(row)

    def replace(self, turn: ViewTurn) -> None:
        """Show a turn with this id anew; KeyError when there is none."""
        index = self.index_of(turn.id)
        old = self.rows_of_turn(index)
        self.turns[index] = turn
        if self.live is not None and self.live.turn.id == turn.id:
            self.live.turn = self.live.layout.turn = turn
            self.live.layout.width = 0
            return
        new = rows_of(index, turn)
        if len(new) != len(old):
            self._rebuild(keep_place=True)
            return
        for number, row in zip(old, new, strict=True):
            self.rows[number] = row
            self._layouts.pop(number, None)

    def remove_after(self, index: int) -> None:
        """Keep the turns up to this index, -1 for none."""
        if index + 1 >= len(self.turns):
            return
        first = self._first_row[index + 1]
        for turn in self.turns[index + 1 :]:
            del self._index[turn.id]
        if self.live and self.live.layout.row.turn > index:
            self.live = None
        del self.turns[index + 1 :], self._first_row[index + 1 :], self.rows[first:]
        self._heights.truncate(first)
        for number in [number for number in self._layouts if number >= first]:
            del self._layouts[number]
        if self._row >= first:
            self._row, self._offset = max(0, first - 1), 0
            self.sticks = True

    def begin_live(self, index: int) -> None:
        """The turn at this index is written from now on; ValueError unless it is the last."""
        if index != len(self.turns) - 1:
            raise ValueError("only the last turn can be written")
        self.live = None
        for number in reversed(self.rows_of_turn(index)):
            self._layouts.pop(number, None)
            del self.rows[number]
        self._heights.truncate(len(self.rows))
        row = Row(index, "")
        self._append_row(row)
        self.live = LiveTurn(self.kit, self.turns[index], row)

    def feed_live(self, text: str) -> None:
        """Text for the turn that is being written."""
        if self.live is None:
            return
        finished = self.live.layout
        row = self.live.feed(text)
        self.live.layout.width = 0
        if row is not None:
            number = len(self.rows) - 1
            finished.arrange(self.column)
            self._heights[number] = finished.height
            self._keep(number, finished)
            self._append_row(row)

    def end_live(self, turn: ViewTurn) -> None:
        """The turn is written; `turn` says how it is shown from now on."""
        live = self.live
        index = self.index_of(turn.id)
        if live is not None and live.turn.id == turn.id:
            self.live = None
        if live is None or self.live is not None or live.text != turn.text:
            self.replace(turn)
            return
        live.end()
        self.turns[index] = turn
        live.layout.turn = turn
        for number in self.rows_of_turn(index):
            if number in self._layouts:
                self._layouts[number].turn = turn
        live.layout.width = 0
        self._keep(len(self.rows) - 1, live.layout)

    def _append_row(self, row: Row) -> None:
        self.rows.append(row)
        self._heights.append(self._estimates(len(self.rows) - 1)[0])

    def _rebuild(self, *, keep_place: bool = False) -> None:
        place = self.rows[self._row].turn if keep_place and self.rows else 0
        self._layouts.clear()
        self._index = {turn.id: index for index, turn in enumerate(self.turns)}
        self._first_row, self.rows = [], []
        for index, turn in enumerate(self.turns):
            self._first_row.append(len(self.rows))
            self.rows += rows_of(index, turn)
        self._heights.reset(self._estimates())
        self._row = self._first_row[place] if self.rows else 0
        self._offset = 0

    # Layout

    def _estimates(self, first: int = 0) -> list[int]:
        """About how high the rows from `first` on are."""
        formats = self.kit.formats
        line = formats.line_height
        letters = max(10.0, self.column / formats.text_metrics.averageCharWidth())
        per_letter, per_break = line / letters, 0.7 * line
        around = line + 2 * formats.theme.sizes.target
        return [
            int(len(text) * per_letter + text.count("\n") * per_break) + around
            for text in (row.text for row in (self.rows[first:] if first else self.rows))
        ]

    def layout(self, number: int) -> RowLayout:
        """The layout of a row, built or arranged if need be."""
        live = self.live
        found: RowLayout | None
        if live is not None and number == len(self.rows) - 1:
            found = live.layout
        else:
            found = self._layouts.get(number)
            if found is None:
                row = self.rows[number]
                found = build_row(self.kit, self.turns[row.turn], row)
            self._keep(number, found)
        if found.width != self.column:
            found.arrange(self.column)
        self._heights[number] = found.height
        return found

    def peek(self, number: int) -> RowLayout:
        """The blocks of a row; one that is not on screen is built and not kept."""
        if self.live is not None and number == len(self.rows) - 1:
            return self.live.layout
        row = self.rows[number]
        return self._layouts.get(number) or build_row(self.kit, self.turns[row.turn], row)

    def _keep(self, number: int, layout: RowLayout) -> None:
        self._layouts[number] = layout
        self._layouts.move_to_end(number)

    def _evict(self) -> None:
        shown = {number for number, _y in self.visible}
        for number in list(self._layouts):
            if len(self._layouts) <= max(_MOST_LAYOUTS, len(shown)):
                break
            if number not in shown:
                del self._layouts[number]

    def set_size(self, column: int, view_height: int) -> None:
        """The width of the text column and the height of the view, in pixels."""
        self.view_height = max(1, view_height)
        if column == self.column:
            return
        old = self._heights[self._row] if self.rows else 0
        self.column = column
        self._heights.reset(self._estimates())
        if self.rows and self._offset > 0 and old:
            self._offset = self._offset * self.layout(self._row).height // old

    def set_kit(self, kit: Kit) -> None:
        """Draw everything anew, in another theme."""
        self.kit = kit
        self._layouts.clear()
        if self.live is not None:
            old = self.live
            first = self.rows_of_turn(old.layout.row.turn)[0]
            del self.rows[first:]
            self._heights.truncate(first)
            row = Row(old.layout.row.turn, "")
            self._append_row(row)
            self.live = LiveTurn(kit, old.turn, row)
            self.live.layout.fraction = old.layout.fraction
            text = old.text
            for start in range(0, len(text), _FEED_CHARS):
                self.feed_live(text[start : start + _FEED_CHARS])

    def recolour(self) -> bool:
        """Colour code whose lexer has become ready; whether there was any."""
        layouts = list(self._layouts.values())
        if self.live is not None:
            layouts.append(self.live.layout)
        changed = False
        for layout in layouts:
            for block in layout.blocks:
                if isinstance(block, CodeBlock) and block.recolour():
                    changed = True
                    layout.width = 0
        return changed

    # Place

    @property
    def head(self) -> int:
        """Free pixels above the first row."""
        return self.kit.formats.theme.sizes.space_4

    @property
    def total(self) -> int:
        """Height of everything in pixels, where not measured as estimated."""
        return self.head + self._heights.total + self.foot

    @property
    def value(self) -> int:
        """How far down the view stands, in pixels."""
        if not self.rows:
            return 0
        return max(0, self.head + self._heights.above(self._row) + self._offset)

    @property
    def most(self) -> int:
        """The value at the end."""
        return max(0, self.total - self.view_height)

    def scroll_to(self, value: int) -> None:
        """Stand at this height; a short way is measured exactly, a long one as estimated."""
        if not self.rows:
            return
        way = value - self.value
        self.sticks = False
        if abs(way) <= 2 * self.view_height:
            self._move(way)
        else:
            y = value - self.head
            self._row, self._offset = self._heights.find(y) if y >= 0 else (0, y)
        if value >= self.most and way > 0:
            self.sticks = True

    def show_row(self, number: int, top: int, bottom: int) -> None:
        """Scroll as little as needed to bring a part of a row into view."""
        places = dict(self.visible)
        margin = self.head
        if number not in places:
            self.sticks = False
            self._row, self._offset = number, top - margin
            if number >= self._last_visible():
                self._move(-(self.view_height - (bottom - top) - 2 * margin))
        else:
            y = places[number]
            if y + top < margin:
                self.sticks = False
                self._move(y + top - margin)
            elif y + bottom > self.view_height - margin:
                self._move(min(y + bottom - self.view_height + margin, y + top - margin))
        self.place()

    def _last_visible(self) -> int:
        return self.visible[-1][0] if self.visible else 0

    def _move(self, way: int) -> None:
        offset = self._offset + way
        row = self._row
        last = len(self.rows) - 1
        while offset < 0 and row > 0:
            row -= 1
            offset += self.layout(row).height
        while row < last and offset >= (height := self.layout(row).height):
            offset -= height
            row += 1
        self._row, self._offset = row, max(offset, -self.head)

    def place(self) -> None:
        """Find what is visible and lay it out."""
        if not self.rows:
            self.visible = []
            return
        if self.sticks:
            self._place_from_end()
        else:
            self._place_from_anchor()
            number, y = self.visible[-1]
            end = y + self._heights[number]
            if number == len(self.rows) - 1 and end < self.view_height - self.foot:
                self._place_from_end()
                self.sticks = True
        self._evict()

    def _place_from_end(self) -> None:
        y = self.view_height - self.foot
        number = len(self.rows)
        found: list[tuple[int, int]] = []
        while number > 0 and y > 0:
            number -= 1
            y -= self.layout(number).height
            found.append((number, y))
        found.reverse()
        if number == 0 and y > self.head:
            found = [(row, top - y + self.head) for row, top in found]
        self.visible = found
        self._row, self._offset = found[0][0], -found[0][1]

    def _place_from_anchor(self) -> None:
        number = min(self._row, len(self.rows) - 1)
        y = -self._offset
        found: list[tuple[int, int]] = []
        while number < len(self.rows) and (y < self.view_height or not found):
            found.append((number, y))
            y += self.layout(number).height
            number += 1
        self.visible = found
