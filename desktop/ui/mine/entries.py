"""What a row of "My models" says: each model put into words once, for painting and for sorting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from PySide6.QtCore import QDate, QLocale, QObject

from desktop.common.messages import Messages
from desktop.common.wording import format_bytes
from desktop.fit.types import FitReport
from desktop.library.model import LibraryModel
from desktop.services.model_problem import problem_words
from desktop.ui.mine.origin_words import OriginWords
from desktop.ui.model_names import short_name
from desktop.ui.parts.text import Tone
from desktop.ui.words import last_used, page_time, parameters, report_words, tokens_per_s

_RECENTLY_DAYS = 30
_NEVER, _TOO_LARGE, _UNUSABLE = -1.0, -2.0, -3.0
_FASTEST = 1e9


@dataclass(frozen=True, slots=True)
class Here:
    """How it does on this computer: a tag, the number beside it, what that means below."""

    tag: str
    tone: Tone
    number: str
    meaning: str
    tip: str
    rank: float
    """For sorting: tokens a second, below zero for what does not run."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model in words; `problem` is why it cannot be used, "" where it can.

    `spoken` is the whole row, for screen readers.
    """

    model: LibraryModel
    name: str
    chip: str
    about: str
    size: str
    abilities: str
    here: Here
    used: str
    used_long: str
    origin: str
    problem: str
    in_use: bool
    spoken: str

    @property
    def can_chat(self) -> bool:
        """Whether one can talk with it here."""
        return not self.problem and self.here.rank >= 0 and self.model.abilities != ("embedding",)

    @property
    def is_guide(self) -> bool:
        return self.model.source == "built_in"


class EntryWords(QObject):
    """Puts models into words; one object for a whole list."""

    def __init__(self, messages: Messages, today: date) -> None:
        super().__init__()
        self._messages = messages
        self._language = messages.language
        self._today = today
        self._origins = OriginWords()
        self._pages: dict[float, str] = {}

    def entry(
        self, model: LibraryModel, report: FitReport | None, *, is_judged: bool, in_use: bool
    ) -> Entry:
        """`model` in words; `is_judged`: its verdict was computed, even if there is none."""
        guide = model.source == "built_in"
        about = self.tr("knows Hausgeist itself") if guide else ""
        if not guide and model.parameters:
            about = parameters(model.parameters, self._language)
        made = Entry(
            model=model,
            name=short_name(model.name, model.quantization),
            chip=self.tr("built in") if guide else model.quantization,
            about=about,
            size=format_bytes(model.file_bytes, self._language) if model.file_bytes else "",
            abilities=self.abilities(model),
            here=self.here(model, report, is_judged=is_judged),
            used=self.last(model.last_used_at),
            used_long=last_used(model.last_used_at, self._today, self._language),
            origin=self._origins.words(model),
            problem=problem_words(model, self._messages),
            in_use=in_use,
            spoken="",
        )
        return replace(made, spoken=self._spoken(made))

    def _spoken(self, one: Entry) -> str:
        here = ", ".join(part for part in (one.here.tag, one.here.meaning) if part)
        said = [
            one.name,
            one.chip,
            self.tr("in use") if one.in_use else "",
            one.problem or here,
            one.size,
            one.abilities,
            one.used_long,
            one.origin,
        ]
        return ", ".join(part for part in said if part)

    def abilities(self, model: LibraryModel) -> str:
        """ "Text, pictures, tools": what one can do with it."""
        if model.source == "built_in":
            return self.tr("Help with Hausgeist")
        if "embedding" in model.abilities:
            return self.tr("Finding texts")
        words = [self.tr("Text")]
        if "vision" in model.abilities:
            words.append(self.tr("pictures"))
        if "tools" in model.abilities:
            words.append(self.tr("tools"))
        if "reasoning" in model.abilities:
            words.append(self.tr("thinking"))
        return ", ".join(words)

    def last(self, moment: float | None) -> str:
        """As short as a column wants it: "today", "3 days ago", "May"."""
        if moment is None:
            return self.tr("never")
        day = datetime.fromtimestamp(moment).date()
        if day >= self._today:
            return self.tr("today")
        if day == self._today - timedelta(days=1):
            return self.tr("yesterday")
        if day > self._today - timedelta(days=_RECENTLY_DAYS):
            return self.tr("%n day(s) ago", "", (self._today - day).days)
        form = "MMMM" if day.year == self._today.year else "MMM yyyy"
        return QLocale(self._language).toString(QDate(day.year, day.month, day.day), form)

    def here(self, model: LibraryModel, report: FitReport | None, *, is_judged: bool) -> Here:
        """How it does on this computer."""
        if model.problem:
            tip = problem_words(model, self._messages)
            return Here(self.tr("Not usable"), "bad", "", "", tip, _UNUSABLE)
        if model.is_damaged:
            tip = self.tr("Its file is not what it was. Its answers may be wrong: fetch it again.")
            return Here(self.tr("Damaged"), "bad", "", "", tip, 0.0)
        if model.source == "built_in":
            return Here(self.tr("Always fits"), "ok", "", self.tr("answers at once"), "", _FASTEST)
        if report is None:
            words = self.tr("Cannot be judged") if is_judged else self.tr("Looking …")
            return Here(words, "", "", "", "", 0.0)
        tip = self._messages.text(report.reason_key, **report.reason_params)
        tag, tone = report_words(report)
        speed = report.speed.tokens_per_s
        if report.verdict == "too_large":
            return Here(tag, tone, "", "", tip, _TOO_LARGE)
        if not speed:
            return Here(tag, tone, "", "", tip, 0.0)
        number = tokens_per_s(speed, self._language)
        known = self.tr("Measured on this computer.")
        if report.speed.basis != "measured":
            number = self.tr("about {speed}").format(speed=number)
            known = self.tr("Reckoned; measured as soon as it has answered.")
        return Here(tag, tone, number, self._page_time(speed), f"{tip}\n{known}", speed)

    def _page_time(self, speed: float) -> str:
        """A fifth of a millisecond each, and thousands of models have few different ones."""
        key = round(speed, 1) if speed >= 1 else speed
        if key not in self._pages:
            self._pages[key] = page_time(key, self._language)
        return self._pages[key]


def sort_moment(one: Entry) -> float:
    """For sorting by last use: what was never used is the oldest."""
    at = one.model.last_used_at
    return _NEVER if at is None else at
