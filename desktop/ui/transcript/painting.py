"""Draws a row from its layout. Nothing is measured here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QColor,
    QIcon,
    QPainter,
    QPen,
    QTextCursor,
)

from desktop.ui.transcript import words
from desktop.ui.transcript.blocks import Block, CodeBlock, RuleBlock, TextBlock
from desktop.ui.transcript.formats import Formats, elided
from desktop.ui.transcript.languages import display_name
from desktop.ui.transcript.links import links_of
from desktop.ui.transcript.rows import RowLayout
from desktop.ui.transcript.selection import Selection
from desktop.ui.transcript.targets import ICONS, Target

IconOf = Callable[[str, str], QIcon]

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignCenter
_WRAPPED = _LEFT | Qt.TextFlag.TextWordWrap


@dataclass(slots=True)
class Attention:
    """What the reader is at: where the pointer is, what has the focus, what was just copied."""

    hover_row: int = -1
    hover: Target | None = None
    focus_row: int = -1
    focus: Target | None = None
    copied_row: int = -1
    copied: Target | None = None
    pulse: float = 1.0


class RowPainter:
    """Draws rows with a painter, the selection and what the reader is at."""

    def __init__(self, formats: Formats, icon_of: IconOf | None) -> None:
        self._formats = formats
        self._theme = formats.theme
        self._icon_of = icon_of
        self._icons: dict[tuple[str, str], QIcon] = {}
        self._line = QPen(self._theme.color("line"), self._theme.sizes.line)
        self._context = QAbstractTextDocumentLayout.PaintContext()
        self._context.palette = formats.palette

    def paint(
        self,
        painter: QPainter,
        layout: RowLayout,
        number: int,
        selection: Selection,
        attention: Attention,
        clip: QRect,
    ) -> None:
        """Draw what of the row lies in `clip`; the painter's origin is at the row's top left."""
        self._mark(painter, layout)
        self._header(painter, layout)
        if not layout.bubble.isNull():
            self._bubble(painter, layout)
        for index, block in enumerate(layout.blocks):
            if block.y > clip.bottom() or block.y + block.height < clip.top():
                continue
            selected = selection.within(number, index, block)
            self._block(painter, block, selected, clip)
        if layout.row.last:
            self._end(painter, layout, attention)
        for target in layout.targets:
            self._target(painter, target, number, attention)
        focus = attention.focus
        if attention.focus_row == number and focus is not None and focus.action == "link":
            rects = [link.rect for link in links_of(layout) if link.same(focus)]
            if rects:
                self._ring(painter, QRectF(rects[0]))

    def paint_notice(self, painter: QPainter, rect: QRect, text: str) -> None:
        """A sentence below the last message."""
        self._sentence(painter, QRectF(rect), text, "info", "muted")

    def paint_focus(self, painter: QPainter, rect: QRect) -> None:
        """The ring around the whole view, when the focus is on none of its actions."""
        self._ring(painter, QRectF(rect))

    # The parts of a row

    def _mark(self, painter: QPainter, layout: RowLayout) -> None:
        if layout.mark.isNull():
            return
        sizes = self._theme.sizes
        rect = layout.mark
        text = elided(self._formats.small, layout.turn.mark, rect.width() - 2 * sizes.space_6)
        half = self._formats.small_metrics.horizontalAdvance(text) / 2 + sizes.space_3
        middle, center = rect.top() + rect.height() / 2, rect.left() + rect.width() / 2
        painter.setPen(self._line)
        painter.drawLine(QPointF(rect.left(), middle), QPointF(center - half, middle))
        painter.drawLine(QPointF(center + half, middle), QPointF(rect.right(), middle))
        self._text(painter, QRectF(rect), text, "muted", flags=_CENTER)

    def _header(self, painter: QPainter, layout: RowLayout) -> None:
        if layout.header.isNull():
            return
        rect = QRectF(layout.header)
        author = words.speaker(layout.turn)
        painter.setFont(self._formats.strong)
        painter.setPen(self._theme.color("text"))
        painter.drawText(rect, _LEFT, author)
        if layout.turn.detail:
            used = self._formats.strong_metrics.horizontalAdvance(author)
            rect.setLeft(rect.left() + used + self._theme.sizes.space_2)
            text = elided(self._formats.small, layout.turn.detail, int(rect.width()))
            self._text(painter, rect, text, "muted")

    def _bubble(self, painter: QPainter, layout: RowLayout) -> None:
        radius = self._theme.sizes.radius_card
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("user_turn"))
        rect = QRectF(layout.bubble)
        # A message of several rows is one bubble: corners only at its ends.
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        top = 0 if layout.row.first else -radius
        bottom = 0 if layout.row.last else radius
        painter.drawRoundedRect(rect.adjusted(0, top, 0, bottom), radius, radius)
        painter.restore()

    def _end(self, painter: QPainter, layout: RowLayout, attention: Attention) -> None:
        if not layout.progress.isNull():
            self._progress(painter, layout, attention.pulse)
        if not layout.notice.isNull():
            self._sentence(painter, QRectF(layout.notice), layout.turn.notice, "info", "muted")
        if not layout.error.isNull():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("bad_soft"))
            radius = self._theme.sizes.radius_button
            painter.drawRoundedRect(QRectF(layout.error), radius, radius)
            self._icon(painter, self._beside(layout), "warning-circle", "bad")
            rect = QRectF(layout.error_text())
            self._text(painter, rect, layout.turn.error, "text", flags=_WRAPPED)
        if layout.turn.footer and not layout.footer.isNull():
            rect = QRectF(layout.footer)
            taken = [
                t.rect.right() for t in layout.targets if not t.quiet and t.rect.top() == rect.top()
            ]
            rect.setLeft(max([*taken, 0]) + self._theme.sizes.space_2)
            if layout.turn.role != "user":
                text = elided(self._formats.small, layout.turn.footer, int(rect.width()))
                self._text(painter, rect, text, "muted", flags=_RIGHT)

    def _beside(self, layout: RowLayout) -> QRect:
        size = self._theme.sizes.icon_small
        rect = layout.error
        left = rect.left() + self._theme.sizes.space_3
        return QRect(left, rect.top() + (rect.height() - size) // 2, size, size)

    def _sentence(self, painter: QPainter, rect: QRectF, text: str, icon: str, color: str) -> None:
        size = self._theme.sizes.icon_small
        first_line = self._formats.small_metrics.height()
        top = rect.top() + (min(first_line, rect.height()) - size) / 2
        place = QRect(int(rect.left()), round(top), size, size)
        self._icon(painter, place, icon, color)
        rect.setLeft(rect.left() + size + self._theme.sizes.space_2)
        self._text(painter, rect, text, color, flags=_WRAPPED)

    def _progress(self, painter: QPainter, layout: RowLayout, pulse: float) -> None:
        """Three dots that breathe, or a meter where it is known how much is read."""
        sizes = self._theme.sizes
        rect = QRectF(layout.progress)
        painter.setPen(Qt.PenStyle.NoPen)
        middle = rect.top() + rect.height() / 2
        left = rect.left()
        if layout.fraction is None:
            color = self._theme.color("accent")
            for dot in range(3):
                phase = abs((pulse * 3 - dot) % 3 - 1.5) / 1.5
                color.setAlphaF(0.35 + 0.65 * phase)
                painter.setBrush(color)
                radius = sizes.dot / 2 - 1
                painter.drawEllipse(QPointF(left + sizes.dot / 2, middle), radius, radius)
                left += sizes.dot + sizes.space_1
        else:
            track = QRectF(left, middle - sizes.meter / 2, sizes.column / 5, sizes.meter)
            radius = sizes.meter / 2
            painter.setBrush(self._theme.color("line"))
            painter.drawRoundedRect(track, radius, radius)
            filled = QRectF(track)
            filled.setWidth(max(sizes.meter, track.width() * min(1.0, layout.fraction)))
            painter.setBrush(self._theme.color("accent"))
            painter.drawRoundedRect(filled, radius, radius)
            left = track.right()
        rect.setLeft(left + sizes.space_2)
        self._text(painter, rect, words.reading(layout.fraction), "muted")

    # Blocks

    def _block(
        self, painter: QPainter, block: Block, selected: tuple[int, int] | None, clip: QRect
    ) -> None:
        if block.quote:
            self._quote(painter, block)
        if isinstance(block, RuleBlock):
            middle = block.y + block.height // 2
            painter.setPen(self._line)
            painter.drawLine(block.x, middle, block.x + block.width, middle)
            return
        if isinstance(block, CodeBlock):
            self._code_field(painter, block)
        painter.save()
        if block.most_scroll_x:
            painter.setClipRect(
                QRect(block.x, block.y, block.width, block.height), Qt.ClipOperation.IntersectClip
            )
        painter.translate(block.x + block.inset_x - block.scroll_x, block.y + block.inset_y)
        context = self._context
        top = clip.top() - block.y - block.inset_y
        context.clip = QRectF(0, top, block.text_width, clip.height())
        context.selections = [self._selected(block, selected)] if selected else []
        block.document.documentLayout().draw(painter, context)
        painter.restore()
        if isinstance(block, TextBlock) and block.markers:
            self._markers(painter, block)
        if block.most_scroll_x:
            self._side_bar(painter, block)

    def _selected(
        self, block: Block, selected: tuple[int, int]
    ) -> QAbstractTextDocumentLayout.Selection:
        made = QAbstractTextDocumentLayout.Selection()
        cursor = QTextCursor(block.document)
        cursor.setPosition(selected[0])
        cursor.setPosition(selected[1], QTextCursor.MoveMode.KeepAnchor)
        made.cursor = cursor
        made.format = self._formats.selection
        return made

    def _markers(self, painter: QPainter, block: TextBlock) -> None:
        painter.setFont(self._formats.text)
        painter.setPen(self._theme.color("muted"))
        for marker in block.markers:
            painter.drawText(QPointF(block.x + marker.x, block.y + marker.y), marker.text)

    def _quote(self, painter: QPainter, block: Block) -> None:
        sizes = self._theme.sizes
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("line_strong"))
        for depth in range(block.quote):
            bar = QRectF(depth * sizes.space_4, block.y, sizes.focus + 1, block.height)
            painter.drawRoundedRect(bar, 1, 1)

    def _code_field(self, painter: QPainter, block: CodeBlock) -> None:
        sizes = self._theme.sizes
        radius = sizes.radius_button
        rect = QRectF(block.x, block.y, block.width, block.height)
        painter.save()
        painter.setClipRect(rect, Qt.ClipOperation.IntersectClip)
        rect.adjust(0.5, 0.5, -0.5, -0.5)
        if block.spec.continued:
            rect.setTop(rect.top() - 2 * radius)
        if block.followed:
            rect.setBottom(rect.bottom() + 2 * radius)
        painter.setPen(self._line)
        painter.setBrush(self._theme.color("code"))
        painter.drawRoundedRect(rect, radius, radius)
        painter.restore()
        if block.head_height:
            bottom = block.y + block.head_height - 0.5
            painter.setPen(self._line)
            painter.drawLine(QPointF(block.x, bottom), QPointF(block.x + block.width, bottom))
            name = display_name(block.spec.language) or words.code()
            left = block.x + block.inset_x
            head = QRectF(left, block.y, block.width / 2, block.head_height)
            self._text(painter, head, elided(self._formats.small, name, block.width // 2), "muted")

    def _side_bar(self, painter: QPainter, block: Block) -> None:
        """A thin bar that says how much of a wide table is to the side."""
        sizes = self._theme.sizes
        share = block.width / (block.width + block.most_scroll_x)
        left = block.x + block.scroll_x / block.most_scroll_x * block.width * (1 - share)
        bar = QRectF(left, block.y + block.height - sizes.space_1, block.width * share, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("line_strong"))
        painter.drawRoundedRect(bar, 1.5, 1.5)

    # What can be pressed

    def _target(self, painter: QPainter, target: Target, number: int, attention: Attention) -> None:
        focused = attention.focus_row == number and target.same(attention.focus)
        in_row = number in (attention.hover_row, attention.focus_row)
        if target.quiet and not in_row:
            return
        self._button(painter, target, number, attention)
        if focused:
            self._ring(painter, QRectF(target.rect))

    def _button(self, painter: QPainter, target: Target, number: int, attention: Attention) -> None:
        sizes = self._theme.sizes
        hovered = attention.hover_row == number and target.same(attention.hover)
        copied = attention.copied_row == number and target.same(attention.copied)
        rect = QRectF(target.rect).adjusted(0, sizes.space_1, 0, -sizes.space_1)
        if hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("hover"))
            painter.drawRoundedRect(rect, sizes.radius_tag, sizes.radius_tag)
        if target.action == "retry":
            painter.setFont(self._formats.small_strong)
            painter.setPen(self._theme.color("bad"))
            painter.drawText(rect, _CENTER, target.label)
            return
        color = "ok" if copied else "text" if hovered else "muted"
        label = words.copied() if copied else target.label
        if target.action == "copy_code" and not copied:
            label = words.copy()
        size = sizes.icon_small
        left = target.rect.left() + sizes.space_2
        if target.action == "copy_code":  # stands at the right edge
            used = size + sizes.space_1 + self._formats.small_metrics.horizontalAdvance(label)
            left = target.rect.right() - sizes.space_2 - int(used)
        top = target.rect.top() + (target.rect.height() - size) // 2
        icon = "check" if copied else ICONS[target.action]
        self._icon(painter, QRect(left, top, size, size), icon, color)
        rect.setLeft(left + size + sizes.space_1)
        self._text(painter, rect, label, color)

    def _ring(self, painter: QPainter, rect: QRectF) -> None:
        sizes = self._theme.sizes
        painter.setPen(QPen(self._theme.color("accent"), sizes.focus))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), sizes.radius_tag, sizes.radius_tag)

    def _icon(self, painter: QPainter, rect: QRect, name: str, color: str) -> None:
        if self._icon_of is None or not name:
            return
        icon = self._icons.get((name, color))
        if icon is None:
            icon = self._icons[name, color] = self._icon_of(name, color)
        icon.paint(painter, rect)

    def _text(
        self,
        painter: QPainter,
        rect: QRectF,
        text: str,
        color: str,
        flags: Qt.AlignmentFlag | int = _LEFT,
    ) -> None:
        painter.setFont(self._formats.small)
        painter.setPen(QColor(self._theme.color(color)))
        painter.drawText(rect, flags, text)
