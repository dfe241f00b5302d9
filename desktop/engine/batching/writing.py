"""What a sampled token does to an answer: text, and whether it ends there."""

from __future__ import annotations

from collections.abc import Callable

from desktop.engine.events import Event, FinishReason, Text, TokenChances
from desktop.engine.sampler import Sampler
from desktop.engine.slot import Slot, Task
from desktop.engine.vocabulary import Vocabulary


class Writing:
    """Turns tokens into events, for all answers of one model."""

    def __init__(
        self, vocabulary: Vocabulary, sequence_tokens: int, clock: Callable[[], float]
    ) -> None:
        self._vocabulary = vocabulary
        self._limit = sequence_tokens
        self._clock = clock

    def take(
        self, slot: Slot, task: Task, sampler: Sampler, token: int
    ) -> tuple[list[Event], FinishReason | None]:
        """`token` was sampled for `slot`, and comes next there unless it ends the answer."""
        request = task.request
        now_s = task.last_token_s = self._clock()
        if task.first_token_s is None:
            task.first_token_s = now_s
        piece, ends = self._vocabulary.piece(token)
        if (ends and not request.ignore_eos) or token in task.stop_tokens:
            return [], "stop"
        task.completion_tokens += 1
        slot.pending = [token]
        if not piece:
            if token in task.prepared.shown:
                piece = self._vocabulary.special_text(token).encode()
            else:
                task.plain_text = False
        events: list[Event] = []
        if request.logprobs is not None:
            chances = sampler.chances()
            if chances is not None:
                events.append(TokenChances(request.id, *chances))
        text = task.answer.feed(piece)
        if text:
            task.written.append(text)
            events.append(Text(request.id, text))
        if task.answer.stopped:
            task.plain_text = False
            return events, "stop"
        limit = request.max_tokens
        if sampler.ended:  # before the limit: an answer that is whole is not cut short
            return events, "stop"
        if limit is not None and task.completion_tokens >= limit:
            return events, "length"
        if len(slot.cached) + 1 >= self._limit:
            return events, "length"
        return events, None

    def rest(self, task: Task) -> list[Event]:
        """What was held back when the answer ended."""
        text = task.answer.finish()
        if not text:
            return []
        task.written.append(text)
        return [Text(task.request.id, text)]
