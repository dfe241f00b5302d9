"""The section "Recommended for this computer": what to fetch, for a task and a language."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QDateTime, QLocale, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.library.catalog import Task
from desktop.services.model_ref import find_fetched
from desktop.services.recommend import Recommendation
from desktop.ui.downloads.downloads_model import DownloadsModel
from desktop.ui.look import Look
from desktop.ui.mine.details import ModelDetails
from desktop.ui.mine.shelf import Shelf
from desktop.ui.models.advice import Advice
from desktop.ui.models.recommended_card import RecommendedCard
from desktop.ui.notice import Toast
from desktop.ui.parts.boxes import Card, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.columns import Columns
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.pick import Pick
from desktop.ui.parts.text import Text
from desktop.ui.session import Session

SHOWN_AT_FIRST = 3
HUB_ADDRESS = "https://huggingface.co/"


class Recommended(QWidget):
    """Each card fetches its model; nothing is asked of the internet without a click."""

    repository_wanted = Signal(str)

    def __init__(
        self, look: Look, session: Session, shelf: Shelf, downloads: DownloadsModel
    ) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._shelf = shelf
        self._downloads = downloads
        self.advice = Advice(session, shelf)
        self.cards: list[RecommendedCard] = []
        self.opened: RecommendedCard | None = None
        self.details: ModelDetails | None = None
        self._details_name = Text(kind="heading")
        self.whole = Button(look, self.tr("All versions"), self._whole)
        self._details_card = Card(look, row(self._details_name, 1, self.whole))
        self._details_card.hide()
        self._all = False
        picks = self._make_picks()
        self.state = Text(kind="muted", wrap=True)
        self._state_card = Card(look, self.state)
        self._grid = Columns(s.space_3, s.card_min, SHOWN_AT_FIRST)
        self.more = Button(look, self.tr("More suggestions"), self._show_all, kind="quiet")
        self._below = QWidget()
        self._below.setLayout(row(self.more, 1))
        self.setLayout(
            column(
                Text(self.tr("Recommended for this computer"), "heading"),
                picks,
                self._state_card,
                self._grid,
                self._details_card,
                self._below,
                space=s.space_3,
            )
        )
        self.advice.changed.connect(self.refresh)
        self.advice.refresh_changed.connect(self._say_renew)
        downloads.changed.connect(self._show_states)
        shelf.changed.connect(self._show_states)
        self.refresh()
        self._say_renew()

    def _make_picks(self) -> Flow:
        """What the list is for, and the one way to ask somebody else."""
        tasks: list[tuple[str, Task]] = [
            (self.tr("Chat"), "chat"),
            (self.tr("Programming"), "code"),
            (self.tr("Pictures"), "vision"),
            (self.tr("Finding texts"), "embedding"),
        ]
        languages = [(self.tr("German"), "de"), (self.tr("English"), "en")]
        self.task = Pick(self._look, self.tr("Task"), tasks, "chat", self._choose_task)
        self.language = Pick(
            self._look,
            self.tr("Language"),
            languages,
            self.advice.language,
            self.advice.choose_language,
        )
        self.renew = Button(self._look, "", self._renew, kind="quiet", icon="arrows-clockwise")
        picks = Flow(self._look.sizes.space_2)
        for part in (self.task, self.language, self.renew):
            picks.addWidget(part)
        return picks

    def refresh(self) -> None:
        """Show what is known now."""
        words = self._state_words()
        self.state.setText(words)
        self._state_card.setVisible(bool(words))
        found = () if words else self.advice.found
        shown = found if self._all else found[:SHOWN_AT_FIRST]
        if [card.item for card in self.cards] != list(shown):
            self._open(None)
            self.cards = [self._card(item) for item in shown]
            self._grid.show_widgets(list(self.cards))
            self._put_in_tab_order()
        self._show_states()
        self._grid.setVisible(bool(shown))
        self._below.setVisible(bool(shown))
        self.more.setVisible(len(shown) < len(found))

    def _put_in_tab_order(self) -> None:
        """The cards come long after what stands below them; by keyboard they come before."""
        buttons = [button for card in self.cards for button in _buttons(card)]
        for before, after in pairwise([self.renew, *buttons, self.more]):
            QWidget.setTabOrder(before, after)

    def _renew(self) -> None:
        if self.advice.refreshing:
            self.advice.stop_refresh()
        else:
            self.advice.refresh()

    def _say_renew(self) -> None:
        """What the button does now: ask, or stop asking; its tip says whom and when last."""
        if not self.advice.refreshing:
            self.renew.setText(self.tr("Check for new models"))
        elif self.advice.step is None:
            self.renew.setText(self.tr("Asking … (stop)"))
        else:
            done, total = self.advice.step
            words = self.tr("Asking: {done} of {total} (stop)")
            self.renew.setText(words.format(done=done, total=total))
        asks = self.tr("Asks huggingface.co what there is now. Nothing is asked without a click.")
        at = self.advice.refreshed_at
        if at is not None:
            day = QLocale(self._session.language).toString(
                QDateTime.fromSecsSinceEpoch(int(at)).date(), QLocale.FormatType.ShortFormat
            )
            asks += " " + self.tr("Last asked: {day}.").format(day=day)
        self.renew.setToolTip(asks)
        self.renew.setAccessibleDescription(asks)

    def _state_words(self) -> str:
        """What goes on where there are no cards; "" where there are."""
        if self.advice.phase == "failed":
            return self.advice.error
        if self.advice.phase == "known" and not self.advice.found:
            return self.tr(
                "None of the models we know runs well on this computer. The built-in guide does: "
                "it answers questions about Hausgeist itself. Closing other programs may help."
            )
        if self.advice.phase == "known" or self.advice.found:
            return ""
        return self.tr("Looking for what suits this computer …")

    def _card(self, item: Recommendation) -> RecommendedCard:
        def copy() -> None:
            QGuiApplication.clipboard().setText(f"{HUB_ADDRESS}{item.file.repo}")
            self._session.tell(Toast(self.tr("The address is copied.")))

        def fold() -> None:
            self._open(None if self.opened is card else card)

        card = RecommendedCard(
            self._look,
            self._session.messages,
            item,
            on_fetch=lambda: self._fetch_or_chat(item),
            on_copy=copy,
            on_details=fold,
        )
        return card

    def _fetch_or_chat(self, item: Recommendation) -> None:
        """What the first button of a card says."""
        here = find_fetched(item.file.reference, self._shelf.models)
        if here is not None:
            self._downloads.chat_wanted.emit(here.name)
        elif self._downloads.is_known(item.file.reference) in (None, "done"):
            # A projector that is not counted in the card's size does not come along either.
            with_projector = item.projector is not None
            name = item.model.name
            self._downloads.add(item.file.reference, name=name, with_projector=with_projector)
        else:
            self._downloads.shown.emit()

    def _show_states(self) -> None:
        """Whether each is here, on its way, or neither."""
        for card in self.cards:
            reference = card.item.file.reference
            is_here = find_fetched(reference, self._shelf.models) is not None
            card.show_state(self._downloads.is_known(reference), is_here=is_here)

    def _open(self, card: RecommendedCard | None) -> None:
        """Show the details of one card below all of them, where there is room for them."""
        for other in self.cards:
            other.show_fold(is_open=other is card)
        if self.details is not None:
            self.details.hide()
            self.details.deleteLater()
        self.opened, self.details = card, None
        if card is not None:
            self._details_name.setText(card.item.model.name)
            self.details = card.details()
            self._details_card.inner.addWidget(self.details)
        self._details_card.setVisible(card is not None)

    def _whole(self) -> None:
        """Look into the repository where the file lies."""
        if self.opened is not None:
            self.repository_wanted.emit(self.opened.item.file.repo)

    def _choose_task(self, task: Task) -> None:
        self._all = False
        self.advice.choose_task(task)

    def _show_all(self) -> None:
        self._all = True
        self.refresh()


def _buttons(card: RecommendedCard) -> tuple[QWidget, ...]:
    return (card.fetch, card.fold, card.copy)
