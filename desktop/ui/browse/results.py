"""What a search found: the list, and what is to be said where there is none."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QListView, QWidget

from desktop.hub.search import SearchQuery
from desktop.ui.browse.browsing import Browsing
from desktop.ui.browse.result_delegate import ResultDelegate
from desktop.ui.browse.result_rows import ResultRows
from desktop.ui.browse.trouble import TroubleCard
from desktop.ui.browse.words import CountedRepos
from desktop.ui.look import Look
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

AHEAD_VIEWS = 1.5
"""The next page is asked for so many heights of the view before the end."""


class ResultList(QListView):
    """Thousands of rows, painted; Enter or a click opens one."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.activated.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class Results(QWidget):
    """Follows the finder: asking, found, nothing found, stuck, offline with the catalogue.

    `search_wanted`: what had the focus is gone, and the search is where one goes on.
    `unfiltered_wanted`: nothing was found, and the filters are to be taken away.
    """

    search_wanted = Signal()
    unfiltered_wanted = Signal()

    def __init__(self, look: Look, session: Session, browsing: Browsing, shelf: Shelf) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._browsing = browsing
        self._finder = browsing.finder
        self._told = ""
        self.rows = ResultRows(self._finder, session.messages, lambda: shelf.machine)
        self.list = self._make_list()
        self.trouble = TroubleCard(look, session, self._finder.retry)
        self.state = Text(kind="muted", wrap=True)
        self.again = Button(look, self.tr("Try again"), self._finder.retry)
        self.unfiltered = Button(
            look, self.tr("Search without filters"), self.unfiltered_wanted.emit
        )
        below = row(self.state, self.again, self.unfiltered, space=s.space_3)
        below.setStretchFactor(self.state, 1)
        # In line with the rows, beside which the scroll bar stands.
        above = row(self.trouble, margins=(0, 0, s.scroll_bar, 0))
        self._rest = QWidget()  # what lies below a problem without rows
        layout = column(above, self.list, below, self._rest, space=s.space_2)
        for filling in (self.list, self._rest):
            layout.setStretchFactor(filling, 1)
        self.setLayout(layout)
        self._finder.changed.connect(self.refresh)
        self._finder.emptied.connect(self.list.scrollToTop)
        shelf.machine_known.connect(self.rows.judge_anew)
        self.refresh()

    def focus_list(self) -> None:
        """The keyboard goes to the list, at its chosen row or the first one."""
        if not self.rows.rowCount():
            return
        if not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(self.rows.index(0))
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Show the finder's state."""
        finder = self._finder
        focused = QApplication.focusWidget()
        gone = (self.trouble, self.list, self.again, self.unfiltered)
        had_focus = focused is not None and any(
            p is focused or p.isAncestorOf(focused) for p in gone
        )
        has_rows = bool(finder.rows)
        self.trouble.show_problem(finder.problem, with_catalogue=finder.is_catalogue and has_rows)
        self.list.setVisible(has_rows)
        self._rest.setVisible(not has_rows and finder.problem is not None)
        words = self._state_words()
        self.state.setText(words)
        self.state.setVisible(bool(words))
        in_middle = not finder.rows and finder.problem is None
        align = Qt.AlignmentFlag.AlignCenter if in_middle else Qt.AlignmentFlag.AlignLeft
        self.state.setAlignment(align | Qt.AlignmentFlag.AlignVCenter)
        can_retry = finder.phase in ("stuck", "failed") and finder.problem is None
        self.again.setVisible(can_retry)
        self.unfiltered.setVisible(
            finder.phase == "known" and not has_rows and self._filters_found_nothing
        )
        if had_focus and focused is not None and not focused.isVisible():
            self.search_wanted.emit()
        self._say(words)
        self._look_ahead()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._look_ahead()

    def _make_list(self) -> ResultList:
        found = ResultList()
        found.setModel(self.rows)
        self._delegate = ResultDelegate(self._look)
        found.setItemDelegate(self._delegate)
        found.setUniformItemSizes(True)
        found.setMouseTracking(True)
        found.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        found.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        found.setAccessibleName(self.tr("Models found"))
        found.clicked.connect(self._open)
        found.activated.connect(self._open)
        bar = found.verticalScrollBar()
        bar.setSingleStep(self._look.sizes.target)
        bar.valueChanged.connect(self._look_ahead)
        bar.rangeChanged.connect(self._look_ahead)
        return found

    def _open(self, index: QModelIndex) -> None:
        found = self.rows.found(index.row())
        if found is not None and self._browsing.room == "results":
            self._browsing.open(found.repo, found)

    def _look_ahead(self) -> None:
        """Ask for the next page before the end comes into view."""
        if not self.isVisible():
            return
        bar = self.list.verticalScrollBar()
        if bar.maximum() - bar.value() <= AHEAD_VIEWS * self.list.viewport().height():
            self._finder.more()

    def _state_words(self) -> str:
        """What is to be said beside the rows, or where there are none."""
        finder = self._finder
        if finder.phase == "asking":
            return self.tr("Asking Hugging Face …")
        if finder.phase == "more":
            return self.tr("Fetching more …")
        if finder.phase in ("stuck", "failed") and finder.error is not None:
            if finder.problem is not None:
                return ""  # the card says it
            return self._session.messages.error(finder.error)
        if finder.phase == "known" and not finder.rows:
            return self._nothing()
        return ""

    @property
    def _filters_found_nothing(self) -> bool:
        """Whether fewer filters might find more (the built-in list is short enough)."""
        query = self._finder.query
        plain = SearchQuery(text=query.text, sort=query.sort)
        return not self._finder.is_catalogue and query != plain

    def _nothing(self) -> str:
        if self._finder.is_catalogue:
            return self.tr("Nothing in the built-in list goes by that name.")
        if self._filters_found_nothing:
            return self.tr("Nothing found. Perhaps a filter is too narrow: try fewer of them.")
        return self.tr("Nothing found. Try fewer or other words, for instance only “qwen”.")

    def _say(self, words: str) -> None:
        """Tell a screen reader how it went, once each time."""
        told: QWidget = self.state
        if self._finder.phase == "known" and self._finder.rows:
            words = CountedRepos().found(len(self._finder.rows))
            told = self.list  # the label is hidden then, and nobody hears a hidden one
        if words and words != self._told and self._finder.phase != "more":
            told.setAccessibleName(words)
            announce(told)
        self._told = words
