"""Blocks as they are drawn: each a small document with its size, laid out only when it changed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QTextDocument, QTextOption

from desktop.ui.transcript.code import CodeWriter
from desktop.ui.transcript.formats import Formats, is_right_to_left
from desktop.ui.transcript.languages import LexerShelf
from desktop.ui.transcript.specs import CodeSpec, RuleSpec, Spec, TableSpec, TextSpec
from desktop.ui.transcript.writing import write_table, write_text

_FUZZY = Qt.HitTestAccuracy.FuzzyHit


@dataclass(frozen=True, slots=True)
class Kit:
    """What blocks are made with."""

    formats: Formats
    shelf: LexerShelf


@dataclass(frozen=True, slots=True)
class Marker:
    """A bullet or number of a list, by its left end and baseline in the block."""

    text: str
    x: float
    y: float


class Block(ABC):
    """One block. `x` and `y` lie in its row; the text begins at `inset_x`, `inset_y` in it."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.document = _document(kit.formats)
        self.x = 0
        self.y = 0
        self.width = 0
        self.height = 0
        self.inset_x = 0
        self.inset_y = 0
        self.inset_bottom = 0
        self.scroll_x = 0
        self.text_width = 0
        self.finished = False
        self._laid_out_for = -1

    @property
    @abstractmethod
    def spec(self) -> Spec:
        """What it shows."""

    @abstractmethod
    def accepts(self, spec: Spec) -> bool:
        """Show this instead, if it is of the same kind; False if another block is needed."""

    @property
    def quote(self) -> int:
        return self.spec.quote

    def finish(self) -> None:
        """Told once that no more text comes into this block."""
        self.finished = True

    def layout(self, width: int) -> bool:
        """Make it `width` pixels wide; whether anything had to be done."""
        if self._laid_out_for == width:
            return False
        self._laid_out_for = width
        self.width = width
        self.text_width = self._text_width(width - 2 * self.inset_x)
        self.document.setTextWidth(self.text_width)
        text_height = ceil(self.document.size().height())
        self.height = self.inset_y + text_height + self.inset_bottom
        self.scroll_x = min(self.scroll_x, self.most_scroll_x)
        return True

    def _text_width(self, available: int) -> int:
        return max(1, available)

    def changed(self) -> None:
        self._laid_out_for = -1

    @property
    def most_scroll_x(self) -> int:
        """How far it can be scrolled to the side, in pixels."""
        return max(0, self.text_width + 2 * self.inset_x - self.width)

    def position_at(self, x: float, y: float) -> int:
        """The text position nearest to a point in the block."""
        point = QPointF(x - self.inset_x + self.scroll_x, y - self.inset_y)
        return max(0, self.document.documentLayout().hitTest(point, _FUZZY))

    def link_at(self, x: float, y: float) -> str:
        """The address of the link at a point in the block, or ""."""
        point = QPointF(x - self.inset_x + self.scroll_x, y - self.inset_y)
        return self.document.documentLayout().anchorAt(point)

    @property
    def end(self) -> int:
        """The last text position."""
        return self.document.characterCount() - 1


class TextBlock(Block):
    """Paragraphs, headings and lists."""

    def __init__(self, kit: Kit, spec: TextSpec) -> None:
        super().__init__(kit)
        self._spec = spec
        self.markers: list[Marker] = []
        write_text(self.document, spec, kit.formats)

    @property
    def spec(self) -> TextSpec:
        return self._spec

    def accepts(self, spec: Spec) -> bool:
        if not isinstance(spec, TextSpec):
            return False
        if spec != self._spec:
            self._spec = spec
            write_text(self.document, spec, self.kit.formats)
            self.changed()
        return True

    def layout(self, width: int) -> bool:
        if not super().layout(width):
            return False
        self.markers = [] if self._spec.paragraphs[0].style == "plain" else self._find_markers()
        return True

    def _find_markers(self) -> list[Marker]:
        """Where bullets and numbers stand: beside the first line of their paragraph."""
        found = []
        formats = self.kit.formats
        line = self.document.begin()
        for paragraph in self._spec.paragraphs:
            layout = line.layout()
            if paragraph.marker and layout.lineCount():
                first = layout.lineAt(0)
                baseline = layout.position().y() + first.y() + first.ascent()
                rtl = is_right_to_left(paragraph.content)
                edge = paragraph.level * formats.list_indent - formats.theme.sizes.space_2
                size = formats.text_metrics.horizontalAdvance(paragraph.marker)
                left = self.width - edge if rtl else edge - size
                found.append(Marker(paragraph.marker, left, baseline))
            line = line.next()
        return found

    @property
    def ideal_width(self) -> int:
        """The width at which no line need break."""
        self.document.setTextWidth(-1)
        self.changed()
        return ceil(self.document.idealWidth()) + 1


