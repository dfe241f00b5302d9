"""Following a link out of Hausgeist: never without showing where it leads."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget

from desktop.ui.transcript import words
from desktop.ui.transcript.clean import clean

_SCHEMES = ("http", "https", "mailto")
_LONGEST_SHOWN_CHARS = 300


def ask_and_open(parent: QWidget, address: str) -> QMessageBox | None:
    """Ask whether to open a web or mail address, and do so; None for any other kind of address.

    What a model calls a link may lead elsewhere, so the address itself is shown.
    """
    url = QUrl(clean(address), QUrl.ParsingMode.StrictMode)
    if url.scheme() not in _SCHEMES:
        return None
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(words.open_link())
    box.setText(words.leaving())
    shown = url.toDisplayString()
    if len(shown) > _LONGEST_SHOWN_CHARS:
        shown = shown[:_LONGEST_SHOWN_CHARS] + " …"
    box.setInformativeText(shown)
    opening = box.addButton(words.open_link(), QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(words.stay(), QMessageBox.ButtonRole.RejectRole))

    def chosen(button: QAbstractButton) -> None:
        if button is opening:
            QDesktopServices.openUrl(url)

    box.buttonClicked.connect(chosen)
    box.open()
    return box
