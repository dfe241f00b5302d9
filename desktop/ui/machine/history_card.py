"""The chart of the last five minutes with its legend: which lines are drawn is the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from desktop.hardware.machine import Machine
from desktop.ui.look import Look
from desktop.ui.machine.history_chart import PENS, HistoryChart, Series
from desktop.ui.machine.legend import LegendButton
from desktop.ui.parts.boxes import Card, column, row
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.text import Text

if TYPE_CHECKING:
    from desktop.services.live import LiveReading

_TOKENS = ("accent", "code_name", "code_number", "code_keyword")
_SHOWN_FIRST = ("processor", "memory", "graphics", "graphics_memory")
_FULL_SPEED = 40.0
"""Tokens a second at the chart's top, until somebody writes faster."""


class HistoryCard(Card):
    """Processor, memory, graphics, speed of answers: in shares of what there is."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, space=look.sizes.space_3)
        self._look = look
        name = QCoreApplication.translate("Machine", "The last five minutes")
        self.chart = HistoryChart(look, name)
        self.buttons: dict[str, LegendButton] = {}
        self._legend = Flow(look.sizes.space_2)
        self._full_speed = _FULL_SPEED
        self._waiting: dict[str, float | None] | None = None
        ago = Text(QCoreApplication.translate("Machine", "5 minutes ago"), "small_muted")
        now = Text(QCoreApplication.translate("Machine", "now"), "small_muted")
        self.inner.addLayout(self._legend)
        self.inner.addLayout(column(self.chart, row(ago, 1, now), space=look.sizes.space_1))

    def show_machine(self, machine: Machine) -> None:
        """The lines that this computer has."""
        names = {
            "processor": QCoreApplication.translate("Machine", "Processor"),
            "memory": QCoreApplication.translate("Machine", "Memory"),
        }
        if machine.gpus:
            names["graphics"] = QCoreApplication.translate("Machine", "Graphics")
            if not machine.gpus[0].unified:
                names["graphics_memory"] = QCoreApplication.translate("Machine", "Graphics memory")
        names["speed"] = QCoreApplication.translate("Machine", "Speed of answers")
        tokens = (*_TOKENS, "warn")
        pens = (*PENS, PENS[0])
        series = tuple(
            Series(key, name, token, pen)
            for (key, name), token, pen in zip(names.items(), tokens, pens, strict=False)
        )
        if series == self.chart.series:
            return
        self.chart.set_series(series)
        for button in self.buttons.values():
            self._legend.removeWidget(button)
            button.deleteLater()
        self.buttons = {}
        for one in series:
            self.chart.show_series(one.key, shown=True)
            self.buttons[one.key] = button = LegendButton(self._look, one)
            button.toggled.connect(
                lambda shown, key=one.key: self.chart.show_series(key, shown=shown)
            )
            self._legend.addWidget(button)

    def start_over(self, readings: list[LiveReading]) -> None:
        """Draw these instead of what was there."""
        self.chart.clear()
        self._waiting = None
        for reading in readings:
            self._add(reading)
        self.chart.update()

    def add(self, reading: LiveReading) -> None:
        """One second more; the chart moves at every second one, which is all that one sees."""
        if self._add(reading):
            self.chart.update()

    def _add(self, reading: LiveReading) -> bool:
        """Whether a point was added: two readings make one."""
        shares = self._shares(reading)
        if self._waiting is None:
            self._waiting = shares
            return False
        before, self._waiting = self._waiting, None
        self.chart.add(reading.sample.at, {k: _mean(before.get(k), v) for k, v in shares.items()})
        return True

    def _shares(self, reading: LiveReading) -> dict[str, float | None]:
        sample = reading.sample
        memory = sample.memory
        used = None
        if memory.free_bytes is not None and memory.total_bytes:
            used = 1 - memory.free_bytes / memory.total_bytes
        shares: dict[str, float | None] = {"processor": sample.cpu.load, "memory": used}
        if sample.gpus:
            gpu = sample.gpus[0]
            shares["graphics"] = gpu.load
            if gpu.used_bytes is not None and gpu.total_bytes:
                shares["graphics_memory"] = gpu.used_bytes / gpu.total_bytes
        speed = reading.tokens_per_s
        if speed is not None:
            self._full_speed = max(self._full_speed, speed * 1.1)
        shares["speed"] = None if speed is None else speed / self._full_speed
        return shares


def _mean(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return one if other is None else other
    return (one + other) / 2
