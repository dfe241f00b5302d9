"""What llama.cpp computes next, for several requests at once: a plain object without threads.

Decoding sequences go first, one token each; prompts share what room is left in the batch. The
caller drives it: `add`, then `step` while `busy`; each call returns the events it caused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from desktop.common.errors import HausgeistError, RequestError
from desktop.engine.answer_text import AnswerText
from desktop.engine.batch import Batch
from desktop.engine.events import (
    Event,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    Started,
    Text,
)
from desktop.engine.model import Context, Model
from desktop.engine.pace import Pace
from desktop.engine.prefix_cache import PrefixCache
from desktop.engine.request import Request
from desktop.engine.sampler import PENALTY_TOKENS, Sampler
from desktop.engine.slot import Slot, Task
from desktop.engine.vocabulary import Vocabulary

# llama_decode's return values
_DONE, _NO_ROOM, _ABORTED = 0, 1, 2

_SMALL_STEP_TOKENS = 32

Part = tuple[Slot, int, int]
"""A slot, how many of its pending tokens, and the place of the last one (-1: no logits)."""


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
    ) -> None:
        self._llama = model.llama
        self._lib: Any = model.llama.lib
        self._sample_token = model.llama.keeping_the_lock("llama_sampler_sample")
        self._logits = model.llama.keeping_the_lock("llama_get_logits_ith")
        self._context = context
        self._vocabulary = vocabulary
        self._clock = clock
        self._pace = pace or Pace(context.batch_tokens)
        self._batch = Batch(self._lib, context.batch_tokens)
        self._cache = PrefixCache(model, context, vocabulary)
        self._waiting: list[Task] = []
        self._alone: list[Slot] = []
        self._active: dict[str, Slot] = {}
        # Set when a request had to give up its place: nobody gets one until another has ended,
        # or the two would push each other out forever.
        self._full = False
        self._arrivals = 0

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._active)

    @property
    def slots(self) -> Sequence[Slot]:
        """The sequences, for reading only."""
        return self._cache.slots

    @property
    def queue(self) -> Sequence[Task]:
        """The requests without a sequence, the next one first; for reading only."""
        return self._waiting

    def may_abort(self, request_id: str) -> bool:
        """Whether stopping the running step serves this request; safe from any thread.

        Others in the step repeat it. Where the memory cannot be wound back they would have to
        read everything again, so there a step is left alone that works for others too.
        """
        active = self._active
        return request_id in active and (len(active) == 1 or not self._cache.append_only)

    def add(self, request: Request, tokens: list[int] | None = None) -> list[Event]:
        """Queue a request; `tokens` are its prompt's where the caller has split it already."""
        now_s = self._clock()
        try:
            request.check()
            if tokens is None:
                tokens = self._vocabulary.tokenize(request.prompt)
            check_length(len(tokens), self._context.sequence_tokens)
        except HausgeistError as error:
            return [failed(request.id, error)]
        single = self._vocabulary.single_token
        stop_tokens = {token for text in request.stop if (token := single(text)) is not None}
        self._arrivals += 1
        task = Task(
            request,
            tokens or [self._vocabulary.first_token],
            self._arrivals,
            now_s,
            AnswerText(request.stop),
            frozenset(stop_tokens),
        )
        task.prompt_tokens = len(task.tokens)
        self._waiting.append(task)
        self._sort_waiting()
        return []

    def cancel(self, request_id: str) -> list[Event]:
        """End a request wherever it is; nothing happens to one that is not here any more."""
        for task in self._waiting:
            if task.request.id == request_id:
                self._waiting.remove(task)
                return [self._end_waiting(task)]
        slot = self._active.get(request_id)
        return [] if slot is None else self._finish(slot, "cancelled")

    def close(self) -> list[Event]:
        """End everything as cancelled."""
        events: list[Event] = [self._end_waiting(task) for task in self._waiting]
        self._waiting.clear()
        for slot in list(self._active.values()):
            events += self._finish(slot, "cancelled")
        return events

    def admit(self) -> list[Event]:
        """Give free sequences to those who wait, in order, as long as the cache can hold them.

        `step` does it too; called before, it tells who starts before the step has taken its time.
        """
        events: list[Event] = []
        while self._waiting and not self._full and self._fits(self._waiting[0]):
            slot = self._cache.take(self._waiting[0])
            if slot is None:
                break
            task = self._waiting.pop(0)
            self._active[task.request.id] = slot
            task.started_s = task.started_s or self._clock()
            if task.sampler is None:
                task.cached_tokens = len(slot.cached)
                task.sampler = Sampler(self._llama, task.request.sampling, self._vocabulary.size)
                task.sampler.accept(task.tokens[-PENALTY_TOKENS:])
                events.append(Started(task.request.id, task.prompt_tokens, task.cached_tokens))
            if task.request.max_tokens == 0:
                events += self._finish(slot, "length")
        return events

    def step(self) -> list[Event]:
        """One llama_decode, and a token for each sequence whose prompt is read."""
        events = self.admit()
        parts = self._fill()
        if not parts:
            return events
        started_s = self._clock()
        code = self._lib.llama_decode(self._context.handle, self._batch.seal())
        if self._context.computes_late and code == _DONE:
            # A GPU is still at work: wait without Python's lock, before anything asks for logits.
            self._lib.llama_synchronize(self._context.handle)
        if code != _DONE:
            return events + self._recover(code, parts)
        self._alone = self._alone[1:]
        prompt_tokens = sum(count for slot, count, _ in parts if slot.reading)
        for slot, count, place in parts:
            slot.cached += slot.pending[:count]
            if place >= 0:
                events += self._sample(slot, place)
            else:
                slot.pending = slot.pending[count:]
                events += self._progress(slot)
        if prompt_tokens:
            self._pace.measured(len(self._batch), self._clock() - started_s)
        return events

    # -- who takes part ----------------------------------------------------------------------

    def _fits(self, task: Task) -> bool:
        """Whether the cache can hold `task` beside the active ones; idle ones make room."""
        taken = sum(len(slot.cached) + len(slot.pending) + 1 for slot in self._active.values())
        return taken == 0 or taken + len(task.tokens) + 1 <= self._context.context_tokens

    def _fill(self) -> list[Part]:
        """Decoding sequences first, then each prompt its share of the room that is left."""
        batch = self._batch
        batch.clear()
        active = self._alone[:1] or list(self._active.values())
        parts: list[Part] = []
        prompts: list[Slot] = []
        for slot in active:
            if len(slot.pending) == 1:
                place = batch.add_one(slot.pending[0], len(slot.cached), slot.sequence)
                parts.append((slot, 1, place))
            else:
                prompts.append(slot)
        room = min(batch.room, max(self._pace.prompt_tokens - len(parts), 1)) if prompts else 0
        # Shortest first: what a short prompt leaves of its equal share goes to the longer ones.
        prompts.sort(key=lambda slot: len(slot.pending))
        for others_left, slot in zip(range(len(prompts), 0, -1), prompts, strict=True):
            count = min(len(slot.pending), -(-room // others_left), room)
            if count == 0:
                break
            last = count == len(slot.pending)
            place = batch.add(slot.pending[:count], len(slot.cached), slot.sequence, output=last)
            parts.append((slot, count, place if last else -1))
            room -= count
        return parts

    # -- what comes out ----------------------------------------------------------------------

    def _sample(self, slot: Slot, place: int) -> list[Event]:
        """Take one token from the logits at `place`, and see whether the answer ends with it."""
        task = slot.task
        assert task is not None
        assert task.sampler is not None
        context = self._context.handle
        token: int = self._sample_token(task.sampler.handle, context, place)
        logit = self._logits(context, place)[token]
        slot.pending = []
        if logit != logit:  # NaN: the weights, or what the device computes with them, are broken
            return self._fail(slot, "broken_numbers")
        now_s = task.last_token_s = self._clock()
        if task.first_token_s is None:
            task.first_token_s = now_s
        piece, ends = self._vocabulary.piece(token)
        if (ends and not task.request.ignore_eos) or token in task.stop_tokens:
            return self._finish(slot, "stop")
        task.completion_tokens += 1
        slot.pending = [token]
        if not piece:
            task.plain_text = False
        events = self._write(task, task.answer.feed(piece))
        if task.answer.stopped:
            task.plain_text = False
            return events + self._finish(slot, "stop")
        limit = task.request.max_tokens
        if limit is not None and task.completion_tokens >= limit:
            return events + self._finish(slot, "length")
        if len(slot.cached) + 1 >= self._context.sequence_tokens:
            return events + self._finish(slot, "length")
        return events

    def _write(self, task: Task, text: str) -> list[Event]:
        if not text:
            return []
        task.written.append(text)
        return [Text(task.request.id, text)]

    def _progress(self, slot: Slot) -> list[Event]:
        """How far the prompt is read; who had to read his answer again need not hear of it."""
        task = slot.task
        assert task is not None
        if task.first_token_s is not None:
            return []
        done = len(slot.cached)
        return [PromptProgress(task.request.id, done, done + len(slot.pending))]

    def _finish(self, slot: Slot, reason: FinishReason) -> list[Event]:
        task = slot.task
        assert task is not None
        now_s = self._clock()
        events = self._write(task, task.answer.finish())
        stats = task.stats(
            context_tokens_used=len(slot.cached) + len(slot.pending) * (not slot.reading),
            context_tokens=self._context.sequence_tokens,
            now_s=now_s,
        )
        self._release(slot)
        return [*events, Finished(task.request.id, reason, stats)]

    def _fail(self, slot: Slot, kind: str, **params: int) -> list[Event]:
        task = slot.task
        assert task is not None
        self._release(slot)
        self._cache.drop(slot)
        return [Failed(task.request.id, kind, params)]

    def _release(self, slot: Slot) -> None:
        if slot.task is not None:
            del self._active[slot.task.request.id]
            if slot.task.sampler is not None:
                slot.task.sampler.close()
        slot.leave(self._clock())
        self._full = False
        self._alone = [other for other in self._alone if other is not slot]

    def _end_waiting(self, task: Task) -> Event:
        if task.sampler is not None:
            task.sampler.close()
        stats = task.stats(
            context_tokens_used=0,
            context_tokens=self._context.sequence_tokens,
            now_s=self._clock(),
        )
        return Finished(task.request.id, "cancelled", stats)

    # -- when a step did not succeed ---------------------------------------------------------

    def _recover(self, code: int, parts: Sequence[Part]) -> list[Event]:
        """Undo a step that llama.cpp aborted or refused, so that the next one can repeat it."""
        if code == _NO_ROOM:
            return self._make_room(parts)
        for slot, _, _ in parts:
            self._rewind(slot)
        if code == _ABORTED:
            return []
        if len(parts) > 1:
            # One of them may be at fault: each alone for one step, so that no other fails with it.
            self._alone = [slot for slot, _, _ in parts]
            return []
        return self._fail(parts[0][0], "decode_failed", code=code)

    def _rewind(self, slot: Slot) -> None:
        """Forget what a broken step has left behind the tokens that are known to be there."""
        rest = slot.cached + slot.pending
        self._cache.shorten(slot, len(slot.cached))
        slot.pending = rest[len(slot.cached) :]

    def _make_room(self, parts: Sequence[Part]) -> list[Event]:
        """The cache had no cells for the step: idle sequences go, then smaller steps, then one
        request waits. (A sliding window's cache may be full long before its tokens say so.)"""
        if self._cache.evict_idle():
            return []
        longest = max(count for _, count, _ in parts)
        if longest > (_SMALL_STEP_TOKENS if len(self._active) > 1 else 1):
            self._pace.halve()
        elif len(self._active) > 1:
            self._requeue(min(self._active.values(), key=_claim))
        else:
            return self._finish(parts[0][0], "length")
        return []

    def _requeue(self, slot: Slot) -> None:
        """Let a request wait for its turn again; what it has written so far stays written."""
        task = slot.task
        assert task is not None
        task.tokens = slot.cached + slot.pending
        task.requeued = self._full = True
        slot.task = None
        del self._active[task.request.id]
        self._cache.drop(slot)
        self._alone = [other for other in self._alone if other is not slot]
        self._waiting.append(task)
        self._sort_waiting()

    def _sort_waiting(self) -> None:
        self._waiting.sort(key=lambda task: (-task.request.priority, task.arrival))


def _claim(slot: Slot) -> tuple[int, int]:
    """The smallest claim to a place has the lowest priority, then the latest arrival."""
    assert slot.task is not None
    return (slot.task.request.priority, -slot.task.arrival)


def check_length(prompt_tokens: int, context_tokens: int) -> None:
    """Raise RequestError("context_exceeded") unless an answer's first token has room too."""
    if prompt_tokens >= context_tokens:
        raise RequestError(
            "context_exceeded", prompt_tokens=prompt_tokens, context_tokens=context_tokens
        )


def failed(request_id: str, error: HausgeistError) -> Failed:
    """An error as the event that ends a stream."""
    return Failed(request_id, error.kind, dict(error.params), error.detail)
