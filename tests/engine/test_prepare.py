"""From a request to tokens and to events, on a whole engine with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import EngineError, RequestError, TemplateError
from desktop.engine.chat import Chat, Media, Message, ReasoningWish, Role, Tool
from desktop.engine.constraint import Constraint
from desktop.engine.events import Event, Failed, Finished, Reasoning, Started, Text, ToolCallPart
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from tests.engine import template_texts as templates
from tests.engine.driving import GREEDY, plan_for
from tests.tiny_models import write_tiny_model

SOON_S = 30.0
ASK = Message("user", "Wie geht's?")
ROLES: tuple[Role, ...] = ("user", "assistant")
UHR = Tool("uhr", "sagt die Zeit", {"type": "object", "properties": {"ort": {"type": "string"}},
                                    "required": ["ort"]})  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chats")
    return write_tiny_model(folder / "m.gguf", vocab=271, seed=3, chat_template=templates.HYBRID)


@pytest.fixture(scope="module")
def engine(path: Path) -> Iterator[LocalEngine]:
    with closing(load(path, plan_for(context=1024))) as opened:
        yield opened


@pytest.fixture(scope="module")
def channels(path: Path) -> Iterator[LocalEngine]:
    with closing(load(path, plan_for(context=1024), template=templates.CHANNELS)) as opened:
        yield opened


def request(chat: Chat | None, tokens: int | None = 16, **fields: object) -> Request:
    known = {"sampling": GREEDY, "ignore_eos": True, "max_tokens": tokens, "chat": chat}
    return Request("r", **(known | fields))  # type: ignore[arg-type]


def events(engine: LocalEngine, wanted: Request) -> list[Event]:
    heard = list(engine.submit(wanted))
    assert isinstance(heard[-1], Finished), heard[-1]
    return heard


def failure(engine: LocalEngine, wanted: Request) -> Failed:
    heard = list(engine.submit(wanted))
    [only] = heard
    assert isinstance(only, Failed)
    return only


def said(heard: list[Event], kind: type[Text] | type[Reasoning] = Text) -> str:
    return "".join(event.text for event in heard if isinstance(event, kind))


def test_a_chat_is_the_same_as_its_prompt(engine: LocalEngine) -> None:
    chat = Chat((ASK,))
    rendered = engine.render(chat)
    by_chat = events(engine, request(chat))
    by_prompt = events(engine, request(None, prompt=rendered.prompt, stop=rendered.stop))
    assert said(by_chat).strip() == said(by_prompt).strip()
    assert isinstance(by_chat[0], Started)
    assert by_chat[0].prompt_tokens == len(engine.tokenize(rendered.prompt))


def test_what_is_left_out_is_told(engine: LocalEngine) -> None:
    long = [Message(role, "wort " * 60) for role in ROLES * 6]
    chat = Chat((*long, ASK), overflow="drop_oldest")
    started = events(engine, request(chat, 4))[0]
    assert isinstance(started, Started)
    assert started.left_out == tuple(range(started.first_kept))
    assert started.first_kept % 2 == 0
    assert started.prompt_tokens < 1024
    error = failure(engine, request(replace(chat, overflow="error")))
    assert error.kind == "context_exceeded"
    assert int(error.params["prompt_tokens"]) > int(error.params["context_tokens"]) == 1024


def test_megabytes_are_refused_before_they_are_written(engine: LocalEngine) -> None:
    huge = Chat((Message("user", "wort " * 2_000_000),))
    for overflow, kind in (("error", "context_exceeded"), ("drop_oldest", "prompt_too_long")):
        error = failure(engine, request(replace(huge, overflow=overflow)))  # type: ignore[arg-type]
        assert error.kind == kind
        assert int(error.params["prompt_tokens"]) > 1_000_000


def test_reasoning_is_told_apart(engine: LocalEngine) -> None:
    half = Message("assistant", "", reasoning="Erst")
    heard = events(engine, request(Chat((ASK, half), continue_last=True), 8))
    assert said(heard, Reasoning)
    assert said(heard) == ""
    end = heard[-1]
    assert isinstance(end, Finished)
    assert end.stats.reasoning_tokens == end.stats.completion_tokens == 8


def test_a_budget_ends_the_reasoning(engine: LocalEngine) -> None:
    half = Message("assistant", "", reasoning="Erst")
    chat = Chat((ASK, half), continue_last=True, reasoning_budget=4)
    heard = events(engine, request(chat, 40))
    assert said(heard, Reasoning)
    assert said(heard)
    end = heard[-1]
    assert isinstance(end, Finished)
    assert 4 <= end.stats.reasoning_tokens < 20


@pytest.mark.parametrize("template", ["engine", "channels"])
def test_a_forced_call_is_a_call(template: str, request: pytest.FixtureRequest) -> None:
    opened: LocalEngine = request.getfixturevalue(template)
    chat = Chat((ASK,), (UHR,), tool_choice="required", parallel_tools=False, reasoning="off")
    wanted = Request("r", chat=chat, max_tokens=200, sampling=GREEDY)
    heard = events(opened, wanted)
    calls = [event for event in heard if isinstance(event, ToolCallPart)]
    assert calls
    assert calls[0].name == "uhr"
    assert said(heard) == ""
    arguments = "".join(call.arguments for call in calls)
    assert "".join(arguments.split()).startswith('{"ort":"')


@pytest.mark.parametrize("reasoning", ["auto", "on", "off"])
@pytest.mark.parametrize("template", ["engine", "channels"])
def test_a_schema_binds_the_answer(
    template: str, reasoning: ReasoningWish, request: pytest.FixtureRequest
) -> None:
    opened: LocalEngine = request.getfixturevalue(template)
    schema = Constraint("json_schema", '{"type": "object", "properties": {"a": {"enum": [1, 2]}},'
                        ' "required": ["a"]}')  # fmt: skip
    chat = Chat((ASK,), reasoning=reasoning, reasoning_budget=5)
    wanted = Request("r", chat=chat, max_tokens=200, constraint=schema, sampling=GREEDY)
    text = said(events(opened, wanted))
    assert json.loads(text)["a"] in (1, 2)


def test_an_answer_goes_on(engine: LocalEngine) -> None:
    begun = Chat((ASK, Message("assistant", "Danke, mir")), continue_last=True)
    heard = events(engine, request(begun, 4))
    rendered = engine.render(begun)
    assert rendered.prompt.endswith("Danke, mir")
    assert "Danke" not in said(heard)


def test_the_prompt_is_echoed(engine: LocalEngine) -> None:
    heard = events(engine, request(None, 4, prompt="Hallo Welt", echo=True))
    assert said(heard).startswith("Hallo Welt")
    parts = tuple(engine.tokenize("Hallo", add_special=False))
    heard = events(engine, request(None, 4, parts=(*parts, " Welt"), echo=True))
    assert said(heard).startswith("Hallo Welt")


def test_parts_are_tokens_and_texts(engine: LocalEngine) -> None:
    tokens = tuple(engine.tokenize("Hallo Welt"))
    whole = events(engine, request(None, prompt="Hallo Welt"))
    assert said(events(engine, request(None, parts=tokens))) == said(whole)
    for wrong in (-1, engine.info.vocab_size, 2**40):
        assert failure(engine, request(None, parts=("x", wrong))).kind == "bad_request"


def test_text_to_tokens_and_back(engine: LocalEngine) -> None:
    for text in ("Größe 😀", "", "<|im_start|>user\n", "a" * 5000):
        tokens = engine.tokenize(text, add_special=False)
        assert engine.detokenize(tokens, special=True) == text
        assert engine.count_tokens(text) == len(tokens)
    assert engine.detokenize(engine.tokenize("<|im_start|>x")) == "x"
    letters = engine.tokenize("<|im_start|>", add_special=False, special=False)
    assert len(letters) > 1
    assert engine.detokenize(letters) == "<|im_start|>"
    with pytest.raises(RequestError, match="bad_request"):
        engine.detokenize([0, engine.info.vocab_size])
    with pytest.raises(RequestError, match="bad_request"):
        engine.detokenize([-1])


def test_a_model_without_eyes_says_so(engine: LocalEngine) -> None:
    image = replace(ASK, media=(Media("image", b"x"),))
    assert failure(engine, request(Chat((image,)))).kind == "no_vision"
    sound = replace(ASK, media=(Media("audio", b"x"),))
    assert failure(engine, request(Chat((sound,)))).kind == "no_audio"


def _deep(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "chat",
    [
        Chat((Message("king", "x"),)),  # type: ignore[arg-type]
        Chat((Message("user", 5),)),  # type: ignore[arg-type]
        Chat((ASK,), (Tool(""),)),
        Chat((ASK,), (Tool("f", parameters=_deep(5000)),)),
        Chat((ASK,), (Tool("f", parameters=[1]),)),  # type: ignore[arg-type]
        Chat((ASK,), template_values=_deep(5000)),
        Chat((ASK,), forced_tool="uhr"),
        Chat((ASK,), reasoning_budget=-1),
        Chat((ASK,), continue_last=True),
    ],
)
def test_wrong_chats_are_refused(engine: LocalEngine, chat: Chat) -> None:
    assert failure(engine, request(chat)).kind == "bad_request"
    if not chat.continue_last:
        with pytest.raises(RequestError, match="bad_request"):
            engine.render(chat)


def test_the_templates_own_refusal_ends_the_stream(path: Path) -> None:
    template = "{% if messages | length > 1 %}{{ raise_exception('nur eine') }}{% endif %}" + (
        "{{ messages[0].content }}"
    )
    with closing(load(path, plan_for(), template=template)) as opened:
        error = failure(opened, request(Chat((ASK, Message("assistant", "gut"), ASK))))
        assert (error.kind, error.params["reason"]) == ("template_refuses", "nur eine")
        with pytest.raises(TemplateError):
            opened.render(Chat((ASK, Message("assistant", "gut"), ASK)))


def test_a_closed_engine_says_so(path: Path) -> None:
    opened = load(path, plan_for())
    opened.close()
    assert failure(opened, request(None, prompt="x")).kind == "engine_closed"
    assert failure(opened, request(Chat((ASK,)))).kind == "engine_closed"
    with pytest.raises(EngineError, match="engine_closed"):
        opened.tokenize("x")


def test_what_a_model_can_do(engine: LocalEngine, path: Path) -> None:
    abilities = engine.info.abilities
    assert (abilities.tools, abilities.reasoning, abilities.reasoning_switch) == (True, True, True)
    with closing(load(path, plan_for(), template=templates.STRICT)) as plain:
        abilities = plain.info.abilities
        assert (abilities.chat, abilities.tools, abilities.reasoning) == (True, False, False)


def test_a_second_template_for_tools(tmp_path: Path) -> None:
    own = {"tokenizer.chat_template.tool_use": templates.HYBRID}
    model = write_tiny_model(
        tmp_path / "two.gguf", vocab=271, seed=3, chat_template=templates.STRICT, metadata=own
    )
    with closing(load(model, plan_for())) as opened:
        assert opened.info.abilities.tools
        assert opened.render(Chat((ASK,))).prompt.startswith("<start>user")
        with_tools = opened.render(Chat((ASK,), (UHR,))).prompt
        assert with_tools.startswith("<|im_start|>system\n<tools>")
        assert events(opened, request(Chat((ASK,), (UHR,)), 4))
