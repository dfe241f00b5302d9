"""A chat in the shape that one template takes, and in weaker shapes where it refuses that one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from desktop.engine.chat import MEDIA_MARK, Media, Message, Tool, ToolCall
from desktop.engine.templates.message_order import (
    fold_system,
    lead_with_system,
    merge_roles,
    one_call_each,
    user_first,
    words_apart,
)
from desktop.engine.templates.template_traits import (
    CallTraits,
    Traits,
    call_as,
    with_content,
    words,
)

_NO_CALLS = CallTraits()
_SHORT_ID_LETTERS = 9

WritesCalls = Callable[[Sequence[ToolCall]], str]


class MessageShaper:
    """Turns messages into what a template with these traits takes.

    `write_calls` writes calls as text, for templates that cannot.
    """

    def __init__(self, traits: Traits, reasoning_key: str, write_calls: WritesCalls) -> None:
        self._traits = traits
        self._reasoning_key = reasoning_key
        self._write_calls = write_calls

    def attempts(self, messages: Sequence[Message]) -> Iterator[list[dict[str, Any]]]:
        """The messages as the template should take them, then weaker forms for its refusals."""
        tidy = self.arranged(messages)
        yield self.shaped(tidy)
        bare = [_without_reasoning(one) for one in tidy]
        yield self.shaped(bare)
        merged = merge_roles([one for one in bare if not _says_nothing(one)])
        yield self.shaped(merged)
        asked = user_first(merged)
        yield self.shaped(asked)
        folded = merge_roles(fold_system(asked))
        yield self.shaped(folded)
        spoken = merge_roles([self._in_words(one) for one in folded])
        yield self.shaped(spoken)

    def arranged(self, messages: Sequence[Message]) -> list[Message]:
        """By what is known of the template."""
        traits, calls = self._traits, self._traits.calls
        arranged = lead_with_system(messages, fold_late=not traits.takes_late_system)
        if not traits.takes_system:
            arranged = fold_system(arranged)
        if calls is None or not calls.result_role:
            arranged = [self._in_words(one) for one in arranged]
        else:
            if not calls.parallel:
                arranged = one_call_each(arranged)
            if calls.words == "apart":
                arranged = words_apart(arranged)
            arranged = self._without_orphans(arranged)
        if not traits.takes_two_questions:
            arranged = merge_roles(arranged)
        return arranged if traits.takes_answer_first else user_first(arranged)

    def _without_orphans(self, messages: Sequence[Message]) -> list[Message]:
        """Results whose call is not there are said in words: templates refuse or drop them."""
        kept: list[Message] = []
        called = False
        for message in messages:
            orphan = message.role == "tool" and not called
            kept.append(self._in_words(message) if orphan else message)
            if message.role != "tool":
                called = bool(message.tool_calls)
        return kept

    def _in_words(self, message: Message) -> Message:
        """Calls and their results as the text of answers and questions."""
        if message.role == "tool" and self._traits.lone_results:
            return message
        if message.role == "tool":
            text = f"<tool_response>\n{message.content}\n</tool_response>"
            shift = len("<tool_response>\n")
            media = tuple(replace(one, at=one.at + shift) for one in message.media)
            return Message("user", text, media=media)
        if not message.tool_calls:
            return message
        calls = self._write_calls(message.tool_calls)
        content = f"{message.content}\n{calls}" if message.content else calls
        return replace(message, content=content, tool_calls=())

    def shaped(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """As the template takes them, whatever they are."""
        calls = self._traits.calls or _NO_CALLS
        names = {call.id: call.name for one in messages for call in one.tool_calls if call.id}
        shaped: list[dict[str, Any]] = []
        made_up = 0
        waiting: list[tuple[str, str]] = []
        for message in messages:
            text = marked(message)
            if message.role == "tool":
                waiting, (call_id, name) = _answered(waiting, message, names)
                shaped.append(
                    {
                        "role": self._traits.lone_results or calls.result_role or "user",
                        "content": words(text, parts=self._traits.parts),
                        "name": message.name or name,
                        "tool_call_id": _id(calls, call_id),
                    }
                )
                continue
            one: dict[str, Any] = {"role": message.role}
            if message.role == "user" and message.name:
                one["name"] = message.name
            if message.reasoning and self._reasoning_key:
                one[self._reasoning_key] = message.reasoning
            if not message.tool_calls:
                shaped.append({**one, "content": words(text, parts=self._traits.parts)})
                continue
            named = []
            for call in message.tool_calls:
                made_up += not call.id
                named.append(replace(call, id=call.id or f"call_{made_up}"))
            waiting = [(call.id, call.name) for call in named]
            one["tool_calls"] = [
                call_as(calls, _id(calls, call.id), call.name, arguments_of(call)) for call in named
            ]
            shaped.append(with_content(one, text, calls, parts=self._traits.parts))
        return shaped


def shaped_tools(traits: Traits, tools: Sequence[Tool]) -> list[dict[str, Any]] | None:
    """The functions on offer; what stands for none where there are none or it drops them."""
    functions = [
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": _json_like(tool.parameters) or {"type": "object", "properties": {}},
        }
        for tool in tools
    ]
    if not functions or not traits.tools:
        return [] if traits.counts_tools else None
    if traits.tools == "bare":
        return functions
    return [{"type": "function", "function": function} for function in functions]


def with_descriptions(tools: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same functions; a parameter that nobody has described gets an empty description."""
    return [
        tool | {"function": _described(tool["function"])}
        if "function" in tool
        else _described(tool)
        for tool in tools
    ]


