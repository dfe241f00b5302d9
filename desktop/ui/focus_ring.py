"""The ring around what the keyboard stands on: seen by those who use it, not by the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget
from shiboken6 import isValid

from desktop.ui.look import Look

_MOVED = (QEvent.Type.Move, QEvent.Type.Resize)
_GONE = (QEvent.Type.Hide, QEvent.Type.MouseButtonPress)


class FocusRing(QWidget):
    """Lies over the window. `begin` shows it; it follows the focus until the mouse takes that.

    It hears of Tab from the window (`QWidget.focusNextPrevChild`) and watches one widget and what
    that lies in, which scrolls: a filter of all events of the application would cost every one of
    them a call of Python.
    """

    def __init__(self, look: Look, window: QWidget) -> None:
        super().__init__(window)
        self._look = look
        self._window = window
        self._target: QWidget | None = None
        self._watched: list[QWidget] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._focus_changed)

    @property
    def target(self) -> QWidget | None:
        """What the ring is around; None while there is none."""
        return self._target

    def begin(self) -> None:
        """The keyboard has just moved the focus."""
        self._follow(QApplication.focusWidget())

    def _focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if self._target is None:
            return
        by_mouse = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        self._follow(None if by_mouse else now)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVED:
            self._place()
        elif watched is self._target and event.type() in _GONE:
            self._follow(None)
        return False

    def _follow(self, widget: QWidget | None) -> None:
        for seen in self._watched:
            if isValid(seen):
                seen.removeEventFilter(self)
        self._watched = []
        if widget is None or widget.window() is not self._window or widget is self._window:
            self._target = None
            self.hide()
            return
        self._target = widget
        part: QWidget | None = widget
        while part is not None and part is not self._window:
            part.installEventFilter(self)
            self._watched.append(part)
            part = part.parentWidget()
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        if self._target is None:
            return
        s = self._look.sizes
        window = self._window
        target = self._target
        framed = target.parentWidget()
        # A field within a frame of ours, such as the composer: the frame is what one sees.
        if framed is not None and framed.property("role") == "composer":
            target = framed
        inside = isinstance(target, QAbstractScrollArea)
        grow = -s.focus if inside else s.focus
        corner = target.mapTo(window, QPoint(0, 0))
        rect = QRect(corner, target.size()).adjusted(-grow, -grow, grow, grow)
        self.setGeometry(rect.intersected(self._seen_part(target)))
        self.update()

    def _seen_part(self, target: QWidget) -> QRect:
        """Of the window: no further than the edges of what the target scrolls in."""
        seen = self._window.rect()
        part = target.parentWidget()
        while part is not None and part is not self._window:
            outer = part.parentWidget()
            if isinstance(outer, QAbstractScrollArea) and part is outer.viewport():
                seen = seen.intersected(QRect(part.mapTo(self._window, QPoint(0, 0)), part.size()))
            part = outer
        return seen

    def paintEvent(self, _event: QPaintEvent) -> None:
        s = self._look.sizes
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._look.color("accent"), s.focus))
        half = s.focus / 2
        rect = QRectF(self.rect()).adjusted(half, half, -half, -half)
        radius = s.radius_button + half
        painter.drawRoundedRect(rect, radius, radius)
        painter.end()
