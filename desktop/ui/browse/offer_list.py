"""The files of a repository in groups of like quality, the one for this computer first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.services.downloads_entry import DownloadState
from desktop.services.offers import FileOffer, RepositoryView
from desktop.ui.browse.offer_row import BesideRow, Fetches, OfferRow
from desktop.ui.browse.offer_words import GROUPS, group_of, group_words
from desktop.ui.browse.words import CountedRepos
from desktop.ui.look import Look
from desktop.ui.parts.boxes import clear, column
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

SHOWN_AT_FIRST = 24
SHOWN_MORE = 100
"""A hostile repository lists fifty thousand files: no window shows them all at once."""


class OfferList(QWidget):
    """Rows are made once and told what becomes known; a new view makes them anew."""

    def __init__(
        self, look: Look, session: Session, downloads: Fetches, on_show: Callable[[], object]
    ) -> None:
        super().__init__()
        self._look = look
        self._session = session
        self._downloads = downloads
        self._on_show = on_show
        self._view: RepositoryView | None = None
        self._judging = False
        self._most = SHOWN_AT_FIRST
        self._arrived: set[str] = set()
        self.rows: dict[str, OfferRow] = {}
        self.beside: list[BesideRow] = []
        self._column: QVBoxLayout = column(space=0)
        self.more = Button(look, "", self._show_more, kind="quiet")
        self.setLayout(column(self._column, self.more, space=look.sizes.space_2))

    def show_view(self, view: RepositoryView | None, *, judging: bool) -> None:
        """Show what is known of each file now."""
        self._judging = judging
        if view is None:
            self._clear()
            self._view = None
            return
        if self._view is None or _plan(self._view) != _plan(view):
            if self._view is None or self._view.repo != view.repo:
                self._most = SHOWN_AT_FIRST
                self._arrived.clear()
            held = next((r for r, entry in self.rows.items() if entry.fetch.hasFocus()), "")
            self._make(view)
            if held in self.rows:  # the rows are new, the keyboard stays where it was
                self.rows[held].fetch.setFocus()
        self._view = view
        for offer in view.offers:
            entry = self.rows.get(offer.reference)
            if entry is not None:
                state, is_here = self._state(offer)
                entry.show_offer(replace(offer, is_here=is_here), state, judging=judging)

    def show_downloads(self) -> None:
        """Some download began, ended or went on."""
        for entry in self.rows.values():
            state, is_here = self._state(entry.offer)
            entry.fetch.show_state(state, is_here=is_here)
        for line in self.beside:
            state = self._downloads.is_known(line.beside.reference)
            line.fetch.show_state(state, is_here=False)

    def _state(self, offer: FileOffer) -> tuple[DownloadState | None, bool]:
        """How far its download is, and whether it is here: also one that has left the queue."""
        state = self._downloads.is_known(offer.reference)
        if state == "done":
            self._arrived.add(offer.reference)
        return state, offer.is_here or offer.reference in self._arrived

    def _clear(self) -> None:
        clear(self._column)
        self.rows, self.beside = {}, []
        self.more.hide()

    def _make(self, view: RepositoryView) -> None:
        self._clear()
        shown = _in_order(view)[: self._most]
        together = Counter(offer.quantization for offer in view.offers)
        best = view.recommended
        if best is not None and best in shown:
            self._heading(*self._best_words())
            self._add(best, twins=together[best.quantization] > 1)
        for group in GROUPS:
            members = [offer for offer in shown if offer is not best and group_of(offer) == group]
            if members:
                self._heading(*group_words(group))
            for offer in members:
                self._add(offer, twins=together[offer.quantization] > 1)
        self._make_beside(view)
        left = len(view.offers) - len(shown)
        self.more.setText(CountedRepos().more_files(min(left, SHOWN_MORE)))
        self.more.setVisible(left > 0)

    def _make_beside(self, view: RepositoryView) -> None:
        """What belongs to the models: parts that see, drafts, LoRAs."""
        files = (*view.projectors, *view.drafts, *view.loras)[:SHOWN_MORE]
        if not files:
            return
        self._heading(self.tr("Belongs to these models"), "")
        for beside in files:
            line = BesideRow(
                self._look,
                self._session.messages,
                beside,
                on_fetch=partial(self._fetch, beside.reference, alone=True),
                on_show=self._on_show,
            )
            self.beside.append(line)
            self._column.addWidget(line)
        self.beside[-1].setProperty("last", True)  # noqa: FBT003
        self.show_downloads()

    def _best_words(self) -> tuple[str, str]:
        return (
            self.tr("Best for this computer"),
            self.tr("Most quality for its size among those that run well here."),
        )

    def _heading(self, name: str, sentence: str) -> None:
        s = self._look.sizes
        if self._column.count():
            self._column.addSpacing(s.space_4)
        self._column.addWidget(Text(name, "heading"))
        if sentence:
            self._column.addWidget(Text(sentence, "small_muted", wrap=True))
        self._column.addSpacing(s.space_1)

    def _add(self, offer: FileOffer, *, twins: bool) -> None:
        entry = OfferRow(
            self._look,
            self._session.messages,
            offer,
            named_by_file=twins,
            on_fetch=partial(self._fetch, offer.reference),
            on_show=self._on_show,
        )
        self.rows[offer.reference] = entry
        self._column.addWidget(entry)

    def _fetch(self, reference: str, *, alone: bool = False) -> None:
        name = "" if self._view is None else self._view.repo.rpartition("/")[2]
        self._downloads.add(reference, name=name, with_projector=not alone)
        self.show_downloads()

    def _show_more(self) -> None:
        self._most += SHOWN_MORE
        view = self._view
        if view is not None:
            self._make(view)
            self.show_view(view, judging=self._judging)


def _plan(view: RepositoryView) -> tuple[object, ...]:
    """What decides which rows there are and in which order."""
    best = view.recommended
    return (
        view.repo,
        view.listing.commit,
        "" if best is None else best.reference,
        tuple(offer.reference for offer in view.offers),
    )


def _in_order(view: RepositoryView) -> list[FileOffer]:
    """The recommended one, then by group; within one the better first, among equals the smaller."""
    best = view.recommended

    def place(offer: FileOffer) -> tuple[bool, int, int]:
        group = group_of(offer)
        size = offer.file_bytes or 0
        return offer is not best, GROUPS.index(group), size if group == "full" else -size

    return sorted(view.offers, key=place)
