"""A place in the batch: what the cache holds for one sequence, and who is using it."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Literal

from desktop.engine.adapters import NO_ADAPTERS, AdapterKey
from desktop.engine.answer_text import AnswerText
from desktop.engine.events import Stats
from desktop.engine.media.media import MediaChunk, Span, cells, chunk_at, places_alone
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.sampler import Sampler

_COMPARE_AT_ONCE = 256
NEVER = 2**62
"""The next position at which a step must end, where there is none."""


@dataclass(slots=True, eq=False)
class Task:
    """A request on its way. `tokens` is all that must be read before the next one is sampled;
    negative ones are the positions of media, as `spans` tells."""

    prepared: Prepared
    tokens: list[int]
    arrival: int
    submitted_s: float
    answer: AnswerText
    stop_tokens: frozenset[int] = frozenset()
    adapters: AdapterKey = NO_ADAPTERS
    spans: tuple[Span, ...] = ()
    sampler: Sampler | None = None
    written: list[str] = field(default_factory=list)
    turn: int = -1
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    draft_tokens: int = 0
    accepted_tokens: int = 0
    restored: Literal["", "memory", "disk"] = ""
    started_s: float | None = None
    first_token_s: float | None = None
    last_token_s: float = 0.0
    requeued: bool = False
    plain_text: bool = True  # False: tokens were sampled that the text does not show
    # The prompt's own tokens are scored, with logits for each; so many of them were told.
    scores: bool = False
    scored: int = 0
    # A sequence that reads the same beginning just now, for whom, and up to where to wait for it.
    follows: tuple[Slot, Task, int] | None = None

    @property
    def request(self) -> Request:
        return self.prepared.request

    @property
    def waits_for_leader(self) -> bool:
        """Whether another one is still reading what this one wants to take over."""
        if self.follows is None:
            return False
        leader, its_task, length = self.follows
        return leader.task is its_task and len(leader.cached) < length

    @property
    def cells(self) -> int:
        """Cells that its prompt and the next token take."""
        return cells(len(self.tokens), self.spans) + 1

    def close(self) -> None:
        """Nothing more is sampled for it."""
        if self.sampler is not None:
            self.sampler.close()

    def stats(self, *, context_tokens_used: int, context_tokens: int, now_s: float) -> Stats:
        started_s = now_s if self.started_s is None else self.started_s
        first_s = now_s if self.first_token_s is None else self.first_token_s
        return Stats(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            prompt_s=first_s - started_s,
            generation_s=max(0.0, self.last_token_s - first_s),
            first_token_s=first_s - self.submitted_s,
            context_tokens_used=context_tokens_used,
            context_tokens=context_tokens,
            reasoning_tokens=0 if self.sampler is None else self.sampler.reasoning_tokens,
            draft_tokens=self.draft_tokens,
            accepted_tokens=self.accepted_tokens,
            restored=self.restored,
        )


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What cannot be wound back (recurrent state, a sliding window) as it was after `length`."""

    length: int
    state: bytearray


@dataclass(slots=True, eq=False)
class Slot:
    """One sequence. `cached` are the tokens whose keys and values the cache holds.

    `pending` come next: what is left of a prompt, or the one token sampled last. Between two
    requests `text` is what `cached + pending` says, where that is known to the letter.
    `adapters` are those that `cached` was computed with, `spans` the media in it and in `pending`.
    A step ends at each of `stops`. Of the chunk that is being read `media_cells` are there.
    `shared` positions were taken over from another sequence, which may still hold them too. A file
    has its state as it was after `on_disk` tokens.
    """

    sequence: int
    cached: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    task: Task | None = None
    text: str | None = None
    conversation: str = ""
    adapters: AdapterKey = NO_ADAPTERS
    keep_state: bool = True
    used_s: float = 0.0
    spans: tuple[Span, ...] = ()
    media_cells: int = 0
    shared: int = 0
    on_disk: int = 0
    stops: list[int] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    @property
    def reading(self) -> bool:
        """Whether a prompt is being read, not an answer written."""
        return len(self.pending) > 1 or self.task is None or self.task.first_token_s is None

    @property
    def cells(self) -> int:
        """Cells that it has or is about to take, the next token's included."""
        positions = len(self.cached) + len(self.pending)
        return (cells(positions, self.spans) if self.spans else positions) + 1 - self.shared

    @property
    def chunk(self) -> MediaChunk | None:
        """The picture or sound that must be read next."""
        if not self.pending or self.pending[0] >= 0:
            return None
        return chunk_at(len(self.cached), self.spans)

    @property
    def next_stop(self) -> int:
        """The position where the next step must end at the latest."""
        done = len(self.cached)
        while self.stops and self.stops[0] <= done:
            del self.stops[0]
        return self.stops[0] if self.stops else NEVER

    def stop_at(self, position: int) -> None:
        """Let a step end after `position` tokens."""
        if position not in self.stops:
            bisect.insort(self.stops, position)

    def serve(self, task: Task) -> None:
        """`task` goes on here from what `cached` holds of its tokens."""
        self.task, self.text = task, None
        self.adapters, self.spans = task.adapters, task.spans
        self.keep_state = task.request.keep_state
        self.pending = task.tokens[len(self.cached) :]
        for span in task.spans:
            if span.start > len(self.cached):
                self.stop_at(span.start)

    def leave(self, now_s: float) -> None:
        """The request is over; what it read stays as a prefix for the next one."""
        task, self.task = self.task, None
        self.used_s = now_s
        self.stops, self.media_cells = [], 0
        self.spans = places_alone(self.spans)
        if task is None:
            return
        self.conversation = task.request.conversation
        prompt = task.prepared.text
        whole = bool(prompt) and task.first_token_s is not None and task.plain_text
        self.text = prompt + "".join(task.written) if whole else None
        if not whole:
            self.pending = []

    def forget(self) -> None:
        """The cache holds nothing of this sequence any more."""
        self.cached, self.pending, self.text, self.conversation = [], [], None, ""
        self.adapters, self.keep_state = NO_ADAPTERS, True
        self.spans, self.media_cells, self.shared, self.on_disk = (), 0, 0, 0
        self.checkpoints = []


def common_prefix(first: list[int], second: list[int]) -> int:
    """How many tokens both begin with."""
    limit = min(len(first), len(second))
    start = 0
    # Slices compare in C; only the block that differs is looked at token by token.
    while start < limit:
        end = min(start + _COMPARE_AT_ONCE, limit)
        if first[start:end] != second[start:end]:
            break
        start = end
    while start < limit and first[start] == second[start]:
        start += 1
    return start
