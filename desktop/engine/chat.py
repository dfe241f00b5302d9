"""A conversation as it is handed to an engine: messages, tools, wishes. Plain picklable data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from desktop.common.errors import RequestError

Role = Literal["system", "developer", "user", "assistant", "tool"]
MediaKind = Literal["image", "audio"]
ToolChoice = Literal["auto", "none", "required"]
ReasoningWish = Literal["auto", "on", "off"]
Overflow = Literal["error", "drop_oldest"]

MAX_DEPTH = 64
"""How deep lists and objects may lie in each other: writers of JSON call themselves for each."""

MEDIA_MARK = "<__media__>"
"""Where an image or a sound stands in a rendered prompt; nobody's words hold it there."""


@dataclass(frozen=True, slots=True)
class Media:
    """An image or a sound as the bytes of its file; it stands before character `at` of the text."""

    kind: MediaKind
    data: bytes
    at: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model wrote; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `parameters` is a JSON schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `reasoning` and `tool_calls` are an assistant's; a tool's answer names the call."""

    role: Role
    content: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    name: str = ""
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages to be answered, with what the answer may be.

    `tool_choice` "required" forces a call, of `forced_tool` where that is named. `reasoning` is a
    wish: a model that cannot does without. `reasoning_budget` are the most tokens of reasoning,
    None for no limit. `continue_last` goes on with the last message, an assistant's.
    `overflow` "drop_oldest" leaves whole oldest turns out where the context is too small, never
    those before `first_kept` again, and `Started` says which; "error" fails with the numbers.
    `answer_tokens` is the room to keep for the answer then. `template_values` reach the template.
    `default_system` leads a chat that has no system message of its own. `keep_reasoning` True or
    False keeps or leaves out the reasoning of earlier turns where the template lets choose.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = "auto"
    forced_tool: str = ""
    parallel_tools: bool = True
    reasoning: ReasoningWish = "auto"
    reasoning_effort: str = ""
    reasoning_budget: int | None = None
    add_generation_prompt: bool = True
    continue_last: bool = False
    overflow: Overflow = "error"
    first_kept: int = 0
    answer_tokens: int | None = None
    template_values: Mapping[str, Any] = field(default_factory=dict)
    default_system: str = ""
    keep_reasoning: bool | None = None

    def check(self) -> None:
        """Raise RequestError("bad_request", name) for what must not reach a template.

        Types too: chats come from JSON and pipes. Objects are at most `MAX_DEPTH` deep.
        """
        for message in self.messages:
            texts = (message.content, message.reasoning, message.name, message.tool_call_id)
            calls = (text for call in message.tool_calls for text in _texts_of(call))
            if message.role not in get_args(Role) or not _all_text(texts) or not _all_text(calls):
                raise RequestError("bad_request", name="messages")
        for tool in self.tools:
            if not tool.name or not _all_text((tool.name, tool.description)):
                raise RequestError("bad_request", name="tools")
            if not _is_object(tool.parameters):
                raise RequestError("bad_request", name="tools")
        if not _is_object(self.template_values):
            raise RequestError("bad_request", name="template_values")
        if self.forced_tool and self.forced_tool not in {tool.name for tool in self.tools}:
            raise RequestError("bad_request", name="tool_choice")
        if self.reasoning_budget is not None and self.reasoning_budget < 0:
            raise RequestError("bad_request", name="reasoning_budget")

    @property
    def led_messages(self) -> tuple[Message, ...]:
        """The messages as a model is to see them: with the default system message."""
        has_own = any(one.role in ("system", "developer") for one in self.messages)
        if has_own or not self.default_system:
            return self.messages
        return (Message("system", self.default_system), *self.messages)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A conversation as one prompt, and the strings that end an answer to it.

    `first_kept` and `left_out` (places of messages) say what did not fit into the context.
    `media` stand where the prompt says `MEDIA_MARK`, in their order. `reasoning_open`: the prompt
    ends within the model's reasoning, which the answer goes on with.
    """

    prompt: str
    stop: tuple[str, ...] = ()
    first_kept: int = 0
    left_out: tuple[int, ...] = ()
    media: tuple[Media, ...] = ()
    reasoning_open: bool = False


def _texts_of(call: ToolCall) -> tuple[object, ...]:
    return (call.id, call.name, call.arguments)


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) and _is_shallow(value)


def _is_shallow(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[object] = []
        for one in level:
            if isinstance(one, Mapping):
                deeper += one.values()
            elif isinstance(one, list | tuple):
                deeper += one
        if not deeper:
            return True
        level = deeper
    return False
