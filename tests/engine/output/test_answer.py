"""Answers taken apart while they are written."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.constraint import Gate
from desktop.engine.events import Text, ToolCallPart
from desktop.engine.output import known_formats
from desktop.engine.output.answer import answer_parser
from desktop.engine.output.channels import ChannelCalls
from desktop.engine.output.frame import words_of
from desktop.engine.output.learn import learn_output
from desktop.engine.output.output_format import OutputFormat
from tests.engine.output.call_templates import TEMPLATES
from tests.engine.output.reading import TOOLS, Read, cuts, parser, read
from tests.engine.output.writing import Template

HERMES = OutputFormat(known_formats.HERMES)
CODER = OutputFormat(known_formats.QWEN_CODER)
CHANNELS = OutputFormat(ChannelCalls())
THINK = Gate("<think>", "</think>")
OPEN = Gate("<think>", "</think>", is_open=True)
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Berlin"}}\n</tool_call>'


def _output(name: str) -> OutputFormat:
    template = Template(TEMPLATES[name])
    return learn_output(template.writes, template.opening(), template.with_tools())


def test_the_name_comes_as_soon_as_it_is_known_and_arguments_in_pieces() -> None:
    made = parser(HERMES)
    assert made.feed('Gut.\n<tool_call>\n{"name": "get_wea') == [Text("1", "Gut.")]
    assert made.feed('ther", ') == [ToolCallPart("1", 0, "call_0", "get_weather", "")]
    assert made.called
    assert made.feed('"arguments": {"ci') == [ToolCallPart("1", 0, "", "", '{"ci')]
    assert made.feed('ty": "Köln"') == [ToolCallPart("1", 0, "", "", 'ty": "Köln"')]
    assert made.feed("}}\n</tool") == [ToolCallPart("1", 0, "", "", "}")]
    assert made.feed("_call>") == []
    assert made.finish() == []


def test_words_of_an_argument_between_tags_come_while_they_are_written() -> None:
    made = parser(CODER)
    made.feed("<tool_call>\n<function=get_weather>\n<parameter=city>\n")
    assert made.feed('Ber"lin') == [ToolCallPart("1", 0, "", "", 'Ber\\"lin')]
    assert made.feed("\n</para") == []
    pieces = made.feed("meter>\n<parameter=days>\n3")
    assert pieces == [ToolCallPart("1", 0, "", "", '","days":')]
    pieces = made.feed("\n</parameter>\n</function>\n</tool_call>")
    assert pieces == [ToolCallPart("1", 0, "", "", "3}")]


def test_text_comes_at_once() -> None:
    made = parser(HERMES, gate=THINK)
    assert made.feed("Eins < zwei") == [Text("1", "Eins < zwei")]
    assert made.feed(" und <b>") == [Text("1", " und <b>")]
    assert made.feed(" so\n\n") == [Text("1", " so")]
    assert made.feed("weiter") == [Text("1", "\n\nweiter")]
    assert made.feed("<tool_cal") == []
    assert made.feed("ed>") == [Text("1", "<tool_caled>")]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>",
        '<tool_call>\n{"name": "unknown", "arguments": {}}\n</tool_call>',
        '<tool_call>{"nam',
        "<tool_call>\nget_weather</tool_call>",
        '<tool_call>["name"]</tool_call>',
        '<tool_call>{"a": {"name": "get_weather"}}</tool_call>',
        "  leading and trailing \n ",
        "</tool_call> </think> <think> {",
        "\n",
        "",
    ],
)
def test_what_only_looks_like_a_call_stays_text(text: str) -> None:
    for portions in cuts(text, random.Random(1)):
        assert read(parser(HERMES), portions) == Read(text, "", ())


@pytest.mark.parametrize(
    ("gate", "text", "expected"),
    [
        (THINK, "<think>\nHm.\n</think>\n\nJa.", ("Ja.", "Hm.")),
        (THINK, "\n<think>Hm.</think>Ja.", ("Ja.", "Hm.")),
        (OPEN, "Hm.\n\nSo.\n</think>\nJa.", ("Ja.", "Hm.\n\nSo.")),
        (OPEN, "Hm. <think> ist ein Wort.</think>Ja.", ("Ja.", "Hm. <think> ist ein Wort.")),
        (OPEN, "Hm.", ("", "Hm.")),
        (OPEN, "Hm.</thin", ("", "Hm.</thin")),
        (THINK, "Ja. <think>kein Denken</think>", ("Ja. <think>kein Denken</think>", "")),
        (THINK, "</think>\nJa.", ("Ja.", "")),
        (THINK, "<think></think>Ja.", ("Ja.", "")),
        (None, "<think>Ja.", ("<think>Ja.", "")),
    ],
)
def test_reasoning_is_told_apart(gate: Gate | None, text: str, expected: tuple[str, str]) -> None:
    for portions in cuts(text, random.Random(2)):
        assert read(parser(HERMES, gate=gate), portions) == Read(*expected, ())


def test_reasoning_then_text_then_calls() -> None:
    text = f"<think>\nIch brauche das Wetter.\n</think>\n\nMoment.\n\n{CALL}\n{CALL}"
    call = ("get_weather", '{"city": "Berlin"}')
    expected = Read("Moment.", "Ich brauche das Wetter.", (call, call))
    for portions in cuts(text, random.Random(3)):
        assert read(parser(HERMES, gate=THINK), portions) == expected


def test_what_looks_like_a_call_in_the_reasoning_is_reasoning() -> None:
    text = f"Vielleicht {CALL}?</think>Nein."
    found = read(parser(HERMES, gate=OPEN), [text])
    assert found == Read("Nein.", f"Vielleicht {CALL}?", ())


def test_a_call_by_control_tokens_ends_the_reasoning() -> None:
    output = _output("numbered")
    text = 'Hm.<|START_ACTION|>[{"tool_name": "ping", "parameters": {}}]<|END_ACTION|>'
    found = read(parser(output, gate=OPEN), [text])
    assert found == Read("", "Hm.", (("ping", "{}"),))


def test_text_behind_a_call_is_text() -> None:
    found = read(parser(HERMES), [f"{CALL}\n\nDas war's, {{}}."])
    assert found.text == "Das war's, {}."
    assert len(found.calls) == 1


def test_one_call_is_enough_where_several_are_not_wanted() -> None:
    made = parser(HERMES, parallel=False)
    pieces = made.feed(f"{CALL}{CALL}")
    assert made.wants_stop
    assert {piece.index for piece in pieces if isinstance(piece, ToolCallPart)} == {0}
    assert made.feed("mehr") == ()
    assert made.finish() == ()


def test_without_tools_nothing_is_a_call() -> None:
    made = parser(HERMES, tools=())
    assert read(made, [f"a {CALL} "]) == Read(f"a {CALL} ", "", ())
    assert not made.called


@pytest.mark.parametrize(
    ("written", "arguments"),
    [
        ('{"arguments": {"city": "B"}, "name": "get_weather"}', {"city": "B"}),
        ('{"name":"get_weather","parameters":{"city":"B"}}', {"city": "B"}),
        ('{"type": "function", "function": {"name": "get_weather", "arguments": {}}}', {}),
        ('{"name": "get_weather", "arguments": "{\\"city\\": \\"B\\"}"}', {"city": "B"}),
        ('{"name": "get_weather"}', {}),
        ('{"name": "get_weather", "arguments": null}', {}),
        (
            '{"id": "call_123456", "name": "get_weather", "arguments": {"a": [1, {}]}}',
            {"a": [1, {}]},
        ),
        ('{\n  "name": "get_weather",\n  "arguments": {\n    "city": "B"\n  }\n}', {"city": "B"}),
        ('[{"name": "get_weather", "arguments": {"city": "B"}}]', {"city": "B"}),
        ('{"name": "get_weather", "arguments": {"city": "B"}', {"city": "B"}),
        ('{"name": "get_weather", "arguments": {"city": {"a": ["B"', {"city": {"a": ["B"]}}),
        ('{"name": "get_weather", "arguments": {"city": "a\nb"}}', {"city": "a\nb"}),
    ],
)
def test_objects_as_models_write_them(written: str, arguments: object) -> None:
    for portions in cuts(f"<tool_call>\n{written}\n</tool_call>", random.Random(4)):
        found = read(parser(HERMES), portions)
        assert found.text == ""
        ((name, text),) = found.calls
        assert (name, json.loads(text)) == ("get_weather", arguments)


@pytest.mark.parametrize(
    "written",
    [
        "<function=get_weather>\n<parameter=city>\nBerlin\n</parameter>\n</function>",
        "<tool_call><function=get_weather><parameter=city>Berlin</parameter></function></tool_call>",
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nBerlin\n</parameter>\n</function>",
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nBerlin\n</parameter>",
    ],
)
def test_tags_as_models_leave_them_out(written: str) -> None:
    for portions in cuts(written, random.Random(5)):
        found = read(parser(CODER), portions)
        ((name, text),) = found.calls
        assert (name, json.loads(text)) == ("get_weather", {"city": "Berlin"})


def test_an_answer_cut_short_keeps_what_there_was() -> None:
    found = read(parser(HERMES), [CALL[: CALL.index("lin")]])
    assert found.calls == (("get_weather", '{"city": "Ber'),)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Ja.",
            Read("Ja.", "Hm.", ()),
        ),
        (
            "<|channel|>commentary<|message|>Moment.<|end|><|start|>assistant<|channel|>commentary "
            'to=functions.ping <|constrain|>json<|message|>{"a": 1}<|call|>',
            Read("Moment.", "", (("ping", '{"a": 1}'),)),
        ),
        (
            ' to=functions.ping<|channel|>commentary json<|message|>{"a": 1}',
            Read("", "", (("ping", '{"a": 1}'),)),
        ),
        ("<|channel|>analysis to=functions.ping<|message|>{}", Read("", "", (("ping", "{}"),))),
        ("Ganz ohne Kanal.", Read("Ganz ohne Kanal.", "", ())),
        ("<|start|>assistant irgendwas", Read("<|start|>assistant irgendwas", "", ())),
        ("<|channel|>final<|message|>a<b", Read("a<b", "", ())),
    ],
)
def test_channels(written: str, expected: Read) -> None:
    for portions in cuts(written, random.Random(6)):
        assert read(parser(CHANNELS), portions) == expected


def test_names_that_are_words_of_the_channels_too() -> None:
    tools = (Tool("final"), Tool("my tool"), Tool("two\nlines"))
    text = "<|channel|>final<|message|>Ja.<|end|><|start|>assistant to=functions.my tool<|message|>"
    text += "{}<|call|><|start|>assistant to=functions.two\nlines<|message|>{}"
    expected = Read("Ja.", "", (("my tool", "{}"), ("two\nlines", "{}")))
    for portions in cuts(text, random.Random(8)):
        assert read(parser(CHANNELS, tools=tools), portions) == expected


@pytest.mark.parametrize("name", ["channels", "tagged", "tagged_types"])
def test_very_long_names_are_none(name: str) -> None:
    output = _output(name)
    long = "x" * 600
    for text in (
        f" to={long}<|message|>{{}}",
        f"<tool_call>\n<function=get_weather>\n<parameter={long}>\n1\n</parameter>\n</function>",
        f'<｜M｜calls><｜M｜invoke name="ping"><｜M｜parameter name="{long}" string="true">x',
    ):
        results = [read(parser(output), portions) for portions in cuts(text, random.Random(9))]
        assert all(found == results[0] for found in results)


@pytest.mark.parametrize(
    ("text", "stop", "expected", "found"),
    [
        ("eins zwei drei", ("zwei",), "eins ", "zwei"),
        ("eins zwei drei", ("vier", "drei"), "eins zwei ", "drei"),
        ("eins zw", ("zwei",), "eins zw", ""),
        ("<think>zwei</think>eins", ("zwei",), "eins", ""),
        (f"eins{CALL}", ("Berlin",), "eins", ""),
        (f"eins{CALL}zwei", ("zwei",), "eins", "zwei"),
        ("eins\n\nzwei", ("\n\n",), "eins", "\n\n"),
    ],
)
def test_stop_strings_end_the_text_alone(
    text: str, stop: tuple[str, ...], expected: str, found: str
) -> None:
    for portions in cuts(text, random.Random(10)):
        made = answer_parser("1", HERMES, THINK, TOOLS, stop=stop)
        assert read(made, portions).text == expected
        assert (made.stop_string, made.wants_stop) == (found, bool(found))


def test_a_prompt_that_opens_the_reasoning_channel() -> None:
    made = parser(CHANNELS, gate=Gate("<|channel|>analysis<|message|>", "<|end|>", is_open=True))
    text = "Hm.<|end|><|start|>assistant<|channel|>final<|message|>Ja."
    assert read(made, [text]) == Read("Ja.", "Hm.", ())


def test_what_the_prompt_has_begun_belongs_to_the_answer() -> None:
    output = _output("recipient")
    found = read(parser(output, prompt_end="...>>>"), ['get_weather\n{"city": "B"}>>>ping\n{}'])
    assert found.calls == (("get_weather", '{"city": "B"}'), ("ping", "{}"))
    assert read(parser(output, prompt_end="...>>>"), ["all\nHallo >>> du"]).text == "Hallo >>> du"


def test_words_around_an_answer_are_none_of_it() -> None:
    output = _output("tagged_tokens")
    text = "<|open|>response<|sep|>Hallo.<|close|>response<|sep|>" + output.calls.write(
        [ToolCall("", "ping", "{}")]
    )
    assert read(parser(output), [text]) == Read("Hallo.", "", (("ping", "{}"),))
    assert read(parser(output, tools=()), [text]).text.startswith("Hallo.")


def test_messages_of_their_own_within_an_answer() -> None:
    output = _output("named_messages")
    gate = Gate("<|think|>", "<|end|>")
    call = "<|tool_calls|><|call|>qIdentA01<|name|>ping<|args|>{}<|/call|><|calls|>"
    text = f"<|think|>Hm.<|end|><|begin|>assistant<|content|>Ja.<|end|><|begin|>assistant{call}"
    for portions in cuts(text, random.Random(7)):
        assert read(parser(output, gate=gate), portions) == Read("Ja.", "Hm.", (("ping", "{}"),))


def _pieces_of(output: OutputFormat) -> Sequence[str]:
    words = [word for text in output.framing for word in words_of(text)]
    own = ["get_weather", "ping", '{"name": "get_weather"', '"arguments": {', "city", "<think>"]
    return [
        *output.framing,
        *words,
        *own,
        *"{}[]\"'():,=\\<>\n 5x",
        "</",
        "</think>",
        "true",
        "ü😀",
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_any_nonsense_is_read_the_same_in_any_portions(name: str) -> None:
    output = _output(name)
    dice = random.Random(name)
    words = _pieces_of(output)
    calls = (ToolCall("qIdentA01", "get_weather", '{"city": "B", "tags": ["a", {"b": 1}]}'),)
    sample = output.calls.write(calls * 2)
    for _ in range(25):
        text = "".join(dice.choice(words) for _ in range(dice.randint(1, 30)))
        if dice.random() < 0.5:
            place = dice.randrange(len(sample))
            text = sample[:place] + dice.choice(words) + sample[place + dice.randint(0, 9) :]
        gate = dice.choice((None, THINK, OPEN))
        results = [read(parser(output, gate=gate), portions) for portions in cuts(text, dice)]
        assert all(found == results[0] for found in results), text
        if output.channels is None and not output.dropped:
            assert read(parser(output, tools=()), [text]).text == text
