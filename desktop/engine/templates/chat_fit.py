"""Make a chat fit into the context: whole oldest turns are left out, never half of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from desktop.common.errors import RequestError
from desktop.engine.chat import Chat, Message
from desktop.engine.templates.message_order import is_system

_MOST_ANSWER_TOKENS = 1024
# Characters that a template may put around one message; only for the estimate.
_FRAME_CHARACTERS = 32
# Hardly any text has so many characters a token: what is longer is too long without rendering it.
_MOST_CHARACTERS_PER_TOKEN = 8
# After a cut, so much of the room is used: the next turns then keep the same beginning, and the
# engine need not read the history again at every turn.
_AFTER_CUT = 0.6


class Measured(Protocol):
    """A chat as a prompt, with its length."""

    @property
    def prompt_tokens(self) -> int: ...


WrittenT = TypeVar("WrittenT", bound=Measured)


@dataclass(frozen=True, slots=True)
class Fitted(Generic[WrittenT]):
    """What fits: the prompt, which messages are not in it, and where the rest begins."""

    written: WrittenT
    left_out: tuple[int, ...] = ()
    first_kept: int = 0


def fit_chat(
    chat: Chat, context_tokens: int, write: Callable[[Chat], WrittenT]
) -> Fitted[WrittenT]:
    """Write `chat`, leaving out whole turns from the oldest where it must be.

    `chat.first_kept` is where an earlier cut was made: it is kept while it fits. System messages
    at the front always stay. Room for the answer is `answer_tokens`; unless told a quarter of the
    context, at most 1,024. The last turn alone may use that room too.
    Raises RequestError: "prompt_too_long" if even that does not fit, "nothing_to_answer".
    """
    room = context_tokens - min(
        chat.answer_tokens or _MOST_ANSWER_TOKENS, max(context_tokens // 4, 1)
    )
    messages = chat.messages
    front = next((n for n, one in enumerate(messages) if not is_system(one)), len(messages))
    starts = [n for n, one in enumerate(messages) if one.role == "user"]
    if not starts:
        raise RequestError("nothing_to_answer")
    # An answer before the first question goes with it.
    starts[0] = front
    sizes = _sizes(messages)
    cut = max((start for start in starts if start <= chat.first_kept), default=front)
    if sizes[cut] > room * _MOST_CHARACTERS_PER_TOKEN:
        cut = _next_cut(starts, sizes, room * _MOST_CHARACTERS_PER_TOKEN, cut)
    while True:
        written = write(replace(chat, messages=(*messages[:front], *messages[cut:])))
        if written.prompt_tokens <= room or cut == starts[-1]:
            break
        characters_per_token = sizes[cut] / written.prompt_tokens
        cut = _next_cut(starts, sizes, int(room * _AFTER_CUT * characters_per_token), cut)
    if written.prompt_tokens >= context_tokens:
        raise RequestError(
            "prompt_too_long", prompt_tokens=written.prompt_tokens, context_tokens=context_tokens
        )
    # Where nothing is left out there is no cut to be kept at the next turn.
    return Fitted(written, tuple(range(front, cut)), cut if cut > front else 0)


def _sizes(messages: Sequence[Message]) -> Mapping[int, int]:
    """Characters of `messages[i:]` with their frames, for every i."""
    total = 0
    sizes: dict[int, int] = {len(messages): 0}
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        total += len(message.content) + len(message.reasoning) + _FRAME_CHARACTERS
        total += sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
        sizes[index] = total
    return sizes


def _next_cut(starts: Sequence[int], sizes: Mapping[int, int], most: int, cut: int) -> int:
    """The next cut whose rest has at most `most` characters, else the last possible one."""
    return next((s for s in starts if s > cut and sizes[s] <= most), starts[-1])
