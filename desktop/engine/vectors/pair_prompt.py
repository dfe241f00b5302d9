"""A question and a document as one text, as a reranking model was trained to read them."""

from __future__ import annotations

import re
from typing import Any

from desktop.engine.model import Model
from desktop.engine.vocabulary import Vocabulary

_TEMPLATE_KEY = "tokenizer.chat_template.rerank"
_PLACES = re.compile(r"\{(query|document)\}")


class PairPrompt:
    """By the file's own template, or question and document with the marks of their ends."""

    def __init__(self, model: Model, vocabulary: Vocabulary) -> None:
        lib: Any = model.llama.lib
        vocab = model.vocab
        self._vocabulary = vocabulary
        self._template = model.metadata(_TEMPLATE_KEY) or ""
        end, between = lib.llama_vocab_eos(vocab), lib.llama_vocab_sep(vocab)
        end = between if end < 0 else end
        self._before = [lib.llama_vocab_bos(vocab)] * vocabulary.adds_bos
        self._after = [end] * bool(lib.llama_vocab_get_add_eos(vocab))
        self._between = self._after + [between] * bool(lib.llama_vocab_get_add_sep(vocab))

    def tokens(self, query: str, document: str) -> list[int]:
        if self._template:
            return self._by_template(query, document)
        return [
            *self._before,
            *self._plain(query),
            *self._between,
            *self._plain(document),
            *self._after,
        ]

    def _by_template(self, query: str, document: str) -> list[int]:
        """Split as a whole, since a word may join the template's last letter; but names of
        control tokens count in the template alone."""
        given = {"query": query, "document": document}
        if not any(self._names_control(text) for text in given.values()):
            whole = _PLACES.sub(lambda place: given[place[1]], self._template)
            return self._vocabulary.tokenize(whole, add_special=False)
        tokens: list[int] = []
        for number, part in enumerate(_PLACES.split(self._template)):
            if number % 2:
                tokens += self._plain(given[part])
            else:
                tokens += self._vocabulary.tokenize(part, add_special=False)
        return tokens

    def _names_control(self, text: str) -> bool:
        return self._plain(text) != self._vocabulary.tokenize(text, add_special=False)

    def _plain(self, text: str) -> list[int]:
        return self._vocabulary.tokenize(text, add_special=False, special=False)
