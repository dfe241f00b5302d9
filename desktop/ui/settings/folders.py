"""The folders of models: where new ones go, where else they lie, how much is free."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from desktop.common.wording import format_bytes
from desktop.ui.look import Look
from desktop.ui.mine.folder_words import FolderWords
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import Frame, clear, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.confirm import Confirm
from desktop.ui.parts.text import Elided, Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.library.folders import ModelFolder


class FolderSettings(QWidget):
    """A row each, and the ways to choose another place or to know one more."""

    def __init__(self, look: Look, session: Session, shelf: Shelf) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._shelf = shelf
        self._words = FolderWords()
        self._asked: Path | None = None
        self.rows = QVBoxLayout()
        self.rows.setSpacing(0)
        self.choose = Button(
            look, self.tr("New models go elsewhere …"), self.choose_main, icon="hard-drives"
        )
        self.more = Button(look, self.tr("Add a folder …"), self.choose_more, icon="folder-plus")
        words = self.tr(
            "Models may lie in several folders, on external drives and on a shared folder of your "
            "office. Hausgeist notices what comes and goes there."
        )
        self.setLayout(
            column(
                Text(self.tr("Where your models lie"), "heading"),
                Text(words, "small_muted", wrap=True),
                self.rows,
                row(self.choose, self.more, 1, space=s.space_2),
                space=s.space_2,
            )
        )
        shelf.keeping.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the folders as they are now."""
        clear(self.rows)
        for folder in self._shelf.keeping.folders:
            self.rows.addWidget(self._row(folder))
        self._offer_to_move()

    def choose_main(self) -> None:
        """Ask where new models shall go."""
        name = QFileDialog.getExistingDirectory(self, self.tr("Where shall new models go?"))
        if name:
            self.take_main(Path(name))

    def take_main(self, path: Path) -> None:
        """New models go there; those that are here may follow."""
        self._asked = path
        self._shelf.keeping.choose_main(path)

    def choose_more(self) -> None:
        """Ask for one more folder of models."""
        name = QFileDialog.getExistingDirectory(self, self.tr("A folder of models"))
        if name:
            self._shelf.keeping.add(Path(name))

    def _row(self, folder: ModelFolder) -> Frame:
        s = self._look.sizes
        path = folder.path
        state = Text(self._words.state(folder, self._session.language), "small_muted", wrap=True)
        left = column(Elided(str(path)), state, space=s.space_1)
        line = row(left, space=s.space_2, margins=(0, s.space_2, 0, s.space_2))
        line.setStretchFactor(left, 1)
        if folder.present:
            show = IconButton(
                self._look,
                "folder-open",
                self.tr("Show {folder}").format(folder=path),
                lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))),
            )
            line.addWidget(show)
        if folder.role != "main" and folder.writable and folder.present:
            here = Button(
                self._look, self.tr("New models here"), lambda: self.take_main(path), kind="quiet"
            )
            here.setAccessibleName(self.tr("New models go to {folder}").format(folder=path))
            line.addWidget(here)
        if folder.role != "main":
            leave = IconButton(
                self._look,
                "x",
                self.tr("Look no longer into {folder}; its files stay").format(folder=path),
                lambda: self._shelf.keeping.remove(path),
            )
            line.addWidget(leave)
        return Frame("row", line)

    def _offer_to_move(self) -> None:
        """A new place was chosen: our own models may come along."""
        folders = self._shelf.keeping.folders
        target = self._asked
        if target is None or not folders or folders[0].path != target:
            return
        self._asked = None
        models = [m for m in self._shelf.models if m.source == "copy" and m.folder != target]
        models = [m for m in models if not m.problem and not m.is_shared]
        if not models:
            return
        size = format_bytes(sum(m.file_bytes for m in models), self._session.language)
        title = self.tr("Move your models there, too?")
        words = self.tr(
            "%n model(s) lie elsewhere: {size}. They can be moved now or later.", "", len(models)
        )
        Confirm(
            self._look,
            title,
            words.format(size=size),
            self.tr("Move them"),
            lambda: self._shelf.keeping.move([m.name for m in models], target, title),
            self,
            kind="primary",
        ).open()
