"""Tell a screen reader that something has appeared which it should read at once."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget


def announce(widget: QWidget) -> None:
    """Read out the accessible name of `widget`."""
    # Its many enumerations cost 2 ms to make: not before the first paint.
    from PySide6.QtGui import QAccessible, QAccessibleEvent

    QAccessible.updateAccessibility(QAccessibleEvent(widget, QAccessible.Event.Alert))
