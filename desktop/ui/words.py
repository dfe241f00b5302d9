"""Words before numbers: speeds, sizes and times as one says them to a person."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QDate, QLocale, QObject

from desktop.common.reading import COMFORTABLE_TOKENS_PER_S, TOKENS_PER_PAGE
from desktop.common.wording import Language, format_number
from desktop.ui.parts.text import Tone

if TYPE_CHECKING:
    from desktop.fit.types import FitReport, Verdict

SLOW_TOKENS_PER_S = 1.0


class Counted(QObject):
    """Phrases with a number in them: lupdate knows plural forms only in `tr` of an object."""

    def seconds(self, n: int) -> str:
        return self.tr("a page in about %n second(s)", "", n)

    def minutes(self, n: int) -> str:
        return self.tr("a page in about %n minute(s)", "", n)

    def of_pages(self, n: int) -> str:
        return self.tr("{used} of %n page(s)", "", n)

    def pages(self, n: int) -> str:
        return self.tr("%n page(s)", "", n)

    def remembers(self, n: int) -> str:
        return self.tr("a chat remembers %n page(s)", "", n)

    def days_ago(self, n: int) -> str:
        return self.tr("used %n day(s) ago", "", n)

    def cores(self, n: int) -> str:
        return self.tr("%n core(s)", "", n)

    def room_for(self, n: int) -> str:
        return self.tr("Room for about %n model(s) of 5 GB", "", n)

    def left_out(self, n: int) -> str:
        return self.tr("%n older message(s) no longer fit into the memory", "", n)

    def imported(self, n: int) -> str:
        return self.tr("%n model(s) are in your models now.", "", n)

    def unload_after(self, n: int) -> str:
        return self.tr("Unload after %n minute(s)", "", n)

    def more_failed(self, n: int) -> str:
        return self.tr("%n more file(s) could not be taken in.", "", n)


def tokens_per_s(speed: float, language: Language) -> str:
    """ "9 tokens/s", with one digit below ten."""
    shown = format_number(speed, language, 1 if speed < 10 else 0)
    return QCoreApplication.translate("Words", "{speed} tokens/s").format(speed=shown)


def page_time(speed: float, language: Language) -> str:
    """ "a page in about 45 seconds": what a speed means."""
    seconds = TOKENS_PER_PAGE / max(speed, 0.01)
    if seconds < 0.75:
        return QCoreApplication.translate("Words", "a page in less than a second")
    if seconds < 1.5:
        return QCoreApplication.translate("Words", "a page in about a second")
    if seconds < 90:
        step = 1 if seconds < 10 else 5
        count = max(step, round(seconds / step) * step)
        return Counted().seconds(count)
    if seconds < 5400:
        return Counted().minutes(round(seconds / 60))
    hours = format_number(seconds / 3600, language, 1)
    return QCoreApplication.translate("Words", "a page in about {hours} hours").format(hours=hours)


def pages(tokens: int) -> int:
    """How many pages so many tokens are; something is never no page."""
    return max(1, round(tokens / TOKENS_PER_PAGE)) if tokens > 0 else 0


def pages_used(used_tokens: int, of_tokens: int) -> str:
    """ "12 of 32 pages": how full the conversation's memory is."""
    return Counted().of_pages(pages(of_tokens)).format(used=pages(used_tokens))


def verdict_words(verdict: Verdict, speed: float | None) -> tuple[str, Tone]:
    """Whether a model fits this machine, as a word and its tone."""
    if verdict == "too_large":
        return QCoreApplication.translate("Words", "Does not fit"), "bad"
    if speed is not None and speed < SLOW_TOKENS_PER_S:
        return QCoreApplication.translate("Words", "Very slow here"), "warn"
    if speed is not None and speed < COMFORTABLE_TOKENS_PER_S:
        return QCoreApplication.translate("Words", "Fits, but slow"), "warn"
    if verdict == "gpu":
        return QCoreApplication.translate("Words", "Fits very well"), "ok"
    return QCoreApplication.translate("Words", "Fits well"), "ok"


def report_words(report: FitReport) -> tuple[str, Tone]:
    """`verdict_words` of a report."""
    return verdict_words(report.verdict, report.speed.tokens_per_s)


def day_group(moment: float, today: date) -> str:
    """The heading under which a chat stands in the sidebar."""
    day = datetime.fromtimestamp(moment).date()
    if day >= today:
        return QCoreApplication.translate("Words", "Today")
    if day == today - timedelta(days=1):
        return QCoreApplication.translate("Words", "Yesterday")
    if day > today - timedelta(days=8):
        return QCoreApplication.translate("Words", "Last week")
    return QCoreApplication.translate("Words", "Older")


def last_used(moment: float | None, today: date, language: Language) -> str:
    """When something was used last, as roughly as one remembers it."""
    if moment is None:
        return QCoreApplication.translate("Words", "not used yet")
    day = datetime.fromtimestamp(moment).date()
    if day >= today:
        return QCoreApplication.translate("Words", "used today")
    if day == today - timedelta(days=1):
        return QCoreApplication.translate("Words", "used yesterday")
    if day > today - timedelta(days=30):
        return Counted().days_ago((today - day).days)
    shown = QLocale(language).toString(QDate(day.year, day.month, day.day), "MMMM yyyy")
    return QCoreApplication.translate("Words", "used in {month}").format(month=shown)


def parameters(count: int, language: Language) -> str:
    """ "8.2 billion parameters": how large a model is."""
    if count >= 1_000_000_000:
        shown = format_number(count / 1e9, language, 1)
        return QCoreApplication.translate("Words", "{count} billion parameters").format(count=shown)
    if count < 1_000_000:
        shown = format_number(count, language)
        return QCoreApplication.translate("Words", "{count} parameters").format(count=shown)
    shown = format_number(count / 1e6, language, 1 if count < 10_000_000 else 0)
    return QCoreApplication.translate("Words", "{count} million parameters").format(count=shown)
