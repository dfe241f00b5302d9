"""Forced calls: whatever a grammar lets a model write is read as calls that fit the tools."""

from __future__ import annotations

import contextlib
import json
import random
import time

import pytest

from desktop.common.errors import RequestError
from desktop.engine.chat import Tool, ToolCall
from desktop.engine.constraint import Grammar
from desktop.engine.grammar.automaton import Automaton, State
from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.grammar import check_grammar
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.output.learn import learn_output
from desktop.engine.output.output_format import OutputFormat
from desktop.engine.templates.tool_grammar import lazy_gate, tool_grammar
from desktop.engine.templates.tool_rules import text_without
from tests.engine.output.call_templates import TEMPLATES
from tests.engine.output.reading import parser, read
from tests.engine.output.writing import Template
from tests.engine.schema_checks import holds, write

SCHEMA = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 14},
        "exact": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3},
        "place": {
            "type": "object",
            "properties": {"lat": {"type": "number"}, "name": {"type": "string"}},
            "required": ["lat"],
        },
        "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["city", "days"],
}
TOOLS = (
    Tool("get_weather", "The weather", SCHEMA),
    Tool("ping", "Nothing", {"type": "object", "properties": {}}),
    Tool("any", "Anything"),
)
LOOSE_INSIDE = frozenset({"gemma"})
"""Families whose grammar leaves free what stands inside of an argument's object or list."""
NAMES = list(TEMPLATES)


def _output(name: str) -> OutputFormat:
    template = Template(TEMPLATES[name])
    return learn_output(template.writes, template.opening(), template.with_tools())


def _automaton(grammar: Grammar) -> Automaton:
    check_grammar(grammar)
    return Automaton(Graph(parse(grammar.text), grammar.root))


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_written_is_a_call_that_fits(name: str) -> None:
    output = _output(name)
    made = _automaton(tool_grammar(output.calls, TOOLS))
    dice = random.Random(name)
    names = set()
    for _ in range(25):
        written = write(made, dice, 1500)
        if written is None:
            continue
        found = read(parser(output, tools=TOOLS), [written])
        assert found.calls, written
        assert found.text.strip() == "", written
        for call, arguments in found.calls:
            names.add(call)
            tool = next(tool for tool in TOOLS if tool.name == call)
            value = json.loads(arguments)
            if output.calls.family in LOOSE_INSIDE:
                assert set(tool.parameters.get("required", ())) <= set(value)
            else:
                assert holds(tool.parameters, value), (arguments, written)
    assert len(names) > 1


@pytest.mark.parametrize("name", NAMES)
def test_what_the_format_writes_is_allowed(name: str) -> None:
    output = _output(name)
    made = _automaton(tool_grammar(output.calls, TOOLS))
    calls = (
        ToolCall("qIdentA01", "get_weather", '{"city": "Köln <x>", "days": 3, "exact": true}'),
        ToolCall("qIdentB02", "ping", "{}"),
    )
    for row in (calls, calls[:1], calls[1:]):
        made.rest()
        written = output.calls.write(row if output.calls.family != "channels" else row[:1])
        written = written.removesuffix("<|call|>").removesuffix("<|eot|>")
        state = made.walk(made.start, written.encode())
        assert state is not None, written
        assert state.complete, written


def test_a_forced_tool_is_the_only_one() -> None:
    output = _output("hermes")
    made = _automaton(tool_grammar(output.calls, TOOLS, forced="ping"))
    for _ in range(20):
        written = write(made, random.Random(1), 1500)
        assert written is not None
        assert {call for call, _ in read(parser(output, tools=TOOLS), [written]).calls} == {"ping"}
    with pytest.raises(RequestError) as raised:
        tool_grammar(output.calls, TOOLS, forced="pong")
    assert raised.value.kind == "unknown_tool"


def test_one_call_where_several_are_not_wanted() -> None:
    output = _output("hermes")
    made = _automaton(tool_grammar(output.calls, TOOLS, parallel=False))
    call = ToolCall("", "ping", "{}")
    for count, allowed in ((1, True), (2, False)):
        made.rest()
        state = made.walk(made.start, output.calls.write([call] * count).encode())
        assert (state is not None and state.complete) == allowed


def test_words_that_stand_there_already_are_not_asked_for_again() -> None:
    output = _output("hermes")
    gate = lazy_gate(output.calls)
    assert gate is not None
    assert (gate.close, gate.is_open, gate.optional) == ("<tool_call>", True, True)
    made = _automaton(tool_grammar(output.calls, TOOLS, begun=gate.close))
    written = output.calls.write([ToolCall("", "ping", "{}")]).removeprefix("<tool_call>")
    state = made.walk(made.start, written.encode())
    assert state is not None
    assert state.complete


