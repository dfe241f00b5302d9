"""Guesses by a smaller model with the same vocabulary, which runs ahead by a few tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desktop.common.errors import LoadError
from desktop.common.logs import get_logger
from desktop.engine.batch import Batch
from desktop.engine.cancel import CancelToken
from desktop.engine.guessing.proposer import NO_GUESS, Guess, Read, Writer
from desktop.engine.likeliest import Likeliest
from desktop.engine.model import Context, Model
from desktop.engine.slot import common_prefix
from desktop.fit.types import Plan

_DONE, _ABORTED = 0, 2
_CATCH_UP_TOKENS = 128
_LEAST_SURE = 0.6
_MOST_FURTHER_TOKENS = 128  # as in llama.cpp: vocabularies may be padded differently
_FIRST_COMPARED = 5  # as in llama.cpp: the first are control tokens, by other names here and there

_log = get_logger("engine")


@dataclass(slots=True)
class _Cache:
    """What the small model's memory holds of one sequence; `sure` tokens are this answer's."""

    tokens: list[int] = field(default_factory=list)
    sure: int = 0


@dataclass(slots=True)
class _Ahead:
    """A writer for whom tokens are guessed in this round."""

    writer: Writer
    cache: _Cache
    place: int
    tokens: list[int] = field(default_factory=list)
    on: bool = True


class DraftModel:
    """A `Proposer`. Owns a model and a context; `close` frees both."""

    def __init__(
        self, path: Path, plan: Plan, target: Model, *, cancel: CancelToken | None = None
    ) -> None:
        """`plan` is the small model's own. Blocks until loaded.

        Raises LoadError: draft_vocabulary, draft_recurrent, and what loading any model raises.
        """
        self._model = Model(path, plan, cancel=cancel)
        try:
            check_same_vocabulary(self._model, target)
            if self._model.refuses_partial_removal:
                raise LoadError("draft_recurrent", path=str(path))
            self._context: Context = self._model.open_context(plan)
        except BaseException:
            self._model.close()
            raise
        lib = self._model.llama.lib
        self._lib: Any = lib
        sizes = [lib.llama_vocab_n_tokens(model.vocab) for model in (self._model, target)]
        self._vocab_size = min(sizes)
        self._batch = Batch(lib, self._context.batch_tokens)
        self._likeliest = Likeliest(self._model.llama, sizes[0])
        self._caches = [_Cache() for _ in range(self._context.sequences)]

    @property
    def contexts(self) -> Sequence[tuple[Model, Context]]:
        return ((self._model, self._context),)

    def begin(self, sequence: int, tokens: Sequence[int]) -> None:  # noqa: ARG002
        """What its memory holds may still be the same beginning: that is compared once."""
        self._caches[sequence].sure = 0

    def propose(self, writers: Sequence[Writer]) -> list[Guess]:
        found = [NO_GUESS] * len(writers)
        ahead = self._catch_up(writers)
        if not ahead:
            return found
        self._run_ahead(list(ahead.values()))
        for place, one in ahead.items():
            found[place] = Guess(one.tokens)
        return found

    def judged(self, sequence: int, proposed: int, accepted: int) -> None:
        """Seen by itself when the next tokens are compared."""

    def decoded(self, parts: Sequence[Read]) -> None:
        """It reads by itself what it lacks."""

    def forget(self, sequence: int) -> None:
        """The next answer in a sequence often goes on with the same chat, so it is kept."""

    def drop(self, sequence: int) -> None:
        """Nothing of the sequence may be kept."""
        self._lib.llama_memory_seq_rm(self._context.memory, sequence, -1, -1)
        cache = self._caches[sequence]
        cache.tokens, cache.sure = [], 0

    def close(self) -> None:
        self._likeliest.close()
        self._model.close()

    # -- what it lacks of the text -----------------------------------------------------------

    def _catch_up(self, writers: Sequence[Writer]) -> dict[int, _Ahead]:
        """One step that reads what is missing; by place, those for whom that was all of it."""
        batch = self._batch
        batch.clear()
        room = min(batch.capacity, max(_CATCH_UP_TOKENS, len(writers)))
        ahead: dict[int, _Ahead] = {}
        read: list[tuple[_Cache, list[int]]] = []
        for number, writer in enumerate(writers):
            cache = self._caches[writer.sequence]
            missing = self._missing(writer, cache)
            count = min(len(missing), room - (len(writers) - 1 - number))
            if writer.most <= 0 or count <= 0 or min(missing[:count]) < 0:  # a picture
                continue
            room -= count
            part, whole = missing[:count], count == len(missing)
            place = batch.add(part, len(cache.tokens), writer.sequence, output=whole)
            read.append((cache, part))
            if whole:
                ahead[number] = _Ahead(writer, cache, place)
        if not read or not self._decode():
            return {}
        for cache, part in read:
            cache.tokens += part
        for one in ahead.values():
            one.cache.sure = len(one.cache.tokens)
        return ahead

    def _missing(self, writer: Writer, cache: _Cache) -> list[int]:
        """The text's tokens that are not in the memory; what is there and wrong goes."""
        sure = min(cache.sure, len(writer.cached), len(cache.tokens))
        kept = sure + common_prefix(cache.tokens[sure:], writer.cached[sure:])
        if kept < len(cache.tokens):
            if kept == 0 or not self._lib.llama_memory_seq_rm(
                self._context.memory, writer.sequence, kept, -1
            ):
                self.drop(writer.sequence)
                kept = 0
            del cache.tokens[kept:]
        return [*writer.cached[kept:], writer.last]

    # -- what may come next ------------------------------------------------------------------

    def _run_ahead(self, ahead: list[_Ahead]) -> None:
        """A step for each further token, for all that still go on."""
        while True:
            self._batch.clear()
            for one in ahead:
                self._take(one)
            if not len(self._batch):
                return
            if not self._decode():
                return
            for one in ahead:
                if one.on:
                    one.cache.tokens.append(one.tokens[-1])

    def _take(self, one: _Ahead) -> None:
        """The likeliest token after the last; into the batch if another may follow it."""
        if not one.on:
            return
        token, sure = self._likeliest.pick(self._context.handle, one.place)
        if not 0 <= token < self._vocab_size or sure < _LEAST_SURE:
            one.on = False
            return
        one.tokens.append(token)
        if len(one.tokens) >= one.writer.most:
            one.on = False
            return
        one.place = self._batch.add_one(token, len(one.cache.tokens), one.writer.sequence)

    def _decode(self) -> bool:
        code: int = self._lib.llama_decode(self._context.handle, self._batch.seal())
        if code == _DONE:
            return True
        if code == _ABORTED:  # llama.cpp has taken the step back
            return False
        _log.debug("the draft model's step gave %d", code)
        for sequence in range(self._context.sequences):
            self.drop(sequence)
        return False


def check_same_vocabulary(draft: Model, target: Model) -> None:
    """Raise LoadError("draft_vocabulary") unless a token means the same to both."""
    lib = draft.llama.lib
    vocabs = (draft.vocab, target.vocab)
    for ask in (
        lib.llama_vocab_type,
        lib.llama_vocab_get_add_bos,
        lib.llama_vocab_bos,
        lib.llama_vocab_get_add_eos,
        lib.llama_vocab_eos,
    ):
        if len({ask(vocab) for vocab in vocabs}) > 1:
            raise LoadError("draft_vocabulary", draft=_name(draft), model=_name(target))
    sizes = [lib.llama_vocab_n_tokens(vocab) for vocab in vocabs]
    if abs(sizes[0] - sizes[1]) > _MOST_FURTHER_TOKENS:
        raise LoadError("draft_vocabulary", draft=_name(draft), model=_name(target))
    text = lib.llama_vocab_get_text
    for token in range(_FIRST_COMPARED, min(sizes)):
        if text(vocabs[0], token) != text(vocabs[1], token):
            raise LoadError("draft_vocabulary", draft=_name(draft), model=_name(target))


def _name(model: Model) -> str:
    return model.metadata("general.name") or model.metadata("general.architecture") or "?"
