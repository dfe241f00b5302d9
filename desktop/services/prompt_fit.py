"""Make a conversation fit into the context: whole oldest turns are left out, never half of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.engine import Engine
from desktop.engine.request import Message

# Tokens that a template may put around one message; only for the first estimate.
_FRAME_TOKENS = 12
# After a cut, so much of the room is used: the next turns then keep the same beginning, and the
# engine need not read the history again at every turn.
_AFTER_CUT = 0.6


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A prompt that leaves room for an answer; messages before `first_kept` are left out."""

    prompt: str
    stop: tuple[str, ...]
    prompt_tokens: int
    first_kept: int
    left_out: int


class PromptFitter:
    """Renders conversations for one engine; remembers how many tokens a text has."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counts: dict[int, int] = {}

    def fit(
        self, messages: Sequence[Message], *, first_kept: int = 0, answer_tokens: int | None = None
    ) -> FittedPrompt:
        """Render `messages`, leaving out whole turns from the oldest where it must be.

        `first_kept` is where an earlier cut was made: it is kept while it fits. A system message
        at the front always stays. `answer_tokens` is the room to leave, a quarter of the context
        (at most 1,024) unless told.
        Raises RequestError("prompt_too_long") if the last message alone does not fit.
        """
        context = self._engine.info.context_tokens
        room = context - min(answer_tokens or 1024, max(context // 4, 1))
        starts = _turn_starts(messages)
        cut = max((s for s in starts if s <= first_kept), default=starts[0])
        far = 3 * room
        estimate = self._suffix_tokens(messages, starts[0], far)
        if estimate[cut] > far:  # no need to render it to know
            cut = _first_below(starts, estimate, int(room * _AFTER_CUT), cut)
        fitted = self._render(messages, starts[0], cut)
        while fitted.prompt_tokens > room and cut != starts[-1]:
            target = int(room * _AFTER_CUT)
            excess = fitted.prompt_tokens - target
            cut = _first_below(starts, estimate, estimate[cut] - excess, cut)
            fitted = self._render(messages, starts[0], cut)
        if fitted.prompt_tokens >= context:
            raise RequestError(
                "prompt_too_long", prompt_tokens=fitted.prompt_tokens, context_tokens=context
            )
        return fitted

    def _render(self, messages: Sequence[Message], first: int, cut: int) -> FittedPrompt:
        kept = [*messages[:first], *messages[cut:]]
        rendered = self._engine.render(kept)
        tokens = self._engine.count_tokens(rendered.prompt)
        return FittedPrompt(rendered.prompt, tuple(rendered.stop), tokens, cut, cut - first)

    def _suffix_tokens(self, messages: Sequence[Message], first: int, far: int) -> dict[int, int]:
        """Estimated tokens of `messages[i:]` for every i from `first`; not counted beyond `far`."""
        total = 0
        result = {len(messages): 0}
        for index in range(len(messages) - 1, first - 1, -1):
            if total <= far:
                total += self._count(messages[index].content) + _FRAME_TOKENS
            result[index] = total
        return result

    def _count(self, text: str) -> int:
        key = hash(text)
        if key not in self._counts:
            self._counts[key] = self._engine.count_tokens(text)
        return self._counts[key]


def merge_roles(messages: Sequence[Message]) -> list[Message]:
    """Join neighbours of one role: a failed answer leaves two questions in a row behind, and
    many templates refuse that."""
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            joined = f"{merged[-1].content}\n\n{message.content}"
            merged[-1] = Message(message.role, joined)
        else:
            merged.append(message)
    return merged


def _turn_starts(messages: Sequence[Message]) -> list[int]:
    """Where the conversation may begin: at the user's messages."""
    starts = [i for i, m in enumerate(messages) if m.role == "user"]
    if not starts:
        raise RequestError("nothing_to_answer")
    return starts


def _first_below(starts: list[int], tokens: dict[int, int], target: int, cut: int) -> int:
    """The next cut after `cut` whose rest is at most `target` tokens, else the last possible."""
    return next((s for s in starts if s > cut and tokens[s] <= target), starts[-1])
