"""The ring around what the keyboard stands on: seen by those who use it, not by the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget

from desktop.ui.look import Look

_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class FocusRing(QWidget):
    """Lies over the window; follows the widget that got the focus by Tab or a shortcut."""

    def __init__(self, look: Look, window: QWidget) -> None:
        super().__init__(window)
        self._look = look
        self._window = window
        self._target: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    @property
    def target(self) -> QWidget | None:
        """What the ring is around; None while there is none."""
        return self._target

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if isinstance(event, QFocusEvent) and isinstance(watched, QWidget) and event.gotFocus():
            self._follow(watched if event.reason() in _BY_KEYBOARD else None)
        elif watched is self._target and kind in (
            QEvent.Type.Move,
            QEvent.Type.Resize,
            QEvent.Type.Hide,
            QEvent.Type.FocusOut,
        ):
            self._follow(self._target if kind in (QEvent.Type.Move, QEvent.Type.Resize) else None)
        elif kind == QEvent.Type.MouseButtonPress and self._target is not None:
            self._follow(None)
        return False

    def _follow(self, widget: QWidget | None) -> None:
        window = self._window
        if widget is None or widget.window() is not window or widget is window:
            self._target = None
            self.hide()
            return
        self._target = widget
        self._place()
        self.show()
        self.raise_()

    def _place(self) -> None:
        if self._target is None:
            return
        s = self._look.sizes
        window = self._window
        framed = self._target.parentWidget()
        target = self._target
        # A field within a frame of ours, such as the composer: the frame is what one sees.
        if framed is not None and framed.property("role") == "composer":
            target = framed
        inside = isinstance(target, QAbstractScrollArea) and target.property("role") != "composer"
        grow = -s.focus if inside else s.focus
        corner = target.mapTo(window, QPoint(0, 0))
        rect = QRect(corner, target.size()).adjusted(-grow, -grow, grow, grow)
        self.setGeometry(rect.intersected(window.rect()))
        self.update()

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
