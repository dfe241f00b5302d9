"""The conversation for screen readers: a list with an item a message, and its actions as buttons.

A widget that draws itself exposes nothing; these interfaces say what is on it. Qt keeps no
reference to interfaces made in Python, so the list keeps them as long as it lives.
"""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QObject, QPoint, QRect
from PySide6.QtGui import (
    QAccessible,
    QAccessibleActionInterface,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleInterface,
    QWindow,
)
from PySide6.QtWidgets import QAbstractScrollArea, QAccessibleWidget, QWidget

from desktop.ui.transcript import words
from desktop.ui.transcript.clean import clean
from desktop.ui.transcript.extract import visible_text
from desktop.ui.transcript.painting import Attention
from desktop.ui.transcript.stage import Stage
from desktop.ui.transcript.targets import Target
from desktop.ui.transcript.wandering import targets_of

_LONGEST_SPOKEN_CHARS = 20_000
_ROLES = QAccessible.Role
_PRESS = QAccessibleActionInterface.pressAction


class AccessibleArea(QAbstractScrollArea):
    """What the interfaces need to know of the view."""

    stage: Stage
    attention: Attention

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.accessible: ConversationInterface | None = None
        _install_factory()

    def press(self, row: int, target: Target) -> None:
        """Do what the target says."""
        raise NotImplementedError

    def row_rect(self, row: int) -> QRect:
        """Where a row is on the viewport; empty when it is not on screen."""
        raise NotImplementedError

    def announce(self, text: str) -> None:
        """Have a screen reader, if there is one, say this when it has finished speaking."""
        if QAccessible.isActive() and text:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def announce_turn(self, index: int) -> None:
        """Have a screen reader say a whole message."""
        if QAccessible.isActive():
            self.announce(message_text(self.stage, index))

    def tell_focus(self) -> None:
        """Tell a screen reader that the focus has moved within the view."""
        if not QAccessible.isActive() or self.accessible is None:
            return
        child = self.accessible.focusChild()
        if child is not None:
            QAccessible.updateAccessibility(QAccessibleEvent(child, QAccessible.Event.Focus))


class _Press(QAccessibleActionInterface):
    """Pressing a button, as an assistive program asks for it."""

    def __init__(self, button: ButtonInterface) -> None:
        super().__init__()
        self._button = button

    def actionNames(self) -> list[str]:
        return [_PRESS()]

    def doAction(self, name: str) -> None:
        if name == _PRESS():
            self._button.press()

    def keyBindingsForAction(self, _name: str) -> list[str]:
        return []


class _Leaf(QAccessibleInterface):
    """What all our interfaces share: they stand for no object of Qt's."""

    def __init__(self, view: AccessibleArea) -> None:
        super().__init__()
        self._view = view

    def isValid(self) -> bool:
        return True

    def object(self) -> QObject:
        return None  # type: ignore[return-value]

    def window(self) -> QWindow:
        return self._view.window().windowHandle()

    def setText(self, _kind: QAccessible.Text, _text: str) -> None:
        return None

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        for number in range(self.childCount()):
            child = self.child(number)
            if child.rect().contains(x, y):
                return child
        return None  # type: ignore[return-value]

    def _on_screen(self, rect: QRect) -> QRect:
        corner = self._view.viewport().mapToGlobal(QPoint(0, 0))
        return rect.translated(corner)


class ButtonInterface(_Leaf):
    """An action or link of a message."""

    def __init__(self, message: MessageInterface, view: AccessibleArea, target: Target) -> None:
        super().__init__(view)
        self.target = target
        self._message = message
        self._press = _Press(self)

    def press(self) -> None:
        self._view.press(self._message.last_row, self.target)

    def role(self) -> QAccessible.Role:
        return _ROLES.Link if self.target.action == "link" else _ROLES.Button

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.focusable = True
        state.focused = self.target.same(self._view.attention.focus)
        return state

    def text(self, kind: QAccessible.Text) -> str:
        return self.target.label if kind == QAccessible.Text.Name else ""

    def rect(self) -> QRect:
        row = self._view.row_rect(self._message.last_row)
        return self._on_screen(self.target.rect.translated(row.topLeft()))

    def parent(self) -> QAccessibleInterface:
        return self._message

    def child(self, _index: int) -> QAccessibleInterface:
        return None  # type: ignore[return-value]

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, _child: QAccessibleInterface) -> int:
        return -1

    def interface_cast(self, kind: QAccessible.InterfaceType) -> object:  # type: ignore[override]
        return self._press if kind == QAccessible.InterfaceType.ActionInterface else None


