"""Calls of real templates, by way of a whole chat format: HAUSGEIST_TEMPLATES names a folder."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.engine.chat import Chat, Message, ToolCall
from desktop.engine.loaded import Loaded
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_template import TemplateRenderer
from tests.engine.driving import plan_for
from tests.engine.output.reading import TOOLS, cuts, parser, read
from tests.engine.output.test_round_trips import DROPS_NULL, HOSTILE, REAL

pytestmark = pytest.mark.skipif(not REAL, reason="HAUSGEIST_TEMPLATES names no templates")
# Some templates cannot describe every type.
OFFERED = tuple(
    replace(
        tool,
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Where"}},
        },
    )
    for tool in TOOLS
)
ASK = Message("user", "Wie wird das Wetter in Qplaceq?")


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    with closing(TemplateRenderer()) as one:
        yield one


@pytest.fixture(scope="module")
def loaded(plain_model: Path) -> Iterator[Loaded]:
    with closing(Loaded(plain_model, plan_for())) as one:
        yield one


@pytest.fixture(scope="module", params=REAL, ids=lambda path: path.stem)
def style(request: pytest.FixtureRequest, renderer: TemplateRenderer, loaded: Loaded) -> ChatFormat:
    return ChatFormat(renderer, request.param.read_text("utf-8"), loaded.vocabulary)


@pytest.mark.parametrize("content", ["", "Ich sehe nach."])
def test_a_recorded_call_is_read_back(style: ChatFormat, content: str) -> None:
    dice = random.Random(7)
    opening = style.render(Chat((ASK,), OFFERED)).prompt
    for arguments in HOSTILE if style.output.taught else HOSTILE[:8]:
        text = json.dumps(arguments, ensure_ascii=False)
        call = ToolCall("qIdentA01", "get_weather", text)
        answer = Message("assistant", content, tool_calls=(call,))
        chat = Chat((ASK, answer), OFFERED, add_generation_prompt=False)
        written = _behind(opening, style.render(chat).prompt)
        results = [
            read(parser(style.output, prompt_end=opening), portions)
            for portions in cuts(written, dice)
        ]
        assert all(found == results[0] for found in results), written
        if content and not style.output.calls.only_first:
            assert content in results[0].text + results[0].reasoning or content not in written
        if content and style.output.calls.only_first:
            continue  # written as two answers, of which a model writes one
        calls = [(name, json.loads(inner)) for name, inner in results[0].calls]
        if arguments not in ({"nothing": None}, HOSTILE[-3]) or not DROPS_NULL:
            assert calls == [("get_weather", arguments)], written


def _behind(opening: str, prompt: str) -> str:
    """What is written behind a generation prompt, as the model would have gone on."""
    if prompt.startswith(opening):
        return prompt[len(opening) :]
    at = prompt.index("Qplaceq?") + len("Qplaceq?")
    pairs = enumerate(zip(prompt, opening, strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), at)
    start = prompt.rfind("<", at, shared)
    return prompt[start:] if start >= 0 and ">" not in prompt[start:shared] else prompt[shared:]
