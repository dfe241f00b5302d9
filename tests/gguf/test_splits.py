"""Models in several files."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError
from desktop.gguf.reader import read_header, read_header_from
from tests import gguf_files as files
from tests.gguf.test_reader import Bytes
from tests.gguf_files import LlamaShape, Typed, header_bytes, write_gguf, write_split

SHAPE = LlamaShape(layers=3)


def _split(folder: Path) -> Path:
    tensors = SHAPE.tensors()
    return write_split(
        folder / "Big.gguf", SHAPE.metadata(), [tensors[:10], tensors[10:20], tensors[20:]]
    )


def _error(path: Path) -> ModelFileError:
    with pytest.raises(ModelFileError) as caught:
        read_header(path)
    return caught.value


def test_all_parts_make_one_model(tmp_path: Path) -> None:
    header = read_header(_split(tmp_path))
    whole = read_header(SHAPE.write(tmp_path / "whole.gguf"))
    assert header.is_split
    assert [path.name for path in header.paths] == [
        "Big-00001-of-00003.gguf",
        "Big-00002-of-00003.gguf",
        "Big-00003-of-00003.gguf",
    ]
    assert [t.name for t in header.tensors] == [t.name for t in whole.tensors]
    assert {t.part for t in header.tensors} == {0, 1, 2}
    assert header.file_bytes == sum(path.stat().st_size for path in header.paths)
    assert header.complete


def test_the_name_does_not_show_the_part(tmp_path: Path) -> None:
    first = write_split(tmp_path / "Big.gguf", SHAPE.metadata(general__name=""), [SHAPE.tensors()])
    assert first.name == "Big-00001-of-00001.gguf"
    assert read_header(first).name == "Big"


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    first = _split(tmp_path)
    (tmp_path / "Big-00002-of-00003.gguf").unlink()
    error = _error(first)
    assert error.kind == "split_part_missing"
    assert error.params["missing"] == "Big-00002-of-00003.gguf"


def test_a_later_part_names_the_first(tmp_path: Path) -> None:
    _split(tmp_path)
    error = _error(tmp_path / "Big-00003-of-00003.gguf")
    assert error.kind == "split_not_first_part"
    assert error.params["first"] == "Big-00001-of-00003.gguf"


def test_a_renamed_part_says_what_its_name_must_be(tmp_path: Path) -> None:
    error = _error(_split(tmp_path).rename(tmp_path / "mine.gguf"))
    assert error.kind == "split_bad_name"
    assert error.params["expected"] == "mine-00001-of-00003.gguf"


def test_a_short_part_is_incomplete(tmp_path: Path) -> None:
    first = _split(tmp_path)
    third = tmp_path / "Big-00003-of-00003.gguf"
    third.write_bytes(third.read_bytes()[:-4_000])
    assert _error(first).kind == "truncated_gguf"
    assert not read_header(first, allow_missing_data=True).complete


def test_parts_of_two_models_are_not_mixed(tmp_path: Path) -> None:
    first = _split(tmp_path)
    other = {"split.no": Typed(files.U16, 1), "split.count": Typed(files.U16, 4)}
    write_gguf(tmp_path / "Big-00002-of-00003.gguf", other, SHAPE.tensors()[:1])
    assert _error(first).kind == "malformed_gguf"


def test_a_part_that_repeats_anothers_tensors(tmp_path: Path) -> None:
    tensors = SHAPE.tensors()
    first = write_split(tmp_path / "Big.gguf", SHAPE.metadata(), [tensors[:10], tensors[:10]])
    assert "same tensor" in str(_error(first).params["problem"])


def test_fewer_tensors_than_stated(tmp_path: Path) -> None:
    first = _split(tmp_path)
    lying = SHAPE.metadata() | {
        "split.no": Typed(files.U16, 0),
        "split.count": Typed(files.U16, 3),
        "split.tensors.count": Typed(files.I32, 99),
    }
    write_gguf(first, lying, SHAPE.tensors()[:10])
    assert "of 99" in str(_error(first).params["problem"])


@pytest.mark.parametrize("count", [-5, 60_000, "three"])
def test_an_absurd_number_of_parts(tmp_path: Path, count: object) -> None:
    path = SHAPE.write(tmp_path / "m.gguf", split__count=count)
    assert _error(path).kind == "malformed_gguf"


def test_parts_from_elsewhere() -> None:
    def part(number: int, name: str) -> Bytes:
        split = {
            "split.no": Typed(files.U16, number),
            "split.count": Typed(files.U16, 2),
            "split.tensors.count": Typed(files.I32, 2),
        }
        return Bytes(header_bytes(split, [files.Tensor(name, (4,))]))

    header = read_header_from([part(0, "a"), part(1, "b")], "m.gguf")
    assert [tensor.name for tensor in header.tensors] == ["a", "b"]
    with pytest.raises(ModelFileError) as caught:
        read_header_from(part(0, "a"), "m.gguf")
    assert caught.value.kind == "split_part_missing"
