"""The section "My models": what is on this disk, how it does here, and how to bring more."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QWidget

from desktop.ui.look import Look
from desktop.ui.mine.disk_use import DiskUse
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.hint import DropHint
from desktop.ui.mine.known_words import KnownWords
from desktop.ui.mine.row_doings import RowDoings
from desktop.ui.mine.shelf import Shelf
from desktop.ui.mine.store_note import StoreNote
from desktop.ui.mine.stores_sheet import StoresSheet
from desktop.ui.mine.table_model import Column, ModelTable
from desktop.ui.mine.table_view import ModelTableView
from desktop.ui.mine.work_cards import WorkCards
from desktop.ui.model_session import ModelSession
from desktop.ui.packs.unpack_dialog import UnpackDialog
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.pick import Pick
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

MANY = 8
"""From so many models on one can search among them."""


class MyModels(QWidget):
    """Heading with the ways to bring models, what is under way, the table."""

    chat_wanted = Signal()
    fetch_wanted = Signal(str)

    def __init__(self, look: Look, session: Session, model: ModelSession, shelf: Shelf) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._model = model
        self._shelf = shelf
        self.doings = RowDoings(look, session, model, shelf, self)
        self.table = ModelTable(shelf.rename)
        self.view = ModelTableView(look, self.table, self.doings)
        self.add = Button(look, self.tr("Add models"), icon="plus")
        self.add.setMenu(self._add_menu())
        self.works = WorkCards(look, shelf.works)
        self.note = StoreNote(look, shelf.others, self.show_stores)
        self.disk = DiskUse(look)
        self.search = self._make_search()
        self.order = self._make_order()
        self._tools = QWidget()
        self._tools.setLayout(row(self.search, self.order, space=s.space_2))
        self._waiting = Text(self.tr("Looking for your models …"), "muted")
        self.hint = DropHint(look)
        self.setLayout(
            column(
                row(Text(self.tr("My models"), "heading"), 1, self.add),
                self.note,
                self.works,
                self.disk,
                self._tools,
                self._waiting,
                self.view,
                self.hint,
                space=s.space_3,
            )
        )
        self.doings.chat_wanted.connect(self.chat_wanted)
        self.doings.fetch_wanted.connect(self.fetch_wanted)
        self.doings.rename_wanted.connect(self.view.rename)
        self.view.ordered.connect(self._show_order)
        shelf.changed.connect(self.refresh)
        shelf.keeping.changed.connect(self._show_disk)
        model.changed.connect(self._maybe_refresh)
        self._in_use = ""
        self._words = KnownWords(session)
        self.note.refresh()
        self.works.refresh()
        self.refresh()

    # Bringing models in

    def choose_files(self) -> None:
        """Ask for model files with the system's own dialog."""
        names, _filter = QFileDialog.getOpenFileNames(
            self, self.tr("Import a model file"), "", self.tr("Model files (*.gguf)")
        )
        self._shelf.bring_in([Path(name) for name in names])

    def choose_folder(self) -> None:
        """Ask for a folder; every model file in it is taken in."""
        name = QFileDialog.getExistingDirectory(self, self.tr("Import a folder"))
        if name:
            self._shelf.bring_in([Path(name)])

    def choose_pack(self) -> None:
        """Ask for a pack with the system's own dialog, and show what is inside."""
        name, _filter = QFileDialog.getOpenFileName(
            self, self.tr("Open a pack"), "", self.tr("Packs (*.hgpack *.hgpack.001 index.json)")
        )
        if name:
            self.show_pack(Path(name))

    def show_pack(self, path: Path) -> None:
        """What is inside a pack, to choose from."""
        UnpackDialog(self._look, self._session, self._shelf, path, self).open()

    def show_stores(self) -> None:
        """What other programs keep on this computer, to choose from."""
        StoresSheet(self._look, self._session, self._shelf, self).open()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._shelf.others.look_once()

    def _add_menu(self) -> QMenu:
        menu = QMenu(self)
        file = menu.addAction(self._look.icon("file-plus"), self.tr("A model file …"))
        file.triggered.connect(lambda _=False: self.choose_files())
        folder = menu.addAction(self._look.icon("folder-open"), self.tr("A folder of models …"))
        folder.triggered.connect(lambda _=False: self.choose_folder())
        pack = menu.addAction(self._look.icon("package"), self.tr("A pack (.hgpack) …"))
        pack.triggered.connect(lambda _=False: self.choose_pack())
        stores = menu.addAction(
            self._look.icon("arrows-in"), self.tr("From Ollama, LM Studio and others …")
        )
        stores.triggered.connect(lambda _=False: self.show_stores())
        return menu

    # The list

    def _make_search(self) -> QLineEdit:
        search = QLineEdit()
        search.setPlaceholderText(self.tr("Search my models"))
        search.setAccessibleName(self.tr("Search my models"))
        search.setClearButtonEnabled(True)
        search.addAction(
            self._look.icon("magnifying-glass", "muted"), QLineEdit.ActionPosition.LeadingPosition
        )
        search.textChanged.connect(self.table.filter_by)
        return search

    def _make_order(self) -> Pick[Column]:
        columns = [(self.table.title(c), c) for c in Column if c is not Column.DO]
        return Pick(
            self._look,
            self.tr("Sorted by"),
            columns,
            self.table.column,
            lambda chosen: self.view.order_by(chosen),
        )

    def _show_order(self) -> None:
        self.order.show_value(self.table.column)

    def refresh(self) -> None:
        """Show the list as it is now."""
        state = self._model.state
        self._in_use = state.name if state.phase == "ready" else ""
        models = self._shelf.models
        standing = self.view.current
        entries = self._words.entries(models, self._shelf, self._in_use)
        self.table.show(entries)
        if standing is not None:
            self.view.mark(standing.model.name)
        self._show_disk()
        self._waiting.setVisible(not self._shelf.loaded)
        self.view.setVisible(bool(models))
        self._tools.setVisible(len(models) > MANY)
        self.hint.setVisible(self._shelf.loaded and len(models) <= 1)

    def _show_disk(self) -> None:
        free = self._shelf.keeping.free_bytes
        self.disk.show_models(self._shelf.models, free, self._session.language)

    def entry_of(self, name: str) -> Entry | None:
        """A model as it is shown now; None where it is not."""
        return next((one for one in self.table.rows if one.model.name == name), None)

    def _maybe_refresh(self) -> None:
        state = self._model.state
        if (state.name if state.phase == "ready" else "") != self._in_use:
            self.refresh()
