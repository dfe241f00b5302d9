"""What a piece of Markdown shows, block by block, before there is any document to show it.

Lists and quotes are taken apart: what stands in them becomes paragraphs with an indent, and code
or tables blocks of their own, so that code in a list item has its copy button, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from markdown_it.token import Token

from desktop.ui.transcript.cutter import column_weights
from desktop.ui.transcript.pieces import Piece

BULLETS = ("•", "◦", "▪")
MOST_LEVELS = 16  # markdown-it drops what is nested deeper than 20; then the source is shown
MOST_COLUMNS = 40

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text of one kind; `style` is "body", "plain" or "h1" to "h6", `level` the list depth."""

    style: str
    content: str
    level: int = 0
    marker: str = ""
    inline: Sequence[Token] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TextSpec:
    """Paragraphs that share a document; `tight`: the list of the block before goes on."""

    paragraphs: tuple[Paragraph, ...]
    quote: int = 0
    tight: bool = False


@dataclass(frozen=True, slots=True)
class CodeSpec:
    """Code; `continued`: the block before is the first part of it."""

    code: str
    language: str = ""
    level: int = 0
    quote: int = 0
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    content: str
    align: Align = "left"
    inline: Sequence[Token] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table or a part of one; `weights` are the shares of the columns in its width."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    weights: tuple[int, ...]
    level: int = 0
    quote: int = 0
    continued: bool = False


@dataclass(frozen=True, slots=True)
class RuleSpec:
    level: int = 0
    quote: int = 0


Spec = TextSpec | CodeSpec | TableSpec | RuleSpec


def specs(piece: Piece) -> list[Spec]:
    """The blocks of a piece, in order."""
    if piece.kind == "code":
        continued = piece.carry.kind == "fence"
        if continued and not piece.code:
            return []
        return [CodeSpec(piece.code, _language(piece.info), continued=continued)]
    if any(token.level >= MOST_LEVELS for token in piece.tokens):
        return plain_specs(piece.source)
    return _Walker(piece).walk()


def plain_specs(text: str) -> list[Spec]:
    """Text shown as it is, every line break kept."""
    paragraph = Paragraph("plain", text.removesuffix("\n"))
    return [TextSpec((paragraph,))]


def _language(info: str) -> str:
    return info.split(maxsplit=1)[0][:40] if info.strip() else ""


class _Walker:
    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._found: list[Spec] = []
        self._paragraphs: list[Paragraph] = []
        self._lists: list[int] = []  # next number of each open list, 0 for bullets
        self._quote = 0
        self._marker = ""
        self._start = piece.carry.number

    def walk(self) -> list[Spec]:
        tokens = self._piece.tokens
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "table_open":
                index = self._table(index)
            elif token.type == "inline":
                opening = tokens[index - 1]
                style = opening.tag if opening.type == "heading_open" else "body"
                self._paragraph(style, token)
            else:
                self._token(token)
            index += 1
        self._flush()
        return self._found

    def _token(self, token: Token) -> None:
        kind = token.type
        if kind in ("bullet_list_open", "ordered_list_open"):
            ordered = kind == "ordered_list_open"
            own = int(token.attrs.get("start", 1)) if ordered else 0
            first = not self._lists and ordered and self._start
            self._lists.append(self._start if first else own)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
        elif kind == "list_item_open":
            self._item(ordered=token.info != "")
        elif kind == "list_item_close":
            if self._marker:  # an empty item
                self._add(Paragraph("body", "", len(self._lists), self._marker))
                self._marker = ""
        elif kind in ("blockquote_open", "blockquote_close"):
            self._flush()
            self._quote += token.nesting
        elif kind in ("fence", "code_block"):
            self._own(
                CodeSpec(
                    token.content.removesuffix("\n"),
                    _language(token.info),
                    len(self._lists),
                    self._quote,
                )
            )
        elif kind == "hr":
            self._own(RuleSpec(len(self._lists), self._quote))

    def _item(self, *, ordered: bool) -> None:
        if ordered:
            self._marker = f"{self._lists[-1]}."
            self._lists[-1] += 1
        else:
            self._marker = BULLETS[min(len(self._lists), len(BULLETS)) - 1]

    def _paragraph(self, style: str, token: Token) -> None:
        content, inline = token.content, token.children or []
        marker, self._marker = self._marker, ""
        if marker and content[:4] in ("[ ] ", "[x] ", "[X] ") and inline:
            marker = "☐" if content[1] == " " else "☑"
            content = content[4:]
            first = inline[0].copy()
            first.content = first.content[4:]
            inline = [first, *inline[1:]]
        self._add(Paragraph(style, content, len(self._lists), marker, inline))

    def _add(self, paragraph: Paragraph) -> None:
        self._paragraphs.append(paragraph)

    def _own(self, spec: Spec) -> None:
        if self._marker:
            self._add(Paragraph("body", "", len(self._lists), self._marker))
            self._marker = ""
        self._flush()
        self._found.append(spec)

    def _flush(self) -> None:
        if self._paragraphs:
            tight = self._piece.carry.kind == "list" and not self._found
            self._found.append(TextSpec(tuple(self._paragraphs), self._quote, tight))
            self._paragraphs = []

    def _table(self, index: int) -> int:
        """Add the table that opens at `index`; the index of its last token."""
        tokens = self._piece.tokens
        end = next(i for i in range(index, len(tokens)) if tokens[i].type == "table_close")
        rows: list[list[Cell]] = []
        for i in range(index, end):
            if tokens[i].type == "tr_open":
                rows.append([])
            elif tokens[i].type in ("th_open", "td_open"):
                inline = tokens[i + 1]
                rows[-1].append(Cell(inline.content, _align(tokens[i]), inline.children or []))
        if len(rows[0]) > MOST_COLUMNS:
            self._flush()
            self._found += plain_specs(self._piece.source)
            return end
        carry = self._piece.carry
        weights = carry.weights or column_weights(list(tokens[index:end]))
        body = tuple(tuple(row) for row in rows[1:])
        self._own(
            TableSpec(
                tuple(rows[0]),
                body,
                weights,
                len(self._lists),
                self._quote,
                continued=carry.kind == "table" and not self._found,
            )
        )
        return end


def _align(token: Token) -> Align:
    style = str(token.attrs.get("style", ""))
    if style.endswith("right"):
        return "right"
    return "center" if style.endswith("center") else "left"