class MessageInterface(_Leaf):
    """A message: its text is the name, its actions are the children."""

    def __init__(self, view: AccessibleArea, turn_id: int) -> None:
        super().__init__(view)
        self._turn_id = turn_id
        self._buttons: list[ButtonInterface] = []

    @property
    def _index(self) -> int:
        return self._view.stage.index_of(self._turn_id)

    @property
    def last_row(self) -> int:
        return self._view.stage.rows_of_turn(self._index).stop - 1

    def isValid(self) -> bool:
        return self._view.stage.shows(self._turn_id)

    def role(self) -> QAccessible.Role:
        return _ROLES.ListItem

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.readOnly = True
        state.selectableText = True
        if self.isValid() and self.rect().isEmpty():
            state.offscreen = True
        return state

    def text(self, kind: QAccessible.Text) -> str:
        if kind != QAccessible.Text.Name or not self.isValid():
            return ""
        return message_text(self._view.stage, self._index)

    def rect(self) -> QRect:
        rect = QRect()
        for row in self._view.stage.rows_of_turn(self._index):
            rect = rect.united(self._view.row_rect(row))
        return self._on_screen(rect) if not rect.isEmpty() else rect

    def parent(self) -> QAccessibleInterface:
        return QAccessible.queryAccessibleInterface(self._view)

    def childCount(self) -> int:
        return len(self._children())

    def child(self, index: int) -> QAccessibleInterface:
        found = self._children()
        return found[index] if 0 <= index < len(found) else None  # type: ignore[return-value]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return next((n for n, button in enumerate(self._children()) if button is child), -1)

    def button_of(self, target: Target) -> ButtonInterface | None:
        """The button that stands for a target."""
        return next((b for b in self._children() if b.target.same(target)), None)

    def _children(self) -> list[ButtonInterface]:
        if not self.isValid():
            return []
        targets = targets_of(self._view.stage, self.last_row)
        kept = {(b.target.action, b.target.block, b.target.href): b for b in self._buttons}
        found = []
        for target in targets:
            button = kept.get((target.action, target.block, target.href))
            if button is None:
                button = ButtonInterface(self, self._view, target)
                self._buttons.append(button)
            button.target = target
            found.append(button)
        return found


class ConversationInterface(QAccessibleWidget):
    """The list of messages."""

    def __init__(self, view: AccessibleArea) -> None:
        super().__init__(view, _ROLES.List, words.conversation())
        self._view = view
        self._messages: dict[int, MessageInterface] = {}

    def childCount(self) -> int:
        return len(self._view.stage.turns)

    def child(self, index: int) -> QAccessibleInterface:
        turns = self._view.stage.turns
        if not 0 <= index < len(turns):
            return None  # type: ignore[return-value]
        return self.message(turns[index].id)

    def message(self, turn_id: int) -> MessageInterface:
        """The interface of a turn, always the same one."""
        if turn_id not in self._messages:
            self._messages[turn_id] = MessageInterface(self._view, turn_id)
        return self._messages[turn_id]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        turns = enumerate(self._view.stage.turns)
        return next((n for n, turn in turns if self._messages.get(turn.id) is child), -1)

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        stage = self._view.stage
        for row, _top in stage.visible:
            item = self.message(stage.turns[stage.rows[row].turn].id)
            if item.rect().contains(x, y):
                return item
        return None  # type: ignore[return-value]

    def focusChild(self) -> QAccessibleInterface:
        attention, stage = self._view.attention, self._view.stage
        if attention.focus is None or not 0 <= attention.focus_row < len(stage.rows):
            return None  # type: ignore[return-value]
        turn = stage.turns[stage.rows[attention.focus_row].turn]
        item = self.message(turn.id)
        return item.button_of(attention.focus) or item


def message_text(stage: Stage, index: int) -> str:
    """Who says what, as it is read aloud."""
    turn = stage.turns[index]
    parts: list[str] = []
    size = 0
    for row in stage.rows_of_turn(index):
        parts.append(visible_text(stage.peek(row).blocks))
        size += len(parts[-1])
        if size > _LONGEST_SPOKEN_CHARS:
            break
    extra = [text for text in (turn.notice, turn.error) if text]
    return clean(f"{words.speaker(turn)}: " + "\n".join(part for part in [*parts, *extra] if part))


def _interface_for(_key: str, thing: QObject) -> QAccessibleInterface:
    if not isinstance(thing, AccessibleArea):
        return None  # type: ignore[return-value]
    if thing.accessible is None:
        thing.accessible = ConversationInterface(thing)
    return thing.accessible


@cache
def _install_factory() -> None:
    QAccessible.installFactory(_interface_for)
