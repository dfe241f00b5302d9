"""The ring stays around what has the focus, wherever that goes."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from tests.ui.conftest import Driven


def test_follows_what_is_scrolled_and_ends_at_the_edge(driven: Driven) -> None:
    """The widget itself does not move when what it lies in is scrolled."""
    window, ring = driven.window, driven.window.ring
    page = QWidget()
    layout = QVBoxLayout(page)
    buttons = [QPushButton(str(number)) for number in range(40)]
    for button in buttons:
        layout.addWidget(button)
    area = QScrollArea(window)
    area.setWidget(page)
    area.setGeometry(100, 100, 300, 200)
    area.show()
    buttons[1].setFocus()
    QTest.keyClick(buttons[1], Qt.Key.Key_Tab)
    assert ring.target is buttons[2]
    bar = area.verticalScrollBar()
    for value in (0, 10, 25):
        bar.setValue(value)
        middle = buttons[2].mapTo(window, buttons[2].rect().center())
        assert abs(ring.geometry().center().y() - middle.y()) <= 1
    bar.setValue(bar.maximum())
    top = area.viewport().mapTo(window, QPoint(0, 0)).y()
    assert ring.geometry().isEmpty() or ring.geometry().top() >= top
