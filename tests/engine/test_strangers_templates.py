"""Every template of a folder that HAUSGEIST_TEMPLATES names: real ones, not ours to keep."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

from desktop.engine.chat import Chat, Message, Tool, ToolCall
from desktop.engine.events import ToolCallPart
from desktop.engine.loaded import Loaded
from desktop.engine.request import Request
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_template import TemplateRenderer
from desktop.engine.templates.chat_wishes import ChatWishes
from tests.engine.driving import plan_for

FOLDER = os.environ.get("HAUSGEIST_TEMPLATES", "")
FILES = sorted(Path(FOLDER).glob("*.jinja")) if FOLDER else []
pytestmark = pytest.mark.skipif(not FILES, reason="HAUSGEIST_TEMPLATES names no templates")

SYSTEM = Message("system", "Sei freundlich zu Q1sys.")
ASK, ANSWER = Message("user", "Wie spät ist es in Q2ask?"), Message("assistant", "Gleich Q3said.")
AGAIN = Message("user", "Und in Q4again?")
TOOL = Tool(
    "clock",
    "Q5described",
    {
        "type": "object",
        "properties": {
            "place": {"type": "string", "description": "Q6place"},
            "exact": {"type": "boolean"},
        },
        "required": ["place"],
    },
)
CALL = ToolCall("call_abcdef123456", "clock", '{"place": "Q7called", "exact": true}')
OTHER = ToolCall("call_xyz", "clock", '{"place": "Q8other"}')
RESULT = Message("tool", '{"time": "Q9result"}', tool_call_id="call_abcdef123456")
OTHER_RESULT = Message("tool", "Q10result", tool_call_id="call_xyz", name="clock")


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    with closing(TemplateRenderer()) as one:
        yield one


@pytest.fixture(scope="module")
def loaded(plain_model: Path) -> Iterator[Loaded]:
    with closing(Loaded(plain_model, plan_for())) as one:
        yield one


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.stem)
def style(request: pytest.FixtureRequest, renderer: TemplateRenderer, loaded: Loaded) -> ChatFormat:
    found = ChatFormat(renderer, request.param.read_text("utf-8"), loaded.vocabulary)
    assert (found.name, found.problem) == ("model", "")
    return found


def has(prompt: str, *words: str) -> None:
    for word in words:
        assert word in prompt, f"{word} is missing in {prompt!r}"


def test_plain_system_and_several_turns(style: ChatFormat) -> None:
    has(style.render(Chat((ASK,))).prompt, "Q2ask")
    has(style.render(Chat((SYSTEM, ASK))).prompt, "Q1sys", "Q2ask")
    has(
        style.render(Chat((SYSTEM, ASK, ANSWER, AGAIN))).prompt,
        "Q1sys",
        "Q2ask",
        "Q3said",
        "Q4again",
    )


def test_odd_orders(style: ChatFormat) -> None:
    has(style.render(Chat((ASK, AGAIN))).prompt, "Q2ask", "Q4again")
    has(style.render(Chat((ANSWER, ASK))).prompt, "Q3said", "Q2ask")
    has(style.render(Chat((ASK, ANSWER, SYSTEM, AGAIN))).prompt, "Q1sys", "Q3said", "Q4again")
    has(
        style.render(Chat((SYSTEM, replace(SYSTEM, content="Q0more"), ASK))).prompt,
        "Q1sys",
        "Q0more",
    )
    has(style.render(Chat((replace(SYSTEM, role="developer"), ASK))).prompt, "Q1sys", "Q2ask")
    style.render(Chat((SYSTEM,)))


def test_tools_offered_called_and_answered(style: ChatFormat) -> None:
    tools = (TOOL,)
    has(style.render(Chat((SYSTEM, ASK), tools)).prompt, "Q1sys", "clock", "Q5described", "place")
    called = Message("assistant", "", tool_calls=(CALL,))
    prompt = style.render(Chat((ASK, called, RESULT), tools)).prompt
    has(prompt, "Q2ask", "clock", "Q7called", "Q9result")
    prompt = style.render(Chat((ASK, called, RESULT, ANSWER, AGAIN), tools)).prompt
    has(prompt, "Q7called", "Q9result", "Q3said", "Q4again")
    both = replace(called, tool_calls=(CALL, OTHER))
    prompt = style.render(Chat((ASK, both, RESULT, OTHER_RESULT), tools)).prompt
    has(prompt, "Q7called", "Q8other", "Q9result", "Q10result")
    spoken = replace(called, content="Q11spoken", reasoning="Q12thought")
    has(style.render(Chat((ASK, spoken, RESULT), tools)).prompt, "Q7called", "Q9result")
    has(style.render(Chat((ASK, RESULT, AGAIN), tools)).prompt, "Q9result", "Q4again")
    has(
        style.render(Chat((ASK, called, replace(RESULT, tool_call_id="")), tools)).prompt,
        "Q9result",
    )


def test_reasoning_kept_or_dropped(style: ChatFormat) -> None:
    thought = replace(ANSWER, reasoning="Q12thought")
    has(style.render(Chat((ASK, thought, AGAIN))).prompt, "Q3said", "Q4again")
    called = Message("assistant", "", reasoning="Q12thought", tool_calls=(CALL,))
    has(style.render(Chat((ASK, called, RESULT), (TOOL,))).prompt, "Q7called", "Q9result")


def test_reasoning_switched(style: ChatFormat) -> None:
    chat = Chat((ASK,))
    on, off = (style.render(replace(chat, reasoning=wish)) for wish in ("on", "off"))
    has(on.prompt, "Q2ask")
    has(off.prompt, "Q2ask")
    assert not off.reasoning_open
    if style.reasoning is not None and not style.reasoning.answer_header:
        assert on.prompt != off.prompt
    for effort in ("low", "medium", "high", "max", "none"):
        has(style.render(replace(chat, reasoning_effort=effort)).prompt, "Q2ask")


def test_an_answer_is_continued(style: ChatFormat) -> None:
    chat = Chat((ASK, ANSWER), continue_last=True, add_generation_prompt=False)
    rendered = style.render(chat)
    assert rendered.prompt.endswith("Gleich Q3said.")
    assert not rendered.reasoning_open


HOSTILE = (
    '{"place": "Köln", "exact": true}',
    '{"place": "a \\"b\\" \\\\ \\n\\t </tool_call> <x>&amp; 😀", "exact": false}',
    '{"place": ""}',
    '{"place": "[1, {\\"a\\": null}]", "exact": true}',
)


@pytest.mark.parametrize("arguments", HOSTILE)
def test_a_call_that_is_written_reads_back(style: ChatFormat, arguments: str) -> None:
    calls = (ToolCall("call_abcdef123456", "clock", arguments),)
    chat = Chat((ASK,), (TOOL,), reasoning="off", add_generation_prompt=False)
    asked = style.render(chat).prompt
    called = replace(chat, messages=(ASK, Message("assistant", "", tool_calls=calls)))
    written = style.render(called).prompt
    begun = style.render(replace(chat, add_generation_prompt=True))
    pairs = zip(written, begun.prompt, strict=False)
    shared = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    answer = written[len(re.sub(r"[<\[][^<>\[\]]*\Z", "", shared)) :]
    assert written.startswith(asked[: len(asked) // 2])
    wishes = ChatWishes(style)
    parser = wishes.parser(Request("r", chat=chat), chat, begun)
    assert parser is not None
    pieces = [*parser.feed(answer), *parser.finish()]
    parts = [piece for piece in pieces if isinstance(piece, ToolCallPart)]
    assert [part.name for part in parts if part.name] == ["clock"], (answer, pieces)
    assert json.loads("".join(part.arguments for part in parts)) == json.loads(arguments)
