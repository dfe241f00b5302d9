"""What can be done to a model of the list: the menu of its row, and what each entry does."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from desktop.ui.look import Look
from desktop.ui.mine.details_sheet import DetailsSheet
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.session import Session


class RowDoings(QObject):
    """One object for the whole list; dialogs stand over `window_of`."""

    chat_wanted = Signal()
    rename_wanted = Signal(object)

    def __init__(
        self,
        look: Look,
        session: Session,
        model: ModelSession,
        shelf: Shelf,
        window_of: QWidget,
    ) -> None:
        super().__init__(window_of)
        self._look = look
        self._session = session
        self._model = model
        self._shelf = shelf
        self._over = window_of

    def chat(self, one: Entry) -> None:
        """Open the model and go to the chats."""
        self._model.choose(one.model.name)
        self.chat_wanted.emit()

    def details(self, one: Entry) -> None:
        """All that is known of it."""
        DetailsSheet(self._look, self._session, self._shelf, one, self._over).open()

    def show_in_folder(self, one: Entry) -> None:
        """Open the folder in which it lies."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(one.model.path.parent)))

    def remove(self, one: Entry) -> None:
        """Take it off the list."""
        if not one.is_guide:
            self._shelf.remove(one.model.name)

    def menu(self, one: Entry, parent: QWidget) -> QMenu:
        """Everything that can be done to it."""
        menu = QMenu(parent)
        if one.can_chat:
            self._add(menu, "chat-circle", self.tr("Chat"), lambda: self.chat(one), "Return")
        self._add(menu, "info", self.tr("Details"), lambda: self.details(one), "Alt+Return")
        menu.addSeparator()
        self._add(
            menu, "folder-open", self.tr("Show in its folder"), lambda: self.show_in_folder(one)
        )
        if not one.is_guide:
            self._add(
                menu,
                "pencil-simple",
                self.tr("Rename"),
                lambda: self.rename_wanted.emit(one),
                "F2",
            )
            menu.addSeparator()
            words = self.tr("Remove from the list")
            if one.model.source == "copy":
                words = self.tr("Remove and delete the file")
            self._add(menu, "trash", words, lambda: self.remove(one), "Delete")
        return menu

    def _add(
        self, menu: QMenu, icon: str, words: str, run: Callable[[], object], key: str = ""
    ) -> None:
        action = menu.addAction(self._look.icon(icon), words)
        if key:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False: run())
