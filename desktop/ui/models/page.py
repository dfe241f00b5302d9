"""The place "Models": search, what is recommended, what is on this disk, how to bring more."""

from __future__ import annotations

import functools

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from desktop.ui.browse.browsing import Room
from desktop.ui.browse.organisation import OrganisationCard
from desktop.ui.browse.repository import Repository
from desktop.ui.browse.results import Results
from desktop.ui.browse.search_bar import SearchBar
from desktop.ui.downloads.panel import DownloadsPanel
from desktop.ui.house import House
from desktop.ui.look import Look
from desktop.ui.mine.section import MyModels
from desktop.ui.models.recommended import Recommended
from desktop.ui.parts.boxes import Page, column, row
from desktop.ui.parts.text import Text


class ModelsPage(QWidget):
    """Three rooms: `home` with the sections below each other, the results of a search, and one
    repository; the last two are made when they are entered. Files may be dropped anywhere on the
    window."""

    chat_wanted = Signal()

    def __init__(self, house: House) -> None:
        super().__init__()
        look, session = house.look, house.session
        self.setProperty("role", "page")
        self._look = look
        self._house = house
        self._browsing = house.browsing
        self._shown: Room = "home"
        self._title = Text(self.tr("Models"), "title")
        self._subtitle = Text(kind="muted", wrap=True)
        self.organisation = OrganisationCard(look, session)
        self.recommended = Recommended(look, session, house.shelf, house.downloads)
        self.downloads = DownloadsPanel(look, session, house.downloads)
        self.mine = MyModels(look, session, house.model, house.shelf)
        self.mine.chat_wanted.connect(self.chat_wanted)
        self.mine.fetch_wanted.connect(lambda reference: house.downloads.add(reference))
        self.home = Page(look, self.tr("Models"))
        self._fill_home(look.sizes.space_2)
        self.search = SearchBar(look, session.messages, house.browsing, house.shelf)
        self._top = self._make_top()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.home)
        layout = column(self._top, self._stack)
        layout.setStretchFactor(self._stack, 1)
        self.setLayout(layout)
        self.search.list_wanted.connect(lambda: self.results.focus_list())
        self.recommended.repository_wanted.connect(house.browsing.open)
        self.organisation.wanted.connect(self.search.show_ours)
        house.browsing.room_changed.connect(self._show_room)
        self._show_room()

    @functools.cached_property
    def results(self) -> Results:
        """The results' room."""
        house = self._house
        results = Results(house.look, house.session, house.browsing, house.shelf)
        results.search_wanted.connect(self.search.field.setFocus)
        results.unfiltered_wanted.connect(self.search.clear_filters)
        return results

    @functools.cached_property
    def _results_place(self) -> QWidget:
        place = _in_column(self._look, self.results, below=self._look.sizes.space_3)
        self._stack.addWidget(place)
        return place

    @functools.cached_property
    def repository(self) -> Repository:
        """The room of one repository."""
        house = self._house
        repository = Repository(
            house.look, house.session, house.browsing, house.downloads, house.account
        )
        repository.author_wanted.connect(self.search.by_author)
        house.downloads.changed.connect(repository.show_downloads)
        self._stack.addWidget(repository)
        return repository

    def show_downloads(self) -> None:
        """Bring the downloads into view."""
        self._browsing.home()
        QTimer.singleShot(0, self._scroll_to_downloads)  # once the place has been laid out

    def _scroll_to_downloads(self) -> None:
        bar = self.home.verticalScrollBar()
        top = self.downloads.mapTo(self.home, QPoint()).y() + bar.value()
        bar.setValue(top - self._look.sizes.space_2)

    def _fill_home(self, space: int) -> None:
        """The sections, one below the other."""
        content = self.home.content
        content.setSpacing(content.spacing() + space)  # hidden sections leave no gap
        for section in (self.organisation, self.recommended, self.downloads, self.mine):
            content.addWidget(section)
        content.addStretch(1)

    def _make_top(self) -> QWidget:
        """The search, which stays where it is while what is below it scrolls."""
        s = self._look.sizes
        top = QWidget()
        top.setLayout(column(self._title, self._subtitle, self.search, space=s.space_3))
        return _in_column(self._look, top, above=s.space_5, below=s.space_2, beside=s.scroll_bar)

    def _show_room(self) -> None:
        room = self._browsing.room
        had_focus = self.isAncestorOf(QApplication.focusWidget() or self)
        before, self._shown = self._shown, room
        self._title.setVisible(room == "home")
        self._subtitle.setVisible(room == "home")
        self._top.setVisible(room != "repository")
        self._stack.setCurrentWidget(self._place_of(room))
        if not had_focus or before == room:
            return
        if room == "repository":
            self.repository.focus_first()
        elif before == "repository" and room == "results":
            self.results.focus_list()
        else:
            self.search.field.setFocus()

    def _place_of(self, room: Room) -> QWidget:
        if room == "repository":
            return self.repository
        return self._results_place if room == "results" else self.home

    def show_machine(self, sentence: str) -> None:
        """What the models are measured by."""
        self._subtitle.setText(sentence)

    def choose_files(self) -> None:
        """Ask for model files with the system's own dialog."""
        self._browsing.home()
        self.mine.choose_files()

    def focus_search(self) -> None:
        """The keyboard goes to the search, from wherever one is in this place."""
        if self._browsing.room == "repository":
            self._browsing.back()
        self.search.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.field.selectAll()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.organisation.look()  # a source may have come, or another index

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape and Alt+Left go back to where one came from."""
        back = event.key() == Qt.Key.Key_Escape or event.matches(QKeySequence.StandardKey.Back)
        if back and self._browsing.room != "home":
            self._browsing.back()
            return
        super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The button at the side of a mouse."""
        if event.button() == Qt.MouseButton.BackButton:
            self._browsing.back()
            return
        super().mouseReleaseEvent(event)


def _in_column(
    look: Look, inner: QWidget, *, above: int = 0, below: int = 0, beside: int = 0
) -> QWidget:
    """`inner` as wide as a page's content, with its margins at the sides; `beside` is what the
    scroll bar of what lies below takes."""
    s = look.sizes
    inner.setMaximumWidth(s.page)
    holder = QWidget()
    line = row(inner, margins=(s.space_6, above, s.space_6 + beside, below))
    line.setStretchFactor(inner, 1000)
    line.addStretch(1)
    holder.setLayout(line)
    return holder
