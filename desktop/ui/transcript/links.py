"""Links as targets of the keyboard: where in a row they are and where they lead."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRect

from desktop.ui.transcript.blocks import Block, CodeBlock, RuleBlock
from desktop.ui.transcript.rows import RowLayout
from desktop.ui.transcript.targets import Target


def links_of(layout: RowLayout) -> list[Target]:
    """The links in a row, in the order of the text."""
    found: list[Target] = []
    for number, block in enumerate(layout.blocks):
        if not isinstance(block, CodeBlock | RuleBlock):
            found += _links_in(block, number)
    return [replace(target, number=number) for number, target in enumerate(found)]


def _links_in(block: Block, number: int) -> list[Target]:
    found: list[Target] = []
    line = block.document.begin()
    while line.isValid():
        parts = line.begin()
        last = ""
        while not parts.atEnd():
            fragment = parts.fragment()
            style = fragment.charFormat()
            href = style.anchorHref() if style.isAnchor() else ""
            if href and href == last:
                # Bold words in a link are fragments of their own.
                rect = found[-1].rect.united(_rect(block, fragment.position(), fragment.length()))
                label = found[-1].label + fragment.text()
                found[-1] = Target("link", label, rect, number, href)
            elif href:
                rect = _rect(block, fragment.position(), fragment.length())
                found.append(Target("link", fragment.text(), rect, number, href))
            last = href
            parts += 1
        line = line.next()
    return found


def _rect(block: Block, position: int, length: int) -> QRect:
    """Where a run of text lies in the row; over several lines, the rectangle around them."""
    line = block.document.findBlock(position)
    layout = line.layout()
    place = block.document.documentLayout().blockBoundingRect(line)
    origin = layout.position()
    start = position - line.position()
    found = QRect()
    for at in (start, start + length - 1):
        text_line = layout.lineForTextPosition(at)
        if not text_line.isValid():
            return place.toRect()
        left = float(text_line.cursorToX(at)[0])  # type: ignore[index]
        right = float(text_line.cursorToX(at + 1)[0])  # type: ignore[index]
        x = int(origin.x() + min(left, right))
        y = int(origin.y() + text_line.y())
        part = QRect(x, y, int(abs(right - left)) + 1, int(text_line.height()))
        found = found.united(part)
    first, last = layout.lineForTextPosition(start), layout.lineForTextPosition(start + length - 1)
    if first.lineNumber() != last.lineNumber():
        found.setLeft(int(origin.x()))
        found.setRight(int(origin.x() + first.width()))
    return found.translated(
        block.x + block.inset_x - block.scroll_x, block.y + block.inset_y
    ).adjusted(-2, -1, 2, 1)
