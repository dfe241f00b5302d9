"""Calls from a request to its events, on a whole engine whose model writes by chance."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.engine.chat import Chat, Message, Tool
from desktop.engine.events import Event, Failed, Finished, Text, ToolCallPart
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from tests.engine.driving import GREEDY, plan_for
from tests.engine.output.call_templates import TEMPLATES
from tests.engine.schema_checks import holds
from tests.tiny_models import vocabulary, write_tiny_model

ASK = Message("user", "Wie wird das Wetter in Köln?")
WEATHER = Tool(
    "get_weather",
    "The weather",
    {
        "type": "object",
        "properties": {
            "days": {"type": "integer", "minimum": 1, "maximum": 9},
            "unit": {"enum": ["celsius", "kelvin"]},
            "exact": {"type": "boolean"},
        },
        "required": ["days", "unit"],
    },
)
PING = Tool("ping", "Nothing")
MARKS = ("[TOOL_CALLS]", "[ARGS]", "<|open|>", "<|close|>", "<|sep|>", "<|tool_call>", '<|"|>')
Open = Callable[[str], LocalEngine]


@pytest.fixture(scope="module")
def open_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """`open_with(name)`: a model with that template, whose tags are control tokens."""
    size = 288
    pieces = list(vocabulary(size))
    pieces[-len(MARKS) :] = MARKS
    path: Path = write_tiny_model(
        tmp_path_factory.mktemp("tools") / "m.gguf",
        vocab=size,
        seed=5,
        metadata={"tokenizer.ggml.tokens": pieces},
    )
    with ExitStack() as opened:
        engines: dict[str, LocalEngine] = {}

        def make(name: str) -> LocalEngine:
            if name not in engines:
                engine = load(path, plan_for(context=2048), template=TEMPLATES[name])
                engines[name] = opened.enter_context(closing(engine))
            return engines[name]

        yield make


def events(engine: LocalEngine, chat: Chat, seed: int, **fields: object) -> list[Event]:
    sampling = Sampling(temperature=2.0, top_k=0, top_p=1.0, min_p=0.0, seed=seed)
    request = Request("r", chat=chat, max_tokens=600, sampling=sampling)
    heard = list(engine.submit(replace(request, **fields)))  # type: ignore[arg-type]
    assert not isinstance(heard[-1], Failed), heard[-1]
    return heard


def calls_in(heard: list[Event]) -> list[tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for event in heard:
        if isinstance(event, ToolCallPart):
            name, arguments = found.get(event.index, ("", ""))
            found[event.index] = (name + event.name, arguments + event.arguments)
    return list(found.values())


@pytest.mark.parametrize(
    "name",
    ["hermes", "llama", "named", "tagged", "tagged_tokens", "pythonic", "gemma", "channels"],
)
def test_a_required_call_comes_and_fits(name: str, open_with: Open) -> None:
    engine = open_with(name)
    chat = Chat((ASK,), (WEATHER, PING), tool_choice="required", parallel_tools=False)
    for seed in range(3):
        heard = events(engine, replace(chat, forced_tool="get_weather"), seed)
        end = heard[-1]
        assert isinstance(end, Finished)
        (call,) = calls_in(heard)
        assert call[0] == "get_weather"
        assert not any(isinstance(event, Text) and event.text.strip() for event in heard)
        if end.reason == "length":
            continue
        assert end.reason == "tool_calls"
        assert holds(WEATHER.parameters, json.loads(call[1])), call[1]


def test_several_calls_where_that_is_wanted(open_with: Open) -> None:
    engine = open_with("hermes")
    chat = Chat((ASK,), (WEATHER,), tool_choice="required")
    ends = tuple((token, -math.inf) for token in range(288) if token not in range(256))
    sampling = Sampling(temperature=1.0, top_k=0, seed=3, logit_bias=ends)
    found = calls_in(events(engine, chat, 3, sampling=sampling))
    assert len(found) > 1
    for name, arguments in found[:-1]:
        assert name == "get_weather"
        assert holds(WEATHER.parameters, json.loads(arguments))


@pytest.mark.parametrize("name", ["hermes", "tagged_tokens"])
def test_no_calls_where_none_are_wanted(name: str, open_with: Open) -> None:
    chat = Chat((ASK,), (WEATHER,), tool_choice="none")
    heard = events(open_with(name), chat, 1, max_tokens=40, sampling=GREEDY)
    assert calls_in(heard) == []


def test_a_call_that_begins_by_itself_is_bound_from_there_on(open_with: Open) -> None:
    # A bias makes the announcing token likely; nothing forces it.
    engine = open_with("named")
    (mark,) = engine.tokenize("[TOOL_CALLS]", add_special=False)
    sampling = Sampling(temperature=1.0, top_k=0, seed=3, logit_bias=((mark, 12.0),))
    chat = Chat((ASK,), (WEATHER,), parallel_tools=False)
    heard = events(engine, chat, 3, sampling=sampling)
    (call,) = calls_in(heard)
    assert call[0] == "get_weather"
    assert holds(WEATHER.parameters, json.loads(call[1]))
    assert isinstance(heard[-1], Finished)
    assert heard[-1].reason == "tool_calls"


def test_stop_strings_end_no_call_in_the_middle(open_with: Open) -> None:
    chat = Chat((ASK,), (WEATHER,), tool_choice="required", parallel_tools=False)
    heard = events(open_with("hermes"), chat, 2, stop=("e", '"', "<|im_end|>"))
    ((name, arguments),) = calls_in(heard)
    assert name == "get_weather"
    assert holds(WEATHER.parameters, json.loads(arguments))


def test_stop_strings_end_the_text_where_tools_are_offered(open_with: Open) -> None:
    engine = open_with("hermes")
    plain = Chat((ASK,), (WEATHER,))
    sampling = Sampling(temperature=1.0, top_k=0, seed=11)
    whole = "".join(
        event.text
        for event in events(engine, plain, 0, max_tokens=40, sampling=sampling)
        if isinstance(event, Text)
    )
    stop = next(whole[place] for place in range(8, len(whole)) if whole[place] not in whole[:8])
    heard = events(engine, plain, 0, max_tokens=40, sampling=sampling, stop=(stop,))
    text = "".join(event.text for event in heard if isinstance(event, Text))
    assert text == whole[: whole.index(stop)]
    end = heard[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.stop_string) == ("stop", stop)
