"""Guesses by the model's own heads for multi-token prediction, where its file has them.

Such a head is one more layer. It takes a token and what the model's last layer made of the place
before (its hidden values), and predicts the token after; run again on its own result it predicts
further ones. It has a context of its own on the same weights, and follows the model step by step.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop.common.errors import LoadError
from desktop.common.logs import get_logger
from desktop.engine.batch import Batch
from desktop.engine.guessing.nextn import NextN, nextn
from desktop.engine.guessing.proposer import NO_GUESS, Guess, Read, Writer
from desktop.engine.likeliest import Likeliest
from desktop.engine.model import Context, Model
from desktop.fit.guessing import has_heads
from desktop.fit.types import Plan
from desktop.gguf.header import ModelHeader

_DONE = 0
_FLOAT_BYTES = 4
_LEAST_SURE = 0.55

_log = get_logger("engine")


@dataclass(slots=True)
class _Place:
    """Where the heads are in one sequence.

    `length` positions are in their memory. `hidden` are the rows of the model's last step from
    position `first` on: after the step is judged, the one before the next token counts.
    """

    length: int = 0
    first: int = -1
    hidden: bytes = b""


@dataclass(slots=True)
class _Ahead:
    """A writer for whom tokens are guessed in this round."""

    writer: Writer
    position: int
    place: int = -1
    tokens: list[int] = field(default_factory=list)
    on: bool = True


class MtpBatch(Batch):
    """A batch whose tokens come with hidden values."""

    def __init__(self, lib: Any, capacity: int, width: int) -> None:
        super().__init__(lib, capacity)
        self.row_bytes = width * _FLOAT_BYTES
        self._hidden = (ctypes.c_float * (width * capacity))()
        self._base = ctypes.addressof(self._hidden)
        self.struct.embd = ctypes.cast(self._hidden, type(self.struct.embd))

    def set_hidden(self, place: int, source: int, rows: int) -> None:
        """Copy so many rows from the address `source` to the tokens from `place` on."""
        ctypes.memmove(self._base + place * self.row_bytes, source, rows * self.row_bytes)

    def set_row(self, place: int, row: bytes) -> None:
        """One token's, or zeros where none is known."""
        address = self._base + place * self.row_bytes
        if row:
            ctypes.memmove(address, row, self.row_bytes)
        else:
            ctypes.memset(address, 0, self.row_bytes)


