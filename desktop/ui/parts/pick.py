"""A small button that says what is chosen and offers the other choices in a menu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from desktop.ui.look import Look
from desktop.ui.parts.button import Button

T = TypeVar("T")


class Pick(Button, Generic[T]):
    """ "Task: Chat": `choices` are (words, value) pairs; `on_pick` is told the value."""

    def __init__(
        self,
        look: Look,
        name: str,
        choices: Sequence[tuple[str, T]],
        chosen: T,
        on_pick: Callable[[T], object],
    ) -> None:
        super().__init__(look, "", kind="pill", icon="caret-down")
        self._name = name
        self._words = {value: words for words, value in choices}
        self._on_pick = on_pick
        self.value = chosen
        menu = QMenu(self)
        group = QActionGroup(menu)
        self._actions = {}
        for words, value in choices:
            action = menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(value == chosen)
            action.triggered.connect(lambda _checked=False, value=value: self.pick(value))
            group.addAction(action)
            self._actions[value] = action
        self.setMenu(menu)
        self._say()

    def pick(self, value: T) -> None:
        """Choose `value`, as a click in the menu does."""
        if value == self.value:
            return
        self.value = value
        self._actions[value].setChecked(True)
        self._say()
        self._on_pick(value)

    def show_value(self, value: T) -> None:
        """Show `value`, which was chosen elsewhere; nobody is told."""
        self.value = value
        self._actions[value].setChecked(True)
        self._say()

    def _say(self) -> None:
        self.setText(f"{self._name}: {self._words[self.value]}")
