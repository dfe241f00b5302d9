"""The corpus can be read, and keeps its hands off the questions that it is measured by."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from guide_model.corpus import LANGUAGES, Corpus
from guide_model.dialogue import Maker
from guide_model.grammar import PatternError, expand
from guide_model.judge import Judge, held_out
from guide_model.membership import Membership


def test_every_pattern_can_be_spoken(book: Corpus) -> None:
    rng = random.Random(1)
    for topic in book.topics:
        for language, speech in topic.speech.items():
            for pattern in (*speech.questions, *speech.clauses, *speech.names):
                assert expand(pattern, rng, book.words[language])


def test_a_broken_pattern_is_told() -> None:
    for pattern in ("a (b", "a ] b", "$NOWHERE"):
        with pytest.raises(PatternError):
            expand(pattern, random.Random(1), {})


def test_the_same_seed_makes_the_same_chats(book: Corpus) -> None:
    first, second, third = (list(islice(Maker(book, seed).chats(), 50)) for seed in (1, 1, 2))
    assert first == second
    assert first != third


def test_answers_of_different_topics_can_be_told_apart(book: Corpus) -> None:
    judge = Judge(book)
    for topic in book.topics:
        for language, speech in topic.speech.items():
            for answer in (*speech.answers, speech.short):
                verdict = judge.verdict(answer)
                name = "foreign" if topic.kind == "foreign" else topic.id
                assert (verdict.topic, verdict.language) == (name, language), answer


def test_enough_is_held_out() -> None:
    questions = held_out()
    foreign = [question for question in questions if "foreign" in question.topics]
    assert len(questions) - len(foreign) >= 150
    assert len(foreign) >= 60
    assert len({question.ask for question in questions}) == len(questions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_training_cannot_say_what_is_held_out(book: Corpus, language: str) -> None:
    membership = Membership(book, language)
    for question in held_out():
        if question.language == language and not question.before:
            assert membership.produces(question.ask) is None, question.ask


def test_membership_knows_what_the_corpus_says(book: Corpus) -> None:
    membership = Membership(book, "de")
    for sentence in ("was ist gguf??", "Weißt du, was ein Token ist?", "Sag mal: Was kostet das?"):
        assert membership.produces(sentence), sentence
    assert membership.produces("Wo wächst der Pfeffer im Winter hin?") is None
