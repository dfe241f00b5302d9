"""Which control tokens of a vocabulary a parser must be shown."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.engine.vocabulary import Vocabulary


def shown_tokens(vocabulary: Vocabulary, framing: Iterable[str]) -> frozenset[int]:
    """The control tokens in a format's words; those that end an answer are not among them."""
    tokens = {
        token
        for text in dict.fromkeys(framing)
        for token in vocabulary.tokenize(text, add_special=False)
    }
    return frozenset(
        token
        for token in tokens
        if vocabulary.is_control(token) and not vocabulary.ends_answer(token)
    )


def ending_words(vocabulary: Vocabulary, text: str) -> tuple[str, ...]:
    """The texts of those tokens in `text` that end an answer."""
    tokens = dict.fromkeys(vocabulary.tokenize(text, add_special=False))
    return tuple(
        vocabulary.special_text(token) for token in tokens if vocabulary.ends_answer(token)
    )
