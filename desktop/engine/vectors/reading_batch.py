"""Texts that are read for their vectors: what goes into one llama_decode, and what comes out."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from desktop.common.errors import EngineError
from desktop.engine.batch import Batch
from desktop.engine.model import Context, Model

_ABORTED = 2

Rows = list[tuple[int, Any]]
"""Of a step: the place of a text among all, and a matrix with a row for each of its tokens."""


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that are read together; `places` say which they are."""

    places: tuple[int, ...]
    texts: tuple[Sequence[int], ...]


class ReadingBatch:
    """Groups texts and computes them; `steps` on the engine's thread alone."""

    def __init__(self, model: Model, context: Context) -> None:
        self._lib: Any = model.llama.lib
        self._context = context
        self._batch = Batch(self._lib, context.batch_tokens)
        self._scores = context.pooling == "rank"
        lib, handle = self._lib, model.handle
        trained: int = lib.llama_model_n_ctx_train(handle)
        # What looks both ways must have all of a text in one step. What looks further than it
        # was trained for would read behind a table of positions.
        in_parts = context.memory and lib.llama_get_causal_attn(context.handle)
        room = context.sequence_tokens if in_parts else context.batch_tokens
        self.text_tokens = min(room, trained) if trained > 0 else room
        self._room = context.context_tokens if in_parts else context.batch_tokens
        width = "llama_model_n_cls_out" if self._scores else "llama_model_n_embd_out"
        self._width: int = getattr(lib, width)(handle)

    def groups(self, texts: Sequence[Sequence[int]]) -> Iterator[Group]:
        """As many texts a group as there are sequences and tokens for, in their order."""
        most = self._context.sequences
        places: list[int] = []
        taken = 0
        for place, text in enumerate(texts):
            if places and (len(places) == most or taken + len(text) > self._room):
                yield Group(tuple(places), tuple(texts[one] for one in places))
                places, taken = [], 0
            places.append(place)
            taken += len(text)
        if places:
            yield Group(tuple(places), tuple(texts[one] for one in places))

    def steps(self, group: Group) -> Iterator[Rows]:
        """Compute the group, a llama_decode each time; scores come with a text's last step.

        Raises EngineError: engine_closed where it was aborted, decode_failed.
        """
        # At the beginning too: whoever was stopped in the middle has left something. (Not when
        # the generator is thrown away: that may be in any thread, and after the model is freed.)
        self._forget()
        for parts in self._portions(group):
            yield self._compute(group, parts)
        self._forget()

    def _forget(self) -> None:
        if self._context.memory:
            self._lib.llama_memory_clear(self._context.memory, 0)

    def _portions(self, group: Group) -> Iterator[list[tuple[int, int, int]]]:
        """Number in the group, first token and end, for each step."""
        portion: list[tuple[int, int, int]] = []
        room = self._batch.capacity
        for number, text in enumerate(group.texts):
            start = 0
            while start < len(text):
                end = min(len(text), start + room)
                portion.append((number, start, end))
                room -= end - start
                start = end
                if room == 0:
                    yield portion
                    portion, room = [], self._batch.capacity
        if portion:
            yield portion

    def _compute(self, group: Group, parts: Sequence[tuple[int, int, int]]) -> Rows:
        batch, handle = self._batch, self._context.handle
        batch.clear()
        for number, start, end in parts:
            batch.add_each(group.texts[number][start:end], start, number)
        code = self._lib.llama_decode(handle, batch.seal())
        if code == _ABORTED:
            raise EngineError("engine_closed")
        if code != 0:
            raise EngineError("decode_failed", code=code)
        self._lib.llama_synchronize(handle)
        if self._scores:
            return self._read_scores(group, parts)
        rows = self._matrix(self._lib.llama_get_embeddings(handle), len(batch))
        found: Rows = []
        place = 0
        for number, start, end in parts:
            found.append((group.places[number], rows[place : place + end - start]))
            place += end - start
        return found

    def _read_scores(self, group: Group, parts: Sequence[tuple[int, int, int]]) -> Rows:
        handle = self._context.handle
        return [
            (
                group.places[number],
                self._matrix(self._lib.llama_get_embeddings_seq(handle, number), 1),
            )
            for number, _, end in parts
            if end == len(group.texts[number])
        ]

    def _matrix(self, address: Any, rows: int) -> Any:
        """A copy of llama.cpp's numbers."""
        # Imported for models that make vectors alone: it takes longer than the whole engine.
        import numpy as np

        if not address:
            raise EngineError("decode_failed", code=0)
        raw = ctypes.string_at(address, rows * self._width * ctypes.sizeof(ctypes.c_float))
        return np.frombuffer(raw, dtype=np.float32).reshape(rows, self._width)
