"""The conversation for screen readers: a list with an item a message, and its actions as buttons.

A widget that draws itself exposes nothing; these interfaces say what is on it. Qt keeps no
reference to interfaces made in Python, so the list keeps them as long as it lives.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from weakref import ref

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
from shiboken6 import VoidPtr, getCppPointer, isValid

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

    if TYPE_CHECKING:  # the view's own; Qt's metaclass rules out abstract methods

        def press(self, row: int, target: Target) -> None:
            """Do what the target says."""

        def row_rect(self, row: int) -> QRect:
            """Where a row is on the viewport; empty when it is not on screen."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.kept = Kept()
        self.messages: dict[int, MessageInterface] = {}
        self.destroyed.connect(self.kept.release)
        _install_factory()

    def message(self, turn_id: int) -> MessageInterface:
        """The interface of a turn, always the same one."""
        if turn_id not in self.messages:
            self.messages[turn_id] = MessageInterface(self, turn_id)
        return self.messages[turn_id]

    def message_in(self, row: int) -> MessageInterface:
        """The interface of the turn in a row."""
        return self.message(self.stage.turns[self.stage.rows[row].turn].id)

    def focused_interface(self) -> QAccessibleInterface | None:
        """The interface of the action that has the focus."""
        focus, row = self.attention.focus, self.attention.focus_row
        if focus is None or not 0 <= row < len(self.stage.rows):
            return None
        item = self.message_in(row)
        return item.button_of(focus) or item

    def announce(self, text: str) -> None:
        """Have a screen reader, if there is one, say this when it has finished speaking."""
        if QAccessible.isActive() and text:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def announce_turn(self, index: int) -> None:
        """Have a screen reader say a whole message."""
        if QAccessible.isActive():
            self.announce(message_text(self.stage, index))

    def tell_new(self, turn_id: int) -> None:
        """Tell a screen reader that there is one message more."""
        if QAccessible.isActive():
            event = QAccessibleEvent(self.message(turn_id), QAccessible.Event.ObjectCreated)
            QAccessible.updateAccessibility(event)

    def forget_messages(self) -> None:
        """Other messages are shown from now on; Qt asks for new interfaces when it needs them."""
        self.messages.clear()
        self.kept.release()

    def tell_focus(self) -> None:
        """Tell a screen reader that the focus has moved within the view."""
        child = self.focused_interface() if QAccessible.isActive() else None
        if child is not None:
            QAccessible.updateAccessibility(QAccessibleEvent(child, QAccessible.Event.Focus))


class Kept:
    """The interfaces of a view, held until it goes.

    Qt holds bare pointers to them and deletes them in the end: one that Python frees before, or
    that Qt was given twice, ends the process. So they go by Qt's own way, while the view lives.
    """

    def __init__(self) -> None:
        self._interfaces: list[QAccessibleInterface] = []

    def add(self, interface: QAccessibleInterface) -> None:
        self._interfaces.append(interface)

    def release(self, *_destroyed: object) -> None:
        """Have Qt delete all of them."""
        interfaces, self._interfaces = self._interfaces, []
        for interface in interfaces:
            if isValid(interface):
                QAccessible.deleteAccessibleInterface(QAccessible.uniqueId(interface))


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
        self._view_ref = ref(view)
        view.kept.add(self)

    @property
    def _view(self) -> AccessibleArea:
        return _alive(self._view_ref)

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
        # Qt takes a pointer, and PySide cannot make one of None: the process would end.
        if kind == QAccessible.InterfaceType.ActionInterface:
            return VoidPtr(getCppPointer(self._press)[0])
        return VoidPtr(0)


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
        kept = {button.target.key: button for button in self._buttons}
        found = []
        for target in targets:
            button = kept.get(target.key)
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
        self._view_ref = ref(view)
        view.kept.add(self)

    @property
    def _view(self) -> AccessibleArea:
        return _alive(self._view_ref)

    def childCount(self) -> int:
        return len(self._view.stage.turns)

    def child(self, index: int) -> QAccessibleInterface:
        turns = self._view.stage.turns
        if not 0 <= index < len(turns):
            return None  # type: ignore[return-value]
        return self._view.message(turns[index].id)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        known, turns = self._view.messages, enumerate(self._view.stage.turns)
        return next((number for number, turn in turns if known.get(turn.id) is child), -1)

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        for row, _top in self._view.stage.visible:
            item = self._view.message_in(row)
            if item.rect().contains(x, y):
                return item
        return None  # type: ignore[return-value]

    def focusChild(self) -> QAccessibleInterface:
        return self._view.focused_interface()  # type: ignore[return-value]


def _alive(view_ref: ref[AccessibleArea]) -> AccessibleArea:
    view = view_ref()
    if view is None:
        raise ReferenceError("the view is gone")
    return view


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
    # Qt asks again when PySide has rebuilt the meta-object of a class: it needs a new one then.
    if not isinstance(thing, AccessibleArea):
        return None  # type: ignore[return-value]
    return ConversationInterface(thing)


@cache
def _install_factory() -> None:
    QAccessible.installFactory(_interface_for)
