"""Writes paragraphs and tables into documents, run by run; nothing passes through HTML.

So nothing that a model writes can load anything, and every character arrives as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from markdown_it.token import Token
from PySide6.QtGui import QTextCursor, QTextDocument

from desktop.ui.transcript.formats import Formats, Look, is_right_to_left
from desktop.ui.transcript.specs import Paragraph, TableSpec, TextSpec

LINE_BREAK = "\u2028"
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]")


def write_text(document: QTextDocument, spec: TextSpec, formats: Formats) -> None:
    """Fill the document with the paragraphs."""
    cursor = _emptied(document)
    before: Paragraph | None = None
    for paragraph in spec.paragraphs:
        above = _gap(before, paragraph, formats)
        rtl = is_right_to_left(paragraph.content)
        block_format = formats.paragraph(paragraph.style, paragraph.level, above, rtl)
        if before is None:
            cursor.setBlockFormat(block_format)
        else:
            cursor.insertBlock(block_format)
        if paragraph.style == "plain":
            cursor.insertText(paragraph.content, formats.look(Look("plain")))
        else:
            write_inline(cursor, paragraph.inline, formats, Look(paragraph.style))
        before = paragraph
    cursor.endEditBlock()


def write_table(document: QTextDocument, spec: TableSpec, formats: Formats) -> None:
    """Fill the document with the table; a continued one without its head."""
    cursor = _emptied(document)
    rows = [*spec.rows] if spec.continued else [spec.head, *spec.rows]
    columns = max(1, len(spec.head))
    table = cursor.insertTable(max(1, len(rows)), columns, formats.table(spec.weights))
    cell_format = formats.table_cell()
    for row_number, row in enumerate(rows):
        head = row_number == 0 and not spec.continued
        for column in range(columns):
            place = table.cellAt(row_number, column)
            place.setFormat(cell_format)
            if column >= len(row):
                continue
            cell = row[column]
            within = place.firstCursorPosition()
            within.setBlockFormat(formats.cell(cell.align))
            write_inline(within, cell.inline, formats, Look("head" if head else "cell"))
    cursor.endEditBlock()


def write_inline(
    cursor: QTextCursor, tokens: Sequence[Token], formats: Formats, look: Look
) -> None:
    """Insert the runs of inline Markdown at the cursor."""
    plain = look
    for token in tokens:
        kind = token.type
        if kind == "text":
            if token.content:
                _insert_text(cursor, token.content, formats, look)
        elif kind in ("softbreak", "hardbreak"):
            cursor.insertText(LINE_BREAK, formats.look(plain))
        elif kind == "code_inline":
            cursor.insertText(token.content, formats.look(replace(look, code=True)))
        elif kind == "image":
            _insert_image(cursor, token, formats, look)
        elif kind.endswith(("_open", "_close")):
            look = _changed(look, kind, token)
        elif token.content:
            cursor.insertText(token.content, formats.look(look))


def _insert_text(cursor: QTextCursor, text: str, formats: Formats, look: Look) -> None:
    """Insert text, web addresses in it as links."""
    if look.href or "://" not in text:
        cursor.insertText(text, formats.look(look))
        return
    position = 0
    for found in _ADDRESS.finditer(text):
        if found.start() > position:
            cursor.insertText(text[position : found.start()], formats.look(look))
        cursor.insertText(found[0], formats.look(replace(look, href=found[0])))
        position = found.end()
    if position < len(text):
        cursor.insertText(text[position:], formats.look(look))


def _insert_image(cursor: QTextCursor, token: Token, formats: Formats, look: Look) -> None:
    """An image is shown as a link with its description: nothing is ever fetched."""
    href = str(token.attrs.get("src", ""))
    text = token.content or href
    cursor.insertText(text, formats.look(replace(look, href=look.href or href)))


def _changed(look: Look, kind: str, token: Token) -> Look:
    on = kind.endswith("_open")
    name = kind.removesuffix("_open").removesuffix("_close")
    if name == "strong":
        return replace(look, strong=on)
    if name == "em":
        return replace(look, emphasis=on)
    if name == "s":
        return replace(look, strike=on)
    if name == "link":
        return replace(look, href=str(token.attrs.get("href", "")) if on else "")
    return look


def _emptied(document: QTextDocument) -> QTextCursor:
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    if document.characterCount() > 1:
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
    return cursor


def _gap(before: Paragraph | None, paragraph: Paragraph, formats: Formats) -> int:
    sizes = formats.theme.sizes
    if before is None:
        return 0
    if paragraph.marker and before.level:
        return sizes.space_1
    if paragraph.style.startswith("h"):
        return sizes.space_4
    return sizes.space_2
