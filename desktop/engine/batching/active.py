"""The requests that have a sequence: how they begin, how they end, how they give up their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from desktop.common.errors import Param, RequestError
from desktop.engine.batching.prefix_cache import PrefixCache
from desktop.engine.batching.turns import Turns
from desktop.engine.batching.writing import Writing
from desktop.engine.events import Event, Failed, Finished, FinishReason, Started, Text
from desktop.engine.guessing.drafter import Drafter
from desktop.engine.model import Context, Model
from desktop.engine.sampler import Sampler
from desktop.engine.slot import Slot, Task
from desktop.engine.vocabulary import Vocabulary


class Active:
    """By the request's id. Every end of a request goes through here."""

    def __init__(
        self,
        model: Model,
        context: Context,
        vocabulary: Vocabulary,
        cache: PrefixCache,
        turns: Turns,
        writing: Writing,
        drafter: Drafter | None,
        clock: Callable[[], float],
    ) -> None:
        self._llama = model.llama
        self._context_tokens = context.sequence_tokens
        self._vocabulary = vocabulary
        self._cache = cache
        self._turns = turns
        self._writing = writing
        self._drafter = drafter
        self._clock = clock
        self._slots: dict[str, Slot] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._slots.values())

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._slots

    def get(self, request_id: str) -> Slot | None:
        return self._slots.get(request_id)

    @property
    def least(self) -> Slot:
        """The smallest claim to a place has the lowest priority, then the latest arrival."""
        return min(self._slots.values(), key=_claim)

    def begin(self, slot: Slot, task: Task) -> list[Event]:
        """`task` has got `slot`, for the first time or again."""
        self._slots[task.request.id] = slot
        task.started_s = task.started_s or self._clock()
        if self._drafter is not None:
            self._drafter.begin(slot.sequence, task.tokens)
        if task.sampler is not None:
            return []
        request, prepared = task.request, task.prepared
        task.cached_tokens = len(slot.cached)
        events: list[Event] = [
            Started(
                request.id,
                task.prompt_tokens,
                task.cached_tokens,
                prepared.left_out,
                prepared.first_kept,
            )
        ]
        try:
            task.sampler = Sampler(
                self._llama,
                request.sampling,
                self._vocabulary,
                grammar=prepared.grammar,
                gate=prepared.gate,
                budget=prepared.budget,
                logprobs=request.logprobs,
                context_tokens=self._context_tokens,
            )
            task.sampler.accept_prompt(task.tokens)
        except RequestError as error:
            return events + self.fail(slot, error.kind, **error.params)
        if task.scores:
            return events
        if request.echo and prepared.text:
            events.append(Text(request.id, prepared.text))
        if request.max_tokens == 0:
            events += self.finish(slot, "length")
        return events

    def finish(self, slot: Slot, reason: FinishReason) -> list[Event]:
        task = slot.task
        assert task is not None
        now_s = self._clock()
        events = self._writing.rest(task)
        stats = task.stats(
            context_tokens_used=len(slot.cached) + len(slot.pending) * (not slot.reading),
            context_tokens=self._context_tokens,
            now_s=now_s,
        )
        self._release(slot, task)
        return [*events, Finished(task.request.id, reason, stats, task.answer.stop_string)]

    def fail(self, slot: Slot, kind: str, **params: Param) -> list[Event]:
        task = slot.task
        assert task is not None
        self._release(slot, task)
        self._cache.drop(slot)
        return [Failed(task.request.id, kind, params)]

    def give_up(self, slot: Slot) -> Task:
        """Its request must wait for its turn again; what it has written so far stays written."""
        task = slot.task
        assert task is not None
        task.tokens = slot.cached + slot.pending
        task.requeued = True
        del self._slots[task.request.id]
        if self._drafter is not None:
            self._drafter.forget(slot.sequence)
        self._cache.put_away(slot)
        slot.task = None
        self._turns.forget(slot)
        return task

    def end_waiting(self, task: Task) -> Event:
        """One that has no sequence, or none any more, is cancelled."""
        task.close()
        stats = task.stats(
            context_tokens_used=0, context_tokens=self._context_tokens, now_s=self._clock()
        )
        return Finished(task.request.id, "cancelled", stats)

    def _release(self, slot: Slot, task: Task) -> None:
        del self._slots[task.request.id]
        task.close()
        if self._drafter is not None:
            self._drafter.forget(slot.sequence)
        if slot.media_cells:
            # Part of a picture lies behind what is known to be there.
            self._cache.shorten(slot, len(slot.cached))
        slot.leave(self._clock())
        self._turns.forget(slot)


def _claim(slot: Slot) -> tuple[int, int]:
    assert slot.task is not None
    return (slot.task.request.priority, -slot.task.arrival)
