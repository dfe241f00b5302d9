"""The last five minutes as lines, drawn by hand: Qt's chart modules are not shipped."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui.look import Look

SPAN_S = 300.0
_GAP_S = 5.0
_LEVELS = (0.25, 0.5, 0.75, 1.0)
# Qt draws a smooth line of one pixel 15 times faster than one of two (0.03 ms to 0.5 ms for 150
# points): a thicker line is several thin ones, this many pixels apart.
_STROKES = (-0.5, 0.0, 0.5)

PENS = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name, its colour and its stroke, so that colour alone tells nothing."""

    key: str
    name: str
    token: str
    pen: Qt.PenStyle


class _Line:
    """Points of one series in seconds and shares, in runs without a gap."""

    def __init__(self) -> None:
        self.runs: deque[QPolygonF] = deque()
        self.last: tuple[float, float] | None = None

    def add(self, at: float, share: float | None) -> None:
        if share is None:
            self.last = None
            return
        if self.last is None or at - self.last[0] > _GAP_S:
            self.runs.append(QPolygonF())
        self.last = (at, share)
        self.runs[-1].append(QPointF(at, -min(max(share, 0.0), 1.0)))

    def forget_before(self, at: float) -> None:
        while self.runs:
            run = self.runs[0]
            while run.size() > 1 and run.at(1).x() < at:
                run.removeFirst()
            if run.size() > 1 or (run.size() == 1 and run.at(0).x() >= at):
                return
            if len(self.runs) == 1 and self.last is not None:
                return
            self.runs.popleft()


class HistoryChart(QWidget):
    """Shares (0 to 1) over time, now at the right edge; tells its newest values in words."""

    def __init__(self, look: Look, name: str) -> None:
        super().__init__()
        self._look = look
        self._series: tuple[Series, ...] = ()
        self._lines: dict[str, _Line] = {}
        self._shown: set[str] = set()
        self._now = 0.0
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def series(self) -> tuple[Series, ...]:
        """Those that have been added."""
        return self._series

    def set_series(self, series: tuple[Series, ...]) -> None:
        """What can be shown; what is no longer there loses its points."""
        self._series = series
        self._lines = {one.key: self._lines.get(one.key, _Line()) for one in series}
        self._shown &= {one.key for one in series}
        self.update()

    def show_series(self, key: str, *, shown: bool) -> None:
        """Draw that line, or do not."""
        (self._shown.add if shown else self._shown.discard)(key)
        self.update()

    def is_shown(self, key: str) -> bool:
        return key in self._shown

    def points(self, key: str) -> int:
        """How many points a line has now."""
        return sum(run.size() for run in self._lines[key].runs)

    def clear(self) -> None:
        """Begin anew."""
        self._lines = {one.key: _Line() for one in self._series}

    def add(self, at: float, shares: Mapping[str, float | None]) -> None:
        """Values of a moment, by series; a missing one makes a gap."""
        self._now = at
        for key, line in self._lines.items():
            line.add(at, shares.get(key))
            line.forget_before(at - SPAN_S)

    def sizeHint(self) -> QSize:
        s = self._look.sizes
        return QSize(s.card_min, s.target * 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._look.color("surface"))
        font = self._look.font("tiny")
        above = QFontMetricsF(font).lineSpacing()
        area = QRectF(self.rect()).adjusted(0, above + s.line, 0, -s.line)
        painter.setPen(QPen(self._look.color("line"), s.line))
        for level in _LEVELS:
            y = round(area.bottom() - level * area.height())
            painter.drawLine(QPointF(0, y), QPointF(area.width(), y))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(self._look.color("muted"))
        painter.setFont(font)
        painter.drawText(QRectF(0, 0, area.width(), above), Qt.AlignmentFlag.AlignLeft, "100 %")
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(area.left(), area.bottom())
        painter.scale(area.width() / SPAN_S, area.height())
        painter.translate(SPAN_S - self._now, 0)
        for one in reversed(self._series):
            if one.key not in self._shown:
                continue
            pen = QPen(self._look.color(one.token), 1, one.pen)
            pen.setCosmetic(True)
            painter.setPen(pen)
            for offset in _STROKES:
                painter.save()
                painter.translate(0, offset / area.height())
                for run in self._lines[one.key].runs:
                    painter.drawPolyline(run)
                painter.restore()
        painter.end()
