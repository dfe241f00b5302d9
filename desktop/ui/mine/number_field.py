"""A field for one number that may be left empty: then what stands in it, greyed, holds."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit

from desktop.common.wording import Language
from desktop.ui.look import Look


class NumberField(QLineEdit):
    """Takes "0,7" and "0.7"; `value` is None while it is empty."""

    def __init__(
        self, look: Look, name: str, language: Language, *, low: float, high: float, whole: bool
    ) -> None:
        super().__init__()
        self._language = language
        self._low = low
        self._high = high
        self._whole = whole
        self.setAccessibleName(name)
        self.setMaxLength(12)
        self.setFixedWidth(look.sizes.card_min // 2)

    def show_value(self, value: float | None, default: float) -> None:
        """`value` stands in the field, or `default` where nothing is chosen."""
        self.setPlaceholderText(self._written(default))
        self.setText("" if value is None else self._written(value))

    @property
    def value(self) -> float | None:
        """What was chosen; None for nothing, and for what is no number in its range."""
        return self._read()

    @property
    def is_wrong(self) -> bool:
        """Whether something stands in it that cannot be taken."""
        return bool(self.text().strip()) and self._read() is None

    @property
    def bounds(self) -> tuple[str, str]:
        """The least and the most, as one writes them."""
        return self._written(self._low), self._written(self._high)

    def _read(self) -> float | None:
        text = self.text().strip().replace(",", ".")
        try:
            number = float(text)
        except ValueError:
            return None
        if not self._low <= number <= self._high or (self._whole and number != int(number)):
            return None
        return number

    def _written(self, number: float) -> str:
        text = f"{number:.0f}" if self._whole else f"{number:.2f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if self._language == "de" else text
