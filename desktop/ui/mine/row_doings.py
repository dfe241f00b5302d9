"""What can be done to a model of the list: the menu of its row, and what each entry does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from desktop.common.wording import format_bytes
from desktop.library.origin import OTHERS_STORES
from desktop.services.removal import Removal
from desktop.ui.look import Look
from desktop.ui.mine.details_sheet import DetailsSheet
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.move_sheet import MoveSheet
from desktop.ui.mine.settings_sheet import SettingsSheet
from desktop.ui.mine.shelf import Shelf
from desktop.ui.mine.smaller_sheet import SmallerSheet
from desktop.ui.model_session import ModelSession
from desktop.ui.notice import Action
from desktop.ui.packs.pack_dialog import PackDialog
from desktop.ui.parts.confirm import Confirm
from desktop.ui.session import Session


class RowDoings(QObject):
    """One object for the whole list; dialogs stand over `window_of`."""

    chat_wanted = Signal()
    rename_wanted = Signal(object)
    fetch_wanted = Signal(str)

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
        verify = None if one.problem else lambda: self.verify(one)
        DetailsSheet(
            self._look, self._session, self._shelf, one, self._over, on_verify=verify
        ).open()

    def settings(self, one: Entry) -> None:
        """What it does differently from the others."""
        anew = Action(self.tr("Open it anew"), self._model.reopen) if one.in_use else None
        SettingsSheet(self._look, self._session, one, self._over, open_anew=anew).open()

    def smaller(self, one: Entry) -> None:
        """Choose what to make of it."""
        SmallerSheet(self._look, self._session, self._shelf, one, self._over).open()

    def verify(self, one: Entry) -> None:
        """Read every byte and compare; how far that is stands above the list."""
        self._shelf.verifying.begin(one.model.name)

    def move(self, one: Entry) -> None:
        """Choose another folder for it."""
        MoveSheet(self._look, self._session, self._shelf, one, self._over).open()

    def pack(self, one: Entry) -> None:
        """Put it into a file for another computer."""
        PackDialog(self._look, self._session, self._shelf, (one.model,), self._over).open()

    def find(self, one: Entry) -> None:
        """Its file was moved: ask where it is now. The entry keeps its name and its settings."""
        title = self.tr("Where is “{name}” now?").format(name=one.name)
        name, _filter = QFileDialog.getOpenFileName(
            self._over, title, "", self.tr("Model files (*.gguf)")
        )
        if name:
            self._shelf.bring_in([Path(name)])

    def fetch_again(self, one: Entry) -> None:
        """Download it from where it came."""
        origin = one.model.origin
        if origin is not None:
            self.fetch_wanted.emit(f"{origin.where}:{origin.file}")

    def show_in_folder(self, one: Entry) -> None:
        """Open the folder in which it lies."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(one.model.path.parent)))

    def remove(self, one: Entry, *, delete: bool | None = None) -> None:
        """Take it off the list; asked first where its file would be gone for good."""
        if one.is_guide:
            return

        def go(removal: Removal) -> None:
            if removal.destination == "gone":
                self._confirm(one, removal, delete=delete)
            else:
                self._shelf.remove(one.model.name, removal, delete=delete)

        self._shelf.leaving.ask(one.model.name, go, delete=delete)

    def _confirm(self, one: Entry, removal: Removal, *, delete: bool | None) -> None:
        words = self.tr(
            "There is no trash where this file lies, so it is deleted for good. {size} become free."
        )
        size = format_bytes(removal.frees_bytes, self._session.language)
        Confirm(
            self._look,
            self.tr("Delete “{name}”?").format(name=one.name),
            words.format(size=size),
            self.tr("Delete"),
            lambda: self._shelf.remove(one.model.name, removal, delete=delete, for_good=True),
            self._over,
        ).open()

    def menu(self, one: Entry, parent: QWidget) -> QMenu:
        """Everything that can be done to it."""
        menu = QMenu(parent)
        if one.can_chat:
            self._add(menu, "chat-circle", self.tr("Chat"), lambda: self.chat(one), "Enter")
        self._add(menu, "info", self.tr("Details"), lambda: self.details(one), "Alt+Enter")
        if not one.problem:
            self._add(menu, "sliders-horizontal", self.tr("Settings"), lambda: self.settings(one))
            if not one.is_guide:
                words = self.tr("Make a smaller version …")
                self._add(menu, "arrows-in", words, lambda: self.smaller(one))
        self._add_rescue(menu, one)
        menu.addSeparator()
        if not one.problem:
            self._add(menu, "shield-check", self.tr("Verify"), lambda: self.verify(one))
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
            if not one.problem:
                words = self.tr("Move to another folder …")
                self._add(menu, "hard-drives", words, lambda: self.move(one))
                words = self.tr("Pack for another computer …")
                self._add(menu, "package", words, lambda: self.pack(one))
            menu.addSeparator()
            self._add_removal(menu, one)
        return menu

    def _add_rescue(self, menu: QMenu, one: Entry) -> None:
        """What helps where its file is not where it was."""
        if one.model.problem != "vanished":
            return
        words = self.tr("Show where it is now …")
        self._add(menu, "magnifying-glass", words, lambda: self.find(one))
        origin = one.model.origin
        if origin is not None and origin.kind == "hub" and origin.file:
            words = self.tr("Download it again")
            self._add(menu, "download-simple", words, lambda: self.fetch_again(one))

    def _add_removal(self, menu: QMenu, one: Entry) -> None:
        """Files that somebody only showed us go on request; those of others never do."""
        origin = one.model.origin
        others = one.model.is_shared or (origin is not None and origin.kind in OTHERS_STORES)
        if one.model.source == "copy" and not others:
            words = self.tr("Remove, with its file")
            self._add(menu, "trash", words, lambda: self.remove(one), "Delete")
            return
        remove = self.tr("Remove from the list")
        self._add(menu, "x", remove, lambda: self.remove(one), "Delete")
        if not others and not one.problem:
            words = self.tr("Remove, with its file")
            self._add(menu, "trash", words, lambda: self.remove(one, delete=True))

    def _add(
        self, menu: QMenu, icon: str, words: str, run: Callable[[], object], key: str = ""
    ) -> None:
        action = menu.addAction(self._look.icon(icon), words)
        if key:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _checked=False: run())
