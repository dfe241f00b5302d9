"""What somebody asks of an engine, as plain picklable data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from desktop.common.errors import RequestError
from desktop.engine.chat import Chat
from desktop.engine.constraint import Constraint
from desktop.engine.ranges import whole
from desktop.engine.request_types import check_chat, check_constraint, check_fields
from desktop.engine.sampling import MAX_TOP_LOGPROBS, Sampling

MAX_STOP_STRINGS = 64
MAX_STOP_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter that the engine has loaded, by its name, with its weight in this answer."""

    name: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """One answer wanted: to a `prompt`, its `parts` (tokens and texts in turn) or a `chat`.

    `max_tokens` None writes until the model ends or the context is full. `conversation` names the
    chat, so that its next turn finds its own sequence again; of two waiting requests the one with
    the higher `priority` goes first (the window's chats: 1, API requests: 0), of equal ones those
    of different `client`s (a key, an address; "" goes by the conversation) take turns.
    `logprobs` asks for the log probability of each token and of so many alternatives. `echo` puts
    the prompt before the answer. `adapters` None takes the engine's own setting.
    `draft` "off" does without speculative decoding. With `keep_state` False nothing of the
    conversation is kept for later.
    """

    id: str
    prompt: str = ""
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    conversation: str = ""
    priority: int = 0
    ignore_eos: bool = False
    parts: tuple[int | str, ...] = ()
    chat: Chat | None = None
    constraint: Constraint | None = None
    logprobs: int | None = None
    echo: bool = False
    adapters: tuple[Adapter, ...] | None = None
    draft: Literal["auto", "off"] = "auto"
    keep_state: bool = True
    client: str = ""

    def check(self) -> None:
        """Raise RequestError for parameters out of range; the prompt's length is checked later.

        Types are checked too: requests come from JSON and pipes, and a wrong type that reaches
        llama.cpp's bindings would end the engine's thread.
        """
        check_fields(self, _KINDS)
        if not all(isinstance(part, int | str) for part in self.parts):
            raise RequestError("bad_request", name="parts")
        adapters: tuple[object, ...] = self.adapters or ()
        if not all(isinstance(one, Adapter) for one in adapters):
            raise RequestError("bad_request", name="adapters")
        if self.chat is not None:
            check_chat(self.chat)
        if self.constraint is not None:
            check_constraint(self.constraint)
        self.sampling.check()
        whole("priority", self.priority, -(2**31), 2**31)
        if self.max_tokens is not None:
            whole("max_tokens", self.max_tokens, 0, 2**31 - 1)
        if self.logprobs is not None:
            whole("logprobs", self.logprobs, 0, MAX_TOP_LOGPROBS)
        if len(self.stop) > MAX_STOP_STRINGS:
            raise RequestError("too_many_stop_strings", limit=MAX_STOP_STRINGS)
        if not all(_is_stop_string(text) for text in self.stop):
            raise RequestError("bad_stop_string", limit=MAX_STOP_CHARACTERS)


_KINDS = {
    "id": str,
    "prompt": str,
    "stop": tuple,
    "sampling": Sampling,
    "conversation": str,
    "ignore_eos": bool,
    "parts": tuple,
    "echo": bool,
    "adapters": (tuple, type(None)),
    "draft": ("auto", "off"),
    "keep_state": bool,
    "client": str,
}


def _is_stop_string(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= MAX_STOP_CHARACTERS
