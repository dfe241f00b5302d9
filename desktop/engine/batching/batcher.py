"""What llama.cpp computes next, for several requests at once: a plain object without threads.

Decoding sequences go first, one token each; prompts share what room is left in the batch. The
caller drives it: `add`, then `step` while `busy`; each call returns the events it caused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from desktop.common.errors import HausgeistError, Param, RequestError
from desktop.engine.adapters import Adapters
from desktop.engine.answer_text import AnswerText
from desktop.engine.batch import Batch
from desktop.engine.batching.active import Active
from desktop.engine.batching.filling import Filling, Part
from desktop.engine.batching.pace import Pace
from desktop.engine.batching.prefix_cache import PrefixCache
from desktop.engine.batching.prompt_chances import prompt_chances
from desktop.engine.batching.turns import Turns
from desktop.engine.batching.waiting import WaitingLine
from desktop.engine.batching.writing import Writing
from desktop.engine.events import Event, Failed, FinishReason, PromptProgress, Text
from desktop.engine.guessing.drafter import Drafter
from desktop.engine.guessing.proposer import Read
from desktop.engine.media.media import spans
from desktop.engine.media.media_step import MediaStep
from desktop.engine.model import Context, Model
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.slot import Slot, Task
from desktop.engine.states.states import States
from desktop.engine.vocabulary import Vocabulary

# llama_decode's return values
_DONE, _NO_ROOM, _ABORTED = 0, 1, 2

_SMALL_STEP_TOKENS = 32
_MEDIA_WAIT_S = 0.02


class Batcher:
    """Continuous batching over the sequences of one context. Not for more than one thread."""

    def __init__(
        self,
        model: Model,
        context: Context,
        vocabulary: Vocabulary,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.perf_counter,
        adapters: Adapters | None = None,
        drafter: Drafter | None = None,
        media: MediaStep | None = None,
        states: States | None = None,
    ) -> None:
        self._lib: Any = model.llama.lib
        self._context = context
        self._vocabulary = vocabulary
        self._clock = clock
        self._pace = pace or Pace(context.batch_tokens)
        self._batch = Batch(self._lib, context.batch_tokens)
        self._cache = PrefixCache(model, context, vocabulary, states)
        self._writing = Writing(vocabulary, context.sequence_tokens, clock)
        self._adapters, self._drafter = adapters, drafter
        self._media = media or MediaStep()
        self._filling = Filling(
            self._batch,
            self._pace,
            sequence_tokens=context.sequence_tokens,
            output_rows=context.output_rows,
            drafter=drafter,
        )
        self._turns = Turns()
        self._line = WaitingLine()
        self._active = Active(
            model,
            context,
            vocabulary,
            self._cache,
            self._turns,
            self._writing,
            drafter,
            clock,
        )
        # Set when a request had to give up its place: nobody gets one until another has ended,
        # or the two would push each other out forever.
        self._full = False
        self._arrivals = 0

    @property
    def busy(self) -> bool:
        return bool(self._line or self._active)

    @property
    def cache(self) -> PrefixCache:
        """For whoever keeps the states of what is idle."""
        return self._cache

    @property
    def slots(self) -> Sequence[Slot]:
        """The sequences, for reading only."""
        return self._cache.slots

    @property
    def queue(self) -> Sequence[Task]:
        """The requests without a sequence, the next one first; for reading only."""
        return self._line

    def may_abort(self, request_id: str) -> bool:
        """Whether stopping the running step serves this request; safe from any thread.

        Others in the step repeat it. Where the memory cannot be wound back they would have to
        read everything again, so there a step is left alone that works for others too.
        """
        active = self._active
        return request_id in active and (len(active) == 1 or not self._cache.append_only)

    def add(self, wanted: Prepared | Request, submitted_s: float | None = None) -> list[Event]:
        """Queue a request; of one that was not prepared only the `prompt` counts.

        `submitted_s` is when somebody began to wait for it, by this batcher's clock; None: now.
        """
        request = wanted if isinstance(wanted, Request) else wanted.request
        now_s = self._clock()
        try:
            request.check()
            prepared = wanted if isinstance(wanted, Prepared) else self._prepare(wanted)
            check_length(len(prepared.tokens), self._context.sequence_tokens)
            key = self._adapters.key(request.adapters) if self._adapters is not None else ()
        except HausgeistError as error:
            return [failed(request.id, error)]
        single = self._vocabulary.single_token
        stop_tokens = {token for text in prepared.stop if (token := single(text)) is not None}
        self._arrivals += 1
        task = Task(
            prepared,
            list(prepared.tokens) or [self._vocabulary.first_token],
            self._arrivals,
            now_s if submitted_s is None else submitted_s,
            AnswerText(prepared.stop),
            frozenset(stop_tokens),
            key,
            spans(prepared.tokens, prepared.media) if prepared.media else (),
        )
        task.prompt_tokens = len(task.tokens)
        task.scores = request.echo and request.logprobs is not None and not task.spans
        self._line.put(task)
        return []

    def cancel(self, request_id: str) -> list[Event]:
        """End a request wherever it is; nothing happens to one that is not here any more."""
        task = self._line.remove(request_id)
        if task is not None:
            return [self._active.end_waiting(task)]
        slot = self._active.get(request_id)
        return [] if slot is None else self._end(slot, "cancelled")

    def close(self) -> list[Event]:
        """End everything as cancelled."""
        events: list[Event] = [self._active.end_waiting(task) for task in self._line.empty()]
        for slot in list(self._active):
            events += self._end(slot, "cancelled")
        return events

    def admit(self) -> list[Event]:
        """Give free sequences to those who wait, in order, as long as the cache can hold them.

        `step` does it too; called before, it tells who starts before the step has taken its time.
        """
        events: list[Event] = []
        while (task := self._next()) is not None:
            slot = self._cache.take(task)
            if slot is None:
                break
            self._line.take(task)
            events += self._active.begin(slot, task)
        return events

    def step(self) -> list[Event]:
        """One llama_decode, and a token for each sequence whose prompt is read."""
        events = self.admit()
        active = self._turns.of(list(self._active))
        if self._adapters is not None and active:
            self._adapters.apply(self._context, active[0].adapters)
        parts = self._filling.fill(active)
        if parts:
            events += self._compute(parts)
        if len(parts) < len(active):
            events += self._read_media(active, idle=not parts)
        return events

    # -- one step ----------------------------------------------------------------------------

    def _compute(self, parts: Sequence[Part]) -> list[Event]:
        started_s = self._clock()
        code = self._lib.llama_decode(self._context.handle, self._batch.seal())
        if self._context.computes_late and code == _DONE:
            # A GPU is still at work: wait without Python's lock, before anything asks for logits.
            self._lib.llama_synchronize(self._context.handle)
        if code != _DONE:
            return self._recover(code, [(slot, count) for slot, count, _, _ in parts], parts)
        took_s = self._clock() - started_s
        self._turns.taken(parts[0][0].adapters)
        reading = any(slot.reading for slot, _, _, _ in parts)
        if self._drafter is not None:
            self._tell_drafter(parts, took_s, reading=reading)
        events: list[Event] = []
        for slot, count, place, guesses in parts:
            slot.cached += slot.pending[:count]
            if place < 0:
                slot.pending = slot.pending[count:]
                self._cache.read(slot)
                events += self._progress(slot)
            elif guesses:
                events += self._judge(slot, place, guesses)
            elif slot.task is not None and slot.task.scores and slot.task.first_token_s is None:
                events += self._score(slot, slot.task, place, count)
            else:
                events += self._sample(slot, place)
        if reading:
            self._pace.measured(len(self._batch), took_s)
        return events

    def _tell_drafter(self, parts: Sequence[Part], took_s: float, *, reading: bool) -> None:
        """Before anything is sampled: what the step left in the context may be read now."""
        drafter = self._drafter
        assert drafter is not None
        if not reading:
            drafter.measured(len(self._batch), took_s)
        if drafter.follows:
            reads: list[Read] = []
            place = 0
            for slot, count, _, guesses in parts:
                tokens = [*slot.pending[:count], *guesses]
                reads.append(Read(slot.sequence, tokens, len(slot.cached), place))
                place += len(tokens)
            drafter.decoded(reads)

    def _read_media(self, active: Sequence[Slot], *, idle: bool) -> list[Event]:
        """A step for one of those that must read a picture or a sound next."""
        waiting = [(slot, chunk) for slot in active if (chunk := slot.chunk) is not None]
        for slot, chunk in waiting:
            chunk.encoding.begin()
            if not chunk.encoding.ready:
                continue
            if chunk.encoding.error is not None:
                error = chunk.encoding.error
                return self._failed(slot, error.kind, **error.params)
            count = len(chunk.ids)
            turn = self._media.run(
                self._context,
                slot.sequence,
                len(slot.cached),
                chunk,
                slot.media_cells,
                output=count == len(slot.pending),
                most_cells=self._pace.prompt_tokens,
            )
            if turn.code != _DONE:
                return self._recover(turn.code, [(slot, 1)], ())
            self._turns.taken(slot.adapters)
            slot.media_cells = turn.cells
            if not turn.done:
                return []
            slot.media_cells = 0
            slot.cached += slot.pending[:count]
            if count == len(slot.pending):
                return self._sample(slot, turn.place)
            slot.pending = slot.pending[count:]
            self._cache.read(slot)
            return self._progress(slot)
        if waiting and idle:
            # Nothing else to compute: whoever wants something of this thread waits no longer.
            waiting[0][1].encoding.wait(_MEDIA_WAIT_S)
        return []

    # -- who takes part ----------------------------------------------------------------------

    def _prepare(self, request: Request) -> Prepared:
        tokens = self._vocabulary.tokenize(request.prompt)
        return Prepared(request, tokens, request.prompt, request.stop)

    def _next(self) -> Task | None:
        """Who gets a sequence now: the first who does not wait for another to read the same.

        One of higher priority gets it from one of lower, who goes on when it has ended.
        """
        if not self._line or self._full:
            return None
        for task in list(self._line):
            if task.waits_for_leader:
                continue
            while not self._cache.has_idle or not self._fits(task):
                if not self._active:
                    return None
                last = self._active.least
                if last.task is None or last.task.request.priority >= task.request.priority:
                    return None
                self._line.put(self._active.give_up(last))
            task.follows = self._cache.leader(task)
            if task.follows is None:
                return task
        return None

    def _fits(self, task: Task) -> bool:
        """Whether the cache can hold `task` beside the active ones; idle ones make room."""
        taken = sum(slot.cells for slot in self._active)
        return taken == 0 or taken + task.cells <= self._context.context_tokens

    # -- what comes out ----------------------------------------------------------------------

    def _sample(self, slot: Slot, place: int) -> list[Event]:
        """Take one token from the logits at `place`, and see whether the answer ends with it."""
        task = slot.task
        assert task is not None
        sampler = task.sampler
        assert sampler is not None
        try:
            token = sampler.sample(self._context.handle, place)
        except RequestError as error:
            return self._failed(slot, error.kind, **error.params)
        slot.pending = []
        if sampler.broken:  # NaN: the weights, or what the device computes with them, are broken
            return self._failed(slot, "broken_numbers")
        if token < 0:
            return self._end(slot, "stop")
        events, reason = self._writing.take(slot, task, sampler, token)
        return events if reason is None else events + self._end(slot, reason)

    def _score(self, slot: Slot, task: Task, place: int, count: int) -> list[Event]:
        """A part of a prompt was read, with the logits behind each of its tokens."""
        first = len(slot.cached) - count
        context = self._context.handle
        events = prompt_chances(task, self._vocabulary, context, place, first, count)
        slot.pending = slot.pending[count:]
        if slot.pending:
            return events + self._progress(slot)
        if task.prepared.text:
            events.append(Text(task.request.id, task.prepared.text))
        if task.request.max_tokens == 0:
            return events + self._end(slot, "length")
        return events + self._sample(slot, place + count - 1)

    def _judge(self, slot: Slot, place: int, guesses: Sequence[int]) -> list[Event]:
        """Sample behind each guess in turn, as long as it is what was guessed."""
        task = slot.task
        assert task is not None
        events: list[Event] = []
        accepted = 0
        for guess in guesses:
            events += self._sample(slot, place + accepted)
            if slot.task is not task or slot.pending != [guess]:
                break
            slot.cached.append(guess)
            accepted += 1
        else:
            events += self._sample(slot, place + accepted)
        task.draft_tokens += len(guesses)
        task.accepted_tokens += accepted
        assert self._drafter is not None
        if slot.task is task:
            self._drafter.judged(slot.sequence, len(guesses), accepted)
        if accepted < len(guesses) and slot.cached:
            self._rewind(slot)
        return events

    def _end(self, slot: Slot, reason: FinishReason) -> list[Event]:
        self._full = False
        return self._active.finish(slot, reason)

    def _failed(self, slot: Slot, kind: str, **params: Param) -> list[Event]:
        self._full = False
        return self._active.fail(slot, kind, **params)

    def _progress(self, slot: Slot) -> list[Event]:
        """How far the prompt is read; who had to read his answer again need not hear of it."""
        task = slot.task
        assert task is not None
        if task.first_token_s is not None:
            return []
        done = len(slot.cached)
        return [PromptProgress(task.request.id, done, done + len(slot.pending))]

    # -- when a step did not succeed ---------------------------------------------------------

    def _recover(
        self, code: int, taking_part: Sequence[tuple[Slot, int]], parts: Sequence[Part]
    ) -> list[Event]:
        """Undo a step that llama.cpp aborted or refused, so that the next one can repeat it."""
        if code == _NO_ROOM:
            return self._make_room(taking_part, guessed=any(len(part[3]) for part in parts))
        for slot, _ in taking_part:
            self._rewind(slot)
        if code == _ABORTED:
            return []
        if len(taking_part) > 1:
            # One of them may be at fault: each alone for one step, so that no other fails with it.
            self._turns.each_alone([slot for slot, _ in taking_part])
            return []
        return self._failed(taking_part[0][0], "decode_failed", code=code)

    def _rewind(self, slot: Slot) -> None:
        """Forget what a broken step has left behind the tokens that are known to be there."""
        rest, task = slot.cached + slot.pending, slot.task
        slot.media_cells = 0
        if self._cache.shorten(slot, len(slot.cached)) or task is None:
            return
        # All of it is gone, and must be read again.
        task.tokens = rest
        slot.serve(task)

    def _make_room(self, taking_part: Sequence[tuple[Slot, int]], *, guessed: bool) -> list[Event]:
        """The cache had no cells for the step: idle sequences go, then guesses, then smaller
        steps, then one request waits. (A sliding window's cache may be full long before its
        tokens say so.)"""
        if self._cache.evict_idle():
            return []
        if guessed:
            self._filling.without_guesses()
            return []
        longest = max(count for _, count in taking_part)
        if longest > (_SMALL_STEP_TOKENS if len(self._active) > 1 else 1):
            self._pace.halve()
        elif len(self._active) > 1:
            self._line.put(self._active.give_up(self._active.least))
            self._full = True
        else:
            return self._end(taking_part[0][0], "length")
        return []


def check_length(prompt_tokens: int, context_tokens: int) -> None:
    """Raise RequestError("context_exceeded") unless an answer's first token has room too."""
    if prompt_tokens >= context_tokens:
        raise RequestError(
            "context_exceeded", prompt_tokens=prompt_tokens, context_tokens=context_tokens
        )


def failed(request_id: str, error: HausgeistError) -> Failed:
    """An error as the event that ends a stream."""
    return Failed(request_id, error.kind, dict(error.params), error.detail)
