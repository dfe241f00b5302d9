"""The visible text of blocks, as it is copied and read aloud: lists with markers, cells by tab."""

from __future__ import annotations

from PySide6.QtGui import QTextBlock, QTextCursor

from desktop.ui.transcript.blocks import Block, TableBlock, TextBlock


def block_text(block: Block, start: int = 0, end: int | None = None) -> str:
    """The text between two positions of a block, by default all of it."""
    last = block.end if end is None else min(end, block.end)
    if start > last:
        return ""
    if isinstance(block, TableBlock):
        return _table_text(block, start, last)
    lines = []
    line = block.document.findBlock(start)
    while line.isValid() and line.position() <= last:
        text = _line_text(line, start, last)
        if isinstance(block, TextBlock) and start <= line.position():
            text = _marker(block, line.blockNumber()) + text
        lines.append(text)
        line = line.next()
    return "\n".join(lines)


def visible_text(blocks: list[Block]) -> str:
    """The text of blocks that follow each other; what goes on in the next block has no gap."""
    parts: list[str] = []
    for block in blocks:
        spec = block.spec
        joined = getattr(spec, "continued", False) or getattr(spec, "tight", False)
        if parts:
            parts.append("\n" if joined else "\n\n")
        parts.append(block_text(block))
    return "".join(parts)


def _line_text(line: QTextBlock, start: int, end: int) -> str:
    cursor = QTextCursor(line)
    cursor.setPosition(max(start, line.position()))
    last = line.position() + line.length() - 1
    cursor.setPosition(max(cursor.position(), min(end, last)), QTextCursor.MoveMode.KeepAnchor)
    return cursor.selectedText().replace("\u2028", "\n").replace("\u2029", "\n")


def _marker(block: TextBlock, number: int) -> str:
    paragraphs = block.spec.paragraphs
    if number >= len(paragraphs) or not paragraphs[number].marker:
        return ""
    paragraph = paragraphs[number]
    return "  " * (paragraph.level - 1) + paragraph.marker + " "


def _table_text(block: TableBlock, start: int, end: int) -> str:
    rows: dict[int, list[str]] = {}
    line = block.document.findBlock(start)
    while line.isValid() and line.position() <= end:
        table = QTextCursor(line).currentTable()
        if table is not None:
            row = table.cellAt(line.position()).row()
            rows.setdefault(row, []).append(_line_text(line, start, end))
        line = line.next()
    return "\n".join("\t".join(cells) for cells in rows.values())
