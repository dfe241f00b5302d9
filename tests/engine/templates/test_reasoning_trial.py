"""How models reason is found out from their templates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from desktop.engine.templates.chat_template import TemplateRenderer
from desktop.engine.templates.reasoning import ReasoningStyle, Switch
from desktop.engine.templates.reasoning_trial import find_reasoning, known_style
from desktop.engine.templates.template_traits import find_traits
from desktop.engine.templates.template_trial import TemplateTrial
from tests.engine import template_texts as templates


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    with closing(TemplateRenderer()) as one:
        yield one


def style_of(renderer: TemplateRenderer, template: str) -> ReasoningStyle | None:
    def write(variables: object) -> str:
        return renderer.render(template, {"tools": None, **variables})  # type: ignore[dict-item]

    tried = TemplateTrial(write, template)
    return find_reasoning(tried, find_traits(tried), lambda _text: False)


def test_tags_key_and_switch_of_a_hybrid_model(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.HYBRID)
    assert style is not None
    assert (style.open, style.close, style.key) == ("<think>", "</think>", "reasoning_content")
    assert style.switch == Switch({"enable_thinking": True}, {"enable_thinking": False})
    assert style.between == "\n</think>\n\n"
    assert style.answer_header == ""
    assert style.skipped == "<think>\n\n</think>\n\n"
    assert style.end == style.end_of_thoughts == "\n</think>\n\n"


def test_an_output_of_parts_with_headers(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.CHANNELS)
    assert style is not None
    assert style.open == "<|channel|>analysis<|message|>"
    assert style.close == "<|end|>"
    assert style.answer_header == "<|channel|>final<|message|>"
    assert style.key == "thinking"
    assert style.switch is None
    assert style.effort("high") == {"reasoning_effort": "high"}
    gate = style.gate(is_open=False)
    assert (gate.close, gate.is_open) == ("<|end|>", False)
    assert style.end_of_thoughts == "<|end|>"
    final = "<|channel|>final<|message|>"
    assert style.lead("<|start|>assistant") == ("<|start|>assistant", final)
    assert style.lead("<|start|>assistant" + final) == ("", "")


def test_a_space_before_a_header_is_part_of_it(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.ADDRESSED)
    assert style is not None
    assert style.open == "to=self<|message|>"
    assert style.answer_header == style.skipped == " to=user<|message|>"
    assert style.lead("<|start|>assistant") == ("<|start|>assistant", " to=user<|message|>")


def test_a_prompt_that_opens_the_reasoning(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.ALWAYS_REASONS)
    assert style is not None
    assert (style.open, style.close, style.key) == ("<think>", "</think>", "")
    assert style.is_open("<U>Hallo<A><think>\n")
    assert not style.is_open("<U>Hallo<A><think>\n\n</think>\n\n")


def test_efforts_that_the_template_knows(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.EFFORTS_ALONE)
    assert style is not None
    assert style.switch == Switch({"reasoning_effort": "high"}, {"reasoning_effort": "no_think"})
    assert style.effort("low") == {"reasoning_effort": "low"}
    assert style.effort("medium") in ({"reasoning_effort": "low"}, {"reasoning_effort": "high"})
    assert style.effort("max") == {"reasoning_effort": "high"}
    assert style.effort("nonsense") == {}


def test_words_of_the_prompt_that_introduce_it(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.INTRODUCED)
    assert style is not None
    assert (style.open, style.close) == ("Here is what I think:", "[BEGIN ANSWER]")
    assert style.is_open("<|begin_assistant|>\nHere is what I think:\n")


def test_words_as_a_switch(renderer: TemplateRenderer) -> None:
    style = style_of(renderer, templates.WORD_SWITCH)
    assert style is not None
    assert style.switch == Switch(on_word="/think", off_word="/no_think")
    assert (style.open, style.close) == ("<think>", "</think>")


@pytest.mark.parametrize(
    "template", [templates.STRICT, templates.PARTS, templates.ONE_CALL, templates.PICKY]
)
def test_models_that_do_not_reason(renderer: TemplateRenderer, template: str) -> None:
    assert style_of(renderer, template) is None


def test_a_vocabulary_that_has_the_tags() -> None:
    assert known_style("", lambda text: text in ("<think>", "</think>")) == ReasoningStyle(
        "<think>", "</think>"
    )
    assert known_style("", lambda text: text == "<think>") is None