class CodeBlock(Block):
    """Code with a line above that names the language and copies it."""

    def __init__(self, kit: Kit, spec: CodeSpec) -> None:
        super().__init__(kit)
        self._spec = spec
        self.followed = False
        sizes = kit.formats.theme.sizes
        self.head_height = 0 if spec.continued else sizes.target - sizes.space_1
        option = self.document.defaultTextOption()
        option.setTabStopDistance(kit.formats.tab_px)
        self.document.setDefaultTextOption(option)
        self.document.setDefaultFont(kit.formats.code)
        self._writer = CodeWriter(self.document, spec.language, kit.shelf)
        self._writer.write(spec.code, kit.formats)
        self.set_followed(followed=False)

    @property
    def spec(self) -> CodeSpec:
        return self._spec

    def set_followed(self, *, followed: bool) -> None:
        """Whether the next block is the rest of the same code."""
        sizes = self.kit.formats.theme.sizes
        self.followed = followed
        self.inset_x = sizes.space_3
        self.inset_y = self.head_height + (0 if self._spec.continued else sizes.space_2)
        bottom = 0 if followed else sizes.space_2 + sizes.space_1
        if bottom != self.inset_bottom:
            self.inset_bottom = bottom
            self.changed()

    def accepts(self, spec: Spec) -> bool:
        if not isinstance(spec, CodeSpec):
            return False
        old = self._spec
        if (spec.language, spec.continued) != (old.language, old.continued):
            return False
        self._spec = spec
        if spec.code != old.code:
            self._writer.write(spec.code, self.kit.formats)
            self.changed()
        return True

    def finish(self) -> None:
        if not self.finished:
            self.finished = True
            self._writer.finish(self.kit.formats)

    def recolour(self) -> bool:
        """Colour it if its lexer was not ready before; whether it did."""
        if not self._writer.can_colour:
            return False
        self._writer = CodeWriter(self.document, self._spec.language, self.kit.shelf)
        self._writer.write(self._spec.code, self.kit.formats)
        if self.finished:
            self._writer.finish(self.kit.formats)
        self.changed()
        return True


class TableBlock(Block):
    """A table with lines between its rows; one with many columns scrolls to the side."""

    def __init__(self, kit: Kit, spec: TableSpec) -> None:
        super().__init__(kit)
        self._spec = spec
        write_table(self.document, spec, kit.formats)

    @property
    def spec(self) -> TableSpec:
        return self._spec

    def accepts(self, spec: Spec) -> bool:
        if not isinstance(spec, TableSpec):
            return False
        if spec != self._spec:
            self._spec = spec
            write_table(self.document, spec, self.kit.formats)
            self.changed()
        return True

    def _text_width(self, available: int) -> int:
        formats = self.kit.formats
        letter = formats.text_metrics.averageCharWidth()
        padding = 2 * formats.theme.sizes.space_2
        needed = sum(min(12, weight) * letter + padding for weight in self._spec.weights)
        return max(available, int(needed))


class RuleBlock(Block):
    """A line across."""

    def __init__(self, kit: Kit, spec: RuleSpec) -> None:
        super().__init__(kit)
        self._spec = spec

    @property
    def spec(self) -> RuleSpec:
        return self._spec

    def accepts(self, spec: Spec) -> bool:
        return spec == self._spec

    def layout(self, width: int) -> bool:
        self.width, self.height = width, self.kit.formats.theme.sizes.space_4 + 1
        return False


def make_block(kit: Kit, spec: Spec) -> Block:
    """The block that shows a spec."""
    if isinstance(spec, TextSpec):
        return TextBlock(kit, spec)
    if isinstance(spec, CodeSpec):
        return CodeBlock(kit, spec)
    if isinstance(spec, TableSpec):
        return TableBlock(kit, spec)
    return RuleBlock(kit, spec)


def gap_between(above: Block | None, below: Block) -> int:
    """Pixels between two blocks of a row."""
    if above is None:
        return 0
    sizes = below.kit.formats.theme.sizes
    spec = below.spec
    if isinstance(spec, CodeSpec | TableSpec) and spec.continued:
        return 0
    if isinstance(spec, TextSpec):
        if spec.tight:
            return sizes.space_1
        if spec.paragraphs[0].style.startswith("h"):
            return sizes.space_5 if isinstance(above, TextBlock) else sizes.space_4
        if isinstance(above, TextBlock) and above.spec.paragraphs[-1].style.startswith("h"):
            return sizes.space_2
    return sizes.space_3


def _document(formats: Formats) -> QTextDocument:
    made = QTextDocument()
    made.setUndoRedoEnabled(False)
    made.setDocumentMargin(0)
    made.setDefaultFont(formats.text)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    made.setDefaultTextOption(option)
    return made
