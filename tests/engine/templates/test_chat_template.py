"""Templates of strangers: rendered as transformers would, bounded in time and size."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from desktop.common.errors import TemplateError
from desktop.engine.chat import Chat, Message
from desktop.engine.local import recommended_sampling
from desktop.engine.sampling import Sampling
from desktop.engine.templates.chat_format import ChatFormat
from desktop.engine.templates.chat_template import TemplateRenderer, chatml
from desktop.engine.templates.message_order import fold_system
from tests.engine.conftest import LoadModel, OpenEngine
from tests.tiny_models import CHATML, write_tiny_model

SYSTEM, QUESTION = Message("system", "Sei höflich."), Message("user", "Wie geht's?")
ANSWER, NEXT = Message("assistant", "Gut <3 & selbst?"), Message("user", "Auch {{ gut }}")
CHAT = [SYSTEM, QUESTION, ANSWER, NEXT]
WHOLE = Chat(tuple(CHAT))


@pytest.fixture(scope="module")
def renderer() -> Iterator[TemplateRenderer]:
    with closing(TemplateRenderer(most_cpu_s=0.3)) as one:
        yield one


def _render(renderer: TemplateRenderer, template: str, **more: object) -> str:
    messages = [{"role": one.role, "content": one.content} for one in CHAT]
    return renderer.render(template, {"messages": messages, **more})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ messages[0].content }} {{ bos_token }}", "Sei höflich. <s>"),
        ("{{ messages[2]['content'] }}", "Gut <3 & selbst?"),
        ("{{ messages[3].content }}", "Auch {{ gut }}"),
        ("{{ messages[2] | tojson }}", '{"role": "assistant", "content": "Gut <3 & selbst?"}'),
        ("{{ ['ä'] | tojson(indent=1) }}", '[\n "ä"\n]'),
        ("{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}x{% endfor %}", "xx"),
        ("{% generation %}a{{ 1 + 1 }}{% endgeneration %}b", "a2b"),
        ("{% set n = namespace(x=1) %}{% set n.x = n.x + 1 %}{{ n.x }}", "2"),
        ("{{ strftime_now('%Y') | int > 2000 }}", "True"),
        ("{%- macro f(x) -%}<{{ x }}>{%- endmacro -%}{{ f(1) }}", "<1>"),
        ("  {% if tools %}\n  a\n  {% endif %}\nb", "b"),
        ("{{ messages[0].content.split('h')[0].strip() }}", "Sei"),
        ("{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "2"),
        ("{{ messages[::-1][0].content[:4] }}", "Auch"),
        ("{{ messages[0].thinking is defined }}", "False"),
        ("{% do messages.copy() %}ok", "ok"),
        ("{% set l = [] %}{% do l.append('a') %}{{ l.pop(0) }}{{ l | length }}", "a0"),
        ("{{ messages | map(attribute='role') | tojson }}",
         '["system", "user", "assistant", "user"]'),
    ],
)  # fmt: skip
def test_templates_find_what_they_expect(
    renderer: TemplateRenderer, template: str, text: str
) -> None:
    assert _render(renderer, template, bos_token="<s>") == text


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{% for %}", "bad_template"),
        ("{{ nothing.here.at.all }}", "bad_template"),
        ("{{ 1 / 0 }}", "bad_template"),
        ("{{ ''.__class__.__mro__ }}", "bad_template"),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "bad_template"),
        ("{% include 'file' %}", "bad_template"),
        ("{{ raise_exception('Nur abwechselnd!') }}", "template_refuses"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", ""),
        ("{% for a in range(999999) %}{% endfor %}", "bad_template"),
        ("{% for a in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "bad_template"),
        ("{{ 'x' * 10000000000 }}", "bad_template"),
        ("{{ 'x' | center(10000000000) }}", "bad_template"),
        ("{{ '%10000000000d' % 1 }}", "bad_template"),
        ("{{ messages | tojson(indent=10000000000) }}", "bad_template"),
        ("{{ lipsum(n=100000000) }}", ""),
        ("{% set n = namespace(x='aaaa') %}{% for a in range(60) %}{% set n.x = n.x ~ n.x %}"
         "{% endfor %}{{ n.x }}", ""),
    ],
)  # fmt: skip
def test_bad_templates_end_in_an_error_soon(
    renderer: TemplateRenderer, template: str, kind: str
) -> None:
    started_s = time.monotonic()
    with pytest.raises(TemplateError) as caught:
        _render(renderer, template)
    # "": a loop that eats time or memory, whichever ends first.
    allowed = {kind} if kind else {"template_too_slow", "bad_template"}
    assert caught.value.kind in allowed
    assert time.monotonic() - started_s < 8  # the time limit counts computing, machines are busy
    assert _render(renderer, "still {{ 1 + 1 }}") == "still 2"


def test_memory_is_watched_where_the_system_has_no_limit() -> None:
    eats = (
        "{% set l = ['x' * 1000000] %}"
        "{% for a in range(60) %}{% do l.append(l[0] * (a + 1)) %}"
        "{% for b in range(20000) %}{% endfor %}{% endfor %}"
    )
    with closing(TemplateRenderer(most_cpu_s=30.0, most_bytes=200 << 20)) as renderer:
        with pytest.raises(TemplateError) as caught:
            _render(renderer, eats)
        assert caught.value.kind == "bad_template"
        assert str(200 << 20) in str(caught.value.params["reason"])
        assert _render(renderer, "still {{ 1 + 1 }}") == "still 2"


def test_a_refusal_carries_the_templates_own_words(renderer: TemplateRenderer) -> None:
    with pytest.raises(TemplateError) as caught:
        _render(renderer, "{{ raise_exception('Nur abwechselnd!') }}")
    assert caught.value.params["reason"] == "Nur abwechselnd!"


def test_a_closed_renderer_says_so() -> None:
    renderer = TemplateRenderer()
    renderer.close()
    with pytest.raises(TemplateError):
        renderer.render("x", {"messages": []})


def _format(renderer: TemplateRenderer, load_model: LoadModel, template: str | None) -> ChatFormat:
    return ChatFormat(renderer, template, load_model().vocabulary)


def test_chatml_is_the_fallback_and_named(
    renderer: TemplateRenderer, load_model: LoadModel
) -> None:
    expected = chatml(CHAT, add_generation_prompt=True)
    for template, problem in (
        (None, "missing"),
        ("{% for %}", "bad_template"),
        ("always the same", "bad_template"),
        ("{{ raise_exception('no') }}", "template_refuses"),
        ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
         "template_too_slow"),
    ):  # fmt: skip
        chat = _format(renderer, load_model, template)
        assert (chat.name, chat.problem) == ("chatml", problem)
        assert chat.render(WHOLE).prompt == expected
        assert "<|im_end|>" in chat.stop


def test_the_models_own_template_is_used(renderer: TemplateRenderer, load_model: LoadModel) -> None:
    chat = _format(renderer, load_model, CHATML)
    assert (chat.name, chat.problem, chat.stop) == ("model", "", ())
    assert chat.render(WHOLE).prompt == chatml(CHAT, add_generation_prompt=True)
    assert chat.render(replace(WHOLE, add_generation_prompt=False)).prompt == chatml(
        CHAT, add_generation_prompt=False
    )


@pytest.mark.parametrize(
    "template",
    [
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + CHATML,
        CHATML.replace("<|im_start|>", "{% if m.role != 'system' %}<|im_start|>", 1).replace(
            "\n{% endfor", "{% endif %}\n{% endfor"
        ),
    ],
)
def test_a_system_message_is_never_lost(
    renderer: TemplateRenderer, load_model: LoadModel, template: str
) -> None:
    prompt = _format(renderer, load_model, template).render(WHOLE).prompt
    assert "Sei höflich.\n\nWie geht's?" in prompt


def test_folding_keeps_order_and_other_messages() -> None:
    assert fold_system(CHAT) == [Message("user", "Sei höflich.\n\nWie geht's?"), ANSWER, NEXT]
    assert fold_system([SYSTEM]) == [Message("user", "Sei höflich.")]
    assert fold_system([QUESTION, SYSTEM, ANSWER, NEXT])[-1].content.startswith("Sei höflich.")


@pytest.mark.parametrize(
    ("template", "stop"),
    [
        # a control token that the vocabulary does not count as an end
        ("{% for m in messages %}<|unused_0|>{{ m.content }}<|unused_1|>{% endfor %}",
         ("<|unused_1|>",)),
        # words alone
        ("{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}",
         ("### user:",)),
        ("{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}", ()),
    ],
)  # fmt: skip
def test_the_end_of_an_answer_is_found_by_trying(
    renderer: TemplateRenderer, load_model: LoadModel, tiny_model: object, template: str,
    stop: tuple[str, ...],
) -> None:  # fmt: skip
    vocabulary = load_model(tiny_model).vocabulary
    assert ChatFormat(renderer, template, vocabulary).stop == stop


def test_the_beginning_token_is_not_doubled(
    open_engine: OpenEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bos") / "bos.gguf"
    write_tiny_model(path, add_bos=True, chat_template="{{ bos_token }}" + CHATML)
    engine = open_engine(path)
    rendered = engine.render(Chat((QUESTION,)))
    assert not rendered.prompt.startswith("<|endoftext|>")
    assert engine.info.template_name == "model"


def test_recommended_sampling_is_read_and_checked(
    load_model: LoadModel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("sampling")
    good = {
        "general.sampling.temp": 0.6,
        "general.sampling.top_k": 20,
        "general.sampling.penalty_last_n": 32,
        "general.sampling.xtc_probability": 0.25,
        "general.sampling.mirostat": 2,
    }
    path = write_tiny_model(folder / "good.gguf", metadata=good)
    found = recommended_sampling(load_model(path).model)
    assert found is not None
    assert found.top_k == 20
    assert abs(found.temperature - 0.6) < 1e-6
    assert found.top_p == Sampling().top_p
    assert (found.repeat_last_n, found.xtc_probability, found.mirostat) == (32, 0.25, 2)
    path = write_tiny_model(folder / "bad.gguf", metadata={"general.sampling.temp": -5.0})
    assert recommended_sampling(load_model(path).model) is None
    path = write_tiny_model(folder / "none.gguf")
    assert recommended_sampling(load_model(path).model) is None