class Mtp:
    """A `Proposer`. The model must have been loaded with `plan.mtp`."""

    def __init__(self, model: Model, header: ModelHeader, context: Context, plan: Plan) -> None:
        """Raises LoadError("no_mtp") where the file or this build has no heads, context_failed."""
        functions = nextn(model.llama)
        if functions is None or not has_heads(header):
            raise LoadError("no_mtp")
        lib = model.llama.lib
        self._lib: Any = lib
        self._nextn: NextN = functions
        self._model, self._target = model, context
        self._context = model.open_context(plan, heads_of=context)
        width: int = lib.llama_model_n_embd_out(model.handle)
        self._batch = MtpBatch(lib, self._context.batch_tokens, width)
        self._row_bytes = self._batch.row_bytes
        self._likeliest = Likeliest(model.llama, lib.llama_vocab_n_tokens(model.vocab))
        self._places = [_Place() for _ in range(self._context.sequences)]
        context.hidden_rows = context.batch_tokens
        self._context.hidden_rows = self._context.sequences
        functions.switch(context.handle, True, False)  # noqa: FBT003
        functions.switch(self._context.handle, True, True)  # noqa: FBT003

    @property
    def contexts(self) -> Sequence[tuple[Model, Context]]:
        return ((self._model, self._context),)

    def begin(self, sequence: int, tokens: Sequence[int]) -> None:
        """It has followed the prompt already."""

    def decoded(self, parts: Sequence[Read]) -> None:
        """Take the same tokens in, each with the hidden values of the place before it."""
        rows: int = self._nextn.rows(self._target.handle) or 0
        if not rows:
            return
        batch = self._batch
        batch.clear()
        for part in parts:
            place = self._places[part.sequence]
            before = self._row_before(place, part.position)
            self._cut(part.sequence, part.position)
            at = batch.add(part.tokens, part.position, part.sequence, output=False)
            start = at - len(part.tokens) + 1
            batch.set_row(start, before)
            source = rows + part.place * self._row_bytes
            if len(part.tokens) > 1:
                batch.set_hidden(start + 1, source, len(part.tokens) - 1)
            self._keep(place, part, source)
        self._decode()

    def propose(self, writers: Sequence[Writer]) -> list[Guess]:
        found = [NO_GUESS] * len(writers)
        batch = self._batch
        batch.clear()
        ahead: dict[int, _Ahead] = {}
        for number, writer in enumerate(writers):
            position = len(writer.cached)
            place = self._places[writer.sequence]
            row = self._row_before(place, position)
            if writer.most <= 0 or not row or place.length < position:
                continue
            self._cut(writer.sequence, position)
            one = _Ahead(writer, position)
            one.place = batch.add_one(writer.last, position, writer.sequence)
            batch.set_row(one.place, row)
            ahead[number] = one
        if ahead:
            self._run_ahead(list(ahead.values()))
        for number, one in ahead.items():
            found[number] = Guess(one.tokens)
        return found

    def judged(self, sequence: int, proposed: int, accepted: int) -> None:
        """Seen from the position at which the sequence goes on."""

    def forget(self, sequence: int) -> None:
        """What the next answer goes on with is seen from its first position."""

    def close(self) -> None:
        self._likeliest.close()
        self._nextn.switch(self._target.handle, False, False)  # noqa: FBT003
        self._context.close()

    # -- following ---------------------------------------------------------------------------

    def _row_before(self, place: _Place, position: int) -> bytes:
        """The model's hidden values at `position - 1`; empty where they are not known."""
        number = position - 1 - place.first
        start = number * self._row_bytes
        if place.first < 0 or number < 0 or start >= len(place.hidden):
            return b""
        return place.hidden[start : start + self._row_bytes]

    def _keep(self, place: _Place, part: Read, source: int) -> None:
        """A long part is a prompt's: of that the last row will do."""
        rows = len(part.tokens)
        keep = min(rows, self._target.output_rows)
        start = source + (rows - keep) * self._row_bytes
        place.hidden = ctypes.string_at(start, keep * self._row_bytes)
        place.first = part.position + rows - keep
        place.length = part.position + rows

    def _cut(self, sequence: int, position: int) -> None:
        """Let the memory end before `position`; where it ends earlier, it begins anew there."""
        place, memory = self._places[sequence], self._context.memory
        remove = self._lib.llama_memory_seq_rm
        if place.length < position or position == 0 or not remove(memory, sequence, position, -1):
            remove(memory, sequence, -1, -1)
        place.length = position

    def _decode(self) -> bool:
        code: int = self._lib.llama_decode(self._context.handle, self._batch.seal())
        if code == _DONE:
            return True
        _log.debug("a step of the prediction heads gave %d", code)
        for sequence, place in enumerate(self._places):
            self._lib.llama_memory_seq_rm(self._context.memory, sequence, -1, -1)
            place.length, place.first, place.hidden = 0, -1, b""
        return False

    # -- what may come next ------------------------------------------------------------------

    def _run_ahead(self, ahead: list[_Ahead]) -> None:
        """A step for each further token, for all that still go on."""
        batch = self._batch
        while len(batch) and self._decode():
            rows: list[tuple[_Ahead, int, bytes]] = []
            for one in ahead:
                if one.on:
                    self._places[one.writer.sequence].length += 1
                    rows += self._take(one)
            batch.clear()
            for one, token, row in rows:
                one.place = batch.add_one(
                    token, one.position + len(one.tokens), one.writer.sequence
                )
                batch.set_row(one.place, row)

    def _take(self, one: _Ahead) -> list[tuple[_Ahead, int, bytes]]:
        """The likeliest token, with the head's own hidden values if another may follow it."""
        handle = self._context.handle
        token, sure = self._likeliest.pick(handle, one.place)
        if token < 0 or sure < _LEAST_SURE:
            one.on = False
            return []
        one.tokens.append(token)
        row: int = self._nextn.row(handle, one.place) or 0
        if len(one.tokens) >= one.writer.most or not row:
            one.on = False
            return []
        return [(one, token, ctypes.string_at(row, self._row_bytes))]
