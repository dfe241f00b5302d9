"""Messages rearranged for templates that want them in another order than they were said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from desktop.engine.chat import Media, Message

_BETWEEN = "\n\n"


def merge_roles(messages: Sequence[Message]) -> list[Message]:
    """Join neighbours of one role: a failed answer leaves two questions in a row behind, and
    many templates refuse that. Calls and their results stay apart."""
    merged: list[Message] = []
    for message in messages:
        if merged and _joinable(merged[-1], message):
            merged[-1] = join([merged[-1], message])
        else:
            merged.append(message)
    return merged


def join(messages: Sequence[Message]) -> Message:
    """Several messages as one of the first one's role; media stay before their words."""
    content = ""
    media: list[Media] = []
    for number, message in enumerate(messages):
        if number and content and message.content:
            content += _BETWEEN
        media += (replace(one, at=one.at + len(content)) for one in message.media)
        content += message.content
    reasoning = _BETWEEN.join(one.reasoning for one in messages if one.reasoning)
    return replace(messages[0], content=content, media=tuple(media), reasoning=reasoning)


def lead_with_system(messages: Sequence[Message], *, fold_late: bool) -> list[Message]:
    """One system message at the front for all that stand there (a developer's word counts as
    one); later ones go before the next user's words where `fold_late`."""
    first = next(
        (n for n, one in enumerate(messages) if not is_system(one)),
        len(messages),
    )
    head = [join([_as_system(one) for one in messages[:first]])] if first else []
    rest = [_as_system(one) if is_system(one) else one for one in messages[first:]]
    return [*head, *(fold_system(rest) if fold_late else rest)]


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """The same chat without system messages: their text stands before the next user's."""
    folded: list[Message] = []
    held: list[Message] = []
    for message in messages:
        if is_system(message):
            held.append(replace(message, role="user", name=""))
        elif message.role == "user" and held:
            folded.append(join([*held, message]))
            held = []
        else:
            folded.append(message)
    if held:
        folded.append(join(held))
    return folded


def user_first(messages: Sequence[Message]) -> list[Message]:
    """An empty question before an answer that nobody asked for."""
    at = next((n for n, one in enumerate(messages) if not is_system(one)), len(messages))
    if at < len(messages) and messages[at].role == "user":
        return list(messages)
    return [*messages[:at], Message("user", ""), *messages[at:]]


def one_call_each(messages: Sequence[Message]) -> list[Message]:
    """Parallel calls as calls one after the other, each followed by its result."""
    apart: list[Message] = []
    number = 0
    while number < len(messages):
        message = messages[number]
        number += 1
        if len(message.tool_calls) < 2:
            apart.append(message)
            continue
        results = _results_after(messages[number:])
        number += len(results)
        for place, call in enumerate(message.tool_calls):
            one = replace(message, tool_calls=(call,))
            apart.append(one if place == 0 else replace(one, content="", reasoning="", media=()))
            apart += _taken(results, call.id)
        apart += results
    return apart


def words_apart(messages: Sequence[Message]) -> list[Message]:
    """What is said beside calls as a message of its own before them."""
    apart: list[Message] = []
    for message in messages:
        if message.tool_calls and message.content:
            apart.append(replace(message, tool_calls=(), reasoning=""))
            message = replace(message, content="", media=())
        apart.append(message)
    return apart


def _taken(results: list[Message], call_id: str) -> list[Message]:
    """The result of that call, taken out; the next one that names no call where none does."""
    for named in (call_id, ""):
        for place, result in enumerate(results):
            if result.tool_call_id == named:
                return [results.pop(place)]
    return []


def is_system(message: Message) -> bool:
    """A developer's message is a system message by another name."""
    return message.role in ("system", "developer")


def _as_system(message: Message) -> Message:
    return replace(message, role="system")


def _results_after(messages: Iterable[Message]) -> list[Message]:
    found: list[Message] = []
    for message in messages:
        if message.role != "tool":
            break
        found.append(message)
    return found


def _joinable(first: Message, second: Message) -> bool:
    if first.role != second.role or first.role == "tool":
        return False
    return not (first.tool_calls or second.tool_calls)
