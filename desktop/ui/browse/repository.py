"""One repository: what it is, its files with how each does here, what its makers write."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QStackedWidget, QWidget

from desktop.common.errors import HausgeistError, HubError
from desktop.services.offers import RepositoryView
from desktop.ui.browse.access import AccessCard
from desktop.ui.browse.browsing import Browsing
from desktop.ui.browse.card_view import CardView
from desktop.ui.browse.facts import FactList, facts_of, more_facts_of
from desktop.ui.browse.offer_list import OfferList
from desktop.ui.browse.offer_row import Fetches
from desktop.ui.browse.offer_words import ACCESS_KINDS
from desktop.ui.browse.ours import is_ours
from desktop.ui.browse.trouble import TroubleCard
from desktop.ui.browse.words import breakable, one_line
from desktop.ui.look import Look
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Frame, Page, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session
from desktop.ui.settings.account_model import AccountModel
from desktop.ui.transcript.outside import ask_and_open

CARD_LEAF = 1


class Repository(QWidget):
    """A head that stays, and below it one of two leaves: the files, or the makers' own words."""

    author_wanted = Signal(str)

    def __init__(
        self,
        look: Look,
        session: Session,
        browsing: Browsing,
        downloads: Fetches,
        account: AccountModel,
    ) -> None:
        super().__init__()
        self._look = look
        self._session = session
        self._browsing = browsing
        self._opened = browsing.opened
        self._author = ""
        self.head = self._make_head()
        self.files = Page(look, self.tr("Files"))
        self.trouble = TroubleCard(look, session, self._opened.retry)
        self.access = AccessCard(look, session, self._opened, account)
        self.state = Text(kind="muted", wrap=True)
        self.again = Button(look, self.tr("Try again"), self._opened.retry)
        self.offers = OfferList(look, session, downloads, browsing.home)
        self.facts = FactList(look)
        self.more = FactList(look)
        self.summary = Text(wrap=True)
        self.card = CardView(look, self.tr("What its makers write"))
        self.leaves = QStackedWidget()
        self._lay_out()
        self._opened.changed.connect(self.refresh)
        self._opened.offers_changed.connect(self._show_offers)
        self.refresh()

    def focus_first(self) -> None:
        """The keyboard begins at the way back."""
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Show another repository, or that more or less is known of it."""
        opened = self._opened
        view, found = opened.view, opened.found
        repo = opened.repo if view is None else view.repo
        self._show_head(repo)
        error = opened.error if opened.phase == "failed" else None
        needs_access = error is not None and error.kind in ACCESS_KINDS
        shows_trouble = opened.problem is not None and not needs_access
        self.trouble.show_problem(
            opened.problem if shows_trouble else None,
            with_catalogue=view is not None and view.is_catalogue,
        )
        self._show_state(shows_words=not needs_access and not shows_trouble)
        messages = self._session.messages
        self.facts.show_facts(facts_of(view, found, messages))
        self.more.show_facts(more_facts_of(view, found, messages, date.today()))
        summary = "" if view is None else breakable(view.card_summary)
        self.summary.setText(summary)
        self.summary.setVisible(bool(summary))
        self._show_card(view)
        self._show_offers()

    def show_downloads(self) -> None:
        """Some download began, ended or went on."""
        self.offers.show_downloads()

    def _show_offers(self) -> None:
        opened = self._opened
        judging = opened.phase in ("opening", "judging")
        self._show_access()
        self.offers.show_view(opened.view, judging=judging)

    def _show_access(self) -> None:
        """What its makers want, until one of its files could be read."""
        opened = self._opened
        view = opened.view
        errors: list[HausgeistError | None] = [opened.error if opened.phase == "failed" else None]
        if view is not None and not any(offer.basis == "header" for offer in view.offers):
            errors += [offer.problem for offer in view.offers]
            has_gate = view.gated != ""
        else:
            has_gate = False
        refused = next((e for e in errors if e is not None and e.kind in ACCESS_KINDS), None)
        if refused is None and not has_gate:
            self.access.hide()
            return
        # Files that are listed and closed: what the card says by itself is friendlier.
        is_first_word = refused is not None and refused.kind == "hub_gated" and has_gate
        repo = opened.repo if view is None else view.repo
        self.access.show_need(self._page_of(repo), None if is_first_word else refused)

    def _show_state(self, *, shows_words: bool) -> None:
        opened = self._opened
        words = ""
        if opened.phase == "opening":
            words = self.tr("Asking what there is …")
        elif opened.phase == "failed" and shows_words and opened.error is not None:
            words = self._session.messages.error(opened.error)
        elif opened.view is not None and not opened.view.offers and opened.phase == "known":
            words = self._session.messages.error(HubError("hub_no_gguf", repo=opened.repo))
        elif opened.view is not None and opened.phase == "known" and opened.error is not None:
            words = self._session.messages.error(opened.error)
        if words != self.state.text():
            self.state.setText(words)
            self.state.setAccessibleName(words)
            if words and opened.phase == "failed":
                announce(self.state)
        self.state.setVisible(bool(words))
        self.again.setVisible(bool(words) and opened.error is not None)

    def _show_card(self, view: RepositoryView | None) -> None:
        card = None if view is None else view.card
        has_text = card is not None and bool(card.markdown)
        self.to_card.setEnabled(has_text)
        if not has_text:
            self.to_files.setChecked(True)
            self.leaves.setCurrentIndex(0)
        elif self.leaves.currentIndex() == CARD_LEAF:
            self._turn_to(CARD_LEAF)

    def _turn_to(self, leaf: int) -> None:
        """Show the files or the card; the card is laid out only when somebody looks at it."""
        view = self._opened.view
        if leaf == CARD_LEAF and view is not None and view.card is not None:
            self.card.show_text(view.repo.partition("/")[0], view.card.markdown)
        self.leaves.setCurrentIndex(leaf)

    def _show_head(self, repo: str) -> None:
        author, _, name = repo.partition("/")
        if is_ours(repo):
            author = ""
        elif not name:
            author, name = "", repo
        self._author = author
        self.name.setText(one_line(name))
        self.author.setText(self.tr("by {author}").format(author=author))
        self.author.setAccessibleName(self.tr("By {author}: show all models").format(author=author))
        self.author.setVisible(bool(author))
        view = self._opened.view
        source = "" if view is None or view.source == "hub" else view.source
        words = self.tr("From your organisation: {source}").format(source=one_line(source, 60))
        self.source.setText(words)
        self.source.setVisible(bool(source))
        self.out.setVisible(bool(self._page_of(repo)))

    def _page_of(self, repo: str) -> str:
        view, services = self._opened.view, self._session.services
        if view is not None:
            return view.page
        if services is None or repo.count("/") != 1 or ":" in repo:
            return ""
        return f"{services.network.policy.endpoint}/{repo}"

    def _make_head(self) -> Frame:
        look, s = self._look, self._look.sizes
        self.back = IconButton(look, "arrow-left", self.tr("Back"), self._browsing.back)
        self.name = Elided(kind="title")
        self.author = Button(look, "", self._all_of_author, kind="link")
        self.source = Tag("", "accent")
        self.out = IconButton(
            look, "arrow-square-out", self.tr("Open its page in the browser"), self._open_page
        )
        self.to_files = self._leaf_button(self.tr("Files"), 0)
        self.to_card = self._leaf_button(self.tr("From its makers"), CARD_LEAF)
        self.to_files.setChecked(True)
        group = QButtonGroup(self)
        group.addButton(self.to_files)
        group.addButton(self.to_card)
        first = row(self.back, self.name, self.out, space=s.space_2)
        first.setStretchFactor(self.name, 1)
        second = Flow(s.space_2)
        for part in (self.to_files, self.to_card, self.author, self.source):
            second.addWidget(part)
        margins = (s.space_6, s.space_4, s.space_6, s.space_3)
        return Frame("topbar", column(first, second, space=s.space_2, margins=margins))

    def _leaf_button(self, words: str, leaf: int) -> Button:
        button = Button(self._look, words, lambda: self._turn_to(leaf), kind="pill")
        button.setCheckable(True)
        return button

    def _lay_out(self) -> None:
        s = self._look.sizes
        line = row(self.state, self.again, space=s.space_3)
        line.setStretchFactor(self.state, 1)
        content = self.files.content
        content.addLayout(line)
        for part in (self.trouble, self.access, self.summary, self.facts, self.offers, self.more):
            content.addWidget(part)
        content.addStretch(1)
        self.leaves.addWidget(self.files)
        self.leaves.addWidget(self.card)
        layout = column(self.head, self.leaves)
        layout.setStretchFactor(self.leaves, 1)
        self.setLayout(layout)

    def _all_of_author(self) -> None:
        self.author_wanted.emit(self._author)

    def _open_page(self) -> None:
        ask_and_open(self, self._page_of(self._opened.repo))
