"""Cuts Markdown into pieces that never change again, while it arrives or all at once.

Only the tail behind the last finished piece is parsed. Where a piece ends depends on the text
alone and not on how it arrived, so a streamed answer and the same answer opened later look alike.
Every piece is bounded, and so is the time to parse and to draw one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from desktop.ui.transcript.cutter import Block, Cutter, Limits
from desktop.ui.transcript.fences import Fence, FencePart, fence_at
from desktop.ui.transcript.sections import NOTHING, Carry


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of Markdown that is drawn on its own; `tokens` are empty for a top-level fence."""

    kind: Literal["flow", "code"]
    tokens: tuple[Token, ...] = ()
    source: str = ""
    code: str = ""
    info: str = ""
    carry: Carry = NOTHING


# HTML stays text. Without "reference" no later line can change a piece that is finished.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["table", "strikethrough"])
    .disable(["reference", "html_block"])
)


class Splitter:
    """Takes text as it comes and hands out finished pieces; what is left is the live tail."""

    def __init__(self, carry: Carry = NOTHING, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._tail = ""
        self._carry = carry
        self._blocks: list[Block] | None = None

    @property
    def carry(self) -> Carry:
        """What the next piece takes over from the last finished one."""
        return self._carry

    @property
    def tail(self) -> str:
        """The text behind the last finished piece."""
        return self._tail

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are finished with this text."""
        self._tail += text
        self._blocks = None
        return self._drain(final=False)

    def close(self) -> list[Piece]:
        """The remaining pieces, when no more text comes."""
        pieces = self._drain(final=True)
        pieces += self._rest(final=True)
        self._cut(len(self._tail), NOTHING)
        return pieces

    def live(self) -> list[Piece]:
        """The tail as it looks now."""
        return self._rest(final=False)

    def _rest(self, *, final: bool) -> list[Piece]:
        fence = self._fence()
        if fence:
            return [self._code(fence.rest(final=final))] if self._tail else []
        pieces, carry = [], self._carry
        blocks = self._parsed()
        for block in blocks:
            tokens = block.tokens
            if block is blocks[-1] and not final:
                tokens = self._smoothed(block, carry)
            pieces.append(self._flow(tokens, block.start, block.end, carry))
            carry = NOTHING
        return pieces

    def _smoothed(self, block: Block, carry: Carry) -> list[Token]:
        """The tokens of the last block as if the emphasis that has begun in it ended there.

        So bold words are bold from their first letter, and no asterisks flicker past.
        """
        source = self._tail[block.start : block.end]
        shown = with_emphasis_closed(source)
        if shown is source or block.tokens[0].type in ("fence", "code_block"):
            return block.tokens
        opening = carry.opening if carry.kind == "table" else ""
        return _MARKDOWN.parse(opening + shown)

    def _drain(self, *, final: bool) -> list[Piece]:
        pieces: list[Piece] = []
        before = -1
        while self._tail and len(self._tail) != before:
            before = len(self._tail)
            self._skip_blank()
            fence = self._fence()
            if fence is None:
                pieces += self._settled(final=final)
            elif part := fence.finished(self._limits.code, self._limits.code_lines):
                pieces.append(self._code(part))
                self._cut(part.end, NOTHING if part.closed else Carry("fence", fence.opening))
        return pieces

    def _cut(self, position: int, carry: Carry) -> None:
        if position or carry != self._carry:
            self._tail = self._tail[position:]
            self._blocks = None
            self._carry = carry

    def _skip_blank(self) -> None:
        """Drop whole blank lines that stand before a block."""
        if self._carry.kind == "fence":
            return
        start = 0
        while (end := self._tail.find("\n", start)) >= 0 and not self._tail[start:end].strip(" \t"):
            start = end + 1
        if start:
            self._cut(start, NOTHING)

    def _fence(self) -> Fence | None:
        if self._carry.kind == "fence":
            return Fence(self._carry.opening, self._tail, continued=True)
        return fence_at(self._tail)

    def _code(self, part: FencePart) -> Piece:
        return Piece("code", code=part.code, info=part.info, carry=self._carry)

    def _flow(self, tokens: list[Token], start: int, end: int, carry: Carry) -> Piece:
        return Piece("flow", tuple(tokens), source=self._tail[start:end], carry=carry)

    def _parsed(self) -> list[Block]:
        if self._blocks is None:
            opening = self._carry.opening if self._carry.kind == "table" else ""
            window = opening + self._tail[: self._limits.window]
            self._blocks = list(_top_level(_MARKDOWN.parse(window), window, len(opening)))
        return self._blocks

    def _complete_lines(self, *, final: bool) -> int:
        """How many lines of the window cannot change any more."""
        opening = self._carry.opening if self._carry.kind == "table" else ""
        lines = self._tail.count("\n", 0, self._limits.window) + opening.count("\n")
        whole = final and len(self._tail) <= self._limits.window
        return lines + 3 if whole else lines

    def _settled(self, *, final: bool) -> list[Piece]:
        """The pieces that the window holds for certain; cuts the tail behind them."""
        blocks = self._parsed()
        complete = self._complete_lines(final=final)
        pieces: list[Piece] = []
        position, carry = 0, self._carry
        # "-" may still become a line across; what is longer is an item, whole or not.
        end = min(len(self._tail), self._limits.window)
        last = self._tail.rfind("\n", 0, end) + 1
        long_last = int(end - last > self._limits.settled_line)
        # A line with "|" may still become the head of a table, with the next one.
        above = self._tail[self._tail.rfind("\n", 0, max(0, last - 1)) + 1 : last]
        may_be_head = int("|" in above and not long_last and not final)
        for index, block in enumerate(blocks):
            if index and block.tokens[0].type == "fence":
                break  # from here on it is read line by line
            cutter = Cutter(block, carry, self._limits, complete + long_last, may_be_head)
            for chunk in cutter.chunks:
                pieces.append(self._flow(chunk.tokens, chunk.start, chunk.end, chunk.carry))
            position, carry = max(position, cutter.position), cutter.carry
            if cutter.too_long:
                piece, position = self._forced(position, carry)
                pieces.append(piece)
                carry = Carry("text")
                break
            following = blocks[index + 1] if index + 1 < len(blocks) else None
            # A table is told from a paragraph by its second line: two lines must be there.
            if following is None or following.first_line + 2 > complete:
                break
            pieces.append(self._flow(cutter.tokens, position, following.start, carry))
            position, carry = following.start, NOTHING
        if not blocks and len(self._tail) > self._limits.window:
            position = self._limits.window
        self._cut(position, carry)
        return pieces

    def _forced(self, start: int, carry: Carry) -> tuple[Piece, int]:
        """The first part of a block that is too long, and where that part ends."""
        part = self._tail[start : start + self._limits.text]
        lines = part.split("\n", self._limits.text_lines)
        if len(lines) > self._limits.text_lines:
            part = part[: len(part) - len(lines[-1])]
        size = part.rfind("\n") + 1
        if size < len(part) // 2:
            size = part.rfind(" ") + 1
        if size < len(part) // 2:
            size = len(part)
        opening = carry.opening if carry.kind == "table" else ""
        tokens = _MARKDOWN.parse(opening + part[:size])
        return self._flow(tokens, start, start + size, carry), start + size


def with_emphasis_closed(source: str) -> str:
    """The source with "**" or "`" closed where one is open at its end; itself when none is."""
    last = source[source.rfind("\n\n") + 1 :]
    if last.count("`") % 2:
        return source.rstrip("\n") + "`" if not last.endswith("`") else source[:-1]
    if last.count("**") % 2:
        bare = source.rstrip(" \n")
        return bare[:-2] if bare.endswith("**") else bare + "**"
    return source


def _top_level(tokens: list[Token], window: str, offset: int) -> Iterator[Block]:
    starts = [0, *accumulate(len(line) + 1 for line in window.split("\n"))]
    begin = 0
    for index, token in enumerate(tokens):
        if token.level or token.nesting == 1:
            continue
        first, last = tokens[begin].map or [0, 0]
        yield Block(
            tokens=tokens[begin : index + 1],
            start=max(0, starts[first] - offset),
            end=min(starts[min(last, len(starts) - 1)], len(window)) - offset,
            first_line=first,
            last_line=last,
            line_starts=[start - offset for start in starts],
            head=window[starts[first] : starts[min(first + 2, len(starts) - 1)]],
        )
        begin = index + 1
