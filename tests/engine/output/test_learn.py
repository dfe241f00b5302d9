"""What templates of strangers may write: no harm, and no family where there is none."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from desktop.common.errors import TemplateError
from desktop.engine.chat import ToolCall
from desktop.engine.output.learn import learn_output
from desktop.engine.output.samples import KEYS, NAMES

WORDS = f"{NAMES[0]} {KEYS[0]} qwordaq {KEYS[1]} qwordbq"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "the same for all",
        WORDS,
        f"{KEYS[0]} qwordaq {KEYS[1]} qwordbq {NAMES[0]}",
        f"{NAMES[0]}{KEYS[0]}",
        f"{NAMES[0]}({KEYS[0]}=",
        f"{NAMES[0]}{{{KEYS[0]}:",
        f"to={NAMES[0]}<|message|>",
        f"to={NAMES[0]}<|message|>{NAMES[0]}{KEYS[0]}",
        '{"a": ' * 3000 + WORDS,
        "{" * 30_000 + WORDS,
        "<" * 30_000 + WORDS,
        WORDS + "]<]m[>[" * 4000,
        "x" * 2_000_000 + WORDS,
    ],
)
def test_nonsense_is_no_family(written: str) -> None:
    def writes(content: str, calls: Sequence[ToolCall]) -> str:
        return f"{content}{written if calls else ''}"

    started_s = time.process_time()
    output = learn_output(writes, "<|assistant|>" * 1000, written[:100_000])
    assert time.process_time() - started_s < 5.0
    assert output.calls.write([ToolCall("a", "ping", "{}")])
    assert all(isinstance(text, str) for text in output.framing)


def test_a_template_that_refuses_everything() -> None:
    def writes(content: str, calls: Sequence[ToolCall]) -> str:
        raise TemplateError("template_refuses", reason="no")

    output = learn_output(writes)
    assert (output.calls.family, output.taught, output.dropped) == ("json", False, ())


def test_a_template_that_is_too_slow_is_not_waited_for() -> None:
    def writes(content: str, calls: Sequence[ToolCall]) -> str:
        raise TemplateError("template_too_slow", limit_s=1.0)

    with pytest.raises(TemplateError):
        learn_output(writes)
