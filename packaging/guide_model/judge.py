"""Which topic, in which language, an answer is about: the nearest answer of the corpus."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from guide_model.corpus import Corpus

HELD_OUT = Path(__file__).parent / "held_out.jsonl"
UNCLEAR = "unclear"
_NEAR_ENOUGH = 0.6
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that training never sees, the turns before it, and the topics that are right."""

    ask: str
    language: str
    topics: tuple[str, ...]
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer turned out to be; likeness 1 is word for word."""

    topic: str
    language: str
    likeness: float


def held_out(path: Path = HELD_OUT) -> list[Question]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    return [
        Question(row["ask"], row["language"], tuple(row["topics"]), tuple(row.get("before", ())))
        for row in rows
    ]


@cache
def _bag(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.lower()))


class Judge:
    """Knows all answers of the corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self.known: list[tuple[str, str, str]] = []
        for topic in corpus.topics:
            name = "foreign" if topic.kind == "foreign" else topic.id
            for language, speech in topic.speech.items():
                texts = {*speech.answers, speech.short, *speech.systems.values()}
                self.known += [(text, name, language) for text in sorted(texts)]

    def verdict(self, answer: str) -> Verdict:
        """The topic whose answer shares most words with this one."""
        return self._nearest(
            answer, [(_bag(text), topic, tongue) for text, topic, tongue in self.known]
        )

    def verdict_of_start(self, answer: str) -> Verdict:
        """The same for an answer that was cut short."""
        length = len(answer) + 2
        entries = [(_bag(text[:length]), topic, tongue) for text, topic, tongue in self.known]
        return self._nearest(answer, entries)

    def _nearest(self, answer: str, entries: list[tuple[Counter[str], str, str]]) -> Verdict:
        bag = _bag(answer)
        best = Verdict(UNCLEAR, UNCLEAR, 0.0)
        for known, topic, language in entries:
            shared = (bag & known).total()
            likeness = 2 * shared / max(1, bag.total() + known.total())
            if likeness > best.likeness:
                best = Verdict(topic, language, likeness)
        return best if best.likeness >= _NEAR_ENOUGH else Verdict(UNCLEAR, best.language, 0.0)
