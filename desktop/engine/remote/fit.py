"""Whether a chat fits into a server's context, as far as that is known; whole turns left out."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.chat import Chat
from desktop.engine.templates.chat_fit import Fitted, fit_chat

_TOKENS_A_CHARACTER = 0.25  # of plain English; other languages and code take more
_FRAME_CHARACTERS = 24
_MEDIA_CHARACTERS = 3_000
_ENDLESS = 1 << 40
_LEAST_CHARACTERS = 200  # a shorter prompt is mostly the template's own words
_BOUNDS = (0.05, 4.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A chat as somebody measures it who has no tokenizer."""

    chat: Chat
    prompt_tokens: int


class Learned:
    """What a server's answers have taught about it; shared by all requests of one engine."""

    def __init__(self, context_tokens: int = 0) -> None:
        self._lock = threading.Lock()
        self._refused: frozenset[str] = frozenset()
        self._tokens_a_character = _TOKENS_A_CHARACTER
        self.context_tokens = context_tokens

    @property
    def refused(self) -> frozenset[str]:
        """Fields that it does not take."""
        return self._refused

    def refuse(self, names: frozenset[str]) -> None:
        with self._lock:
            self._refused |= names

    def measured(self, characters: int, tokens: int) -> None:
        """So many characters were so many tokens."""
        if characters >= _LEAST_CHARACTERS and tokens > 0:
            low, high = _BOUNDS
            self._tokens_a_character = min(max(tokens / characters, low), high)

    def tokens(self, characters: int) -> int:
        """An estimate."""
        return round(characters * self._tokens_a_character) + 1


def characters_of(chat: Chat) -> int:
    """What a chat is long, with a little for what a template puts around each message."""
    total = 0
    for one in chat.led_messages:
        total += len(one.content) + len(one.reasoning) + _FRAME_CHARACTERS
        total += len(one.media) * _MEDIA_CHARACTERS
        total += sum(len(call.name) + len(call.arguments) for call in one.tool_calls)
    return total + sum(len(tool.description) + len(str(tool.parameters)) for tool in chat.tools)


def fit(chat: Chat, learned: Learned, context_tokens: int = 0) -> Fitted[Estimate]:
    """The chat without the oldest turns that do not fit, where it allows that.

    `context_tokens` in the place of what was learned. Raises RequestError: prompt_too_long,
    nothing_to_answer.
    """
    if chat.overflow != "drop_oldest":
        return Fitted(Estimate(chat, learned.tokens(characters_of(chat))))

    def write(shorter: Chat) -> Estimate:
        return Estimate(shorter, learned.tokens(characters_of(shorter)))

    return fit_chat(chat, context_tokens or learned.context_tokens or _ENDLESS, write)


def fit_tighter(
    chat: Chat, before: Fitted[Estimate], learned: Learned, error: RequestError
) -> Fitted[Estimate]:
    """After the server has said that what was left is too long. Raises `error` where no turn can
    be spared."""
    characters = characters_of(before.written.chat)
    context, prompt = error.params.get("context_tokens"), error.params.get("prompt_tokens")
    if isinstance(context, int) and isinstance(prompt, int):
        learned.context_tokens = context
        learned.measured(characters, max(prompt, context + 1))
    else:  # no numbers: then it is a guess that half of it would fit
        context = max(2, learned.tokens(characters) // 2)
    try:
        for share in (1.0, 0.75, 0.5, 0.25):  # less where it ought to have fitted by its length
            fitted = fit(chat, learned, max(2, int(context * share)))
            if len(fitted.left_out) > len(before.left_out):
                return fitted
    except RequestError as too_long:
        raise error from too_long
    raise error
