"""Chats in the shape of templates of every kind."""

from __future__ import annotations

from desktop.engine.chat import MEDIA_MARK, Media, Message, Tool, ToolCall
from desktop.engine.templates.template_traits import CallTraits, Traits
from desktop.engine.templates.template_variables import (
    MessageShaper,
    arguments_of,
    marked,
    media_of,
    shaped_tools,
)

CALL = ToolCall("call_1", "uhr", '{"ort": "Köln", "genau": true}')
CALLED = Message("assistant", "", tool_calls=(CALL,))
RESULT = Message("tool", "zwölf", tool_call_id="call_1")


def shaper(traits: Traits, key: str = "") -> MessageShaper:
    return MessageShaper(traits, key, lambda calls: "".join(f"<{call.name}>" for call in calls))


def test_a_call_and_its_result_as_most_templates_take_them() -> None:
    traits = Traits(tools="wrapped", calls=CallTraits())
    called, result = shaper(traits).shaped([CALLED, RESULT])
    assert called == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_1",
                "type": "function",
                "function": {"name": "uhr", "arguments": {"ort": "Köln", "genau": True}},
            }
        ],
    }
    assert result == {"role": "tool", "content": "zwölf", "name": "uhr", "tool_call_id": "call_1"}


def test_short_ids_are_the_same_in_call_and_result() -> None:
    traits = Traits(tools="wrapped", calls=CallTraits(short_ids=True))
    called, result = shaper(traits).shaped([CALLED, RESULT])
    name = called["tool_calls"][0]["id"]
    assert (len(name), result["tool_call_id"]) == (9, name)
    assert name.isalnum()


def test_calls_without_ids_are_given_some() -> None:
    unnamed = Message("assistant", "", tool_calls=(ToolCall("", "uhr", "{}"),) * 2)
    shaped = shaper(Traits(calls=CallTraits())).shaped([unnamed, Message("tool", "a"),
                                                        Message("tool", "b")])  # fmt: skip
    ids = [call["id"] for call in shaped[0]["tool_calls"]]
    assert len(set(ids)) == 2
    assert [one["tool_call_id"] for one in shaped[1:]] == ids


def test_what_a_template_cannot_write_is_said_in_words() -> None:
    first = next(shaper(Traits()).attempts([Message("user", "x"), CALLED, RESULT]))
    assert [one["role"] for one in first] == ["user", "assistant", "user"]
    assert first[1]["content"] == "<uhr>"
    assert "zwölf" in first[2]["content"]


def test_reasoning_has_the_templates_own_name_for_it() -> None:
    thought = Message("assistant", "Ja", reasoning="Hm")
    assert shaper(Traits(), "thinking").shaped([thought])[0]["thinking"] == "Hm"
    assert "Hm" not in str(shaper(Traits()).shaped([thought]))


def test_arguments_that_are_no_object_are_not_lost() -> None:
    assert arguments_of(ToolCall("", "f", "")) == {}
    assert arguments_of(ToolCall("", "f", "[1]")) == {"arguments": [1]}
    assert arguments_of(ToolCall("", "f", "kein JSON")) == {"arguments": "kein JSON"}
    deep = "[" * 100_000
    assert arguments_of(ToolCall("", "f", deep)) == {"arguments": deep}


def test_tools_as_templates_expect_them() -> None:
    assert shaped_tools(Traits(tools="wrapped"), ()) is None
    [wrapped] = shaped_tools(Traits(tools="wrapped"), [Tool("uhr")]) or []
    assert wrapped["function"]["parameters"] == {"type": "object", "properties": {}}
    [bare] = shaped_tools(Traits(tools="bare"), [Tool("uhr", "sagt die Zeit")]) or []
    assert (bare["name"], bare["description"]) == ("uhr", "sagt die Zeit")


def test_media_are_marked_where_they_stand_and_nobody_else_can_mark() -> None:
    late, early = Media("image", b"2", at=99), Media("image", b"1", at=3)
    message = Message("user", f"Was{MEDIA_MARK}?", media=(late, early))
    text = marked(message)
    assert text.count(MEDIA_MARK) == 2
    assert text.startswith(f"Was{MEDIA_MARK}<_")
    assert text.endswith(f"?{MEDIA_MARK}")
    assert media_of([message]) == (early, late)
