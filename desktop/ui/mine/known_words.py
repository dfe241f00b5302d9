"""The words of the rows, kept while what they tell of stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from desktop.library.model import LibraryModel
from desktop.ui.mine.entries import Entry, EntryWords
from desktop.ui.mine.shelf import Shelf
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.fit.types import FitReport

Facts = tuple[LibraryModel, "FitReport | None", bool, bool]


class KnownWords:
    """Putting 2,000 models into words takes 80 ms; mostly one of them has changed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._words: EntryWords | None = None
        self._day = date.min
        self._known: dict[str, tuple[Facts, Entry]] = {}

    def entries(self, models: Sequence[LibraryModel], shelf: Shelf, in_use: str) -> list[Entry]:
        """One entry for each model, in their order; `in_use` is the name of the open one."""
        words = self._todays()
        known = self._known
        self._known = {}
        found = []
        for model in models:
            facts = (model, shelf.report_of(model), shelf.is_judged(model), model.name == in_use)
            before = known.get(model.name)
            if before is not None and before[0] == facts:
                one = before[1]
            else:
                one = words.entry(model, facts[1], is_judged=facts[2], in_use=facts[3])
            self._known[model.name] = (facts, one)
            found.append(one)
        return found

    def _todays(self) -> EntryWords:
        """ "today" is another day tomorrow."""
        today = date.today()
        if self._words is None or today != self._day:
            self._day, self._known = today, {}
            self._words = EntryWords(self._session.messages, today)
        return self._words
