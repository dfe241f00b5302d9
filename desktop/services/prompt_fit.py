"""Make a conversation fit into the context: whole oldest turns are left out, never half of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.chat import Message
from desktop.engine.engine import Engine

_MOST_ANSWER_TOKENS = 1024
# Characters that a template may put around one message; only for the estimate.
_FRAME_CHARACTERS = 32
# Hardly any text has so many characters a token: what is longer is too long without rendering it.
_MOST_CHARACTERS_PER_TOKEN = 8
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


def fit_prompt(
    engine: Engine,
    messages: Sequence[Message],
    *,
    first_kept: int = 0,
    answer_tokens: int | None = None,
) -> FittedPrompt:
    """Render `messages`, leaving out whole turns from the oldest where it must be.

    `first_kept` is where an earlier cut was made: it is kept while it fits. A system message at
    the front always stays. `answer_tokens` is the room to leave; unless told a quarter of the
    context, at most 1,024. The last message alone may use that room too.
    Raises RequestError: "prompt_too_long" if even that does not fit, "nothing_to_answer".
    """
    context = engine.info.context_tokens
    room = context - min(answer_tokens or _MOST_ANSWER_TOKENS, max(context // 4, 1))
    starts = [index for index, message in enumerate(messages) if message.role == "user"]
    if not starts:
        raise RequestError("nothing_to_answer")
    sizes = _sizes(messages)
    cut = max((start for start in starts if start <= first_kept), default=starts[0])
    if sizes[cut] > room * _MOST_CHARACTERS_PER_TOKEN:
        cut = _next_cut(starts, sizes, room * _MOST_CHARACTERS_PER_TOKEN, cut)
    while True:
        fitted = _render(engine, messages, starts[0], cut)
        if fitted.prompt_tokens <= room or cut == starts[-1]:
            break
        characters_per_token = sizes[cut] / fitted.prompt_tokens
        cut = _next_cut(starts, sizes, int(room * _AFTER_CUT * characters_per_token), cut)
    if fitted.prompt_tokens >= context:
        raise RequestError(
            "prompt_too_long", prompt_tokens=fitted.prompt_tokens, context_tokens=context
        )
    return fitted


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


def _render(engine: Engine, messages: Sequence[Message], first: int, cut: int) -> FittedPrompt:
    rendered = engine.render([*messages[:first], *messages[cut:]])
    tokens = engine.count_tokens(rendered.prompt)
    return FittedPrompt(rendered.prompt, tuple(rendered.stop), tokens, cut, cut - first)


def _sizes(messages: Sequence[Message]) -> Mapping[int, int]:
    """Characters of `messages[i:]` with their frames, for every i."""
    total = 0
    sizes: dict[int, int] = {}
    for index in range(len(messages) - 1, -1, -1):
        total += len(messages[index].content) + _FRAME_CHARACTERS
        sizes[index] = total
    return sizes


def _next_cut(starts: Sequence[int], sizes: Mapping[int, int], most: int, cut: int) -> int:
    """The next cut whose rest has at most `most` characters, else the last possible one."""
    return next((s for s in starts if s > cut and sizes[s] <= most), starts[-1])
