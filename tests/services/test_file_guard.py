"""A model's file that changes while it is open."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.engine.chat import Chat, Message
from desktop.engine.events import Failed, Finished
from desktop.engine.request import Request
from desktop.services.file_guard import FileGuard, GuardedEngine
from tests.services.fake_engine import FakeEngine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"x" * 1000)
    return path


def ask(file: Path, guard: FileGuard) -> object:
    engine = GuardedEngine(FakeEngine([["ja"]]), guard)
    _text, end = engine.submit(Request("1", "hallo")).collect(5.0)
    return end


def test_an_untouched_file_answers(file: Path) -> None:
    assert isinstance(ask(file, FileGuard([file])), Finished)


@pytest.mark.parametrize("content", [b"", b"x" * 500, b"y" * 1000, b"x" * 2000])
def test_a_file_rewritten_in_place_is_refused_before_it_is_read(file: Path, content: bytes) -> None:
    guard = FileGuard([file])
    with file.open("r+b") as target:
        target.truncate(0)
        target.write(content)
    end = ask(file, guard)
    assert isinstance(end, Failed)
    assert (end.kind, end.params) == ("model_file_changed", {"path": str(file)})


def test_a_file_that_vanished_or_was_replaced_is_still_mapped(file: Path, tmp_path: Path) -> None:
    guard = FileGuard([file])
    other = tmp_path / "other"
    other.write_bytes(b"short")
    other.replace(file)
    assert isinstance(ask(file, guard), Finished)
    file.unlink()
    assert isinstance(ask(file, guard), Finished)


def test_any_part_of_a_split_model_counts(file: Path, tmp_path: Path) -> None:
    second = tmp_path / "part2"
    second.write_bytes(b"12345")
    guard = FileGuard([file, second])
    second.write_bytes(b"1")
    assert isinstance(ask(file, guard), Failed)


def test_everything_else_is_the_engines(file: Path) -> None:
    inner = FakeEngine()
    engine = GuardedEngine(inner, FileGuard([file]))
    assert engine.info is inner.info
    assert engine.count_tokens("a b") == 2
    chat = Chat((Message("user", "x"),))
    assert "<assistant>" in engine.render(chat).prompt
    assert "<assistant>" not in engine.render(replace(chat, add_generation_prompt=False)).prompt
    engine.close()
    assert inner.closed
