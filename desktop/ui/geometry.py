"""Where the window stood last, brought back to where it can be seen."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.ui.tokens import Sizes


def remember(window: QWidget) -> str:
    """The window's place as text: x y width height, and whether it fills the screen."""
    rect = window.normalGeometry() if window.isMaximized() else window.geometry()
    state = "maximized" if window.isMaximized() else "normal"
    return f"{rect.x()} {rect.y()} {rect.width()} {rect.height()} {state}"


def restore(window: QWidget, remembered: str, sizes: Sizes) -> None:
    """Put the window where it stood, within the screens there are now."""
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    rect, maximized = _parsed(remembered)
    if rect is None:
        window.resize(_shrunk(sizes.window_width, sizes.window_height, screens))
        return
    window.setGeometry(clamped(rect, screens))
    if maximized:
        window.showMaximized()


def clamped(rect: QRect, screens: list[QRect]) -> QRect:
    """`rect` moved and made smaller until it lies wholly on the screen that holds most of it."""
    if not screens:
        return rect

    def shared(screen: QRect) -> int:
        common = screen.intersected(rect)
        return common.width() * common.height() if common.isValid() else 0

    screen = max(screens, key=shared)
    width, height = min(rect.width(), screen.width()), min(rect.height(), screen.height())
    x = min(max(rect.x(), screen.left()), screen.left() + screen.width() - width)
    y = min(max(rect.y(), screen.top()), screen.top() + screen.height() - height)
    return QRect(x, y, width, height)


def _parsed(remembered: str) -> tuple[QRect | None, bool]:
    parts = remembered.split()
    try:
        x, y, width, height = (int(part) for part in parts[:4])
    except ValueError:
        return None, False
    if width <= 0 or height <= 0 or max(map(abs, (x, y, width, height))) > 100_000:
        return None, False
    return QRect(x, y, width, height), parts[4:] == ["maximized"]


def _shrunk(width: int, height: int, screens: list[QRect]):  # type: ignore[no-untyped-def]
    rect = clamped(QRect(0, 0, width, height), screens[:1])
    return rect.size()
