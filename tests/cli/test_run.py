"""Answers and chats at the terminal, on the tiny model with its random words."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.cli.conversation import Conversation
from desktop.cli.interrupts import Interrupts
from desktop.common.errors import EngineError
from desktop.engine.chat import Chat, Rendered
from desktop.services.crash_marker import CrashMarker
from tests.cli.running import Cli
from tests.services.fake_engine import FakeEngine
from tests.tiny_models import write_tiny_model

FIELDS = {
    "text", "prompt_tokens", "completion_tokens", "prompt_tokens_per_s", "tokens_per_s",
    "first_token_s",
}  # fmt: skip


def test_json_has_the_documented_fields(cli: Cli, tiny_model: Path) -> None:
    done = cli("run", str(tiny_model), "-p", "Hallo", "--max-tokens", "8", "--seed", "1", "--json")
    assert (done.code, done.err) == (0, "")
    answer = done.json
    assert answer.keys() >= FIELDS
    assert 0 < answer["completion_tokens"] <= 8
    assert answer["prompt_tokens"] > 5
    assert answer["first_token_s"] > 0


def test_the_same_seed_gives_the_same_answer(cli: Cli, tiny_model: Path) -> None:
    arguments = ("run", str(tiny_model), "-p", "Hallo", "--max-tokens", "12", "--seed", "7")
    once, again = cli(*arguments), cli(*arguments)
    assert once.code == 0
    assert once.out == again.out
    other = cli(*arguments[:-1], "8")
    assert other.out != once.out


def test_temperature_zero_needs_no_seed(cli: Cli, tiny_model: Path) -> None:
    arguments = ("run", str(tiny_model), "-p", "x", "--max-tokens", "8", "--temperature", "0")
    assert cli(*arguments).out == cli(*arguments).out


def test_the_question_may_be_piped_in(cli: Cli, tiny_model: Path, piped: io.BytesIO) -> None:
    for marked in ((), ("-p", "-")):
        piped.seek(0)
        piped.write("Größe?\n".encode())
        piped.seek(0)
        done = cli("run", str(tiny_model), *marked, "--max-tokens", "2", "--json")
        assert done.code == 0
        assert done.json["prompt_tokens"] > 8


def test_an_empty_question_is_refused(cli: Cli, tiny_model: Path, piped: io.BytesIO) -> None:
    assert piped.tell() == 0
    for arguments in (("-p", "  "), ("-p", "-"), ()):
        done = cli("run", str(tiny_model), *arguments, "--json")
        assert (done.code, done.json["error"]["kind"]) == (2, "empty_prompt")


def test_json_at_a_terminal_needs_a_question(
    cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.cli.run.is_terminal", lambda _stream: True)
    done = cli("run", str(tiny_model), "--json")
    assert (done.code, done.json["error"]["kind"]) == (2, "json_needs_prompt")


def test_too_long_for_the_context(cli: Cli, tiny_model: Path) -> None:
    done = cli("run", str(tiny_model), "-p", "wort " * 3000, "--ctx", "512", "--json")
    assert (done.code, done.json["error"]["kind"]) == (1, "prompt_too_long")


def test_a_model_that_thinks_before_it_answers(cli: Cli, tmp_path: Path) -> None:
    template = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
        "{% if enable_thinking is not defined or enable_thinking %}<think>\n"
        "{% else %}<think></think>{% endif %}"
    )
    path = write_tiny_model(tmp_path / "m.gguf", vocab=271, seed=3, chat_template=template)
    arguments = ("run", str(path), "-p", "Hallo", "--max-tokens", "24", "--seed", "1", "--json")
    thinking = cli(*arguments).json
    assert thinking["reasoning"]
    assert thinking["text"] == ""
    silent = cli(*arguments, "--reasoning", "off").json
    assert "reasoning" not in silent
    assert silent["text"]
    short = cli(*arguments, "--reasoning", "on", "--reasoning-budget", "3").json
    assert short["reasoning"]
    assert short["text"]
    assert cli(*arguments, "--reasoning", "maybe").code == 2


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Somebody at a terminal who types these lines and then Ctrl+D."""
    left: Iterator[str] = iter(lines)

    def read(_prompt: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("desktop.cli.run.is_terminal", lambda _stream: True)
    monkeypatch.setattr("desktop.cli.chat.read_line", read)


def test_a_chat_at_the_terminal(
    cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "Hallo", "", "/help", "/new", "/exit", "nie gelesen")
    # By chance a random model may say after two words that it is done.
    done = cli("run", "guide", "--max-tokens", "4", "--temperature", "0", language="de")
    assert done.code == 0
    assert "sehr kleines Modell" in done.out
    assert "/new beginnt" in done.out
    assert "Ein neues Gespräch." in done.out
    assert "abgeschnitten" in done.err  # --max-tokens cut it, and that is said


def test_lines_that_go_on_and_the_end_of_input(
    cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "eins\\", "zwei")
    done = cli("run", str(tiny_model), "--max-tokens", "2")
    assert done.code == 0


@pytest.fixture
def conversation(tmp_path: Path) -> Conversation:
    marker = CrashMarker(tmp_path / "running.json")
    engine = FakeEngine([["Guten ", "Tag"], ["Gut"]])
    return Conversation(engine, marker, id="c", system="Sei kurz")


def test_a_conversation_keeps_what_was_said(conversation: Conversation) -> None:
    pieces: list[str] = []
    with Interrupts() as interrupts:
        answer = conversation.ask("Hallo", interrupts, pieces.append)
        assert answer.text == "".join(pieces) == "Guten Tag"
        conversation.ask("Wie geht es?", interrupts, pieces.append)
    engine = conversation.engine
    assert isinstance(engine, FakeEngine)
    first, second = (request.prompt for request in engine.requests)
    assert first.startswith("<system> Sei kurz </system>\n<user> Hallo </user>")
    assert second.startswith(first.removesuffix("\n<assistant>"))
    assert "<assistant> Guten Tag </assistant>\n<user> Wie geht es? </user>" in second
    assert {request.conversation for request in engine.requests} == {"c"}


def test_a_failed_question_is_forgotten(conversation: Conversation) -> None:
    engine = conversation.engine
    assert isinstance(engine, FakeEngine)
    engine.answers_with_failure = "engine_failed"
    with Interrupts() as interrupts, pytest.raises(EngineError, match="engine_failed"):
        conversation.ask("Hallo", interrupts, lambda _piece: None)
    engine.answers_with_failure = ""
    with Interrupts() as interrupts:
        conversation.ask("Noch einmal", interrupts, lambda _piece: None)
    assert "Hallo" not in engine.requests[-1].prompt


def test_after_new_nothing_is_left(conversation: Conversation) -> None:
    with Interrupts() as interrupts:
        conversation.ask("Hallo", interrupts, lambda _piece: None)
        conversation.forget()
        conversation.ask("Neu", interrupts, lambda _piece: None)
    engine = conversation.engine
    assert isinstance(engine, FakeEngine)
    assert "Hallo" not in engine.requests[-1].prompt
    assert "Sei kurz" in engine.requests[-1].prompt


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_before_the_first_word_stops_the_answer_and_not_the_chat(tmp_path: Path) -> None:
    class Slow(FakeEngine):
        """Ctrl+C comes while the conversation is still being put together."""

        def render(self, chat: Chat) -> Rendered:
            os.kill(os.getpid(), signal.SIGINT)
            return super().render(chat)

    talk = Conversation(Slow(), CrashMarker(tmp_path / "running.json"), id="c")
    with Interrupts() as interrupts:
        answer = talk.ask("Hallo", interrupts, lambda _piece: None)
    assert (answer.reason, answer.text) == ("cancelled", "")


def test_a_model_lies_as_it_was_asked_for(cli: Cli, tiny_model: Path) -> None:
    options = ("--kv-type", "q8_0", "--no-mmap", "--mlock", "--flash-attn", "on", "--ubatch", "64")
    result = cli("run", str(tiny_model), "-p", "Hallo", "--max-tokens", "2", *options, "--json")
    assert result.code == 0
    assert result.json["completion_tokens"] <= 2
