"""The settings of a model that few people know: sampling in numbers, and the chat template."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QWidget

from desktop.common.wording import Language
from desktop.engine.sampling import Sampling
from desktop.library.model_settings import ModelSettings
from desktop.ui.look import Look
from desktop.ui.mine.number_field import NumberField
from desktop.ui.mine.text_area import TextArea
from desktop.ui.parts.boxes import column
from desktop.ui.parts.button import Button
from desktop.ui.parts.choice import setting_line
from desktop.ui.parts.text import Text

_LINES = 8


class ExpertFields(QWidget):
    """Folded until somebody asks for it."""

    def __init__(self, look: Look, language: Language) -> None:
        super().__init__()
        s = look.sizes
        self._default_template = ""

        def field(name: str, low: float, high: float, *, whole: bool = False) -> NumberField:
            return NumberField(look, name, language, low=low, high=high, whole=whole)

        self.top_p = field("Top-p", 0.0, 1.0)
        self.top_k = field("Top-k", 0, 100_000, whole=True)
        self.min_p = field("Min-p", 0.0, 1.0)
        self.penalty = field(self.tr("Against repetition"), 0.01, 10.0)
        self.template = TextArea(look, self.tr("Chat template"), lines=_LINES, code=True)
        self.template.setPlaceholderText(self.tr("Empty: the model's own template"))
        self.own_template = Button(
            look, self.tr("Begin with the model's own"), self._take_own, kind="link"
        )
        of_words = self.tr("Only words that together are this likely; 1 takes all of them.")
        self.setLayout(
            column(
                setting_line(look, "Top-p", of_words, self.top_p),
                setting_line(
                    look, "Top-k", self.tr("Only the likeliest so many; 0 takes all."), self.top_k
                ),
                setting_line(
                    look,
                    "Min-p",
                    self.tr("Only what is at least this likely beside the likeliest."),
                    self.min_p,
                ),
                setting_line(
                    look,
                    self.tr("Against repetition"),
                    self.tr("1 does nothing; 1.1 makes it avoid what it has just said."),
                    self.penalty,
                ),
                Text(self.tr("Chat template")),
                Text(
                    self.tr(
                        "How a conversation is put before the model, in Jinja. A wrong one makes "
                        "it answer nonsense. Holds from the next time it is opened."
                    ),
                    "small_muted",
                    wrap=True,
                ),
                self.template,
                self.own_template,
                space=s.space_2,
            )
        )

    def show_settings(self, own: ModelSettings, defaults: ModelSettings) -> None:
        """Put what is chosen into the fields, and what holds otherwise behind it."""
        usual = Sampling()
        self.top_p.show_value(own.top_p, _or(defaults.top_p, usual.top_p))
        self.top_k.show_value(own.top_k, _or(defaults.top_k, usual.top_k))
        self.min_p.show_value(own.min_p, _or(defaults.min_p, usual.min_p))
        self.penalty.show_value(
            own.repeat_penalty, _or(defaults.repeat_penalty, usual.repeat_penalty)
        )
        self._default_template = defaults.template or ""
        self.own_template.setVisible(bool(self._default_template))
        self.template.setPlainText(own.template or "")

    def over(self, settings: ModelSettings) -> ModelSettings:
        """`settings` with what stands in the fields."""
        top_k = self.top_k.value
        return replace(
            settings,
            top_p=self.top_p.value,
            top_k=None if top_k is None else int(top_k),
            min_p=self.min_p.value,
            repeat_penalty=self.penalty.value,
            template=self.template.toPlainText() or None,
        )

    @property
    def wrong(self) -> NumberField | None:
        """The first field that holds no number of its range."""
        fields = (self.top_p, self.top_k, self.min_p, self.penalty)
        return next((field for field in fields if field.is_wrong), None)

    @property
    def any_chosen(self) -> bool:
        """Whether something here is not as recommended."""
        return self.over(ModelSettings()) != ModelSettings()

    def _take_own(self) -> None:
        self.template.setPlainText(self._default_template)
        self.template.setFocus()


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
