"""Long conversations in a small context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from desktop.common.errors import RequestError
from desktop.engine.chat import Chat, Message, Rendered
from desktop.engine.templates.message_order import merge_roles
from tests.services.fake_engine import FakeEngine


def fit(engine: FakeEngine, messages: Sequence[Message], **wishes: Any) -> Rendered:
    return engine.render(Chat(tuple(messages), overflow="drop_oldest", **wishes))


def left_out(rendered: Rendered) -> int:
    return len(rendered.left_out)


def tokens(rendered: Rendered) -> int:
    return len(rendered.prompt.split())


def talk(turns: int, words: int = 20) -> list[Message]:
    messages: list[Message] = []
    for number in range(turns):
        messages.append(Message("user", f"q{number} " + "wort " * words))
        messages.append(Message("assistant", f"a{number} " + "wort " * words))
    return messages


def test_what_fits_is_not_touched() -> None:
    engine = FakeEngine(context_tokens=10_000)
    fitted = fit(engine, [*talk(3), Message("user", "ende")])
    assert (left_out(fitted), fitted.first_kept) == (0, 0)
    assert "q0" in fitted.prompt
    assert fitted.stop == ("</assistant>",)


def test_a_system_message_stays_when_turns_go() -> None:
    engine = FakeEngine(context_tokens=200)
    messages = [Message("system", "Sei kurz"), *talk(20), Message("user", "ende")]
    fitted = fit(engine, messages)
    assert fitted.prompt.startswith("<system> Sei kurz </system>\n<user> q")
    assert left_out(fitted) > 0
    assert tokens(fitted) <= 150


def test_whole_turns_go_and_the_rest_begins_with_a_question() -> None:
    engine = FakeEngine(context_tokens=200)
    fitted = fit(engine, [*talk(20), Message("user", "ende")])
    assert fitted.prompt.startswith("<user> q")
    assert left_out(fitted) % 2 == 0


def test_the_next_turn_keeps_the_same_beginning() -> None:
    """Else the engine would read the whole history again at every turn."""
    engine = FakeEngine(context_tokens=400)
    messages = [*talk(30), Message("user", "eins")]
    first = fit(engine, messages)
    messages += [Message("assistant", "gut"), Message("user", "zwei")]
    second = fit(engine, messages, first_kept=first.first_kept)
    assert second.first_kept == first.first_kept
    assert second.prompt.startswith(first.prompt.removesuffix("\n<assistant>"))


def test_a_cut_from_a_longer_branch_is_taken_back_to_a_question() -> None:
    engine = FakeEngine(context_tokens=10_000)
    fitted = fit(engine, [*talk(2), Message("user", "ende")], first_kept=99)
    assert fitted.first_kept == 4
    assert "ende" in fitted.prompt


def test_the_last_message_alone_may_use_the_answers_room() -> None:
    engine = FakeEngine(context_tokens=100)
    fitted = fit(engine, [*talk(2), Message("user", "wort " * 85)])
    assert tokens(fitted) == 88
    assert left_out(fitted) == 4


def test_too_long_alone() -> None:
    with pytest.raises(RequestError) as caught:
        fit(FakeEngine(context_tokens=100), [Message("user", "wort " * 200)])
    assert caught.value.kind == "prompt_too_long"
    assert caught.value.params["context_tokens"] == 100


def test_a_wanted_length_of_the_answer_is_left_free() -> None:
    engine = FakeEngine(context_tokens=400)
    messages = [*talk(8), Message("user", "ende")]
    generous = fit(engine, messages, answer_tokens=10)
    assert left_out(generous) == 0
    assert left_out(fit(engine, messages)) > 0


def test_nothing_to_answer() -> None:
    with pytest.raises(RequestError, match="nothing_to_answer"):
        fit(FakeEngine(), [Message("system", "Sei kurz")])


def test_ten_thousand_turns_are_rendered_once_and_not_counted_whole() -> None:
    class Counting(FakeEngine):
        counted = 0

        def count_tokens(self, text: str) -> int:
            self.counted += len(text)
            return super().count_tokens(text)

    engine = Counting(context_tokens=1000)
    messages = [*talk(5000), Message("user", "ende")]
    fitted = fit(engine, messages)
    assert tokens(fitted) <= 750
    assert engine.counted < 0.05 * sum(len(message.content) for message in messages)


def test_merge_roles_joins_neighbours_only() -> None:
    merged = merge_roles([Message("user", "a"), Message("user", "b"), Message("assistant", "c")])
    assert merged == [Message("user", "a\n\nb"), Message("assistant", "c")]
