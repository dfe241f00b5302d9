"""A place in the batch: what the cache holds for one sequence, and who is using it."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.engine.answer_text import AnswerText
from desktop.engine.events import Stats
from desktop.engine.request import Request
from desktop.engine.sampler import Sampler

_COMPARE_AT_ONCE = 256


@dataclass(slots=True)
class Task:
    """A request on its way. `tokens` is all that must be read before the next one is sampled."""

    request: Request
    tokens: list[int]
    arrival: int
    submitted_s: float
    answer: AnswerText
    stop_tokens: frozenset[int] = frozenset()
    sampler: Sampler | None = None
    written: list[str] = field(default_factory=list)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    started_s: float | None = None
    first_token_s: float | None = None
    last_token_s: float = 0.0
    requeued: bool = False
    plain_text: bool = True  # False: tokens were sampled that the text does not show

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
        )


@dataclass(slots=True)
class Slot:
    """One sequence. `cached` are the tokens whose keys and values the cache holds.

    `pending` come next: what is left of a prompt, or the one token sampled last. Between two
    requests `text` is what `cached + pending` says, where that is known to the letter.
    """

    sequence: int
    cached: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    task: Task | None = None
    text: str | None = None
    conversation: str = ""
    used_s: float = 0.0

    @property
    def reading(self) -> bool:
        """Whether a prompt is being read, not an answer written."""
        return len(self.pending) > 1 or self.task is None or self.task.first_token_s is None

    def leave(self, now_s: float) -> None:
        """The request is over; what it read stays as a prefix for the next one."""
        task, self.task = self.task, None
        self.used_s = now_s
        if task is None:
            return
        self.conversation = task.request.conversation
        whole = task.first_token_s is not None and task.plain_text
        self.text = task.request.prompt + "".join(task.written) if whole else None
        if not whole:
            self.pending = []

    def forget(self) -> None:
        """The cache holds nothing of this sequence any more."""
        self.cached, self.pending, self.text, self.conversation = [], [], None, ""


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
