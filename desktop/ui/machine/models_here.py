"""What the models on this disk do on this computer: each with its word and its time for a page."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.library.model import LibraryModel
from desktop.ui.look import Look
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session
from desktop.ui.words import page_time, report_words

MOST = 12
"""Rows of widgets; all models stand in the place "Models", which paints its rows."""


class ModelsHere(QWidget):
    """A card of rows; with the way to the place "Models" while there is no model yet."""

    models_wanted = Signal()

    def __init__(self, look: Look, session: Session, shelf: Shelf) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._shelf = shelf
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.setLayout(
            column(
                Text(self.tr("Your models on this computer"), "heading"),
                Card(look, self._rows),
                space=s.space_2,
            )
        )
        shelf.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known of the models now."""
        clear(self._rows)
        models = [m for m in self._shelf.models if m.source != "built_in" and not m.problem]
        models.sort(key=lambda model: model.last_used_at or 0.0, reverse=True)
        shown = models[:MOST]
        for number, model in enumerate(shown):
            self._rows.addWidget(self._row(model, last=number == len(shown) - 1))
        if len(shown) < len(models):
            all_of_them = Button(self._look, self.tr("To the models"), self.models_wanted.emit)
            self._rows.addLayout(row(all_of_them, 1))
        if not models:
            self._rows.addLayout(self._none())

    def _row(self, model: LibraryModel, *, last: bool) -> Frame:
        s = self._look.sizes
        report = self._shelf.report_of(model)
        line = row(
            Elided(model.name, "strong"), space=s.space_3, margins=(0, s.space_2, 0, s.space_2)
        )
        if model.quantization:
            line.addWidget(Tag(model.quantization))
        line.addStretch(1)
        if report is not None:
            speed = report.speed.tokens_per_s
            if speed and report.verdict != "too_large":
                line.addWidget(Text(page_time(speed, self._session.language), "small_muted"))
            line.addWidget(Tag(*report_words(report)))
        frame = Frame("row", line)
        frame.setProperty("last", last)
        return frame

    def _none(self) -> QVBoxLayout:
        words = Text(
            self.tr(
                "You have no model of your own yet. Once you have one, it stands here how well it "
                "fits and how fast it answers."
            ),
            "muted",
            wrap=True,
        )
        go = Button(self._look, self.tr("To the models"), self.models_wanted.emit, icon="cube")
        return column(words, row(go, 1), space=self._look.sizes.space_3)
