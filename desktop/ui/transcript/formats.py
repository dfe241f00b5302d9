"""How text looks: Qt's character and block formats made once from the theme, then shared."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pygments.token import Token, _TokenType
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QBrush,
    QFont,
    QFontMetricsF,
    QPalette,
    QTextBlockFormat,
    QTextCharFormat,
    QTextFrameFormat,
    QTextLength,
    QTextTableCellFormat,
    QTextTableFormat,
)

from desktop.ui.tokens import SEMIBOLD, Theme, code_font, text_font
from desktop.ui.transcript.specs import Align

_ALIGN = {
    "left": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "right": Qt.AlignmentFlag.AlignRight,
}
# Token kinds of Pygments and the theme's colours; the nearest parent counts.
_CODE_COLORS: dict[_TokenType, str] = {
    Token: "text",
    Token.Keyword: "code_keyword",
    Token.Operator.Word: "code_keyword",
    Token.Literal.String: "code_string",
    Token.Literal.Number: "code_number",
    Token.Keyword.Constant: "code_number",
    Token.Comment: "code_comment",
    Token.Comment.Preproc: "code_keyword",
    Token.Name.Function: "code_name",
    Token.Name.Tag: "code_name",
    Token.Name.Attribute: "code_type",
    Token.Name.Class: "code_type",
    Token.Name.Builtin: "code_type",
    Token.Name.Exception: "code_type",
    Token.Name.Decorator: "code_keyword",
    Token.Keyword.Type: "code_type",
    Token.Generic.Heading: "code_name",
    Token.Generic.Subheading: "code_name",
    Token.Generic.Inserted: "ok",
    Token.Generic.Deleted: "bad",
    Token.Generic.Prompt: "muted",
    Token.Generic.Output: "muted",
}


@dataclass(frozen=True, slots=True)
class Look:
    """The looks that inline Markdown can give a run of text."""

    style: str = "body"
    strong: bool = False
    emphasis: bool = False
    strike: bool = False
    code: bool = False
    href: str = ""


class Formats:
    """Formats and fonts of one theme. The objects are shared: do not change them."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        sizes = theme.sizes
        self._heading_px = {
            "h1": (sizes.heading + sizes.title) / 2,
            "h2": sizes.heading + (sizes.title - sizes.heading) / 4,
            "h3": sizes.heading,
            "h4": sizes.text,
            "h5": sizes.text,
            "h6": sizes.text,
        }
        self.text = text_font(sizes.text)
        self.strong = text_font(sizes.text, SEMIBOLD)
        self.small = text_font(sizes.small)
        self.small_strong = text_font(sizes.small, SEMIBOLD)
        self.code = code_font(sizes.code)
        self.small_metrics = QFontMetricsF(self.small)
        self.text_metrics = QFontMetricsF(self.text)
        self.strong_metrics = QFontMetricsF(self.strong)
        self.line_height = round(sizes.text * sizes.line_height)
        # Qt puts what a line is higher than its font above the letters: half of it is shifted.
        self.lead = max(0, round((self.line_height - self.text_metrics.height()) / 2))
        self.code_line_height = round(sizes.code * sizes.line_height)
        self.list_indent = round(sizes.text * 1.6)
        self.tab_px = QFontMetricsF(self.code).horizontalAdvance(" " * 4)
        self.palette = QPalette()
        self.palette.setColor(QPalette.ColorRole.Text, theme.color("text"))
        self.selection = QTextCharFormat()
        self.selection.setBackground(theme.color("selection"))
        # Without a foreground of its own selected text keeps colours that may not be readable.
        self.selection.setForeground(theme.color("on_selection"))
        self._looks: dict[Look, QTextCharFormat] = {}
        self._blocks: dict[tuple[str, int, int, bool], QTextBlockFormat] = {}
        self._tokens: dict[_TokenType, QTextCharFormat] = {}
        self._aligned: dict[Align, QTextBlockFormat] = {}
        self.code_block = self._line_format(self.code_line_height)
        self.plain_code = QTextCharFormat()
        self.plain_code.setFont(self.code)

    def look(self, look: Look) -> QTextCharFormat:
        """The character format of a run."""
        found = self._looks.get(look)
        if found is None:
            found = self._make_look(look)
            if not look.href:  # links have too many addresses to keep
                self._looks[look] = found
        return found

    def _make_look(self, look: Look) -> QTextCharFormat:
        made = QTextCharFormat()
        heading = self._heading_px.get(look.style)
        if look.code:
            made.setFont(self.code)
            made.setBackground(QBrush(self.theme.color("code")))
        elif heading:
            made.setFont(text_font(heading, SEMIBOLD))
        else:
            made.setFont(self.small_strong if look.style == "head" else self.text)
        if look.strong:
            made.setFontWeight(SEMIBOLD)
        if look.emphasis:
            made.setFontItalic(True)
        if look.strike:
            made.setFontStrikeOut(True)
        if look.style in ("head", "h6"):
            made.setForeground(self.theme.color("muted"))
        if look.href:
            made.setAnchor(True)
            made.setAnchorHref(look.href)
            made.setForeground(self.theme.color("accent"))
            made.setFontUnderline(True)
        return made

    def paragraph(self, style: str, level: int, above: int, rtl: bool) -> QTextBlockFormat:
        """The block format of a paragraph `above` pixels below the one before."""
        key = (style, level, above, rtl)
        found = self._blocks.get(key)
        if found is None:
            px = self._heading_px.get(style, 0.0)
            height = round(px * 1.35) if px > self.theme.sizes.text else self.line_height
            found = self._line_format(height)
            found.setTopMargin(above)
            if rtl:
                found.setRightMargin(level * self.list_indent)
            else:
                found.setLeftMargin(level * self.list_indent)
            self._blocks[key] = found
        return found

    def cell(self, align: Align) -> QTextBlockFormat:
        """The block format of the text in a table's cell."""
        found = self._aligned.get(align)
        if found is None:
            found = self._line_format(self.line_height)
            found.setAlignment(_ALIGN[align])
            self._aligned[align] = found
        return found

    def table(self, weights: tuple[int, ...]) -> QTextTableFormat:
        """A table as wide as its document, its columns in the proportion of the weights."""
        made = QTextTableFormat()
        made.setBorder(0)
        made.setCellSpacing(0)
        made.setCellPadding(0)
        made.setBorderCollapse(True)
        made.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        total = sum(weights) or 1
        made.setColumnWidthConstraints(
            [
                QTextLength(QTextLength.Type.PercentageLength, 100 * weight / total)
                for weight in weights
            ]
        )
        return made

    def table_cell(self) -> QTextTableCellFormat:
        """A cell with a line below it."""
        sizes = self.theme.sizes
        made = QTextTableCellFormat()
        made.setBottomBorder(sizes.line)
        made.setBottomBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        made.setBottomBorderBrush(self.theme.color("line"))
        made.setTopPadding(sizes.space_1 - self.lead)
        made.setBottomPadding(sizes.space_1 + self.lead)
        made.setLeftPadding(sizes.space_2)
        made.setRightPadding(sizes.space_2)
        return made

    def token(self, kind: _TokenType) -> QTextCharFormat:
        """The format of a run of code."""
        found = self._tokens.get(kind)
        if found is None:
            found = QTextCharFormat(self.plain_code)
            found.setForeground(self.theme.color(_code_color(kind)))
            if kind[:1] == Token.Comment[:1]:
                found.setFontItalic(True)
            self._tokens[kind] = found
        return found

    def _line_format(self, height: int) -> QTextBlockFormat:
        made = QTextBlockFormat()
        made.setLineHeight(height, QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
        return made


def _code_color(kind: _TokenType) -> str:
    while kind not in _CODE_COLORS:
        kind = kind.parent or Token
    return _CODE_COLORS[kind]


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is written from right to left."""
    if text.isascii():
        return False
    for character in text[:200]:
        direction = unicodedata.bidirectional(character)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False


def elided(font: QFont, text: str, width: int) -> str:
    """The text shortened with an ellipsis where it is wider than `width` pixels."""
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)
