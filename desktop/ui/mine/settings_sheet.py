"""What one model does differently from the others: memory, freedom, a standing instruction."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from desktop.common.errors import HausgeistError
from desktop.common.wording import format_number
from desktop.engine.sampling import Sampling
from desktop.library.model_settings import ModelSettings
from desktop.ui.look import Look
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.expert_fields import ExpertFields
from desktop.ui.mine.number_field import NumberField
from desktop.ui.mine.text_area import TextArea
from desktop.ui.notice import Action, Toast
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import row
from desktop.ui.parts.button import Button
from desktop.ui.parts.choice import Choice, setting_line
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Text
from desktop.ui.session import Session
from desktop.ui.words import Counted, pages

CONTEXTS = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
EXACT, BALANCED, FREE = 0.2, 0.7, 1.0
"""Temperatures that stand for a word each."""
_USUAL, _OWN = -2.0, -1.0
LANE = "library"


@dataclass(frozen=True, slots=True)
class KnownSettings:
    """What the person chose for a model, and what holds where they chose nothing."""

    own: ModelSettings
    defaults: ModelSettings


class SettingsSheet(Sheet):
    """Saved by its button only; what is left as recommended follows the recommendation."""

    def __init__(
        self,
        look: Look,
        session: Session,
        one: Entry,
        parent: QWidget,
        *,
        open_anew: Action | None = None,
    ) -> None:
        """`open_anew` is offered afterwards where the model is open just now."""
        super().__init__(look, self.tr("Settings of “{name}”").format(name=one.name), parent)
        self._look = look
        self._session = session
        self._one = one
        self._open_anew = open_anew
        self._known = KnownSettings(ModelSettings(), ModelSettings())
        self.context = Choice(look, self.tr("Memory of a chat"), [])
        self.freedom = Choice(look, self.tr("How freely it answers"), [])
        self.temperature = NumberField(
            look, self.tr("Temperature"), session.language, low=0.0, high=5.0, whole=False
        )
        self.thinking = Choice(look, self.tr("Thinking"), [])
        self.instruction = TextArea(look, self.tr("Standing instruction"), lines=3)
        self.instruction.setPlaceholderText(
            self.tr("For instance: Answer briefly, in German, and in the Sie-form.")
        )
        self.experts = ExpertFields(look, session.language)
        self.more = Button(look, self.tr("More, for experts"), self._turn_experts, kind="quiet")
        self.problem = Text(kind="small", wrap=True)
        self.problem.setProperty("role", "problem")
        self.save = Button(look, self.tr("Save"), self._save, kind="primary")
        self.reset = Button(look, self.tr("As recommended"), self._reset, kind="quiet")
        self._lay_out(look)
        self.freedom.currentIndexChanged.connect(lambda _: self._show_own_field())
        self._body.setEnabled(False)
        self.save.setEnabled(False)
        self._ask()
        self.fit()

    def _ask(self) -> None:
        services = self._session.services
        if services is None:
            return
        settings, name = services.model_settings, self._one.model.name
        self._session.bridge.run(
            LANE,
            lambda: KnownSettings(settings.own(name), settings.defaults(name)),
            self.while_open(self._show),
            self.while_open(self._fail),
        )

    def _lay_out(self, look: Look) -> None:
        s = look.sizes
        holds = self.tr("More takes more RAM. Holds from the next time it is opened.")
        freely = self.tr("Exact suits facts and figures, free suits ideas and stories.")
        thinks = self.tr("Slower, and better with difficult questions.")
        self._thinking_line = setting_line(
            look, self.tr("Thinking before the answer"), thinks, self.thinking
        )
        own = row(1, Text(self.tr("Temperature"), "small_muted"), self.temperature, space=s.space_2)
        self._own_line = QWidget()
        self._own_line.setLayout(own)
        self.experts.hide()
        parts = (
            setting_line(look, self.tr("Memory of a chat"), holds, self.context),
            setting_line(look, self.tr("How freely it answers"), freely, self.freedom),
            self._own_line,
            self._thinking_line,
            Text(self.tr("Standing instruction")),
            Text(
                self.tr("Stands before every new chat with this model."), "small_muted", wrap=True
            ),
            self.instruction,
            row(self.more, 1),
            self.experts,
        )
        for part in parts:
            if isinstance(part, QWidget):
                self.content.addWidget(part)
            else:
                self.content.addLayout(part)
        self.content.addStretch(1)
        self.problem.hide()
        self.notes.addWidget(self.problem)
        self.foot.insertWidget(0, self.reset)
        self.foot.addWidget(Button(look, self.tr("Cancel"), self.close))
        self.foot.addWidget(self.save)

    # What is shown

    def _show(self, known: KnownSettings) -> None:
        self._known = known
        self._body.setEnabled(True)
        self.save.setEnabled(True)
        self._show_settings(known.own)
        if self.experts.any_chosen:
            self.experts.show()
            self.more.hide()
        self.fit()

    def _show_settings(self, own: ModelSettings) -> None:
        defaults = self._known.defaults
        self._fill(self.context, self._contexts(own.context_tokens))
        self.context.choose(own.context_tokens or 0)
        usual = Sampling().temperature if defaults.temperature is None else defaults.temperature
        self._fill(self.freedom, self._freedoms(usual))
        words = (EXACT, BALANCED, FREE)
        chosen: float | None = own.temperature
        self.freedom.choose(_USUAL if chosen is None else chosen if chosen in words else _OWN)
        self.temperature.show_value(chosen, usual)
        self._fill(self.thinking, self._thinkings())
        self.thinking.choose(own.reasoning or "")
        can_think = "reasoning" in self._one.model.abilities or bool(own.reasoning)
        self._thinking_line.setVisible(can_think)
        self.instruction.setPlainText(own.system_prompt or "")
        if defaults.system_prompt:
            self.instruction.setPlaceholderText(defaults.system_prompt)
        self.experts.show_settings(own, defaults)
        self._show_own_field()

    def _fill(self, choice: Choice, options: list[tuple[str, object]]) -> None:
        choice.blockSignals(True)  # noqa: FBT003
        choice.clear()
        for words, value in options:
            choice.addItem(words, value)
        choice.blockSignals(False)  # noqa: FBT003

    def _contexts(self, chosen: int | None) -> list[tuple[str, object]]:
        """Pages, up to what the model was trained for; and what was chosen, whatever it is."""
        most = self._one.model.context_tokens or CONTEXTS[-1]
        offered = {tokens for tokens in CONTEXTS if tokens <= most}
        if chosen:
            offered.add(chosen)
        options: list[tuple[str, object]] = [(self.tr("As for all models"), 0)]
        for tokens in sorted(offered):
            words = self.tr("{pages} ({tokens} tokens)").format(
                pages=Counted().pages(pages(tokens)),
                tokens=format_number(tokens, self._session.language),
            )
            options.append((words, tokens))
        return options

    def _freedoms(self, usual: float) -> list[tuple[str, object]]:
        language = self._session.language
        numbers = [format_number(x, language, 1) for x in (usual, EXACT, BALANCED, FREE)]
        return [
            (self.tr("As recommended ({number})").format(number=numbers[0]), _USUAL),
            (self.tr("Exact ({number})").format(number=numbers[1]), EXACT),
            (self.tr("Balanced ({number})").format(number=numbers[2]), BALANCED),
            (self.tr("Free ({number})").format(number=numbers[3]), FREE),
            (self.tr("A value of your own"), _OWN),
        ]

    def _thinkings(self) -> list[tuple[str, object]]:
        return [
            (self.tr("As the model is used to"), ""),
            (self.tr("Think first"), "on"),
            (self.tr("Answer at once"), "off"),
        ]

    def _show_own_field(self) -> None:
        self._own_line.setVisible(self.freedom.currentData() == _OWN)

    def _turn_experts(self) -> None:
        self.experts.show()
        self.more.hide()
        self.experts.top_p.setFocus()
        self.fit()

    # What is kept

    def chosen(self) -> ModelSettings:
        """What stands in the dialog; None where it is as recommended."""
        freedom: float = self.freedom.currentData()
        temperature = None if freedom == _USUAL else freedom
        if freedom == _OWN:
            temperature = self.temperature.value
        own = ModelSettings(
            context_tokens=self.context.currentData() or None,
            temperature=temperature,
            system_prompt=self.instruction.toPlainText().strip() or None,
            reasoning=self.thinking.currentData() or None,
        )
        return self.experts.over(own)

    def _reset(self) -> None:
        self._show_settings(ModelSettings())

    def _save(self) -> None:
        own = self.temperature if self.freedom.currentData() == _OWN else None
        wrong = own if own is not None and own.is_wrong else self.experts.wrong
        if wrong is not None:
            self._say_wrong(wrong)
            return
        services, wanted = self._session.services, self.chosen()
        if services is None:
            return
        settings, name = services.model_settings, self._one.model.name
        self.save.setEnabled(False)
        self._session.bridge.run(
            LANE,
            lambda: settings.keep(name, wanted),
            lambda _: self._saved(wanted),
            self.while_open(self._fail),
        )

    def _saved(self, wanted: ModelSettings) -> None:
        before = self._known.own
        opens = (wanted.context_tokens, wanted.template) != (before.context_tokens, before.template)
        words = self.tr("The settings of “{name}” are kept.").format(name=self._one.name)
        self._session.tell(Toast(words, self._open_anew if opens else None))
        if isValid(self):
            self.close()

    def _say_wrong(self, field: NumberField) -> None:
        low, high = field.bounds
        words = self.tr("{name}: a number from {low} to {high}, please.")
        self._tell(words.format(name=field.accessibleName(), low=low, high=high))
        field.setFocus()
        field.selectAll()

    def _fail(self, error: HausgeistError) -> None:
        self.save.setEnabled(self._body.isEnabled())
        self._tell(self._session.messages.error(error))

    def _tell(self, words: str) -> None:
        self.problem.setText(words)
        self.problem.show()
        announce(self.problem)
