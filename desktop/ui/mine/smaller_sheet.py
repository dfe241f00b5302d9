"""Which smaller version shall be made: size, how it runs here, what it costs in quality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QButtonGroup, QWidget

from desktop.common.errors import HausgeistError
from desktop.common.wording import format_bytes
from desktop.ui.look import Look
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import Frame, clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.parts.tick import Radio
from desktop.ui.session import Session
from desktop.ui.words import page_time, report_words

if TYPE_CHECKING:
    from desktop.services.quantize import QuantizationChoice

LANE = "smaller-plan"
USUAL = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
"""What most makers offer; the others are shown when somebody asks."""


class SmallerSheet(Sheet):
    """Nothing is made before its button is pressed; then the dialog closes and the work goes on."""

    def __init__(
        self, look: Look, session: Session, shelf: Shelf, one: Entry, parent: QWidget
    ) -> None:
        title = self.tr("A smaller version of “{name}”").format(name=one.name)
        super().__init__(look, title, parent)
        self._look = look
        self._session = session
        self._shelf = shelf
        self._one = one
        self._group = QButtonGroup(self)
        self.choices: list[tuple[Radio, QuantizationChoice]] = []
        self._found: tuple[QuantizationChoice, ...] = ()
        self._waiting = Text(self.tr("Reckoning what could be made of it …"), "muted")
        self._list = column()
        self.warning = Text(kind="small", wrap=True)
        self.warning.setProperty("role", "warning")
        self.place = Text(kind="small_muted", wrap=True)
        words = self.tr(
            "Fewer bits for each number: less disk and memory, faster answers, a little less "
            "knowledge. The original stays as it is."
        )
        self.content.addWidget(Text(words, "muted", wrap=True))
        self.content.addWidget(self._waiting)
        self.content.addLayout(self._list)
        self.all_kinds = Button(look, self.tr("All kinds"), self._show_all, kind="quiet")
        self.all_kinds.hide()
        self.content.addLayout(row(self.all_kinds, 1))
        self.content.addStretch(1)
        self.notes.addWidget(self.warning)
        self.notes.addWidget(self.place)
        self.make = Button(look, self.tr("Make it"), self._make, kind="primary")
        self.make.setEnabled(False)
        self.foot.addWidget(Button(look, self.tr("Cancel"), self.close))
        self.foot.addWidget(self.make)
        self.warning.hide()
        self._ask()
        self.fit()

    def _ask(self) -> None:
        services, path, machine = self._session.services, self._one.model.path, self._shelf.machine
        if services is None:
            return
        quantizer = services.quantizer
        self._session.bridge.run(
            LANE,
            lambda: quantizer.choices(path, machine),
            self.while_open(self._show),
            self.while_open(self._fail),
        )

    def _fail(self, error: HausgeistError) -> None:
        self._waiting.setText(self._session.messages.error(error))
        self._waiting.setWordWrap(True)
        self.fit()

    def _show(self, found: tuple[QuantizationChoice, ...]) -> None:
        if not found:
            self._waiting.setText(self.tr("It cannot be made smaller: it is as small as can be."))
            self.fit()
            return
        self._waiting.hide()
        self._found = found
        usual = [one for one in found if one.plan.quantization in USUAL or one.is_recommended]
        self._fill(usual or list(found))
        self.all_kinds.setVisible(len(self.choices) < len(found))
        self._say_place()
        self._chosen_changed()
        self.fit()

    def _show_all(self) -> None:
        self.all_kinds.hide()
        self._fill(list(self._found))
        self._chosen_changed()
        self.fit()

    def _fill(self, shown: list[QuantizationChoice]) -> None:
        chosen = self.chosen()
        clear(self._list)
        self.choices = []
        for choice in shown:
            self._list.addWidget(self._row(choice))
        for button, choice in self.choices:
            if choice is chosen or (chosen is None and choice.is_recommended):
                button.setChecked(True)

    def _row(self, choice: QuantizationChoice) -> Frame:
        s, language = self._look.sizes, self._session.language
        plan, report = choice.plan, choice.report
        button = Radio(self._look, plan.quantization)
        button.toggled.connect(lambda _: self._chosen_changed())
        self._group.addButton(button)
        self.choices.append((button, choice))
        size = format_bytes(plan.file_bytes, language)
        head = row(button, Text(size, "small_muted"), space=s.space_3)
        if choice.is_recommended:
            head.addWidget(Tag(self.tr("recommended"), "accent"))
        head.addStretch(1)
        said = [plan.quantization, size]
        loss = self._session.messages.text(f"quantize.loss.{plan.loss_tier}")
        below = Text(loss, "small_muted", wrap=True)
        below.setContentsMargins(s.space_5, 0, 0, 0)
        if report is not None:
            speed = report.speed.tokens_per_s
            if speed and report.verdict != "too_large":
                head.addWidget(Elided(page_time(speed, language), "small_muted"))
            tag = Tag(*report_words(report))
            head.addWidget(tag)
            said.append(tag.text())
        button.setAccessibleName(", ".join(said))
        button.setAccessibleDescription(loss)
        block = column(head, below, margins=(0, s.space_1, 0, s.space_2))
        return Frame("row", block)

    def _say_place(self) -> None:
        folders = self._shelf.keeping.folders
        if not folders:
            return
        words = self.tr("It goes to {folder}.")
        if folders[0].free_bytes is not None:
            words = self.tr("It goes to {folder}, where {size} are free.")
        size = format_bytes(folders[0].free_bytes or 0, self._session.language)
        self.place.setText(words.format(folder=folders[0].path, size=size))

    def chosen(self) -> QuantizationChoice | None:
        """What is marked now."""
        return next((choice for button, choice in self.choices if button.isChecked()), None)

    def _chosen_changed(self) -> None:
        choice = self.chosen()
        self.make.setEnabled(choice is not None)
        warnings = () if choice is None else choice.plan.warnings
        messages = self._session.messages
        sentences = [messages.text(f"quantize.warning.{w.kind}", **w.params) for w in warnings]
        self.warning.setText("\n".join(sentences))
        self.warning.setVisible(bool(sentences))
        self.fit()

    def _make(self) -> None:
        choice = self.chosen()
        if choice is not None:
            self._shelf.shrinking.begin(self._one.model.name, choice.plan)
            self.close()
