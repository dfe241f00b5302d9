"""The search field with what narrows a search: task, language, licence, this computer, order."""

from __future__ import annotations

import re
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.common.messages import Messages
from desktop.hub.search import SearchQuery, SearchTask, Sort
from desktop.library.catalog import shipped_catalog
from desktop.services.licences import OFFICE
from desktop.services.model_ref import parse
from desktop.services.rough_fit import largest_file_bytes
from desktop.ui.browse.browsing import Browsing
from desktop.ui.look import Look
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.pick import Pick

LANGUAGES = (
    "de",
    "en",
    "fr",
    "es",
    "it",
    "pt",
    "nl",
    "pl",
    "cs",
    "ru",
    "ar",
    "hi",
    "zh",
    "ja",
    "ko",
)
LICENCES = ("apache-2.0", "mit", "gemma", "llama3.3", "llama3.1")
ANY = ""
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class SearchField(QLineEdit):
    """Escape and the arrow down leave it: for the page above, and for the list below."""

    down = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.down.emit()
            return
        super().keyPressEvent(event)


class SearchBar(QWidget):
    """What is typed is asked for after a moment; what is picked at once."""

    list_wanted = Signal()

    def __init__(self, look: Look, messages: Messages, browsing: Browsing, shelf: Shelf) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._messages = messages
        self._browsing = browsing
        self._finder = browsing.finder
        self._shelf = shelf
        self.back = IconButton(look, "arrow-left", self.tr("Back to my models"), browsing.back)
        self.field = self._make_field()
        self.browse = Button(look, self.tr("Browse all"), self._browse_all, icon="compass")
        self.pills = QWidget()
        self._make_picks()
        top = row(self.back, self.field, self.browse, space=s.space_2)
        top.setStretchFactor(self.field, 1)
        self.setLayout(column(top, self.pills, space=s.space_2))
        shelf.machine_known.connect(self._machine_known)
        browsing.room_changed.connect(self.show_room)
        self.show_room()

    def show_room(self) -> None:
        """The filters stand where there is something to filter."""
        searching = self._browsing.room == "results"
        self.back.setVisible(searching)
        self.pills.setVisible(searching)
        self.browse.setVisible(not searching)
        if self._browsing.room == "home":
            self._show_text("")
        self._say_author()

    def _make_field(self) -> SearchField:
        field = SearchField(self._finder.query.text)
        field.setAccessibleName(self.tr("Search for models"))
        field.setPlaceholderText(self.tr("Search on Hugging Face, or paste a model's address"))
        field.setMaxLength(200)
        glass = QAction(self._look.icon("magnifying-glass", "muted"), self.tr("Search"), field)
        glass.triggered.connect(self._entered)
        field.addAction(glass, QLineEdit.ActionPosition.LeadingPosition)
        field.setClearButtonEnabled(False)
        field.textEdited.connect(self._typed)
        field.returnPressed.connect(self._entered)
        field.down.connect(self.list_wanted)
        return field

    def _make_picks(self) -> None:
        look, text = self._look, self._messages.text
        query = self._finder.query
        tasks: list[tuple[str, SearchTask | None]] = [
            (self.tr("all"), None),
            (self.tr("Chat"), "chat"),
            (self.tr("Programming"), "code"),
            (self.tr("Pictures"), "vision"),
            (self.tr("Finding texts"), "embedding"),
        ]
        languages = [(self.tr("all"), ANY)] + [(text(f"language.{c}"), c) for c in LANGUAGES]
        licences = [
            (self.tr("all"), ANY),
            (self.tr("office use allowed"), OFFICE),
            *((words, licence) for licence, words in _licence_names()),
        ]
        sorts: list[tuple[str, Sort]] = [
            (self.tr("popular now"), "trending"),
            (self.tr("most downloads"), "downloads"),
            (self.tr("most likes"), "likes"),
            (self.tr("changed last"), "updated"),
            (self.tr("newest"), "created"),
        ]
        self.task = Pick(look, self.tr("Task"), tasks, query.task, self._picked)
        self.language = Pick(look, self.tr("Language"), languages, query.language, self._picked)
        self.licence = Pick(look, self.tr("Licence"), licences, query.licence, self._picked)
        self.sort = Pick(look, self.tr("Order"), sorts, query.sort, self._picked)
        self.fits = Button(look, self.tr("Fits this computer"), kind="pill")
        self.fits.setCheckable(True)
        self.fits.setChecked(query.max_bytes is not None)
        self.fits.toggled.connect(self._picked)
        self.author = Button(look, "", self._any_author, kind="pill", icon="x")
        flow = Flow(look.sizes.space_2)
        for pill in (self.author, self.task, self.language, self.licence, self.fits, self.sort):
            flow.addWidget(pill)
        self.pills.setLayout(flow)
        self._machine_known()
        self._say_fits()

    def show_ours(self) -> None:
        """What the organisation's own sources have."""
        self._finder.change(replace(self._finder.query, text="", author=""), only_ours=True)
        self._browsing.search()

    def _browse_all(self) -> None:
        """Everything, whatever was looked for before; the filters stay."""
        query = self._finder.query
        if query.text or query.author or self._finder.only_ours:
            self._finder.change(replace(query, text="", author=""))
        self._browsing.search()

    def by_author(self, author: str) -> None:
        """All of one author's models."""
        self._show_text("")
        self._finder.change(replace(self._finder.query, text="", author=author))
        self._say_author()
        self._browsing.search()

    def _any_author(self) -> None:
        self._finder.change(replace(self._finder.query, author=""))
        self._say_author()
        self.field.setFocus()

    def clear_filters(self) -> None:
        """The same words, looked for everywhere; the order stays."""
        query = SearchQuery(text=self._finder.query.text, sort=self._finder.query.sort)
        self.task.show_value(query.task)
        self.language.show_value(query.language)
        self.licence.show_value(query.licence)
        with QSignalBlocker(self.fits):
            self.fits.setChecked(False)
        self._say_fits()
        self._finder.change(query)
        self._say_author()

    def _say_author(self) -> None:
        """Whose models alone are shown, with the way back to all."""
        author = self._finder.query.author
        words = self.tr("from {author}").format(author=author)
        if self._finder.only_ours:
            words = self.tr("from your organisation")
        self.author.setText(words)
        self.author.setAccessibleName(self.tr("Only {words}: show all again").format(words=words))
        self.author.setVisible(author != "" or self._finder.only_ours)

    def _typed(self, text: str) -> None:
        if parse(text.strip()).kind == "hub":
            self._finder.stop_typing()  # an address is opened by Enter
        else:
            self._browsing.type(text)

    def _entered(self) -> None:
        text = self.field.text().strip()
        if parse(text).kind == "hub" or _REPOSITORY.fullmatch(text):
            self._browsing.open(text)
            return
        if text != self._finder.query.text or self._finder.phase != "known":
            query = replace(self._finder.query, text=text)
            self._finder.change(query, only_ours=self._finder.only_ours)
        self._browsing.search()
        self.list_wanted.emit()

    def _picked(self, _value: object = None) -> None:
        self._say_fits()
        machine = self._shelf.machine
        fits = self.fits.isChecked() and machine is not None
        query = replace(
            self._finder.query,
            task=self.task.value,
            language=self.language.value,
            licence=self.licence.value,
            max_bytes=largest_file_bytes(machine) if fits and machine is not None else None,
            sort=self.sort.value,
        )
        self._finder.change(query, only_ours=self._finder.only_ours)

    def _say_fits(self) -> None:
        """A mark besides the colour says that it is pressed in."""
        if self.fits.isChecked():
            self.fits.show_icon(self._look, "check")
        else:
            self.fits.show_icon(self._look, "desktop")

    def _machine_known(self) -> None:
        known = self._shelf.machine is not None
        self.fits.setEnabled(known)
        self.fits.setToolTip(
            self.tr("Leaves out what has no room in the memory that is free just now.")
            if known
            else self.tr("Hausgeist is still looking at this computer.")
        )

    def _show_text(self, text: str) -> None:
        if self.field.text() != text:
            self.field.setText(text)


def _licence_names() -> list[tuple[str, str]]:
    known = shipped_catalog().licences
    return [(licence, known[licence].name) for licence in LICENCES if licence in known]