def test_a_message_to_a_tool_is_bound_from_its_name_on() -> None:
    output = _output("channels")
    gate = lazy_gate(output.calls)
    assert gate is not None
    assert gate.close == "to=functions."
    made = _automaton(tool_grammar(output.calls, TOOLS, begun=gate.close))
    for written in (
        "ping<|channel|>commentary json<|message|>{}",
        "ping <|constrain|>json<|message|>{}",
    ):
        state = made.walk(made.start, written.encode())
        assert state is not None, written
        assert state.complete
    assert made.walk(made.start, b"<|start|>assistant") is None


@pytest.mark.parametrize("name", ["llama", "addressed"])
def test_where_nothing_announces_a_call_no_grammar_waits_for_one(name: str) -> None:
    assert lazy_gate(_output(name).calls) is None


def test_control_tokens_stand_in_literals_of_their_own() -> None:
    output = _output("tagged")
    text = tool_grammar(output.calls, TOOLS, marks=("<tool_call>", "</tool_call>")).text
    assert '"<tool_call>" "\\n<function="' in text


@pytest.mark.parametrize("word", ["</parameter>", '<|"|>', "<a", "x", "<|close|>argument<|sep|>"])
def test_text_without_a_word(word: str) -> None:
    made = _automaton(Grammar(f"root ::= {text_without(word)}"))

    def allowed(text: str) -> bool:
        made.rest()
        state = made.walk(made.start, text.encode())
        return state is not None and state.complete

    assert allowed("")
    assert allowed("words\nä😀")
    assert not allowed(word)
    assert not allowed(f"a{word}b")
    for length in range(1, len(word)):
        beginning = word[:length]
        if word.find(word[0], 1) < 0 or length < word.find(word[0], 1):
            assert allowed(beginning)
            assert allowed(beginning + beginning + "~")
            assert not allowed(beginning + word)


def test_many_optional_arguments_make_no_long_grammar() -> None:
    properties = {f"key{number}": {"type": "string"} for number in range(300)}
    tools = (Tool("wide", "", {"type": "object", "properties": properties}),)
    for name in ("tagged", "pythonic", "gemma"):
        text = tool_grammar(_output(name).calls, tools).text
        assert len(text) < 300 * 400
        made = _automaton(Grammar(text))
        written = _output(name).calls.write(
            [ToolCall("", "wide", '{"key3": "a", "key7": "b", "key299": "c"}')]
        )
        state: State | None = made.start
        for byte in written.encode():
            made.rest()  # as between two tokens
            assert state is not None, written
            state = made.step(state, byte)
        assert state is not None, written
        assert state.complete


def _deep(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize("name", ["hermes", "tagged", "pythonic", "gemma", "channels", "addressed"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "object", "properties": 5},
        {"type": "object", "properties": {"a": 5}},
        {"type": "object", "properties": {"a": {"type": "x"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}},
        {"type": "object", "properties": {"a": {"pattern": "a{5,1}"}}},
        {"type": "object", "properties": {"a": {}}, "required": 5},
        _deep(400),
    ],
)
def test_schemas_that_cannot_be_said_are_refused(name: str, parameters: dict[str, object]) -> None:
    with pytest.raises(RequestError) as raised:
        check_grammar(tool_grammar(_output(name).calls, (Tool("bad", "", parameters),)))
    assert raised.value.kind in ("bad_schema", "grammar_too_large", "grammar_too_complex")


@pytest.mark.parametrize("name", ["hermes", "tagged", "pythonic", "gemma"])
def test_wide_schemas_and_many_tools_take_no_time(name: str) -> None:
    output = _output(name)
    wide = {f"k{number}": {"enum": ["a", "b"]} for number in range(5000)}
    many = tuple(Tool(f"tool_{number}", "", SCHEMA) for number in range(128))
    for tools in ((Tool("wide", "", {"type": "object", "properties": wide}),), many):
        started_s = time.process_time()
        with contextlib.suppress(RequestError):  # too large is an answer, too
            check_grammar(tool_grammar(output.calls, tools))
        assert time.process_time() - started_s < 5.0


def test_names_and_keys_with_signs_of_their_own() -> None:
    properties = {'ke"y': {"type": "string"}}
    tool = Tool('na"me\\', "", {"type": "object", "properties": properties, "required": ['ke"y']})
    output = _output("hermes")
    made = _automaton(tool_grammar(output.calls, (tool,)))
    written = write(made, random.Random(2), 3000)
    assert written is not None
    ((name, arguments), *_) = read(parser(output, tools=(tool,)), [written]).calls
    assert name == tool.name
    assert set(json.loads(arguments)) == {'ke"y'}
