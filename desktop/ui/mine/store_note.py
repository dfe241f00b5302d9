"""A line above the list: what other programs have that could be used here, too."""

from __future__ import annotations

from collections.abc import Callable

from desktop.ui.look import Look
from desktop.ui.mine.others import STORE_NAMES, Others
from desktop.ui.parts.boxes import Frame, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Text


class StoreNote(Frame):
    """Hidden while there is nothing, and after "Not now"."""

    def __init__(self, look: Look, others: Others, on_show: Callable[[], object]) -> None:
        super().__init__("banner")
        s = look.sizes
        self._others = others
        self.setProperty("tone", "info")
        self.words = Text(wrap=True)
        self.show_them = Button(look, self.tr("Look at them"), on_show)
        self.not_now = Button(look, self.tr("Not now"), others.not_now, kind="quiet")
        line = row(
            self.words,
            self.show_them,
            self.not_now,
            space=s.space_2,
            margins=(s.space_4, s.space_2, s.space_2, s.space_2),
        )
        line.setStretchFactor(self.words, 1)
        self.setLayout(line)
        others.changed.connect(self.refresh)
        self.hide()  # shown by `refresh`, once it stands in its page: else it were a window

    def refresh(self) -> None:
        """Say what there is now."""
        self.setVisible(self._others.worth_a_word)
        counts = [
            self.tr("%n in {program}", "", len(store.new)).format(program=STORE_NAMES[store.store])
            for store in self._others.new
        ]
        total = sum(len(store.new) for store in self._others.new)
        words = self.tr("%n model(s) of other programs on this computer: {where}.", "", total)
        self.words.setText(words.format(where=", ".join(counts)))
        self.setAccessibleName(self.words.text())
