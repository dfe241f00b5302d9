"""Formats that cannot be seen in a recorded call, because the template drops it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desktop.engine.output.calls import CallFormat
from desktop.engine.output.frame import Frame, Hole
from desktop.engine.output.json_calls import JsonCalls
from desktop.engine.output.pythonic_calls import PythonicCalls
from desktop.engine.output.tagged_calls import ArgumentWords, TaggedCalls

_CORE: tuple[str | Hole, ...] = (
    '{"name": "',
    Hole.NAME,
    '", "arguments": ',
    Hole.ARGUMENTS,
    "}",
)


def _listed(opening: str, closing: str = "") -> JsonCalls:
    return JsonCalls(Frame(f"{opening}[", _CORE, ", ", f"]{closing}"))


HERMES = JsonCalls(Frame("<tool_call>\n", _CORE, "\n</tool_call>\n<tool_call>\n", "\n</tool_call>"))
QWEN_CODER = TaggedCalls(
    Frame(
        "<tool_call>\n<function=",
        (Hole.NAME, Hole.ARGUMENTS),
        "\n</function>\n</tool_call>\n<tool_call>\n<function=",
        "\n</function>\n</tool_call>",
    ),
    ArgumentWords(
        lead=">\n",
        key_open="<parameter=",
        value_open=">\n",
        value_close="\n</parameter>",
        gap="\n",
        none=">",
    ),
)
LFM2 = PythonicCalls("<|tool_call_start|>", "<|tool_call_end|>")

_SIGNS: tuple[tuple[str, CallFormat], ...] = (
    ("<|tool_call_start|>", LFM2),
    ("<|tool_list_start|>", LFM2),
    ("<function=", QWEN_CODER),
    ("<tool_call>", HERMES),
    ("[TOOL_CALLS]", _listed("[TOOL_CALLS]")),
    ("[AVAILABLE_TOOLS]", _listed("[TOOL_CALLS]")),
    ("<TOOLCALL>", _listed("<TOOLCALL>", "</TOOLCALL>")),
    ("<|tool_call|>", _listed("<|tool_call|>")),
    ("<|tool|>", _listed("<|tool_call|>", "<|/tool_call|>")),
    ("functools[", _listed("functools")),
    ("<|python_tag|>", JsonCalls(Frame("", _CORE, "; ", ""), python_tag="<|python_tag|>")),
)


def shown_in(prompt: str, is_token: Callable[[str], bool]) -> CallFormat:
    """The format whose words stand in a prompt that offers tools, or are tokens of the model's
    own; else the most usual one."""
    by_prompt = (found for sign, found in _SIGNS if sign in prompt)
    by_token = (found for sign, found in _SIGNS if is_token(sign))
    return next(by_prompt, None) or next(by_token, HERMES)


def from_header(calls: CallFormat, header_end: str) -> CallFormat:
    """The same format without what stands before `header_end`, which is read apart."""
    if not isinstance(calls, JsonCalls | TaggedCalls):
        return calls
    before = calls.frame.before.rpartition(header_end)[2]
    frame = replace(calls.frame, before=before, between=calls.frame.after + before)
    return replace(calls, frame=frame)
