"""A card whose words and bar follow the readings without the page being laid out anew."""

from __future__ import annotations

from desktop.ui.look import Look
from desktop.ui.machine.gauges import ANSWERS, DISK, GRAPHICS, POWER, Gauge
from desktop.ui.machine.live_words import LiveWords, Part
from desktop.ui.machine.shares_meter import SharesMeter
from desktop.ui.parts.boxes import Card
from desktop.ui.parts.text import Text

CHANGING = (ANSWERS, POWER)
_MANY = 5


class GaugeCard(Card):
    """Name, figure, bar, words that change and words that do not."""

    def __init__(self, look: Look, gauge: Gauge) -> None:
        self.gauge = gauge
        # A name may take two lines; a speed is painted, because it changes.
        self._changing = LiveWords(look, size="title", token="text")
        self._figure = Text(gauge.figure, "figure", wrap=True)
        self.meter = SharesMeter(look, gauge.name)
        self.live = LiveWords(look, _lines(gauge))
        self._words = Text(gauge.words, "small_muted", wrap=True)
        super().__init__(
            look,
            Text(gauge.name, "small_muted"),
            self._changing,
            self._figure,
            self._words,
            self.meter,
            self.live,
        )
        # Only now: shown without a parent they would be windows of their own for a moment,
        # which flash and take the keyboard away.
        self._changing.setVisible(gauge.key in CHANGING)
        self._figure.setVisible(gauge.key not in CHANGING)
        self.inner.addStretch(1)
        self._show_parts()

    def show_gauge(self, gauge: Gauge) -> None:
        """The same device a second later."""
        before, self.gauge = self.gauge, gauge
        if gauge.figure != before.figure and gauge.key not in CHANGING:
            self._figure.setText(gauge.figure)
        if gauge.words != before.words:
            self._words.setText(gauge.words)
        self._show_parts()

    def _show_parts(self) -> None:
        gauge = self.gauge
        if gauge.key in CHANGING:
            self._changing.show_parts(Part(gauge.figure))
        shown = gauge.ours is not None
        if self.meter.isHidden() == shown:
            self.meter.setVisible(shown)
        if self._words.isHidden() == bool(gauge.words):
            self._words.setVisible(bool(gauge.words))
        if gauge.ours is not None:
            self.meter.show_shares(gauge.ours, gauge.others, alarm=gauge.alarm)
        if self.live.isHidden() == bool(gauge.parts):
            self.live.setVisible(bool(gauge.parts))
        self.live.show_parts(*gauge.parts)


def _lines(gauge: Gauge) -> int:
    """Room for all that the device may say, in the narrowest card."""
    if gauge.key.startswith(GRAPHICS):
        return 4 if len(gauge.parts) > _MANY else 3
    return 1 if gauge.key == DISK else 2
