"""The corpus as written: topics with questions and answers, word lists, wrappers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from guide_model.grammar import Words, invented_word

FOLDER = Path(__file__).parent / "texts"
LANGUAGES = ("de", "en")


@dataclass(frozen=True, slots=True)
class Speech:
    """One topic in one language: whole questions, clauses ("whether ..."), and bare names."""

    questions: tuple[str, ...]
    clauses: tuple[str, ...]
    names: tuple[str, ...]
    answers: tuple[str, ...]
    short: str
    systems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Topic:
    """What can be asked; kind is "topic", "foreign" or "talk"."""

    id: str
    kind: str
    weight: float
    speech: Mapping[str, Speech]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything that training and evaluation know."""

    topics: tuple[Topic, ...]
    words: Mapping[str, Words]
    frames: Mapping[str, Mapping[str, tuple[str, ...]]]
    synonyms: Mapping[str, Mapping[str, tuple[str, ...]]]
    by_id: Mapping[str, Topic] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Topic]:
        return [topic for topic in self.topics if topic.kind == kind]


def lines(text: str | None) -> tuple[str, ...]:
    """One entry a line; a backslash n inside is a line break."""
    rows = (row.strip() for row in (text or "").splitlines())
    return tuple(row.replace("\\n", "\n") for row in rows if row)


def _speech(data: Mapping[str, Any]) -> Speech:
    asked = lines(data["ask"])
    answers = lines(data["answer"])
    return Speech(
        questions=tuple(row for row in asked if row[0] not in "~+"),
        clauses=tuple(row[1:].strip() for row in asked if row[0] == "~"),
        names=tuple(row[1:].strip() for row in asked if row[0] == "+"),
        answers=answers,
        short=data.get("short") or min(answers, key=len),
        systems={key: data[key] for key in ("windows", "mac", "linux") if key in data},
    )


def _topics(path: Path, more: Mapping[str, Mapping[str, str]]) -> list[Topic]:
    out = []
    for name, data in yaml.safe_load(path.read_text("utf-8")).items():
        for language in LANGUAGES:
            data[language]["ask"] += more[language].get(name, "")
        speech = {language: _speech(data[language]) for language in LANGUAGES}
        kind = data.get("kind", "topic")
        out.append(Topic(name, kind, float(data.get("weight", 1.0)), speech))
    return out


def _words(path: Path, language: str) -> dict[str, Any]:
    """Word lists: a block of lines, or one line with entries between commas."""
    out: dict[str, Any] = {"INVENTED": invented_word}
    for name, text in yaml.safe_load(path.read_text("utf-8")).items():
        rows = [part.strip() for row in text.splitlines() for part in row.split(";")]
        out[name] = tuple(row for row in rows if row)
    out["LANGUAGE"] = (language,)
    return out


def _more(folder: Path, language: str) -> dict[str, str]:
    """Further questions by topic, from all files that have some."""
    out: dict[str, str] = {}
    for path in sorted(folder.glob(f"more_*_{language}.yaml")):
        for topic, text in yaml.safe_load(path.read_text("utf-8")).items():
            out[topic] = out.get(topic, "") + text
    return out


def _synonyms(path: Path) -> dict[str, tuple[str, ...]]:
    """For each word in lower case, what may stand instead."""
    out: dict[str, tuple[str, ...]] = {}
    for line in lines(yaml.safe_load(path.read_text("utf-8"))["groups"]):
        words = [word.strip() for word in line.split(",")]
        for word in words[:1]:
            out[word.lower()] = (*out.get(word.lower(), ()), *words[1:])
    return out


def load(folder: Path = FOLDER) -> Corpus:
    """Read all of the corpus; KeyError or yaml.YAMLError if a file is not as it should be."""
    more = {language: _more(folder, language) for language in LANGUAGES}
    topics: list[Topic] = []
    for path in sorted(folder.glob("topics_*.yaml")):
        topics += _topics(path, more)
    names = [topic.id for topic in topics]
    if len(set(names)) != len(names):
        raise ValueError("a topic's name occurs twice")
    words: dict[str, dict[str, Any]] = {language: {} for language in LANGUAGES}
    for language in LANGUAGES:
        for path in sorted(folder.glob(f"words_*{language}.yaml")):
            words[language].update(_words(path, language))
    frames = yaml.safe_load((folder / "frames.yaml").read_text("utf-8"))
    cut = {
        language: {name: lines(text) for name, text in frames[language].items()}
        for language in LANGUAGES
    }
    synonyms = {language: _synonyms(folder / f"synonyms_{language}.yaml") for language in LANGUAGES}
    return Corpus(tuple(topics), words, cut, synonyms, {topic.id: topic for topic in topics})
