"""Whether a request's values are of the types that they are said to be: they come from JSON and
pipes, and one that reaches llama.cpp's bindings or a template as something else ends a thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from desktop.common.errors import RequestError
from desktop.engine.chat import (
    Chat,
    Media,
    MediaKind,
    Message,
    Overflow,
    ReasoningWish,
    Role,
    Tool,
    ToolCall,
    ToolChoice,
)
from desktop.engine.constraint import Constraint, ConstraintKind

_MOST = 2**31 - 1

_Kinds = Mapping[str, Any]
"""For each field a type, a tuple of types, or the values that there are."""

_CHAT: _Kinds = {
    "messages": tuple,
    "tools": tuple,
    "tool_choice": get_args(ToolChoice),
    "forced_tool": str,
    "parallel_tools": bool,
    "reasoning": get_args(ReasoningWish),
    "reasoning_effort": str,
    "add_generation_prompt": bool,
    "continue_last": bool,
    "overflow": get_args(Overflow),
    "first_kept": int,
    "template_values": Mapping,
}
_MESSAGE: _Kinds = {
    "role": get_args(Role),
    "content": str,
    "reasoning": str,
    "tool_calls": tuple,
    "tool_call_id": str,
    "name": str,
    "media": tuple,
}
_MEDIA: _Kinds = {"kind": get_args(MediaKind), "data": bytes, "at": int, "name": str}
_CALL: _Kinds = {"id": str, "name": str, "arguments": str}
_TOOL: _Kinds = {"name": str, "description": str, "parameters": Mapping}
_CONSTRAINT: _Kinds = {"kind": get_args(ConstraintKind), "source": str, "choices": tuple}


def check_fields(value: object, kinds: _Kinds, name: str = "") -> None:
    """Raise RequestError("bad_request") naming the field that is of another type."""
    for field, kind in kinds.items():
        found = getattr(value, field)
        named = isinstance(kind, tuple) and isinstance(kind[0], str)
        # A list cannot be hashed, so `in` compares.
        if not (found in kind if named else isinstance(found, kind)):
            raise RequestError("bad_request", name=f"{name}{field}")


def check_chat(chat: object) -> None:
    """Raises RequestError("bad_request")."""
    if not isinstance(chat, Chat):
        raise RequestError("bad_request", name="chat")
    check_fields(chat, _CHAT, "chat.")
    for name in ("reasoning_budget", "answer_tokens"):
        limit = getattr(chat, name)
        if limit is not None and not (isinstance(limit, int) and 0 <= limit <= _MOST):
            raise RequestError("bad_request", name=f"chat.{name}")
    _check_each(chat.messages, Message, _MESSAGE, "messages.")
    _check_each(chat.tools, Tool, _TOOL, "tools.")
    for message in chat.messages:
        _check_each(message.tool_calls, ToolCall, _CALL, "tool_calls.")
        _check_each(message.media, Media, _MEDIA, "media.")


def check_constraint(constraint: object) -> None:
    """Raises RequestError("bad_request")."""
    if not isinstance(constraint, Constraint):
        raise RequestError("bad_request", name="constraint")
    check_fields(constraint, _CONSTRAINT, "constraint.")
    if not all(isinstance(choice, str) for choice in constraint.choices):
        raise RequestError("bad_request", name="constraint.choices")


def _check_each(values: tuple[object, ...], kind: type, kinds: _Kinds, name: str) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise RequestError("bad_request", name=name.rstrip("."))
        check_fields(value, kinds, name)
