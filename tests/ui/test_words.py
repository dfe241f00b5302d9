"""Words before numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from PySide6.QtWidgets import QApplication

from desktop.common.reading import TOKENS_PER_PAGE
from desktop.common.wording import Language, format_about
from desktop.fit.types import Verdict
from desktop.ui import words
from desktop.ui.language import Translation

TODAY = date(2026, 11, 20)


@pytest.fixture
def english(qapp: QApplication) -> Iterator[Translation]:
    translation = Translation(qapp)
    translation.use("en")
    yield translation
    translation.release()


@pytest.mark.parametrize(
    ("speed", "said"),
    [
        (9.0, "a page in about 45 seconds"),
        (400.0, "a page in about a second"),
        (3000.0, "a page in less than a second"),
        (100.0, "a page in about 4 seconds"),
        (2.1, "a page in about 3 minutes"),
        (0.05, "a page in about 2.2 hours"),
    ],
)
def test_speed_is_a_time(english: Translation, speed: float, said: str) -> None:
    assert words.page_time(speed, "en") == said


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("seconds", [0.3, 1.2, 4.4, 9.7, 42, 88, 92, 1319, 5399, 9000])
def test_the_command_line_says_the_same_time(
    english: Translation, seconds: float, language: Language
) -> None:
    english.use(language)
    begins = {"de": "eine Seite in ", "en": "a page in "}[language]
    said = begins + format_about(seconds, language)
    assert words.page_time(TOKENS_PER_PAGE / seconds, language) == said


@pytest.mark.parametrize(("language", "said"), [("en", "9.5 tokens/s"), ("de", "9,5 Token/s")])
def test_numbers_are_written_as_the_language_does(
    english: Translation, language: Language, said: str
) -> None:
    english.use(language)
    assert words.tokens_per_s(9.5, language) == said


def test_context_is_counted_in_pages(english: Translation) -> None:
    assert words.pages_used(4800, 12800) == "12 of 32 pages"
    assert words.pages_used(10, 400) == "1 of 1 page"
    assert words.pages(0) == 0


@pytest.mark.parametrize(
    ("verdict", "speed", "word", "tone"),
    [
        ("too_large", None, "Does not fit", "bad"),
        ("gpu", 60.0, "Fits very well", "ok"),
        ("gpu", None, "Fits very well", "ok"),
        ("cpu", 9.0, "Fits well", "ok"),
        ("partly_gpu", 2.0, "Fits, but slow", "warn"),
        ("cpu", 0.5, "Very slow here", "warn"),
    ],
)
def test_verdict_is_a_word_and_a_tone(
    english: Translation, verdict: Verdict, speed: float | None, word: str, tone: str
) -> None:
    assert words.verdict_words(verdict, speed) == (word, tone)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (None, "not used yet"),
        (datetime(2026, 11, 20, 1), "used today"),
        (datetime(2026, 11, 19, 23), "used yesterday"),
        (datetime(2026, 11, 10), "used 10 days ago"),
        (datetime(2026, 5, 4), "used in May 2026"),
    ],
)
def test_last_use_is_as_rough_as_memory(
    english: Translation, day: datetime | None, said: str
) -> None:
    moment = None if day is None else day.timestamp()
    assert words.last_used(moment, TODAY, "en") == said


def test_parameters_are_billions(english: Translation) -> None:
    assert words.parameters(8_190_000_000, "en") == "8.2 billion parameters"
    assert words.parameters(120_000_000, "en") == "120 million parameters"
    assert words.parameters(1_100_000, "en") == "1.1 million parameters"
    assert words.parameters(412_000, "en") == "412,000 parameters"
