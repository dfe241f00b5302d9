"""Where shall a model go? The folders with what is free in them, or another one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QButtonGroup, QFileDialog, QWidget

from desktop.common.wording import format_bytes
from desktop.ui.look import Look
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.folder_words import FolderWords
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Text
from desktop.ui.parts.tick import Radio
from desktop.ui.session import Session


class MoveSheet(Sheet):
    """Folders that cannot take the model are shown, and say why, but cannot be chosen."""

    def __init__(
        self, look: Look, session: Session, shelf: Shelf, one: Entry, parent: QWidget
    ) -> None:
        self._words = self.tr("Move “{name}”").format(name=one.name)
        super().__init__(look, self._words, parent)
        self._look = look
        self._session = session
        self._shelf = shelf
        self._one = one
        self.choices: dict[Path, Radio] = {}
        self._group = QButtonGroup(self)
        self._list = column(space=look.sizes.space_3)
        size = format_bytes(one.model.file_bytes, session.language)
        words = self.tr(
            "It takes {size}. It can be used while it moves, and nothing is lost if that is "
            "interrupted: the old file goes only when the new one is whole."
        )
        self.content.addWidget(Text(words.format(size=size), "muted", wrap=True))
        self.content.addLayout(self._list)
        other = Button(look, self.tr("Another folder …"), self.choose_folder, icon="folder-open")
        self.content.addLayout(row(other, 1))
        self.content.addStretch(1)
        self.move_button = Button(look, self.tr("Move"), self._move, kind="primary")
        self.foot.addWidget(Button(look, self.tr("Cancel"), self.close))
        self.foot.addWidget(self.move_button)
        self._show_folders()
        self.fit()

    def choose_folder(self) -> None:
        """Ask for a folder with the system's own dialog."""
        name = QFileDialog.getExistingDirectory(self, self.tr("Where shall the model go?"))
        if name:
            self.offer(Path(name))

    def offer(self, path: Path) -> None:
        """Add a folder to the choice, chosen."""
        if path not in self.choices:
            self._add(path, "", can=True)
        self.choices[path].setChecked(True)
        self._enable()
        self.fit()

    def _show_folders(self) -> None:
        words, language = FolderWords(), self._session.language
        needed = self._one.model.file_bytes
        for folder in self._shelf.keeping.folders:
            if folder.path == self._one.model.folder:
                continue
            room = folder.free_bytes is None or folder.free_bytes > needed
            state = words.state(folder, language)
            if folder.present and folder.writable and not room:
                state += " · " + self.tr("too little for this model")
            self._add(folder.path, state, can=folder.present and folder.writable and room)
        self._enable()

    def _add(self, path: Path, state: str, *, can: bool) -> None:
        choice = Radio(self._look, str(path))
        choice.setEnabled(can)
        choice.setAccessibleDescription(state)
        choice.toggled.connect(lambda _: self._enable())
        self._group.addButton(choice)
        self.choices[path] = choice
        block = column(choice)
        if state:
            below = Text(state, "small_muted", wrap=True)
            below.setContentsMargins(self._look.sizes.space_5, 0, 0, 0)
            block.addWidget(below)
        self._list.addLayout(block)

    def _enable(self) -> None:
        self.move_button.setEnabled(self._chosen() is not None)

    def _chosen(self) -> Path | None:
        return next((path for path, choice in self.choices.items() if choice.isChecked()), None)

    def _move(self) -> None:
        target = self._chosen()
        if target is not None:
            self._shelf.keeping.move([self._one.model.name], target, self._words)
            self.close()
