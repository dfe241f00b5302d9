"""All chats by name: loading, renaming, deleting with a way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.chats.model import Chat
from desktop.ui.notice import Action, Toast
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.wiring import Services

LANE = "store"

T = TypeVar("T")


class ChatList(QObject):
    """The chats, newest first. Shows a change at once and writes it in the lane "store"."""

    changed = Signal()
    deleted = Signal(str, str)
    restored = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.chats: list[Chat] = []
        self.loaded = False
        session.ready.connect(self._load)

    def chat(self, chat_id: str) -> Chat | None:
        return next((chat for chat in self.chats if chat.id == chat_id), None)

    def reload(self) -> None:
        """Read the list again: a chat came, or moved up."""
        services = self._session.services
        if services is not None:
            self.work(services.store.list_chats, self._listed)

    def rename(self, chat_id: str, title: str) -> None:
        """Give a chat another name; an empty one changes nothing."""
        title = " ".join(title.split())
        services = self._session.services
        chat = self.chat(chat_id)
        if not title or services is None or chat is None or chat.title == title:
            return
        self.chats = [replace(c, title=title) if c.id == chat_id else c for c in self.chats]
        self.changed.emit()
        self.work(lambda: services.store.rename(chat_id, title), self._reread)

    def delete(self, chat_id: str) -> None:
        """Delete a chat; a toast offers to have it back. `deleted` names it and its follower."""
        services = self._session.services
        chat = self.chat(chat_id)
        if services is None or chat is None:
            return
        place = self.chats.index(chat)
        self.chats = [c for c in self.chats if c.id != chat_id]
        follower = self.chats[min(place, len(self.chats) - 1)].id if self.chats else ""
        self.changed.emit()
        self.deleted.emit(chat_id, follower)
        self.work(partial(self._delete, services, chat_id), self._reread)
        undo = Action(self.tr("Undo"), partial(self._undelete, chat_id))
        title = chat.title or self.tr("New chat")
        self._session.tell(Toast(self.tr("“{title}” was deleted.").format(title=title), undo))

    @staticmethod
    def _delete(services: Services, chat_id: str) -> None:
        services.store.delete(chat_id)
        services.kept_states.forget(chat_id)

    def work(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Do something with the store in its lane; a failure is told to the user."""
        self._session.bridge.run(LANE, work, done, self._session.tell_error)

    def _undelete(self, chat_id: str) -> None:
        services = self._session.services
        if services is None:
            return

        def done(_result: object) -> None:
            self.reload()
            self.restored.emit(chat_id)

        self.work(lambda: services.store.undelete(chat_id), done)

    def _load(self) -> None:
        services = self._session.services
        if services is None:
            return

        def first() -> list[Chat]:
            services.store.purge()
            return services.store.list_chats()

        self.work(first, self._listed)

    def _reread(self, _result: object) -> None:
        self.reload()

    def _listed(self, chats: list[Chat]) -> None:
        self.loaded = True
        self.chats = chats
        self.changed.emit()
