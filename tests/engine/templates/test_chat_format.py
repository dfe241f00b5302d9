"""Whole chats written for templates of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import RequestError, TemplateError
from desktop.engine.chat import Chat, Media, Message, Tool, ToolCall
from desktop.engine.loaded import Loaded
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_template import TemplateRenderer
from tests.engine import template_texts as templates
from tests.engine.driving import plan_for

SYSTEM, ASK = Message("system", "Sei höflich."), Message("user", "Wie spät ist es?")
ANSWER, AGAIN = Message("assistant", "Gleich zwölf."), Message("user", "Und jetzt?")
TOOL = Tool("uhr", "sagt die Zeit", {"type": "object", "properties": {"ort": {"type": "string"}}})
FIRST, SECOND = ToolCall("a", "uhr", '{"ort": "Köln"}'), ToolCall("b", "uhr", '{"ort": "Bonn"}')
CALLED = Message("assistant", "", tool_calls=(FIRST, SECOND))
RESULTS = (Message("tool", "elf", tool_call_id="a"), Message("tool", "zwölf", tool_call_id="b"))

Make = Callable[[str], ChatFormat]


@pytest.fixture(scope="module")
def make(plain_model: Path) -> Iterator[Make]:
    made: dict[str, ChatFormat] = {}
    with (
        closing(TemplateRenderer()) as renderer,
        closing(Loaded(plain_model, plan_for())) as loaded,
    ):

        def find(template: str) -> ChatFormat:
            if template not in made:
                made[template] = ChatFormat(renderer, template, loaded.vocabulary)
            return made[template]

        yield find


@pytest.mark.parametrize("template", templates.ALL.values(), ids=templates.ALL)
def test_every_kind_takes_every_chat(make: Make, template: str) -> None:
    written = make(template)
    assert written.name == "model"
    chats: list[tuple[Message, ...]] = [
        (ASK,), (SYSTEM, ASK), (SYSTEM, ASK, ANSWER, AGAIN), (ASK, AGAIN), (ANSWER, ASK),
        (ASK, ANSWER, SYSTEM, AGAIN), (SYSTEM, Message("developer", "Kurz."), ASK),
        (ASK, CALLED, *RESULTS), (ASK, CALLED, *RESULTS, ANSWER, AGAIN),
        (ASK, replace(CALLED, content="Moment.", reasoning="Hm."), *RESULTS),
        (ASK, RESULTS[0], AGAIN), (ASK, replace(ANSWER, reasoning="Hm."), AGAIN),
    ]  # fmt: skip
    for messages in chats:
        for tools in ((), (TOOL,)):
            prompt = written.render(Chat(messages, tools)).prompt
            for message in messages:
                assert message.content in prompt
            if tools:
                assert "sagt die Zeit" in prompt
            if CALLED in messages:
                assert "Köln" in prompt
                assert "Bonn" in prompt


def test_tools_that_are_not_to_be_called_are_not_offered(make: Make) -> None:
    chat = Chat((ASK,), (TOOL,), tool_choice="none")
    assert "uhr" not in make(templates.HYBRID).render(chat).prompt


def test_tools_in_words_where_the_template_knows_none(make: Make) -> None:
    written = make(templates.STRICT)
    assert not written.takes_tools
    prompt = written.render(Chat((SYSTEM, ASK, CALLED, *RESULTS), (TOOL,))).prompt
    assert prompt.index("Sei höflich.") < prompt.index("sagt die Zeit") < prompt.index("Köln")


def test_tools_without_any_template(make: Make) -> None:
    written = make("{% for %}")
    assert (written.name, written.takes_tools) == ("chatml", False)
    prompt = written.render(Chat((SYSTEM, ASK, CALLED, *RESULTS), (TOOL,))).prompt
    assert prompt.startswith("<|im_start|>system\nSei höflich.")
    for word in ("sagt die Zeit", "Köln", "Bonn", "elf", "zwölf"):
        assert word in prompt
    begun = written.render(Chat((ASK, ANSWER), continue_last=True)).prompt
    assert begun.endswith("<|im_start|>assistant\nGleich zwölf.")


def test_reasoning_on_and_off(make: Make) -> None:
    chat = Chat((ASK,))
    hybrid = make(templates.HYBRID)
    on, off = (hybrid.render(replace(chat, reasoning=wish)) for wish in ("on", "off"))
    assert on.prompt.endswith("assistant\n")
    assert off.prompt.endswith("<think>\n\n</think>\n\n")
    always = make(templates.ALWAYS_REASONS)
    assert always.render(chat).reasoning_open
    off = always.render(replace(chat, reasoning="off"))
    assert off.prompt.endswith("<think>\n\n</think>\n\n")
    assert not off.reasoning_open
    assert always.render(replace(chat, reasoning_budget=0)) == off
    assert always.render(replace(chat, reasoning_effort="none")) == off
    words = make(templates.WORD_SWITCH)
    assert words.render(replace(chat, reasoning="off")).prompt.endswith("<think></think>")


def test_reasoning_of_earlier_turns_kept_or_left_out(make: Make) -> None:
    template = templates.HYBRID.replace("loop.index0 > ns.last", "(preserve_thinking or "
                                        "loop.index0 > ns.last)")  # fmt: skip
    written = make(template)
    chat = Chat((ASK, replace(ANSWER, reasoning="Hm, die Uhr."), AGAIN))
    assert "Hm, die Uhr." not in written.render(chat).prompt
    assert "Hm, die Uhr." in written.render(replace(chat, keep_reasoning=True)).prompt
    assert "Hm, die Uhr." not in written.render(replace(chat, keep_reasoning=False)).prompt
    # Within one turn, between calls, it stays.
    called = replace(CALLED, reasoning="Hm, die Uhr.")
    assert "Hm, die Uhr." in written.render(Chat((ASK, called, *RESULTS), (TOOL,))).prompt


def test_reasoning_skipped_in_an_output_of_parts(make: Make) -> None:
    channels = make(templates.CHANNELS)
    off = channels.render(Chat((ASK,), reasoning="off"))
    assert off.prompt.endswith("<|start|>assistant<|channel|>final<|message|>")
    with_tools = channels.render(Chat((ASK,), (TOOL,), reasoning="off"))
    assert with_tools.prompt.endswith("<|start|>assistant")
    assert "Reasoning: high" in channels.render(Chat((ASK,), reasoning_effort="high")).prompt


def test_an_answer_is_continued(make: Make) -> None:
    for template in templates.ALL.values():
        rendered = make(template).render(Chat((ASK, ANSWER), continue_last=True))
        assert rendered.prompt.endswith("Gleich zwölf.")
        assert not rendered.reasoning_open


def test_interrupted_reasoning_is_continued(make: Make) -> None:
    half = Message("assistant", "", reasoning="Erst die Uhr, dann")
    rendered = make(templates.HYBRID).render(Chat((ASK, half), continue_last=True))
    assert rendered.prompt.endswith("<think>\nErst die Uhr, dann")
    assert rendered.reasoning_open


@pytest.mark.parametrize("messages", [(), (ASK,), (ASK, CALLED)])
def test_only_an_answer_can_be_continued(make: Make, messages: tuple[Message, ...]) -> None:
    with pytest.raises(RequestError, match="bad_request"):
        make(templates.HYBRID).render(Chat(messages, continue_last=True))


def test_the_templates_own_words_where_nothing_helps(make: Make) -> None:
    refusing = templates.PICKY.replace(
        "{% for m in", "{% if 'verboten' in messages[-1].content %}{{ raise_exception('Nein.') }}"
        "{% endif %}{% for m in", 1
    )  # fmt: skip
    with pytest.raises(TemplateError) as caught:
        make(refusing).render(Chat((Message("user", "verboten"),)))
    assert caught.value.params["reason"] == "Nein."


def test_parameters_that_nobody_described(make: Make) -> None:
    strict = "{% for t in tools or [] %}{% for p in t.function.parameters.properties.values() %}" \
        "{{ '[' + p.description + ']' }}{% endfor %}{{ t.function.name }} Qkeyq{% endfor %}" \
        "{{ messages[0].content }}"  # fmt: skip
    assert make(strict).render(Chat((ASK,), (TOOL,))).prompt == "[]uhr QkeyqWie spät ist es?"


def test_functions_and_date_by_other_names(make: Make) -> None:
    template = "{{ datetime + functions }}{{ messages[0].content }}"
    written = make(template)
    assert written.takes_tools
    assert "sagt die Zeit" in written.render(Chat((ASK,), (TOOL,))).prompt
    assert written.render(Chat((ASK,))).prompt[10:] == "Wie spät ist es?"


def test_values_for_the_template(make: Make) -> None:
    template = "{{ gruss }}{% for m in messages %}{{ m.content }}{% endfor %}"
    chat = Chat((ASK,), template_values={"gruss": "Moin ", "messages": []})
    assert make(template).render(chat).prompt == "Moin Wie spät ist es?"


def test_a_default_system_message_gives_way(make: Make) -> None:
    hybrid = make(templates.HYBRID)
    chat = Chat((ASK,), default_system="Kurz.")
    assert "Kurz." in hybrid.render(chat).prompt
    assert "Kurz." not in hybrid.render(replace(chat, messages=(SYSTEM, ASK))).prompt


def test_images_are_marked(make: Make) -> None:
    image = Media("image", b"x")
    rendered = make(templates.PARTS).render(Chat((replace(ASK, media=(image,)),)))
    assert "<__media__>Wie spät" in rendered.prompt
    assert rendered.media == (image,)
