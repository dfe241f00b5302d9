"""A small file of entries: bounded, in order, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.services.kept_entries import KeptEntries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "entries.json"


def test_the_newest_stands_last_and_the_oldest_goes(path: Path) -> None:
    entries = KeptEntries(path, "plans", 2)
    entries.keep("a", {"n": 1})
    entries.keep("b", {"n": 2})
    entries.keep("a", {"n": 3})
    assert list(entries.load().items()) == [("b", {"n": 2}), ("a", {"n": 3})]
    entries.keep("c", {"n": 4})
    assert list(KeptEntries(path, "plans", 2).load()) == ["a", "c"]
    entries.forget("a")
    entries.forget("unknown")
    assert list(entries.load()) == ["c"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"{",
        b"[" * 100_000,
        b"[]",
        json.dumps({"format": 2, "plans": {"a": {}}}).encode(),
        json.dumps({"format": 1, "plans": ["a"]}).encode(),
        json.dumps({"format": 1, "models": {"a": {}}}).encode(),
    ],
)
def test_a_file_of_another_kind_is_an_empty_one(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    entries = KeptEntries(path, "plans", 2)
    assert entries.load() == {}
    entries.keep("b", {})
    assert list(entries.load()) == ["b"]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x", encoding="utf-8")
    entries = KeptEntries(in_the_way / "entries.json", "plans", 2)
    entries.keep("a", {})
    assert entries.load() == {}
