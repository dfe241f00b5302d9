"""The context menu of the transcript: what can be done with the place that was pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QRect
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu

from desktop.ui.transcript import words
from desktop.ui.transcript.clipboard import text_data
from desktop.ui.transcript.pointer import Place
from desktop.ui.transcript.targets import Action, Target
from desktop.ui.transcript.turns import ViewTurn


class Host(Protocol):
    """What the menu can ask of the view."""

    def copy(self) -> None: ...
    def select_all(self) -> None: ...
    def copy_turn(self, turn_id: int) -> None: ...
    def press(self, row: int, target: Target) -> None: ...


def fill_menu(
    menu: QMenu, host: Host, place: Place, turn: ViewTurn | None, *, selected: bool
) -> None:
    """Offer what makes sense at this place, in the message `turn`."""
    if place.href:
        _offer(menu, words.open_link(), lambda: _press(host, place, "link"))
        _offer(menu, words.copy_link(), lambda: _to_clipboard(place.href))
        menu.addSeparator()
    copy = _offer(menu, words.copy(), host.copy)
    copy.setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
    copy.setEnabled(selected)
    if turn is not None and turn.text:
        _offer(menu, words.copy_message(), lambda: host.copy_turn(turn.id))
    select_all = _offer(menu, words.select_all(), host.select_all)
    select_all.setShortcut(QKeySequence(QKeySequence.StandardKey.SelectAll))
    if turn is None:
        return
    if turn.can_regenerate or turn.can_edit:
        menu.addSeparator()
    if turn.can_regenerate:
        _offer(menu, words.regenerate(), lambda: _press(host, place, "regenerate"))
    if turn.can_edit:
        _offer(menu, words.edit(), lambda: _press(host, place, "edit"))


def _offer(menu: QMenu, text: str, do: Callable[[], object]) -> QAction:
    action = menu.addAction(text)
    action.triggered.connect(lambda _checked=False: do())
    return action


def _press(host: Host, place: Place, action: Action) -> None:
    host.press(place.row, Target(action, "", QRect(), href=place.href))


def _to_clipboard(text: str) -> None:
    QGuiApplication.clipboard().setMimeData(text_data(text))
