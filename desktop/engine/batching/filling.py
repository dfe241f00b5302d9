"""One step's shares: which tokens of which sequences go into the next call of llama_decode."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.engine.batch import Batch
from desktop.engine.batching.pace import Pace
from desktop.engine.guessing.drafter import Drafter
from desktop.engine.guessing.proposer import Writer
from desktop.engine.slot import Slot

Part = tuple[Slot, int, int, Sequence[int]]
"""A slot, how many of its pending tokens, the place of the last one (-1: no logits), and the
guesses that follow it in the batch, each with logits of its own. Where a prompt is scored all have
logits, and the place is the first one's."""

_STEPS_WITHOUT_GUESSES = 32


class Filling:
    """Fills the batch: who writes first, one token each; prompts share what room is left."""

    def __init__(
        self,
        batch: Batch,
        pace: Pace,
        *,
        sequence_tokens: int,
        output_rows: int,
        drafter: Drafter | None = None,
    ) -> None:
        """`output_rows` of logits is all that a step may ask for."""
        self._batch = batch
        self._pace = pace
        self._limit = sequence_tokens
        self._rows = output_rows
        self._drafter = drafter
        self._steps_without_guesses = 0

    def fill(self, active: Sequence[Slot]) -> list[Part]:
        """Those of `active` that can go on; who must read a picture next cannot here."""
        batch = self._batch
        batch.clear()
        writers: list[Slot] = []
        prompts: list[Slot] = []
        for slot in active:
            pending = slot.pending
            if pending and pending[0] >= 0:
                (writers if len(pending) == 1 else prompts).append(slot)
        guesses: dict[int, Sequence[int]] = {}
        if self._drafter is not None and writers:
            guesses = self._guesses(self._drafter, writers, len(active), reading=bool(prompts))
        parts: list[Part] = []
        for slot in writers:
            token, position, sequence = slot.pending[0], len(slot.cached), slot.sequence
            guessed = guesses.get(sequence, ()) if guesses else ()
            if len(guessed):
                place = batch.add_each([token, *guessed], position, sequence)
                parts.append((slot, 1, place, guessed))
            else:
                parts.append((slot, 1, batch.add_one(token, position, sequence), ()))
        if prompts:
            self._share(prompts, parts)
        return parts

    def without_guesses(self) -> None:
        """There was no room for them: a while without."""
        self._steps_without_guesses = _STEPS_WITHOUT_GUESSES

    def _share(self, prompts: list[Slot], parts: list[Part]) -> None:
        """Prompts of higher priority take what they can; equals share."""
        batch = self._batch
        wanted = self._pace.beside_tokens if parts else self._pace.prompt_tokens
        room = min(batch.room, max(wanted - len(parts), 1))
        # Shortest first: what a short prompt leaves of its equal share goes to the longer ones.
        prompts.sort(key=_eager)
        rows = self._rows - sum(1 + len(guesses) for _, _, _, guesses in parts) - len(prompts)
        for index, slot in enumerate(prompts):
            priority = _eager(slot)[0]
            sharing = sum(_eager(other)[0] == priority for other in prompts[index:])
            done = len(slot.cached)
            count = min(len(slot.pending), -(-room // sharing), room, slot.next_stop - done)
            if count == 0:
                break
            if slot.task is not None and slot.task.scores:
                # One row of logits it has anyway, like everybody.
                count = min(count, rows + 1)
                rows -= count - 1
                place = batch.add_each(slot.pending[:count], done, slot.sequence)
                parts.append((slot, count, place, ()))
                room -= count
                continue
            last = count == len(slot.pending)
            place = batch.add(slot.pending[:count], done, slot.sequence, output=last)
            parts.append((slot, count, place if last else -1, ()))
            room -= count

    def _guesses(
        self, drafter: Drafter, writers: Sequence[Slot], active: int, *, reading: bool
    ) -> dict[int, Sequence[int]]:
        """By sequence; none for a while after they did not fit."""
        if self._steps_without_guesses > 0:
            self._steps_without_guesses -= 1
            return {}
        wanting: list[Writer] = []
        for slot in writers:
            task = slot.task
            if task is None or task.first_token_s is None or task.request.draft == "off":
                continue
            most = self._limit - len(slot.cached) - 2
            if task.request.max_tokens is not None:
                most = min(most, task.request.max_tokens - task.completion_tokens - 1)
            if most > 0:
                wanting.append(
                    Writer(slot.sequence, task.request.id, slot.cached, slot.pending[0], most)
                )
        # Every active sequence keeps a row: a prompt may end in this step too.
        room = min(self._batch.capacity, self._rows) - active
        if not wanting or room <= 0:
            return {}
        found = drafter.propose(wanting, room, plain=len(writers), reading=reading)
        return {
            writer.sequence: tokens
            for writer, tokens in zip(wanting, found, strict=True)
            if len(tokens)
        }


def _eager(slot: Slot) -> tuple[int, int]:
    """What decides among prompts: priority, then how little is left to read."""
    assert slot.task is not None
    return (-slot.task.request.priority, len(slot.pending))
