"""Takes the finished first items of a long list, the first rows of a long table, as chunks."""

from __future__ import annotations

from dataclasses import dataclass

from markdown_it.token import Token

from desktop.ui.transcript.sections import Carry


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a piece may become, in characters unless the name says otherwise."""

    window: int = 10_000
    text: int = 4_000
    text_lines: int = 120
    list: int = 6_000
    list_items: int = 6
    chunk: int = 1_200
    table_rows: int = 12
    settled_line: int = 100
    code: int = 8_000
    code_lines: int = 200


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block; positions are counted in the tail of the splitter, lines in its window.

    `head` is its first two lines: those of a table name its columns.
    """

    tokens: list[Token]
    start: int
    end: int
    first_line: int
    last_line: int
    line_starts: list[int]
    head: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """The tokens of some items or rows, and where they stood."""

    tokens: list[Token]
    start: int
    end: int
    carry: Carry


class Cutter:
    """Cuts one block. What is left is in `tokens`, begins at `position` and takes `carry` over.

    Of the `complete_lines`, the last `open_lines` may still turn a text into something else.
    """

    def __init__(
        self, block: Block, carry: Carry, limits: Limits, complete_lines: int, open_lines: int
    ) -> None:
        self.chunks: list[Chunk] = []
        self.position = block.start
        self.carry = carry
        self.tokens = block.tokens
        self._block = block
        self._limits = limits
        self._complete = complete_lines
        self._line = block.first_line
        self._longest = limits.text
        self._waits = False  # for the line that a chunk ends before to be whole
        kind = block.tokens[0].type
        if kind in ("bullet_list_open", "ordered_list_open"):
            self._longest = limits.list
            self._cut_list(ordered=kind == "ordered_list_open")
        elif kind == "table_open":
            self._cut_table()
        # What may still become another block counts for nothing yet, such as "-" below a text.
        settled = complete_lines - (open_lines if kind in ("paragraph_open", "heading_open") else 0)
        last = min(block.last_line, settled, len(block.line_starts) - 1)
        too_long = self._is_too_long(min(block.end, block.line_starts[last]), last)
        self.too_long = too_long and not self._waits

    def _cut_list(self, *, ordered: bool) -> None:
        opening, closing = self.tokens[0], self.tokens[-1]
        items = _indices(self.tokens, "list_item_open", level=1)
        number = self.carry.number or int(opening.attrs.get("start", 1))
        begin = 0
        for index, line, start in self._starts(items):
            if self._is_too_long(start, line):
                break
            if not self._enough(index - begin, self._limits.list_items, start):
                continue
            if line >= self._complete:
                self._waits = True
                break
            part = self.tokens[items[begin] : items[index]]
            number += index - begin
            self._take([opening, *part, closing], start, Carry("list", number=number * ordered))
            begin, self._line = index, line
        if begin:
            self.tokens = [opening, *self.tokens[items[begin] :]]

    def _cut_table(self) -> None:
        body = _indices(self.tokens, "tbody_open", level=1)
        if not body:
            return
        head, closing = self.tokens[: body[0] + 1], self.tokens[-2:]
        rows = [index for index in _indices(self.tokens, "tr_open", level=2) if index > body[0]]
        opening = self.carry.opening if self.carry.kind == "table" else self._block.head
        begin = 0
        for index, line, start in self._starts(rows):
            if self._is_too_long(start, line):
                break
            if not self._enough(index - begin, self._limits.table_rows, start):
                continue
            if line >= self._complete:
                self._waits = True
                break
            part = [*head, *self.tokens[rows[begin] : rows[index]], *closing]
            weights = self.carry.weights or column_weights(part)
            self._take(part, start, Carry("table", opening, weights=weights))
            begin, self._line = index, line
        if begin:
            self.tokens = [*head, *self.tokens[rows[begin] :]]

    def _starts(self, indices: list[int]) -> list[tuple[int, int, int]]:
        """Number, line and position of every item but the first."""
        found = []
        for number, index in enumerate(indices[1:], start=1):
            line = (self.tokens[index].map or [0])[0]
            found.append((number, line, self._block.line_starts[line]))
        return found

    def _is_too_long(self, end: int, line: int) -> bool:
        """Whether what stands before this end is longer than any piece may be."""
        lines = line - self._line
        return end - self.position > self._longest or lines > self._limits.text_lines

    def _enough(self, count: int, most: int, start: int) -> bool:
        return count >= most or start - self.position >= self._limits.chunk

    def _take(self, tokens: list[Token], end: int, carry: Carry) -> None:
        self.chunks.append(Chunk(tokens, self.position, end, self.carry))
        self.position, self.carry = end, carry


def _indices(tokens: list[Token], kind: str, level: int) -> list[int]:
    return [i for i, token in enumerate(tokens) if token.type == kind and token.level == level]


def column_weights(tokens: list[Token]) -> tuple[int, ...]:
    """How much width each column of a table wants, from its longest cell."""
    weights: list[int] = []
    column = 0
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            column = 0
        elif token.type in ("th_open", "td_open"):
            size = min(40, max(6, len(tokens[index + 1].content)))
            if column < len(weights):
                weights[column] = max(weights[column], size)
            else:
                weights.append(size)
            column += 1
    return tuple(weights)
