"""What a list of repositories says of each, in words: counts, days, what it is for."""

from __future__ import annotations

import re
from datetime import date, datetime

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QObject

from desktop.common.messages import Messages
from desktop.common.wording import Language, format_number
from desktop.hub.search import FoundRepo, SearchTask
from desktop.library.catalog import Licence, shipped_catalog
from desktop.services.catalog_words import licence_words
from desktop.services.licences import licence_of as stated_licence
from desktop.ui.words import parameters

MILLION = 1_000_000
_DIRECTION = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0e-\x1f\x7f]")
_BREAK_AFTER = 24
_LONG_WORD = re.compile(rf"\S{{{_BREAK_AFTER + 1},}}")


class CountedRepos(QObject):
    """Phrases with a number in them."""

    def downloads(self, n: int) -> str:
        return self.tr("%n download(s)", "", n)

    def likes(self, n: int) -> str:
        return self.tr("%n like(s)", "", n)

    def found(self, n: int) -> str:
        return self.tr("%n model(s)", "", n)

    def days_ago(self, n: int) -> str:
        return self.tr("%n day(s) ago", "", n)

    def more_files(self, n: int) -> str:
        return self.tr("Show %n more version(s)", "", n)

    def parts(self, n: int) -> str:
        return self.tr("in %n file(s)", "", n)

    def remembers(self, n: int) -> str:
        return self.tr("remembers up to %n page(s)", "", n)

    def from_sources(self, n: int) -> str:
        return self.tr("%n model(s) from {names}", "", n)

    def again_in(self, n: int) -> str:
        return self.tr("Asked again by itself in %n second(s).", "", n)


def task_words(task: SearchTask | None) -> str:
    """What a model is made for; "" where nobody says."""
    match task:
        case "chat":
            return QCoreApplication.translate("Browse", "Chat")
        case "code":
            return QCoreApplication.translate("Browse", "Programming")
        case "vision":
            return QCoreApplication.translate("Browse", "Understands pictures")
        case "embedding":
            return QCoreApplication.translate("Browse", "Finding texts")
    return ""


def downloads_words(count: int, language: Language) -> str:
    """ "1.2 million downloads"; what is large is said roughly."""
    if count < MILLION:
        shown = format_number(_roughly(count), language)
        return CountedRepos().downloads(count).replace(str(count), shown, 1)
    millions = format_number(count / MILLION, language, 1 if count < 10 * MILLION else 0)
    return QCoreApplication.translate("Browse", "{count} million downloads").format(count=millions)


def likes_words(count: int, language: Language) -> str:
    return CountedRepos().likes(count).replace(str(count), format_number(count, language), 1)


def day_words(moment: float, today: date, language: Language) -> str:
    """When something was, as roughly as it matters: "today", "3 days ago", "March 2026"."""
    try:
        day = datetime.fromtimestamp(moment).date()
    except (OverflowError, ValueError, OSError):  # what a stranger calls a date
        return ""
    if day >= today:
        return QCoreApplication.translate("Browse", "today")
    ago = (today - day).days
    if ago <= 30:
        return CountedRepos().days_ago(ago)
    return QLocale(language).toString(QDate(day.year, day.month, day.day), "MMMM yyyy")


def updated_words(moment: float, today: date, language: Language) -> str:
    """ "changed 3 days ago"."""
    day = day_words(moment, today, language)
    return QCoreApplication.translate("Browse", "changed {day}").format(day=day) if day else ""


def licence_of(found: FoundRepo) -> Licence:
    """What we know of its licence."""
    return stated_licence(found.licence_id, shipped_catalog())


def facts(found: FoundRepo, messages: Messages, today: date) -> list[str]:
    """The facts of one repository, the more important first; unknown ones are left out."""
    language = messages.language
    said = [task_words(found.task)]
    if found.parameters:
        said.append(parameters(found.parameters, language))
    if found.licence_id:
        said.append(licence_words(licence_of(found), messages))
    if found.downloads is not None:
        said.append(downloads_words(found.downloads, language))
    if found.likes:
        said.append(likes_words(found.likes, language))
    if found.updated_at is not None:
        said.append(updated_words(found.updated_at, today, language))
    return [words for words in said if words]


def one_line(text: str, most: int = 200) -> str:
    """A stranger's name for something, without breaks and without what turns the direction."""
    return " ".join(_DIRECTION.sub("", text[:most]).split())


def breakable(text: str, most: int = 600) -> str:
    """What a stranger wrote, cut after `most` characters, so that it can be set in lines: a label
    is never narrower than its longest word."""
    if len(text) > most:
        text = text[:most].rstrip() + " …"
    return _LONG_WORD.sub(lambda word: "\u200b".join(_parts(word.group())), text)


def _parts(word: str) -> list[str]:
    return [word[at : at + _BREAK_AFTER] for at in range(0, len(word), _BREAK_AFTER)]


def _roughly(count: int) -> int:
    """Two digits count: 123,456 is 120,000."""
    digits = len(str(count))
    return round(count, 2 - digits) if digits > 4 else count
