"""The section "My models": what is on this disk, and how to bring more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QVBoxLayout, QWidget

from desktop.common.wording import format_number
from desktop.library.model import LibraryModel
from desktop.services.catalog_words import licence_explained, licence_words
from desktop.services.model_details import ModelCloseUp
from desktop.ui.look import Look
from desktop.ui.mine.model_row import ModelRow
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.meter import Meter
from desktop.ui.parts.text import Elided, Text
from desktop.ui.session import Session


class MyModels(QWidget):
    """Heading, ways to import, the list; one widget of the place "Models"."""

    chat_wanted = Signal()

    def __init__(self, look: Look, session: Session, model: ModelSession, shelf: Shelf) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._model = model
        self._shelf = shelf
        self.rows: list[ModelRow] = []
        self._open: dict[str, ModelCloseUp] = {}
        self.import_file = Button(
            look,
            self.tr("Import a model file …"),
            self.choose_files,
            kind="primary",
            icon="file-plus",
        )
        self.import_folder = Button(
            look, self.tr("Import a folder …"), self.choose_folder, icon="folder-open"
        )
        self._progress_card = self._make_progress_card()
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.hint = self._make_hint()
        self.setLayout(
            column(
                Text(self.tr("My models"), "heading"),
                row(self.import_file, self.import_folder, 1, space=s.space_2),
                self._progress_card,
                self._list,
                self.hint,
                space=s.space_3,
            )
        )
        shelf.changed.connect(self.refresh)
        shelf.importing_changed.connect(self._show_import)
        model.changed.connect(self._maybe_refresh)
        self._in_use = ""
        self._show_import()
        self.refresh()

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

    def refresh(self) -> None:
        """Show the list as it is now."""
        clear(self._list)
        self.rows = []
        state = self._model.state
        self._in_use = state.name if state.phase == "ready" else ""
        models = self._shelf.models
        for model in models:
            entry = ModelRow(
                self._look,
                self._session.messages,
                model,
                self._shelf.report_of(model),
                judged=self._shelf.is_judged(model),
                in_use=model.name == self._in_use,
                on_chat=self._chat_with(model.name),
                on_remove=self._remove(model),
                on_details=self._fold(model),
            )
            if model.name in self._open:
                self._show_closely(entry, self._open[model.name])
            self.rows.append(entry)
            self._list.addWidget(entry)
        if self.rows:
            self.rows[-1].setProperty("last", True)  # noqa: FBT003
        elif not self._shelf.loaded:
            self._list.addWidget(Text(self.tr("Looking for your models …"), "muted"))
        self.hint.setVisible(self._shelf.loaded and len(models) <= 1)

    def _maybe_refresh(self) -> None:
        state = self._model.state
        if (state.name if state.phase == "ready" else "") != self._in_use:
            self.refresh()

    def _chat_with(self, name: str) -> Callable[[], None]:
        def go() -> None:
            self._model.choose(name)
            self.chat_wanted.emit()

        return go

    def _fold(self, model: LibraryModel) -> Callable[[], None]:
        """Open the details of a model, or close them."""

        def seen(found: ModelCloseUp) -> None:
            self._open[model.name] = found
            for entry in self.rows:
                if entry.model.name == model.name:
                    self._show_closely(entry, found)

        def go() -> None:
            if self._open.pop(model.name, None) is None:
                self._shelf.look_closely(model, seen)
            for entry in self.rows:
                if entry.model.name == model.name:
                    entry.hide_details()

        return go

    def _show_closely(self, entry: ModelRow, found: ModelCloseUp) -> None:
        messages = self._session.messages
        trained = format_number(found.context_tokens, messages.language)
        more = [
            (self.tr("Trained for"), self.tr("{tokens} tokens").format(tokens=trained)),
            (self.tr("Licence"), licence_words(found.licence, messages)),
            ("", licence_explained(found.licence, messages)),
            (self.tr("File"), str(entry.model.path)),
        ]
        entry.show_details(found.report, more)

    def _remove(self, model: LibraryModel) -> Callable[[], None]:
        def go() -> None:
            if model.source != "copy" or self._confirmed(model):
                self._shelf.remove(model.name)

        return go

    def _confirmed(self, model: LibraryModel) -> bool:
        """A file of our own is deleted for good, so that one is asked about."""
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle(self.tr("Delete the file?"))
        box.setText(
            self.tr("“{name}” was copied into Hausgeist. Removing it deletes that copy.").format(
                name=model.name
            )
        )
        delete = box.addButton(self.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(self.tr("Keep"), QMessageBox.ButtonRole.RejectRole)
        box.exec()
        return box.clickedButton() is delete

    def _make_progress_card(self) -> Card:
        s = self._look.sizes
        self._progress_words = Elided()
        self._meter = Meter(self._look, self.tr("How far the import is"))
        stop = Button(self._look, self.tr("Cancel"), self._shelf.cancel_import)
        left = column(self._progress_words, self._meter, space=s.space_2)
        line = row(left, stop, space=s.space_4)
        line.setStretchFactor(left, 1)
        return Card(self._look, line)

    def _show_import(self) -> None:
        self._progress_card.setVisible(self._shelf.importing)
        progress = self._shelf.progress
        if progress is None:
            self._progress_words.setText(self.tr("Looking at the files …"))
            self._meter.show_share(0.0)
            return
        self._progress_words.setText(
            self.tr("{name}: file {number} of {total}").format(
                name=progress.path.name, number=progress.done + 1, total=progress.total
            )
        )
        self._meter.show_share((progress.done + progress.fraction) / max(1, progress.total))

    def _make_hint(self) -> Frame:
        """What stands below the guide while there is no other model."""
        s = self._look.sizes
        icon = row(1, IconLabel(self._look, "file-plus", "accent", s.mark), 1)
        head = Text(self.tr("Drop a model file here"), "heading")
        words = Text(
            self.tr(
                "A model is one file that ends in .gguf. Many can be had free of charge, for "
                "instance at huggingface.co. A name with Q4_K_M in it is a good first choice: "
                "nearly full quality at a third of the size. The file stays where it is; "
                "Hausgeist only remembers its place."
            ),
            "muted",
            wrap=True,
        )
        for text in (head, words):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words.setMaximumWidth(s.column)
        line = row(1, words, 1)
        line.setStretchFactor(words, 1000)
        return Frame(
            "drop",
            column(
                icon,
                head,
                line,
                space=s.space_2,
                margins=(s.space_5, s.space_5, s.space_5, s.space_5),
            ),
        )
