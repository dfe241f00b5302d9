"""What Hausgeist has measured on this computer, beside what it had expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.common.wording import format_memory, format_number
from desktop.fit.types import Plan
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session
from desktop.ui.words import tokens_per_s

if TYPE_CHECKING:
    from desktop.services.history_summary import Compared
    from desktop.services.measured_here import MeasuredHere, MeasuredRow

LANE = "library"


class MeasuredCard(QWidget):
    """Hidden until a model has been opened here."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._shown: MeasuredHere | None = None
        self.summary = Text(kind="muted", wrap=True)
        self.setLayout(
            column(
                Text(self.tr("What was measured here"), "heading"),
                self.summary,
                Card(look, self._rows),
                space=s.space_2,
            )
        )
        self.hide()

    def refresh(self) -> None:
        """Read the history anew, beside the window."""
        services = self._session.services
        if services is None:
            return
        history = services.history

        def work() -> MeasuredHere:
            from desktop.services.measured_here import measured_here  # not before the first paint

            return measured_here(history.entries())

        self._session.bridge.run(LANE, work, self.show_measured, self._session.tell_error)

    def show_measured(self, found: MeasuredHere) -> None:
        """Show these lines."""
        self.setVisible(bool(found.rows))
        if found == self._shown:
            return
        self._shown = found
        clear(self._rows)
        self.summary.setText(self._summary(found))
        self.summary.setVisible(bool(self.summary.text()))
        for number, one in enumerate(found.rows):
            self._rows.addWidget(self._row(one, last=number == len(found.rows) - 1))

    def _summary(self, found: MeasuredHere) -> str:
        words: list[str] = []
        accuracy, language = found.accuracy, self._session.language
        if accuracy is not None and accuracy.memory is not None:
            off = self.tr("Memory was predicted to within {percent} %.")
            words.append(off.format(percent=format_number(accuracy.memory * 100, language, 1)))
        if accuracy is not None and accuracy.generation is not None:
            off = self.tr("Speed was predicted to within {percent} %.")
            words.append(off.format(percent=format_number(accuracy.generation * 100, language)))
        if found.failures:
            words.append(
                self.tr("Attempts that failed for lack of memory: %n. Since then more is left "
                        "free.", "", found.failures)
            )  # fmt: skip
        return " ".join(words)

    def _row(self, one: MeasuredRow, *, last: bool) -> Frame:
        s = self._look.sizes
        head = row(Elided(one.name, "strong"), space=s.space_2)
        if one.quantization:
            head.addWidget(Tag(one.quantization))
        head.addStretch(1)
        head.addWidget(Elided(self._setting(one.plan), "small_muted"))
        language = self._session.language
        facts: list[str] = []
        if one.generation.actual:
            measured = tokens_per_s(one.generation.actual, language)
            facts.append(self._beside(measured, one.generation, is_speed=True))
        if one.memory.actual:
            held = self.tr("{size} in memory")
            measured = held.format(size=format_memory(round(one.memory.actual), language))
            facts.append(self._beside(measured, one.memory, is_speed=False))
        words = " · ".join(facts) or self.tr("opened, but no answer yet")
        lines = column(head, Text(words, "small_muted", wrap=True), space=s.space_1)
        frame = Frame("row", row(lines, margins=(0, s.space_2, 0, s.space_2)))
        frame.setProperty("last", last)
        return frame

    def _beside(self, measured: str, figures: Compared, *, is_speed: bool) -> str:
        """ "9.1 tokens/s (9.5 expected)"."""
        if figures.predicted is None:
            return measured
        language = self._session.language
        if is_speed:
            expected = format_number(figures.predicted, language, 1)
        else:
            expected = format_memory(round(figures.predicted), language)
        words = self.tr("{measured} ({expected} expected)")
        return words.format(measured=measured, expected=expected)

    def _setting(self, plan: Plan) -> str:
        if plan.gpu_layers == 0:
            return self.tr("processor, %n thread(s)", "", plan.threads)
        if plan.expert_layers_on_cpu:
            return self.tr("graphics card, experts of %n layer(s) in main memory", "",
                           plan.expert_layers_on_cpu)  # fmt: skip
        return self.tr("graphics card: %n layer(s)", "", plan.gpu_layers)
