"""A row of the transcript: a message, or a section of a very long one, with all that is in it.

Painting, hit testing and measuring share one layout: the rectangles found here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF

from desktop.ui.transcript import words
from desktop.ui.transcript.blocks import (
    Block,
    CodeBlock,
    Kit,
    TextBlock,
    gap_between,
    make_block,
)
from desktop.ui.transcript.clean import clean
from desktop.ui.transcript.pieces import Splitter
from desktop.ui.transcript.sections import (
    NOTHING,
    SOFT_LIMIT,
    Carry,
    plain_sections,
    sections,
    weight,
)
from desktop.ui.transcript.specs import CodeSpec, TableSpec, plain_specs, specs
from desktop.ui.transcript.targets import Action, Target
from desktop.ui.transcript.turns import ViewTurn

_WIDEST_BUBBLE = 0.9  # of the column


@dataclass(slots=True)
class Row:
    """What stands in a row: text of the turn at index `turn`, `first` and `last` of its rows."""

    turn: int
    text: str
    carry: Carry = NOTHING
    first: bool = True
    last: bool = True


def rows_of(index: int, turn: ViewTurn) -> list[Row]:
    """The rows of a turn: one, unless it is very long."""
    if len(turn.text) <= SOFT_LIMIT and weight(turn.text) <= SOFT_LIMIT:
        return [Row(index, turn.text)]
    cut = plain_sections if turn.role == "user" else sections
    parts = cut(turn.text)
    last = len(parts) - 1
    return [
        Row(index, part.text, part.carry, first=number == 0, last=number == last)
        for number, part in enumerate(parts)
    ]


@dataclass(slots=True)
class RowLayout:
    """Where everything in a row lies, in pixels from the top of the row and the column's left."""

    kit: Kit
    turn: ViewTurn
    row: Row
    blocks: list[Block]
    width: int = 0
    height: int = 0
    mark: QRect = field(default_factory=QRect)
    header: QRect = field(default_factory=QRect)
    bubble: QRect = field(default_factory=QRect)
    error: QRect = field(default_factory=QRect)
    notice: QRect = field(default_factory=QRect)
    footer: QRect = field(default_factory=QRect)
    progress: QRect = field(default_factory=QRect)
    targets: list[Target] = field(default_factory=list)
    waiting: bool = False
    fraction: float | None = None

    def arrange(self, width: int) -> None:
        """Lay out what changed and find all places anew, the column being `width` wide."""
        self.width = width
        y = self._arrange_top()
        y = self._arrange_bubble(y) if self.turn.role == "user" else self._arrange_blocks(y)
        self.targets = self._code_targets()
        if self.row.last:
            y = self._arrange_end(y)
        self.height = y

    def block_at(self, y: int) -> int:
        """The number of the block at a height in the row, the nearest one for a gap; -1: none."""
        found = -1
        for number, block in enumerate(self.blocks):
            if found >= 0 and y < block.y:
                return found
            found = number
            if y < block.y + block.height:
                break
        return found

    def _arrange_top(self) -> int:
        sizes = self.kit.formats.theme.sizes
        if not self.row.first:
            return 0
        y = sizes.space_2 if self.turn.role == "user" else 0
        if self.turn.mark:
            self.mark = QRect(0, y, self.width, sizes.target)
            y += sizes.target
        if self.turn.role != "user":
            self.header = QRect(0, y, self.width, self.kit.formats.line_height)
            y += self.kit.formats.line_height + sizes.space_1
        return y

    def _arrange_blocks(self, y: int) -> int:
        sizes = self.kit.formats.theme.sizes
        above: Block | None = None
        for block in self.blocks:
            spec = block.spec
            indent = spec.quote * sizes.space_4
            if not isinstance(block, TextBlock):
                indent += spec_level(block) * self.kit.formats.list_indent
            if isinstance(above, CodeBlock):
                joined = isinstance(spec, CodeSpec) and spec.continued
                above.set_followed(followed=joined)
                if above.layout(above.width):
                    y = above.y + above.height
            y += gap_between(above, block) if above or self.row.first else self._row_gap(block)
            block.x, block.y = indent, y
            block.layout(max(1, self.width - indent))
            y += block.height
            above = block
        return y

    def _row_gap(self, block: Block) -> int:
        """Space above the first block of a row that continues a message."""
        spec = block.spec
        joined = isinstance(spec, CodeSpec | TableSpec) and spec.continued
        return 0 if joined else block.kit.formats.theme.sizes.space_3

    def _arrange_bubble(self, y: int) -> int:
        sizes = self.kit.formats.theme.sizes
        lead = self.kit.formats.lead
        padding = sizes.space_3 - lead if self.row.first else 0
        available = int(self.width * _WIDEST_BUBBLE) - 2 * sizes.space_4
        single = self.row.first and self.row.last
        widest = 1
        for block in self.blocks:
            ideal = block.ideal_width if single and isinstance(block, TextBlock) else available
            widest = max(widest, min(available, ideal))
        top, y = y, y + padding
        x = self.width - widest - sizes.space_4
        for block in self.blocks:
            block.x, block.y = x, y
            block.layout(widest)
            y += block.height
        y += sizes.space_3 + lead if self.row.last else 0
        left = x - sizes.space_4
        self.bubble = QRect(left, top, self.width - left, y - top)
        return y

    def _code_targets(self) -> list[Target]:
        sizes = self.kit.formats.theme.sizes
        found = []
        for number, block in enumerate(self.blocks):
            if isinstance(block, CodeBlock) and block.head_height:
                # Room for "Copied", which takes the place of the label for a moment.
                width = self._label_width(words.copied()) + sizes.icon_small + sizes.space_1
                width += 2 * sizes.space_2
                right = block.x + block.width - sizes.space_1
                rect = QRect(right - width, block.y, width, block.head_height)
                found.append(Target("copy_code", words.copy_code(), rect, number))
        return found

    def _arrange_end(self, y: int) -> int:
        sizes = self.kit.formats.theme.sizes
        self.progress = self.error = self.notice = self.footer = QRect()
        if self.waiting:
            self.progress = QRect(0, y, self.width, self.kit.formats.line_height)
            y += self.kit.formats.line_height
        if self.turn.notice:
            height = self._wrapped_height(self.turn.notice, self.width - sizes.space_5)
            self.notice = QRect(0, y + sizes.space_2, self.width, height)
            y += sizes.space_2 + height
        if self.turn.error:
            y = self._arrange_error(y + sizes.space_2)
        below = 0 if self.turn.role == "user" else sizes.space_3
        strip = QRect(0, y, self.width, sizes.target)
        if self.turn.state == "streaming":
            return y + sizes.target + below  # the actions come when it is written
        if not self._arrange_actions(strip) and not self.turn.footer:
            return y + below
        self.footer = strip
        return y + sizes.target + below

    def _arrange_error(self, y: int) -> int:
        """A tinted field with the sentence and what to do about it."""
        sizes = self.kit.formats.theme.sizes
        retry_width = 0
        if self.turn.can_regenerate:
            retry_width = self._label_width(words.retry(), strong=True) + 2 * sizes.space_3
        inner = self.width - sizes.space_4 * 3 - sizes.icon_small - retry_width
        text_height = self._wrapped_height(self.turn.error, max(80, inner))
        height = max(sizes.target, text_height) + 2 * sizes.space_1
        self.error = QRect(0, y, self.width, height)
        if retry_width:
            left = self.width - retry_width - sizes.space_1
            rect = QRect(left, y + (height - sizes.target) // 2, retry_width, sizes.target)
            self.targets.append(Target("retry", words.retry(), rect))
        return y + height

    def error_text(self) -> QRect:
        """Where the sentence of the error stands."""
        sizes = self.kit.formats.theme.sizes
        left = sizes.space_3 + sizes.icon_small + sizes.space_2
        retry = next((target.rect for target in self.targets if target.action == "retry"), None)
        right = retry.left() if retry else self.error.right() - sizes.space_3
        return QRect(left, self.error.top(), right - left, self.error.height())

    def _arrange_actions(self, strip: QRect) -> bool:
        """Place the actions of the message; whether it has any."""
        user = self.turn.role == "user"
        offered: list[tuple[Action, str]] = []
        if not user and self.turn.can_regenerate and not self.turn.error:
            offered.append(("regenerate", words.regenerate()))
        if self.turn.text:
            offered.append(("copy", words.copy()))
        if user and self.turn.can_edit:
            offered.append(("edit", words.edit()))
        sizes = self.kit.formats.theme.sizes
        widths = [
            sizes.icon_small
            + sizes.space_1
            + max(map(self._label_width, (label, words.copied()) if action == "copy" else (label,)))
            + 2 * sizes.space_2
            for action, label in offered
        ]
        # The label and not the edge of its button stands in line with the text.
        left = self.width - sum(widths) + sizes.space_2 if user else -sizes.space_2
        for (action, label), width in zip(offered, widths, strict=True):
            rect = QRect(left, strip.top(), width, strip.height())
            self.targets.append(Target(action, label, rect, quiet=user))
            left += width
        return bool(offered)

    def _label_width(self, label: str, *, strong: bool = False) -> int:
        formats = self.kit.formats
        if strong:
            return ceil(QFontMetricsF(formats.small_strong).horizontalAdvance(label))
        return ceil(formats.small_metrics.horizontalAdvance(label))

    def _wrapped_height(self, text: str, width: int) -> int:
        flags = Qt.TextFlag.TextWordWrap
        box = QRectF(0, 0, width, 100_000)
        return ceil(self.kit.formats.small_metrics.boundingRect(box, flags, text).height())


def spec_level(block: Block) -> int:
    """How deep in lists a block stands."""
    spec = block.spec
    return 0 if isinstance(block, TextBlock) else getattr(spec, "level", 0)


def build_row(kit: Kit, turn: ViewTurn, row: Row) -> RowLayout:
    """Parse and write the blocks of a row; `arrange` then lays them out."""
    text = clean(row.text)
    if turn.role == "user":
        found = plain_specs(text) if text else []
    else:
        splitter = Splitter(row.carry)
        pieces = splitter.feed(text)
        pieces += splitter.close()
        found = [spec for piece in pieces for spec in specs(piece)]
    blocks = [make_block(kit, spec) for spec in found]
    for block in blocks:
        block.finish()
    return RowLayout(kit, turn, row, blocks)
