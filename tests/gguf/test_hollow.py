"""Headers with empty tails, for the dry run of files that are not all there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError
from desktop.gguf import hollow
from desktop.gguf.hollow import write_hollow
from desktop.gguf.reader import read_header
from tests.gguf_files import LlamaShape, write_split

SHAPE = LlamaShape(layers=4, embedding=1024, feed_forward=4096, vocab=2000)


def _split(folder: Path) -> Path:
    tensors = SHAPE.tensors()
    parts = [tensors[:12], tensors[12:25], tensors[25:]]
    return write_split(folder / "m.gguf", SHAPE.metadata(), parts)


def test_a_header_gets_its_tail_back_without_its_bytes(tmp_path: Path) -> None:
    source = read_header(SHAPE.write(tmp_path / "m.gguf", with_data=False), allow_missing_data=True)
    assert not source.complete
    (tmp_path / "copies").mkdir()
    copy = read_header(write_hollow(source, tmp_path / "copies"))
    assert copy.complete
    assert copy.file_bytes == source.file_bytes
    assert copy.tensors == source.tensors


def test_every_part_of_a_split_model(tmp_path: Path) -> None:
    first = _split(tmp_path)
    whole = read_header(first)
    for path in whole.paths:
        os.truncate(path, path.stat().st_size // 2)
    cut = read_header(first, allow_missing_data=True)
    (tmp_path / "copies").mkdir()
    copy = read_header(write_hollow(cut, tmp_path / "copies"))
    assert copy.complete
    assert [path.name for path in copy.paths] == [
        f"model-{number:05d}-of-00003.gguf" for number in (1, 2, 3)
    ]
    assert copy.tensors == whole.tensors


def test_the_copies_take_no_room(tmp_path: Path) -> None:
    source = read_header(SHAPE.write(tmp_path / "m.gguf", with_data=False), allow_missing_data=True)
    copy = write_hollow(source, tmp_path)
    stored = getattr(copy.stat(), "st_blocks", None)
    if stored is None:
        pytest.skip("this system does not say what a file takes")
    assert stored * 512 < source.file_bytes / 2


def test_a_disk_that_stores_holes_in_full_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def filled(file: object, size_bytes: int) -> None:
        file.write(b"x" * size_bytes)  # type: ignore[attr-defined]
        file.flush()  # type: ignore[attr-defined]

    if os.name == "nt":
        pytest.skip("marked there, not measured")
    monkeypatch.setattr(hollow, "stretch", filled)
    source = read_header(SHAPE.write(tmp_path / "m.gguf", with_data=False), allow_missing_data=True)
    with pytest.raises(OSError, match="in full"):
        write_hollow(source, tmp_path)


def test_a_part_that_is_gone(tmp_path: Path) -> None:
    source = read_header(SHAPE.write(tmp_path / "m.gguf"))
    gone = replace(source, paths=(tmp_path / "gone.gguf",))
    with pytest.raises(ModelFileError, match="not_found"):
        write_hollow(gone, tmp_path)
