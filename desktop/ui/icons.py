"""Icons: Phosphor from QtAwesome's font file, and the mark of the house from our own drawing.

Only the one font file is opened. `import qtawesome` would take 110 ms of the start (it loads the
tables of eleven fonts); the file and its table of names are read from the package directly.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.common.resources import resource_path

ColorOf = Callable[[str], QColor]


class Phosphor:
    """The icon font: glyphs by name."""

    def __init__(self) -> None:
        spec = find_spec("qtawesome")
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError("qtawesome")
        fonts = Path(spec.submodule_search_locations[0]) / "fonts"
        ttf = next(iter(sorted(fonts.glob("phosphor-[0-9]*.ttf"))))
        table = next(iter(sorted(fonts.glob("phosphor-charmap-*.json"))))
        families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(ttf)))
        self._family = families[0]
        self._codes: dict[str, str] = json.loads(table.read_text(encoding="ascii"))

    def glyph(self, name: str) -> str:
        """The character of the icon `name` such as "plus"; KeyError when there is none."""
        return chr(int(self._codes[name], 16))

    def paint(self, painter: QPainter, rect: QRect, name: str, color: QColor) -> None:
        """Draw the icon as large as `rect` allows, centred."""
        font = QFont(self._family)
        font.setPixelSize(max(1, min(rect.width(), rect.height())))
        font.setStyleStrategy(QFont.StyleStrategy.NoFontMerging)
        painter.save()
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self.glyph(name))
        painter.restore()


class GlyphEngine(QIconEngine):
    """Paints an icon in the colours of the moment, so that a change of theme only repaints."""

    def __init__(
        self, font: Phosphor, name: str, token: str, on_token: str, color_of: ColorOf
    ) -> None:
        super().__init__()
        self._font = font
        self._name = name
        self._token = token
        self._on_token = on_token
        self._color_of = color_of

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = self._on_token if state == QIcon.State.On else self._token
        if mode == QIcon.Mode.Disabled:
            token = "line_strong"
        self._font.paint(painter, rect, self._name, self._color_of(token))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return GlyphEngine(self._font, self._name, self._token, self._on_token, self._color_of)


def mark_pixmap(side: int, ratio: float, house: QColor, ghost: QColor) -> QPixmap:
    """The mark, `side` pixels wide on a screen of that ratio, in two colours."""
    drawing = resource_path("icons/mark.svg").read_text(encoding="utf-8")
    drawing = drawing.replace("#0E7C7B", house.name()).replace("#FFFFFF", ghost.name())
    renderer = QSvgRenderer(drawing.encode())
    pixmap = QPixmap(round(side * ratio), round(side * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def app_icon() -> QIcon:
    """The icon of the application, for the task bar and the window."""
    icon = QIcon()
    for side in (16, 24, 32, 48, 64, 128, 256):
        icon.addFile(str(resource_path(f"icons/hausgeist-{side}.png")), QSize(side, side))
    return icon
