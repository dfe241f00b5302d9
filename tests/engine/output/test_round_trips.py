"""A call that a template writes is read back as itself, whatever its arguments say."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import TemplateError
from desktop.engine.chat import ToolCall
from desktop.engine.output.learn import learn_output
from tests.engine.output.call_templates import ONE_CALL, TEMPLATES
from tests.engine.output.reading import cuts, parser, read
from tests.engine.output.writing import Template

CONTENT = "Ich sehe nach."
HOSTILE: tuple[Mapping[str, Any], ...] = (
    {"city": "Berlin"},
    {"city": "Köln ☃ 😀"},
    {"city": "a \"quoted\" 'word'"},
    {"city": "it's"},
    {"city": "line1\nline2\n"},
    {"city": "\n\nlead"},
    {"city": 'back\\slash \\n \\" end\\'},
    {"city": ""},
    {"city": "  two  "},
    {"city": "</tool_call>"},
    {"city": "<tool_call>"},
    {"city": "x</parameter>y"},
    {"city": "</arg_value>"},
    {"city": "</function>"},
    {"city": "}"},
    {"city": '{"a": [1'},
    {"city": "]"},
    {"city": "[TOOL_CALLS]"},
    {"city": "5"},
    {"city": "true"},
    {"city": "None"},
    {"city": '{"a": 1}'},
    {"city": "<think>x</think>"},
    {"city": "tab\there"},
    {"city": "a,b=c)"},
    {"city": "]]>"},
    {"city": '<|"|>'},
    {"city": "```json\n{}\n```"},
    {"days": 5},
    {"days": -3, "exact": True},
    {"exact": False},
    {"ratio": 1.5e-7},
    {"nothing": None},
    {"tags": ["a", "b's", 'c"d', "e\nf", ""]},
    {"more": {"deep": {"er": {"est": [1, [2, [3, {"y": True, "z": "it's"}]]]}}}},
    {"city": "Berlin", "days": 3, "exact": True, "tags": ["x", "y"], "note": "end"},
    {},
)

FOLDER = os.environ.get("HAUSGEIST_TEMPLATES", "")
REAL = sorted(Path(FOLDER).glob("*.jinja")) if FOLDER else []
SOURCES = {**TEMPLATES, **{path.stem: path.read_text("utf-8") for path in REAL}}
DROPS_NULL = frozenset({"MiniMax-M3"})


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("content", ["", CONTENT])
def test_what_a_template_writes_is_read_back(name: str, content: str) -> None:
    template = Template(SOURCES[name])
    output = learn_output(template.writes, template.opening(), template.with_tools())
    dice = random.Random(name + content)
    opening = template.opening()
    for arguments in HOSTILE:
        for calls in _calls(arguments):
            written = _written(template, content, calls)
            if written is None:
                assert len(calls) > 1
                continue
            expected = [(call.name, json.loads(call.arguments)) for call in calls]
            if name in ONE_CALL or calls[-1].name not in written:
                expected = expected[:1]
            results = []
            for portions in cuts(written, dice):
                found = read(parser(output, prompt_end=opening), portions)
                results.append(found)
            assert all(found == results[0] for found in results), (arguments, written)
            found_calls = [(call, json.loads(text)) for call, text in results[0].calls]
            assert found_calls == expected or name in DROPS_NULL, (arguments, written)


def _calls(arguments: Mapping[str, Any]) -> list[tuple[ToolCall, ...]]:
    text = json.dumps(arguments, ensure_ascii=False)
    first = ToolCall("qIdentA01", "get_weather", text)
    if len(arguments) == 1 and "days" not in arguments:
        return [(first,)]
    ping = ToolCall("qIdentC03", "ping", "{}")
    return [(first,), (first, ToolCall("qIdentB02", "get_weather_now", text)), (ping, first)]


def _written(template: Template, content: str, calls: tuple[ToolCall, ...]) -> str | None:
    """What the model would have written behind the prompt's end; None where it is refused."""
    output = learn_output(template.writes, template.opening(), template.with_tools())
    if not output.taught:
        text = template.writes("Qhereq", ()).partition("Qhereq")[0]
        text += content + output.calls.write(calls)
    else:
        try:
            text = template.writes(content, calls)
        except TemplateError:
            return None
    opening = template.opening()
    if text.startswith(opening):
        return text[len(opening) :]
    pairs = enumerate(zip(text, opening, strict=False))
    shared = next((place for place, (one, other) in pairs if one != other), len(text))
    start = text.rfind("<", 0, shared)
    return text[start:] if start >= 0 and ">" not in text[start:shared] else text[shared:]


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_family_is_found_in_what_is_written(name: str) -> None:
    template = Template(TEMPLATES[name])
    output = learn_output(template.writes, template.opening(), template.with_tools())
    family = name.partition("_")[0]
    families = {"recipient": "named", "addressed": "channels"}
    known = ("named", "tagged", "pythonic", "gemma", "channels")
    assert output.calls.family == families.get(family, family if family in known else "json")
    assert output.taught == (name != "untaught")


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_format_writes_itself_is_read_back(name: str) -> None:
    template = Template(TEMPLATES[name])
    output = learn_output(template.writes, template.opening(), template.with_tools())
    for arguments in HOSTILE:
        calls = _calls(arguments)[-1]
        written = output.calls.write(calls)
        found = read(parser(output), [written])
        assert [(call, json.loads(text)) for call, text in found.calls] == [
            (call.name, json.loads(call.arguments)) for call in calls
        ], written
        assert found.text.strip() == ""
