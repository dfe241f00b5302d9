"""Words around answers are found by what a template writes around one."""

from __future__ import annotations

import pytest

from desktop.engine.output import known_formats
from desktop.engine.output.answer_words import answer_words
from desktop.engine.output.frame import Frame, Hole, is_tag, triggers_of, words_of
from desktop.engine.output.named_calls import NamedCalls
from desktop.engine.output.samples import CONTENT, without_thinking

RECIPIENT = NamedCalls(Frame(">>>", (Hole.NAME, "\n", Hole.ARGUMENTS), ">>>", ""), primer=">>>")


@pytest.mark.parametrize(
    ("plain", "behind", "opening", "dropped"),
    [
        (f"<|a|>\n{CONTENT}<|end|>\n", "\n<tool_call>", "<|end|>\n<|a|>\n", ()),
        (f"<|a|>{CONTENT}<|end|>", "", "<|a|><think>\n", ()),
        (f"<|a|><think></think>{CONTENT}<|end|>", "", "<|a|>", ()),
        (
            f"<|a|><|START|>{CONTENT}<|END|><|eot|>",
            "",
            "<|eot|><|a|>",
            ("<|START|>", "<|END|>", "<|a|>"),
        ),
        (f"<|a|>{CONTENT}<|eot|>", "<|eot|><|a|>", "<|a|>", ("<|eot|>", "<|a|>")),
        (f"<|a|>{CONTENT}", "", "<|b|>", ()),
        ("nothing", "", "<|a|>", ()),
    ],
)
def test_words_to_drop(plain: str, behind: str, opening: str, dropped: tuple[str, ...]) -> None:
    assert answer_words(plain, behind, opening, known_formats.HERMES) == dropped


def test_what_ends_an_answer_anyway_is_not_looked_for() -> None:
    plain = f"<|a|>{CONTENT}<|eot|>"
    assert answer_words(plain, "<|eot|>", "<|a|>", known_formats.HERMES, ("<|eot|>",)) == ()


def test_the_recipient_of_an_answer_is_none_of_it() -> None:
    plain = f"<|a|>\n\n>>>all\n{CONTENT}<|eot|>"
    assert answer_words(plain, "", "<|eot|><|a|>\n\n>>>", RECIPIENT) == (">>>all\n",)


def test_words_and_tags() -> None:
    assert words_of('<tool_call>\n<function=x">\n[TOOL_CALLS][{a <b') == (
        *("<tool_call>", '<function=x">', "[TOOL_CALLS]", "[", "{a", "<b"),
    )
    assert words_of("<|open|>tools<|sep|> ]<]m[>[<a>") == ("<|open|>tools<|sep|>", "]<]m[>[", "<a>")
    assert [is_tag(word) for word in ("<a", "[CALLS]", ">>>", "[", "Action:", "{")] == [
        *(True, True, True, False, False, False),
    ]
    assert triggers_of("Action: ```json\n[") == ("Action:",)
    assert triggers_of("function call<|sep|>\n") == ("function call<|sep|>",)
    assert triggers_of("<a>\n<b=") == ("<a>", "<b=")
    assert triggers_of("") == ()


def test_reasoning_before_a_call_is_none_of_its_words() -> None:
    assert without_thinking("<think>\n\n</think>\n\n<call>") == "\n\n<call>"
    assert without_thinking("[THINK][/THINK]<call>") == "<call>"
    assert without_thinking("<call>") == "<call>"


@pytest.mark.parametrize(
    ("prompt", "tokens", "family"),
    [
        ("List of tools: <|tool_list_start|>[...]", (), "pythonic"),
        ("Use <tool_call>\n<function=name>", (), "tagged"),
        ("Use <tool_call>{}</tool_call>", ("<|tool_call_start|>",), "json"),
        ("List of tools: []", ("<|tool_call_start|>",), "pythonic"),
        ("", ("[TOOL_CALLS]",), "json"),
        ("", (), "json"),
    ],
)
def test_a_format_that_no_recorded_call_shows(
    prompt: str, tokens: tuple[str, ...], family: str
) -> None:
    assert known_formats.shown_in(prompt, tokens.__contains__).family == family
