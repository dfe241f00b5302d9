"""What was done, told in passing at the lower edge; with a way back while it shows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.ui.look import Look
from desktop.ui.notice import Toast
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Frame, row
from desktop.ui.parts.text import Text


class ToastBox(Frame):
    """One toast at a time, over the window but not over what `keep_free` pixels below hold.

    It stays while the pointer or the keyboard is in it.
    """

    def __init__(self, look: Look, parent: QWidget, keep_free: Callable[[], int]) -> None:
        super().__init__("toast")
        self.setParent(parent)
        self._over = parent
        self._keep_free = keep_free
        s = look.sizes
        self._look = look
        self._toast: Toast | None = None
        self._words = Text()
        self.action = QPushButton()
        self.action.clicked.connect(self._act)
        self.setLayout(
            row(
                self._words,
                self.action,
                space=s.space_4,
                margins=(s.space_4, s.space_2, s.space_2, s.space_2),
            )
        )
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._time_over)
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What is told just now; "" for nothing."""
        return self._words.text() if self.isVisible() else ""

    def tell(self, toast: Toast) -> None:
        """Show a toast for a while."""
        self._toast = toast
        self._words.setText(toast.text)
        self.setAccessibleName(toast.text)
        self.action.setVisible(toast.action is not None)
        if toast.action is not None:
            self.action.setText(toast.action.label)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(self._look.sizes.toast_ms)
        announce(self)

    def undo(self) -> bool:
        """Do what its button does; False where there is nothing to do."""
        if not self.isVisible() or self._toast is None or self._toast.action is None:
            return False
        self._act()
        return True

    def _act(self) -> None:
        toast, self._toast = self._toast, None
        self.hide()
        self._timer.stop()
        if toast is not None and toast.action is not None:
            toast.action.run()

    def _time_over(self) -> None:
        if self.underMouse() or self.action.hasFocus():
            self._timer.start(self._look.sizes.toast_ms // 4)
        else:
            self.hide()

    def _place(self) -> None:
        parent = self._over
        s = self._look.sizes
        self.setMaximumWidth(max(s.card_min, parent.width() - 2 * s.space_5))
        self.adjustSize()
        x = (parent.width() - self.width()) // 2
        self.move(x, parent.height() - self.height() - self._keep_free() - s.space_4)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._over and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)
