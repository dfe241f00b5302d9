"""What the batcher asks for guesses: the proposers that there are, and the switch over them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from desktop.engine.guessing.draft_switch import DraftSwitch, Wanted
from desktop.engine.guessing.prompt_lookup import LONG, MIDDLE, SHORT, PromptLookup
from desktop.engine.guessing.proposer import NO_GUESS, Guess, Proposer, Read, Writer
from desktop.engine.model import Context, Model

AHEAD = 3
"""The kind of guesses that a draft model or the model's own heads make."""
_FIRST_CHANCES = {SHORT: 0.4, MIDDLE: 0.75, LONG: 0.9, AHEAD: 0.7}
_NEWEST = 0.2


@dataclass(slots=True)
class _Sequence:
    """Whose answer a sequence holds, and what was proposed for it last."""

    request_id: str
    kind: int = 0
    proposer: Proposer | None = None


class Drafter:
    """Guesses for all sequences that write, never more than pay. For the engine's thread alone."""

    def __init__(
        self,
        lookup: PromptLookup,
        ahead: Proposer | None = None,
        *,
        limit: int,
        sequence_limit: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`ahead` guesses what `lookup` does not find: a draft model, or the model's own heads.

        `limit` tokens a step over all sequences; `sequence_limit` for each of them.
        """
        self._lookup = lookup
        self._ahead = ahead
        self._sequence_limit = limit if sequence_limit is None else min(limit, sequence_limit)
        self._clock = clock
        self.switch = DraftSwitch(limit, _FIRST_CHANCES)
        self._sequences: dict[int, _Sequence] = {}
        self._cost_s = 0.0  # of one token that `ahead` guesses

    @property
    def follows(self) -> bool:
        """Whether `decoded` must be called after each step."""
        return self._ahead is not None

    @property
    def contexts(self) -> Sequence[tuple[Model, Context]]:
        """What the proposers hold of llama.cpp, for whoever counts memory."""
        return self._ahead.contexts if self._ahead is not None else ()

    def begin(self, sequence: int, tokens: Sequence[int]) -> None:  # noqa: ARG002
        """Another answer begins; read back from the writer when it first asks for guesses."""
        self.forget(sequence)

    def propose(
        self, writers: Sequence[Writer], room: int, *, plain: int, reading: bool
    ) -> list[Sequence[int]]:
        """For each writer the tokens to be judged behind its last one; often none.

        `plain` tokens of writing sequences are in the step anyway, and `room` more may be;
        `reading`: prompts are read in it, too.
        """
        if not reading and not self.switch.may_pay(plain):
            return [()] * len(writers)
        guesses = self._looked_up(writers)
        if self._ahead is None and not any(guess.tokens for guess in guesses):
            return [()] * len(writers)
        wanted = [
            self._wanted(writer, guess) for writer, guess in zip(writers, guesses, strict=True)
        ]
        counts = self.switch.counts(wanted, plain, reading=reading)
        if sum(counts) == 0:
            return [()] * len(writers)
        for place, count in enumerate(counts):
            counts[place] = min(count, room)
            room -= counts[place]
        self._guess_ahead(writers, guesses, counts)
        return [guess.tokens[:count] for guess, count in zip(guesses, counts, strict=True)]

    def judged(self, sequence: int, proposed: int, accepted: int) -> None:
        """Of the tokens that `propose` gave for `sequence` so many were computed, and held."""
        known = self._sequences.get(sequence)
        if known is None or known.proposer is None:
            return
        self.switch.judged(sequence, known.kind, proposed, accepted)
        known.proposer.judged(sequence, proposed, accepted)

    def measured(self, batch_tokens: int, seconds: float) -> None:
        """A step without prompts took so long to compute."""
        self.switch.times.measured(batch_tokens, seconds)

    def decoded(self, parts: Sequence[Read]) -> None:
        """A step was computed, with these parts."""
        if self._ahead is not None:
            self._ahead.decoded(parts)

    def forget(self, sequence: int) -> None:
        """The answer in `sequence` is over."""
        if self._sequences.pop(sequence, None) is None:
            return
        self.switch.forget(sequence)
        self._lookup.forget(sequence)
        if self._ahead is not None:
            self._ahead.forget(sequence)

    def close(self) -> None:
        """Free what the proposers hold, before the model is freed."""
        self._lookup.close()
        if self._ahead is not None:
            self._ahead.close()

    def _looked_up(self, writers: Sequence[Writer]) -> list[Guess]:
        for writer in writers:
            writer.most = min(writer.most, self._sequence_limit)
            known = self._sequences.get(writer.sequence)
            if known is None or known.request_id != writer.request_id:
                self._begin(writer)
        return self._lookup.propose(writers)

    def _begin(self, writer: Writer) -> None:
        self.forget(writer.sequence)
        self._sequences[writer.sequence] = _Sequence(writer.request_id)
        self._lookup.begin(writer.sequence, writer.cached)
        if self._ahead is not None:
            self._ahead.begin(writer.sequence, writer.cached)

    def _wanted(self, writer: Writer, guess: Guess) -> Wanted:
        """What looking back found, unless guessing ahead is the likelier."""
        known, sequence = self._sequences[writer.sequence], writer.sequence
        known.kind, known.proposer = guess.kind, self._lookup
        if self._ahead is not None:
            chance = self.switch.chance
            if not guess.tokens or chance(sequence, guess.kind) < chance(sequence, AHEAD):
                known.kind, known.proposer = AHEAD, self._ahead
                return Wanted(sequence, AHEAD, writer.most, self._cost_s)
        return Wanted(sequence, guess.kind, len(guess.tokens))

    def _guess_ahead(
        self, writers: Sequence[Writer], guesses: list[Guess], counts: Sequence[int]
    ) -> None:
        """Ask the model's proposer for those whom it is to serve, all in one go."""
        if self._ahead is None:
            return
        places, asked = [], []
        for place, writer in enumerate(writers):
            if self._sequences[writer.sequence].proposer is not self._ahead:
                continue
            guesses[place] = NO_GUESS
            if counts[place]:
                places.append(place)
                asked.append(replace(writer, most=counts[place]))
        if not asked:
            return
        started_s = self._clock()
        found = self._ahead.propose(asked)
        deepest = max(len(guess.tokens) for guess in found)
        if deepest:
            took_s = (self._clock() - started_s) / deepest
            self._cost_s += (_NEWEST if self._cost_s else 1.0) * (took_s - self._cost_s)
        for place, guess in zip(places, found, strict=True):
            guesses[place] = guess