def _described(function: dict[str, Any]) -> dict[str, Any]:
    properties = function["parameters"].get("properties")
    if not isinstance(properties, dict):
        return function
    described = {
        name: {"description": "", **schema} if isinstance(schema, dict) else schema
        for name, schema in properties.items()
    }
    return function | {"parameters": function["parameters"] | {"properties": described}}


def marked(message: Message) -> str:
    """The message's text with a mark where each of its media stands, and no other such mark."""
    pieces: list[str] = []
    done = 0
    for media in sorted(message.media, key=lambda one: one.at):
        at = min(max(media.at, done), len(message.content))
        pieces += [without_marks(message.content[done:at]), MEDIA_MARK]
        done = at
    return "".join([*pieces, without_marks(message.content[done:])])


def without_marks(text: str) -> str:
    """Somebody's words may spell the mark: broken up they say the same and stand for nothing."""
    return text.replace(MEDIA_MARK, MEDIA_MARK[:2] + "\u200b" + MEDIA_MARK[2:])


def media_of(messages: Sequence[Message]) -> tuple[Media, ...]:
    """All media in the order of their marks."""
    return tuple(
        media for message in messages for media in sorted(message.media, key=lambda one: one.at)
    )


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """A call's arguments as an object; what is none becomes one, so that nothing gets lost."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return {"arguments": call.arguments}
    return arguments if isinstance(arguments, dict) else {"arguments": arguments}


def _answered(
    waiting: list[tuple[str, str]], result: Message, names: dict[str, str]
) -> tuple[list[tuple[str, str]], tuple[str, str]]:
    """The call that `result` answers (its id and name), and those that still wait.

    One that names no call answers the first.
    """
    if result.tool_call_id:
        rest = [one for one in waiting if one[0] != result.tool_call_id]
        return rest, (result.tool_call_id, names.get(result.tool_call_id, ""))
    if waiting:
        return waiting[1:], waiting[0]
    return [], ("call_0", "")


def _id(traits: CallTraits, call_id: str) -> str:
    if not traits.short_ids or _is_short(call_id):
        return call_id
    return hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:_SHORT_ID_LETTERS]


def _is_short(call_id: str) -> bool:
    return len(call_id) == _SHORT_ID_LETTERS and call_id.isascii() and call_id.isalnum()


def _says_nothing(message: Message) -> bool:
    """An answer of which only the reasoning came; some templates refuse empty ones."""
    return message.role == "assistant" and not message.content and not message.tool_calls


def _without_reasoning(message: Message) -> Message:
    """Some templates refuse reasoning beside words and a call."""
    return replace(message, reasoning="") if message.tool_calls and message.content else message


def _json_like(value: Any) -> Any:
    """Mappings as dicts, tuples as lists: what JSON takes."""
    return json.loads(json.dumps(value, default=dict))
