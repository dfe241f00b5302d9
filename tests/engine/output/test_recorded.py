"""Calls as models of each family really write them, not only as their templates do."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from desktop.engine.output.learn import learn_output
from tests.engine.output.call_templates import TEMPLATES
from tests.engine.output.reading import cuts, parser, read
from tests.engine.output.writing import Template

BERLIN = ("get_weather", {"city": "Berlin"})
PING: tuple[str, dict[str, Any]] = ("ping", {})


@pytest.mark.parametrize(
    ("template", "written", "text", "calls"),
    [
        ("llama", '{"name": "get_weather", "parameters": {"city": "Berlin"}}', "", [BERLIN]),
        (
            "llama",
            '<|python_tag|>{"type": "function", "name": "get_weather", '
            '"parameters": {"city": "Berlin"}}',
            "",
            [BERLIN],
        ),
        (
            "llama",
            '{"name": "get_weather", "parameters": {"city": "Berlin"}}; '
            '{"name": "ping", "parameters": {}}',
            "",
            [BERLIN, PING],
        ),
        ("llama", '{"city": "Berlin"} is JSON.', '{"city": "Berlin"} is JSON.', []),
        ("llama", 'Use {"name": "ping", "parameters": {}}.', None, []),
        (
            "named",
            '[TOOL_CALLS]get_weather[ARGS]{"city": "Berlin"}[TOOL_CALLS]ping[ARGS]{}',
            "",
            [BERLIN, PING],
        ),
        ("named", "Moment. [TOOL_CALLS] ping [ARGS] {}", "Moment.", [PING]),
        (
            "id_last",
            '[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Berlin"}}]',
            "",
            [BERLIN],
        ),
        (
            "named_number",
            'So.<|calls|><|call|>functions.get_weather:7<|args|>{"city":"Berlin"}<|/call|>'
            "<|call|>functions.ping:8<|args|>{}<|/call|><|/calls|>",
            "So.",
            [BERLIN, PING],
        ),
        ("named_tag", '<function=get_weather>{"city": "Berlin"}</function>', "", [BERLIN]),
        (
            "named_fence",
            '<｜calls｜><｜call｜>function<｜sep｜>get_weather\n```json\n{"city": "Berlin"}\n```'
            "<｜/call｜><｜/calls｜>",
            "",
            [BERLIN],
        ),
        (
            "pythonic",
            '<|tool_call_start|>[get_weather(city="Berlin", days=3, tags=[\'a\', "b"], '
            'more={"x": True, "y": None}), ping()]<|tool_call_end|>',
            "",
            [
                (
                    "get_weather",
                    {
                        "city": "Berlin",
                        "days": 3,
                        "tags": ["a", "b"],
                        "more": {"x": True, "y": None},
                    },
                ),
                PING,
            ],
        ),
        ("pythonic", "<|tool_call_start|>ping()<|tool_call_end|>ok", "ok", [PING]),
        (
            "gemma",
            '<|tool_call>call:get_weather{city:<|"|>Berlin<|"|>}<tool_call|>',
            "",
            [BERLIN],
        ),
        ("tagged_pairs", "<tool_call>ping</tool_call>", "", [PING]),
        (
            "tagged_pairs",
            "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Berlin</arg_value></tool_call>",
            "",
            [BERLIN],
        ),
        (
            "tagged_section",
            '<invoke name="get_weather">\n<parameter name="city">Berlin</parameter>\n</invoke>',
            "",
            [BERLIN],
        ),
        (
            "tagged_python",
            "<tool_call>\n<function=get_weather>\n<parameter=exact>\nTrue\n</parameter>\n"
            "<parameter=nothing>\nNone\n</parameter>\n</function>\n</tool_call>",
            "",
            [("get_weather", {"exact": True, "nothing": None})],
        ),
        (
            "words_before",
            'Plan.\nAction: ```json\n[\n  {\n    "tool_name": "get_weather",\n    "parameters": '
            '{\n      "city": "Berlin"\n    }\n  }\n]\n```',
            "Plan.",
            [BERLIN],
        ),
        ("words_before", "Action: none.", "Action: none.", []),
        (
            "numbered",
            "<|START_RESPONSE|>Hallo.<|END_RESPONSE|>",
            "Hallo.",
            [],
        ),
    ],
)
def test_recorded(template: str, written: str, text: str | None, calls: list[Any]) -> None:
    made = Template(TEMPLATES[template])
    output = learn_output(made.writes, made.opening(), made.with_tools())
    for portions in cuts(written, random.Random(1)):
        found = read(parser(output), portions)
        assert [(name, json.loads(arguments)) for name, arguments in found.calls] == calls
        assert found.text == (written if text is None else text)
