"""Calls as they are told, and the control tokens that a parser must be shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from desktop.engine.events import ToolCallPart
from desktop.engine.loaded import Loaded
from desktop.engine.output.marks import ending_words, shown_tokens
from desktop.engine.output.telling import CallTeller, new_call_id
from desktop.engine.vocabulary import Vocabulary
from tests.engine.driving import plan_for
from tests.engine.output.reading import TOOLS
from tests.tiny_models import vocabulary, write_tiny_model

MARKS = ["[TOOL_CALLS]", "[ARGS]"]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vocabulary]:
    pieces = [*vocabulary(288)[: -len(MARKS)], *MARKS]
    path: Path = write_tiny_model(
        tmp_path_factory.mktemp("marks") / "m.gguf", metadata={"tokenizer.ggml.tokens": pieces}
    )
    with closing(Loaded(path, plan_for())) as loaded:
        yield loaded.vocabulary


def test_ids_are_the_models_own_where_they_tell_calls_apart() -> None:
    calls = CallTeller("1", TOOLS, new_id=iter("abc").__next__)
    assert calls.begin("ping", "qIdentA01").id == "qIdentA01"
    assert calls.begin("ping", "qIdentA01").id == "a"
    assert calls.begin("ping", "0").id == "b"
    assert calls.begin("ping", "12345678").id == "c"
    assert calls.count == 4
    assert len({new_call_id() for _ in range(100)}) == 100


def test_a_call_without_arguments_has_an_empty_object() -> None:
    calls = CallTeller("1", TOOLS, parallel=False, new_id=lambda: "x")
    full = [calls.full]
    assert calls.begin("ping") == ToolCallPart("1", 0, "x", "ping", "")
    full.append(calls.full)
    assert calls.end().arguments == "{}"
    assert [*full, calls.full] == [False, False, True]
    several = CallTeller("1", TOOLS)
    several.begin("ping")
    several.go_on("{}")
    assert several.end().arguments == ""
    assert not several.full


def test_control_tokens_among_a_formats_words(words: Vocabulary) -> None:
    shown = shown_tokens(words, ["[TOOL_CALLS]", "[ARGS]{", "plain <|im_end|>", "[TOOL"])
    assert {words.special_text(token) for token in shown} == set(MARKS)
    assert ending_words(words, "x<|im_end|>\n[ARGS]") == ("<|im_end|>",)
