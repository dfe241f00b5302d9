""" "What would more bring?": each step up from a computer with what would run there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.common.wording import format_bytes
from desktop.ui.look import Look
from desktop.ui.machine.advice_watch import AdviceWatch
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session
from desktop.ui.words import page_time, tokens_per_s, verdict_words

if TYPE_CHECKING:
    from desktop.services.other_machines import Step, Suggestion

_MOST_MINE = 4


class StepsCard(Card):
    """Rows: the computer as it is, then with more memory, with graphics cards."""

    def __init__(self, look: Look, session: Session, advice: AdviceWatch) -> None:
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._status = Text(kind="muted", wrap=True)
        super().__init__(look, self._rows, self._status)
        self._look = look
        self._session = session
        self._advice = advice
        self._shown: tuple[Step, ...] = ()
        advice.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is worked out so far; what stands there already stays as it is."""
        watch = self._advice
        steps = watch.advice.steps if watch.advice is not None else ()
        if steps[: len(self._shown)] != self._shown:
            clear(self._rows)
            self._shown = ()
        for step in steps[len(self._shown) :]:
            self._rows.addWidget(self._row(step, steps[0], first=not self._rows.count()))
        self._shown = steps
        self._status.setText(self._status_words(len(steps)))
        self._status.setVisible(bool(self._status.text()))

    def _status_words(self, steps: int) -> str:
        watch = self._advice
        if watch.error is not None:
            return self._session.messages.error(watch.error)
        if watch.working or watch.advice is None:
            return self.tr("Working out what other hardware would bring …")
        if steps == 1:
            return self.tr("None of the usual changes would bring a more capable model than now.")
        return ""

    def _row(self, step: Step, now: Step, *, first: bool) -> QWidget:
        s = self._look.sizes
        head = self._session.messages.text(f"machine.step.{step.kind}", **step.params)
        lines = column(Text(head, "strong", wrap=True), space=s.space_1)
        if step.best is None:
            lines.addWidget(Text(self.tr("None of the known models runs well there."), "muted"))
        else:
            lines.addLayout(self._model(self.tr("Best:"), step.best))
        if step.fast is not None:
            lines.addLayout(self._model(self.tr("Fast:"), step.fast))
        if step is not now:
            for then, before in list(zip(step.mine, now.mine, strict=False))[:_MOST_MINE]:
                if words := self._gain(then, before):
                    lines.addWidget(Text(words, "small_muted", wrap=True))
        line = Frame("line")
        line.setFixedHeight(s.line)
        if first:
            line.hide()
        holder = QWidget()
        holder.setLayout(column(line, column(lines, margins=(0, s.space_3, 0, s.space_3))))
        return holder

    def _model(self, label: str, found: Suggestion) -> QVBoxLayout:
        """Two lines: a name must not give way to its numbers where the window is narrow."""
        language = self._session.language
        line = row(
            Text(label, "small_muted"),
            Elided(found.name, "small_strong"),
            space=self._look.sizes.space_2,
        )
        line.addStretch(1)
        line.addWidget(Tag(*verdict_words(found.verdict, found.tokens_per_s)))
        facts = [format_bytes(found.file_bytes, language)]
        if found.tokens_per_s:
            facts.append(page_time(found.tokens_per_s, language))
            facts.append(tokens_per_s(found.tokens_per_s, language))
        return column(line, Text(" · ".join(facts), "small_muted", wrap=True))

    def _gain(self, then: Suggestion, before: Suggestion) -> str:
        """What becomes of a model that one has; "" where nothing does."""
        language = self._session.language
        if then.verdict == "too_large" or not then.tokens_per_s:
            return ""
        page = page_time(then.tokens_per_s, language)
        if before.verdict == "too_large":
            words = self.tr("Your “{name}” would fit: {page}.")
        elif then.tokens_per_s > 1.5 * (before.tokens_per_s or 0.0):
            words = self.tr("Your “{name}” would be faster: {page}.")
        else:
            return ""
        return words.format(name=then.name, page=page)
