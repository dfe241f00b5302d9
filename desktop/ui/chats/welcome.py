"""What an empty chat shows: a greeting, this machine in one sentence, and how to begin."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from desktop.ui.downloads.first_model import FirstModel
from desktop.ui.downloads.first_offer import FirstOffer
from desktop.ui.look import Look
from desktop.ui.model_names import display_name
from desktop.ui.model_session import ModelSession
from desktop.ui.parts.boxes import Card, Page, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.icon_label import IconLabel
from desktop.ui.parts.text import Tag, Text
from desktop.ui.session import Session


class Welcome(Page):
    """Greets; suggests questions; says what the guide is and how to get a larger model."""

    asked = Signal(str)
    import_wanted = Signal()
    machine_wanted = Signal()
    models_wanted = Signal()

    def __init__(
        self, look: Look, session: Session, model: ModelSession, first: FirstModel
    ) -> None:
        super().__init__(look, self.tr("Welcome"), centred=True)
        s = look.sizes
        self._look = look
        self._session = session
        self._model = model
        self.offer = FirstOffer(look, session, first)
        self._mark = QLabel()
        self._mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = Text(kind="title", wrap=True)
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._subtitle = Text(kind="muted", wrap=True)
        self._subtitle.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._questions: list[str] = []
        self._chips = Flow(s.space_2, centred=True)
        chips = QWidget()
        chips.setLayout(self._chips)
        self.machine_card = self._make_machine_card()
        self._guide_card = self._make_guide_card()
        middle = column(
            self._mark,
            self._title,
            self._subtitle,
            self._gap(s.space_1),
            self.machine_card,
            self._guide_card,
            self._gap(s.space_1),
            chips,
            space=s.space_3,
        )
        holder = QWidget()
        holder.setLayout(middle)
        holder.setMaximumWidth(s.column)
        self.content.addStretch(2)
        line = row(1, holder, 1)
        line.setStretchFactor(holder, 1000)
        self.content.addLayout(line)
        self.content.addStretch(3)
        model.changed.connect(self.refresh)
        look.changed.connect(self._draw_mark)
        self._draw_mark()
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a low window the mark gives its place to what one can do."""
        super().resizeEvent(event)
        self._mark.setVisible(event.size().height() > self._look.sizes.dialog)

    def show_machine(self, sentence: str) -> None:
        """This machine in one sentence, once it is known."""
        self._machine_words.setText(sentence)

    @property
    def machine_words(self) -> str:
        """What is said of this machine just now."""
        return self._machine_words.text()

    @property
    def subtitle(self) -> str:
        """What is said of the model that is chosen."""
        return self._subtitle.text()

    def chips(self) -> list[Button]:
        """The suggested questions."""
        items = [self._chips.itemAt(i) for i in range(self._chips.count())]
        widgets = [item.widget() for item in items if item is not None]
        return [widget for widget in widgets if isinstance(widget, Button)]

    def refresh(self) -> None:
        """Say again what one can talk about with the model that is chosen."""
        guide = self._model.state.is_guide
        first = not self._session.settings.seen_welcome
        self._title.setText(
            self.tr("Welcome to Hausgeist") if first else self.tr("How can I help?")
        )
        if guide:
            self._subtitle.setText(
                self.tr("Language models on your own computer. Ask me how that works.")
            )
        elif self._model.state.leaves_computer:
            self._subtitle.setText(
                self.tr("{model} answers elsewhere: what you write is sent there.").format(
                    model=display_name(self._model.state.name)
                )
            )
        else:
            self._subtitle.setText(
                self.tr("{model} answers here, on this computer only.").format(
                    model=display_name(self._model.state.name)
                )
            )
        self.machine_card.setVisible(first)
        self._guide_card.setVisible(guide)
        self._show_chips(self._guide_questions() if guide else self._general_questions())

    def _guide_questions(self) -> list[str]:
        return [
            self.tr("What is a model?"),
            self.tr("Which models run on my computer?"),
            self.tr("How do I get a larger model?"),
            self.tr("Is this private?"),
            self.tr("What does Q4_K_M mean?"),
        ]

    def _general_questions(self) -> list[str]:
        return [
            self.tr("Write a friendly reminder for an unpaid invoice"),
            self.tr("Explain compound interest to a twelve-year-old"),
            self.tr("Give me five ideas for a quick dinner"),
        ]

    def _show_chips(self, questions: list[str]) -> None:
        if self._questions == questions:
            return
        self._questions = questions
        while (item := self._chips.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for question in questions:
            self._chips.addWidget(Button(self._look, question, self._ask(question), kind="chip"))

    def _ask(self, question: str) -> Callable[[], None]:
        return lambda: self.asked.emit(question)

    def _make_machine_card(self) -> Card:
        s = self._look.sizes
        icon = IconLabel(self._look, "desktop", "accent", s.icon_rail)
        self._machine_words = Text(self.tr("Looking at this computer …"), wrap=True)
        more = Button(self._look, self.tr("This computer"), self.machine_wanted.emit, kind="quiet")
        line = row(icon, self._machine_words, more, space=s.space_3)
        line.setStretch(1, 1)
        return Card(self._look, line)

    def _make_guide_card(self) -> Card:
        s = self._look.sizes
        icon = IconLabel(self._look, "info", "accent", s.icon_rail)
        head = row(
            Text(self.tr("Hausgeist guide"), "strong"),
            Tag(self.tr("built in"), "accent"),
            1,
            space=s.space_2,
        )
        words = Text(
            self.tr(
                "Knows about Hausgeist itself, and nothing else. For letters, ideas or "
                "translations take a larger model."
            ),
            "small_muted",
            wrap=True,
        )
        more = Button(self._look, self.tr("Choose a model"), self.models_wanted.emit, icon="cube")
        bring = Button(
            self._look,
            self.tr("Import a model file …"),
            self.import_wanted.emit,
            icon="file-plus",
        )
        ways = Flow(s.space_2)
        for way in (self.offer.button, more, bring):
            ways.addWidget(way)
        side = column(head, words, self.offer, ways, space=s.space_2)
        line = row(icon, side, space=s.space_3)
        line.setAlignment(icon, Qt.AlignmentFlag.AlignTop)
        line.setStretch(1, 1)
        return Card(self._look, line)

    def _gap(self, height: int) -> QWidget:
        gap = QWidget()
        gap.setFixedHeight(height)
        return gap

    def _draw_mark(self) -> None:
        self._mark.setPixmap(self._look.mark(self._look.sizes.mark_large, self.devicePixelRatioF()))
