"""What is known of a repository, as lines of a name and a value."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QWidget

from desktop.common.messages import Messages
from desktop.hub.search import FoundRepo
from desktop.library.catalog import Languages, Licence
from desktop.services.catalog_words import languages_words, licence_explained, licence_words
from desktop.services.offers import RepositoryView
from desktop.ui.browse.words import (
    CountedRepos,
    breakable,
    downloads_words,
    licence_of,
    likes_words,
    task_words,
    updated_words,
)
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, Frame, row
from desktop.ui.parts.text import Text
from desktop.ui.words import pages, parameters

LANGUAGES_NAMED = 8

Fact = tuple[str, str]


def facts_of(
    view: RepositoryView | None, found: FoundRepo | None, messages: Messages
) -> list[Fact]:
    """What decides whether to take it: licence, languages, kind; () for what nobody states.

    Of the search, as long as that is all that is known.
    """
    found = found if view is None or view.found is None else view.found
    said = _licence(view, found, messages)
    languages = () if found is None else found.languages
    if view is not None and view.languages:
        languages = view.languages
    if languages:
        words = languages_words(Languages(tuple(languages)), messages, LANGUAGES_NAMED)
        said.append((QCoreApplication.translate("Facts", "Languages"), words))
    if found is not None:
        said += _kind(found, messages)
    return said


def more_facts_of(
    view: RepositoryView | None, found: FoundRepo | None, messages: Messages, today: date
) -> list[Fact]:
    """What somebody who looks closer asks for."""
    found = found if view is None or view.found is None else view.found
    said = [] if found is None else _popularity(found, messages, today)
    if view is not None and view.card is not None and view.card.base_model:
        said.append((QCoreApplication.translate("Facts", "Made from"), view.card.base_model))
    return said


def _licence(
    view: RepositoryView | None, found: FoundRepo | None, messages: Messages
) -> list[Fact]:
    licence: Licence | None = None
    if view is not None:
        licence = view.licence
    elif found is not None and found.licence_id:
        licence = licence_of(found)
    if licence is None:
        return []
    words = licence_words(licence, messages)
    about = licence_explained(licence, messages) if licence.id else ""
    return [
        (
            QCoreApplication.translate("Facts", "Licence"),
            f"{words}. {about}".strip() if about else words,
        )
    ]


def _kind(found: FoundRepo, messages: Messages) -> list[Fact]:
    kind = [task_words(found.task)]
    if found.parameters:
        kind.append(parameters(found.parameters, messages.language))
    if found.context_tokens:
        kind.append(CountedRepos().remembers(pages(found.context_tokens)))
    return _fact(QCoreApplication.translate("Facts", "Kind"), kind)


def _popularity(found: FoundRepo, messages: Messages, today: date) -> list[Fact]:
    language = messages.language
    used = []
    if found.downloads is not None:
        used.append(downloads_words(found.downloads, language))
    if found.likes is not None:
        used.append(likes_words(found.likes, language))
    if found.updated_at is not None:
        used.append(updated_words(found.updated_at, today, language))
    return _fact(QCoreApplication.translate("Facts", "Popularity"), used)


def _fact(name: str, values: list[str]) -> list[Fact]:
    words = " · ".join(filter(None, values))
    return [(name, words)] if words else []


class FactList(Card):
    """A card of lines; hidden while nothing is known."""

    def __init__(self, look: Look) -> None:
        super().__init__(look, space=0)
        self._look = look
        self._shown: list[Fact] = []
        self._lines: list[QWidget] = []
        self.hide()

    def show_facts(self, facts: list[Fact]) -> None:
        """Show these; the same ones again change nothing."""
        if facts == self._shown:
            return
        self._shown = facts
        for line in self._lines:
            line.hide()
            line.deleteLater()
        self._lines = [self._line(name, value) for name, value in facts]
        for line in self._lines:
            self.inner.addWidget(line)
        if self._lines:
            self._lines[-1].setProperty("last", True)  # noqa: FBT003
        self.setVisible(bool(facts))

    def _line(self, name: str, value: str) -> QWidget:
        s = self._look.sizes
        label = Text(name, "small_muted")
        label.setMinimumWidth(2 * s.detail_names // 3)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        words = Text(breakable(value), "small", wrap=True, selectable=True)
        line = row(label, words, space=s.space_2, margins=(0, s.space_1, 0, s.space_1))
        line.setStretchFactor(words, 1)
        return Frame("row", line)
