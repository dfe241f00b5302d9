"""Chats made from the corpus: one to eight turns, as people might have with the guide."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from guide_model import noise
from guide_model.corpus import Corpus, Speech, Topic
from guide_model.grammar import expand

_OTHER = {"de": "en", "en": "de"}
_LENGTHS = ((0.80, 1), (0.91, 2), (0.955, 3), (0.975, 4), (0.99, 5), (0.996, 6), (1.0, 8))
_KINDS = ((0.69, "topic"), (0.93, "foreign"), (1.0, "talk"))
_FOLLOW_UPS = ("shorter", "more", "again", "translate", "windows", "mac", "linux")


@dataclass(frozen=True, slots=True)
class Turn:
    """What is asked, what the guide says, and what about."""

    asked: str
    answer: str
    topic: str
    language: str


@dataclass(frozen=True, slots=True)
class Chat:
    """The turns, and the system prompt that may stand in front."""

    system: str
    turns: tuple[Turn, ...]


def _pick(table: tuple[tuple[float, object], ...], rng: random.Random) -> object:
    dice = rng.random()
    return next(value for limit, value in table if dice < limit)


class Maker:
    """Makes chats; the same seed gives the same chats. Easy ones are nearly all single turns."""

    def __init__(self, corpus: Corpus, seed: int, *, easy: bool = False) -> None:
        self.corpus = corpus
        self.easy = easy
        self.rng = random.Random(seed)
        self.kinds = {kind: corpus.of_kind(kind) for kind in ("topic", "foreign", "talk")}
        self.weights = {
            kind: [topic.weight for topic in topics] for kind, topics in self.kinds.items()
        }

    def chats(self) -> Iterator[Chat]:
        """Without end."""
        while True:
            yield self.chat()

    def _frame(self, language: str, name: str) -> str:
        return self._expand(language, self.rng.choice(self.corpus.frames[language][name]))

    def _expand(self, language: str, pattern: str) -> str:
        return expand(pattern, self.rng, self.corpus.words[language])

    def topic(self) -> Topic:
        kind = str(_pick(_KINDS, self.rng))
        return self.rng.choices(self.kinds[kind], self.weights[kind])[0]

    def _core(self, speech: Speech, language: str, follows: bool) -> tuple[str, bool]:
        """A wording of the question, and whether it is a question by its form."""
        rng = self.rng
        forms = [("question", len(speech.questions)), ("clause", 0.6 * len(speech.clauses))]
        forms.append(("name", 0.7 * len(speech.names) * (1.5 if follows else 1.0)))
        total = sum(weight for _, weight in forms)
        weights = [weight + (0.06 * total if weight else 0.0) for _, weight in forms]
        form = rng.choices([name for name, _ in forms], weights)[0]
        if form == "question":
            text = self._expand(language, rng.choice(speech.questions))
            if rng.random() < 0.14:
                text = self._frame(language, "question").replace("{}", text)
            return text, True
        if form == "clause":
            text = self._expand(language, rng.choice(speech.clauses))
            if rng.random() < 0.9:
                text = self._frame(language, "clause").replace("{}", text)
            return text, True
        text = self._expand(language, rng.choice(speech.names))
        if follows and rng.random() < 0.5:
            return self._frame(language, "follow").replace("{}", text), True
        if rng.random() < 0.6:
            text = self._frame(language, "name").replace("{}", text)
        return text, True

    def _synonym(self, word: str, language: str) -> str:
        """Now and then another word of the same meaning, with the signs that followed."""
        core = word.rstrip("?!.,:;")
        others = self.corpus.synonyms[language].get(core.lower())
        if others is None or self.rng.random() > 0.22:
            return word
        return self.rng.choice(others) + word[len(core) :]

    def _loosen(self, text: str, language: str) -> str:
        """With a filler, without a word, or in telegram style."""
        rng = self.rng
        words = [self._synonym(word, language) for word in text.split(" ")]
        dice = rng.random()
        if dice < 0.12 and len(words) > 1:
            words.insert(rng.randrange(1, len(words)), self._frame(language, "filler"))
        elif dice < 0.16 and len(words) > 4:
            del words[rng.randrange(len(words))]
        elif dice < 0.22 and len(words) > 3:
            small = self.corpus.frames[language]["small"][0].split(" ")
            words = [word for word in words if word.lower() not in small] or words
        return " ".join(words)

    def ask(self, topic: Topic, language: str, follows: bool = False) -> str:
        """A question about the topic, as somebody might type it."""
        rng = self.rng
        text, question = self._core(topic.speech[language], language, follows)
        if topic.kind != "talk":
            text = self._loosen(text, language)
            if rng.random() < 0.05:
                second, _ = self._core(topic.speech[language], language, follows)
                text += rng.choice(("? ", ", ", ". ", " ", "\n", "?? ")) + second
        text = noise.end(noise.start(text, rng), rng, question and topic.kind != "talk")
        if topic.kind != "talk":
            dice = rng.random()
            if dice < 0.08 and not follows:
                sign = rng.choice([",", "!", ".", " -", "", "\n"])
                text = f"{self._frame(language, 'greeting')}{sign} {text}"
            elif dice < 0.14:
                text = f"{self._frame(language, 'context')} {text}"
            elif dice < 0.17:
                text = f"{text} {self._frame(language, 'tail')}"
        return noise.roughen(text, rng)

    def reply(self, topic: Topic, language: str) -> str:
        return self.rng.choice(topic.speech[language].answers)

    def _follow_up(self, last: Turn, language: str) -> Turn:
        """Shorter, more, once more, in the other language, or on another system."""
        rng = self.rng
        kind = rng.choice(_FOLLOW_UPS)
        speech = self.corpus.by_id[last.topic].speech
        if kind == "translate":
            target = _OTHER[last.language]
            asked = self._frame(rng.choice([language, target]), f"to_{target}")
            answer = rng.choice(speech[target].answers)
            return Turn(noise.roughen(asked, rng), answer, last.topic, target)
        asked = noise.roughen(noise.end(noise.start(self._frame(language, kind), rng), rng), rng)
        here = speech[language]
        topic = last.topic
        if kind == "shorter":
            answer = here.short
        elif kind in ("more", "again"):
            answer = rng.choice(here.answers)
        elif kind in here.systems:
            answer = here.systems[kind]
        else:
            topic = f"on_{kind}"
            answer = rng.choice(self.corpus.by_id[topic].speech[language].answers)
        return Turn(asked, answer, topic, language)

    def chat(self) -> Chat:
        rng = self.rng
        language = rng.choice(("de", "en"))
        system = self._frame(rng.choice((language, "de", "en")), "system")
        turns: list[Turn] = []
        length = int(str(_pick(_LENGTHS, rng)))
        for _ in range(1 if self.easy and rng.random() < 0.7 else length):
            if turns and rng.random() < 0.12:
                language = _OTHER[language]
            known = bool(turns) and self.corpus.by_id[turns[-1].topic].kind == "topic"
            if known and rng.random() < 0.3:
                turns.append(self._follow_up(turns[-1], language))
                language = turns[-1].language
                continue
            topic = self.topic()
            asked = self.ask(topic, language, bool(turns))
            turns.append(Turn(asked, self.reply(topic, language), topic.id, language))
        return Chat(system if rng.random() < 0.3 else "", tuple(turns))
