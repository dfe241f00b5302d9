"""What templates take is found out by trying them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from desktop.common.errors import TemplateError
from desktop.engine.templates.chat_template import TemplateRenderer
from desktop.engine.templates.template_traits import CallTraits, Traits, find_traits
from desktop.engine.templates.template_trial import TemplateTrial
from tests.engine import template_texts as templates


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    with closing(TemplateRenderer()) as one:
        yield one


def traits_of(renderer: TemplateRenderer, template: str) -> Traits:
    def write(variables: object) -> str:
        return renderer.render(template, {"tools": None, **variables})  # type: ignore[dict-item]

    return find_traits(TemplateTrial(write, template))


PLAIN = Traits()
FULL = Traits(tools="wrapped", calls=CallTraits())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (templates.HYBRID, replace(FULL, calls=CallTraits())),
        (
            templates.STRICT,
            replace(
                PLAIN,
                takes_system=False,
                takes_late_system=False,
                takes_two_questions=False,
                takes_answer_first=False,
            ),
        ),
        (templates.PARTS, replace(PLAIN, parts=True)),
        (
            templates.CHANNELS,
            replace(
                FULL,
                takes_late_system=False,
                calls=CallTraits(empty="text", parallel=False, words="apart"),
            ),
        ),
        (templates.SHORT_IDS, replace(FULL, calls=CallTraits(short_ids=True, words="apart"))),
        (templates.ONE_CALL, replace(FULL, calls=CallTraits(parallel=False, words="apart"))),
        (
            templates.ARGUMENTS_AS_TEXT,
            replace(FULL, calls=CallTraits(arguments="text", empty="text")),
        ),
        (templates.VALUES_AS_THEY_ARE, replace(FULL, calls=CallTraits(arguments="texts"))),
        (
            templates.BARE_TOOLS,
            replace(
                FULL, tools="bare", calls=CallTraits(in_function=False, result_role="function")
            ),
        ),
        (templates.PICKY, replace(PLAIN, takes_late_system=False)),
    ],
    ids=["hybrid", "strict", "parts", "channels", "short_ids", "one_call", "arguments_as_text",
         "values_as_they_are", "bare_tools", "picky"],
)  # fmt: skip
def test_traits(renderer: TemplateRenderer, template: str, expected: Traits) -> None:
    assert traits_of(renderer, template) == expected


def test_a_template_that_says_nothing_is_refused(renderer: TemplateRenderer) -> None:
    with pytest.raises(TemplateError, match="bad_template"):
        traits_of(renderer, "always the same")


def test_a_template_whose_trials_take_too_long_together_is_given_up() -> None:
    now = [0.0]

    def write(_variables: object) -> str:
        now[0] += 1.0
        return "Qfirstq"

    with pytest.raises(TemplateError, match="template_too_slow"):
        find_traits(TemplateTrial(write, "", clock=lambda: now[0]))
