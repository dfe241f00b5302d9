"""The details of a model on this computer: memory part by part, what else would do, the licence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.common.messages import Messages
from desktop.common.wording import format_memory, format_number
from desktop.fit.types import DeviceMemory, FitReport
from desktop.fit.words import alternative_words
from desktop.ui.look import Look
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import IconButton
from desktop.ui.parts.text import Elided, Text

_NOT_WORTH_A_WORD = 1_000_000
"""Bytes: less is rounding, and no part of its own."""
_RIGHT = 0.005
_LONGEST_WORD = 44
"""Letters: a longer one would make the lines wider than their page."""

Line = tuple[str, str]


class ModelDetails(QWidget):
    """Lines of a name and a value; `more` stand below what the report says."""

    def __init__(
        self, look: Look, messages: Messages, report: FitReport | None, more: list[Line]
    ) -> None:
        super().__init__()
        s = look.sizes
        self._messages = messages
        self._language = messages.language
        lines = column(space=s.space_2, margins=(0, s.space_2, 0, s.space_2))
        self.lines = [*([] if report is None else self._report_lines(report)), *more]
        for name, value in self.lines:
            label = Text(name, "small_muted", wrap=True)
            label.setFixedWidth(s.detail_names)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            lines.addLayout(self._line(look, label, value))
        self.setLayout(lines)

    def _line(self, look: Look, label: Text, value: str) -> QHBoxLayout:
        """What cannot be broken into lines (a path, a hash) is shortened, and can be copied."""
        s = look.sizes
        if max((len(word) for word in value.split()), default=0) <= _LONGEST_WORD:
            words: Text | Elided = Text(value, "small", wrap=True, selectable=True)
            line = row(label, words, space=s.space_3)
        else:
            label.setAlignment(Qt.AlignmentFlag.AlignVCenter)  # beside its button
            words = Elided(value, "small", middle=True)
            copy = IconButton(
                look,
                "copy",
                self.tr("Copy {what}").format(what=value),
                lambda: QGuiApplication.clipboard().setText(value),
            )
            line = row(label, words, copy, space=s.space_3)
        line.setStretchFactor(words, 1)
        return line

    def _report_lines(self, report: FitReport) -> list[Line]:
        """Each device, the rule of thumb, what would be better, how all this is known."""
        lines = [self._device(memory) for memory in report.memory]
        if report.rule_of_thumb_bytes:
            lines.append(self._rule_of_thumb(report))
        tokens = format_number(report.plan.context, self._language)
        context = self.tr("{tokens} tokens, kept as {kind}")
        lines.append((self.tr("Context"), context.format(tokens=tokens, kind=report.plan.kv_type)))
        for other in report.alternatives:
            key, params = alternative_words(other)
            lines.append((self.tr("Instead"), self._messages.text(key, **params)))
        method = self._messages.text(f"cli.fit.method_{report.method}")
        lines.append((self.tr("Known from"), method))
        return lines

    def _device(self, memory: DeviceMemory) -> Line:
        """ "Main memory": "6.1 GB of 9.2 GB free: weights 4.9 GB, context 0.9 GB, …"."""
        parts = [
            (self.tr("weights"), memory.weights_bytes),
            (self.tr("context"), memory.context_bytes),
            (self.tr("computing"), memory.compute_bytes),
            (self.tr("results"), memory.output_bytes),
            (self.tr("rearranged weights"), memory.repacked_bytes),
            (self.tr("graphics driver"), memory.driver_bytes),
        ]
        shown = ", ".join(
            f"{name} {format_memory(size, self._language)}"
            for name, size in parts
            if size >= _NOT_WORTH_A_WORD
        )
        total = format_memory(memory.total_bytes, self._language)
        name = self.tr("Main memory")
        if memory.device != "CPU":
            name = self.tr("Graphics ({device})").format(device=memory.device)
        if memory.available_bytes is None:
            return name, f"{total}: {shown}"
        free = format_memory(memory.available_bytes, self._language)
        words = self.tr("{total} of {free} free: {parts}")
        return name, words.format(total=total, free=free, parts=shown)

    def _rule_of_thumb(self, report: FitReport) -> Line:
        """What people reckon with, and how far it is from what is really needed."""
        total, rule = report.total_bytes, report.rule_of_thumb_bytes
        error = rule / total - 1 if total else 0.0
        percent = format_number(abs(error) * 100, self._language)
        words = self.tr("{size}, about right here")
        if error <= -_RIGHT:
            words = self.tr("{size}, {percent} % too little")
        elif error >= _RIGHT:
            words = self.tr("{size}, {percent} % too much")
        size = format_memory(rule, self._language)
        return self.tr("Rule of thumb"), words.format(size=size, percent=percent)
