"""Files that are broken, foreign or made to hurt: each its own kind of error, in bounded time."""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path

import pytest

from desktop.common.errors import ModelFileError
from desktop.gguf.reader import read_header, read_header_from
from tests import gguf_files as files
from tests.gguf.test_reader import Bytes
from tests.gguf_files import Array, Layout, LlamaShape, Tensor, Typed, header_bytes


def kind_of(raw: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_header_from(Bytes(raw), "m.gguf", allow_missing_data=False)
    return caught.value.kind


def problem_of(raw: bytes) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_header_from(Bytes(raw), "m.gguf", allow_missing_data=True)
    assert caught.value.kind == "malformed_gguf"
    return str(caught.value.params["problem"])


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"GG", "truncated_gguf"),
        (b"GGUF\x03\0\0\0", "truncated_gguf"),
        (b"lmgg" + bytes(60), "old_ggml_format"),
        (b"tjgg\x03\0\0\0" + bytes(60), "old_ggml_format"),
        (struct.pack("<Q", 20) + b'{"a": {"dtype": "F16"}}' + bytes(60), "is_safetensors"),
        (b"PK\x03\x04" + bytes(60), "is_archive"),
        (b"\x80\x02}q\x00" + bytes(60), "is_archive"),
        (b"<!DOCTYPE html><html>" + bytes(60), "is_web_page"),
        (b"\xef\xbb\xbf \n<HTML lang=de>", "is_web_page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is_lfs_pointer"),
        (bytes(4096), "is_blank"),
        (b"Once upon a time there was a text.", "not_gguf"),
        (b"GGUF\x01\0\0\0" + bytes(60), "unsupported_gguf_version"),
        (b"GGUF\x04\0\0\0" + bytes(60), "unsupported_gguf_version"),
        (b"GGUF\0\0\0\x04" + bytes(60), "unsupported_gguf_version"),
        (b"GGUF\0\0\0\0" + bytes(60), "malformed_gguf"),
        (b"GGUF\xff\xff\xff\xff" + bytes(60), "malformed_gguf"),
    ],
)
def test_files_that_are_something_else(start: bytes, kind: str) -> None:
    assert kind_of(start) == kind


def test_missing_file(tmp_path: Path) -> None:
    assert _path_kind(tmp_path / "gone.gguf") == "not_found"
    assert _path_kind(tmp_path / "gone" / "m.gguf") == "not_found"


def test_directory(tmp_path: Path) -> None:
    assert _path_kind(tmp_path) == "is_directory"


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").touch()
    assert _path_kind(tmp_path / "m.gguf") == "empty_file"


def test_names_that_no_file_can_have() -> None:
    assert _path_kind("a\0b.gguf") == "not_found"
    assert _path_kind("x" * 5_000) == "not_found"


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = LlamaShape().write(tmp_path / "m.gguf")

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # a real chmod does not stop root
    assert _path_kind(path) == "no_permission"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.gguf")
    assert _path_kind(tmp_path / "m.gguf") == "not_a_file"
    assert _path_kind("/dev/zero") == "not_a_file"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_itself_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").symlink_to("m.gguf")
    assert _path_kind(tmp_path / "m.gguf") == "not_found"


def _path_kind(path: Path | str) -> str:
    with pytest.raises(ModelFileError) as caught:
        read_header(path)
    return caught.value.kind


def test_half_a_file(tmp_path: Path) -> None:
    path = LlamaShape().write(tmp_path / "m.gguf")
    os.truncate(path, path.stat().st_size // 2)
    assert _path_kind(path) == "truncated_gguf"


def test_cut_anywhere_in_the_header() -> None:
    """Whatever byte a download stopped at, the answer is the same and clear."""
    whole = header_bytes(LlamaShape(layers=1).metadata(), LlamaShape(layers=1).tensors())
    kinds = {kind_of(whole[:n]) for n in range(1, len(whole), 7)}
    assert kinds <= {"truncated_gguf", "malformed_gguf"}


HUGE = 1 << 62


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (header_bytes({}, layout=Layout(tensor_count=HUGE)), "tensors"),
        (header_bytes({}, layout=Layout(key_count=HUGE)), "metadata entries"),
        (header_bytes({"a": Array(files.U8, [], count=HUGE)}), "items do not fit"),
        (header_bytes({"a": Array(files.F64, [], count=1 << 61)}), "items do not fit"),
        (header_bytes({"a": Array(files.STRING, [], count=HUGE)}), "items do not fit"),
        (header_bytes({"a": Array(files.ARRAY, [], count=HUGE)}), "arrays inside an array"),
        (header_bytes([("a", 1), ("a", 2)]), "duplicate key: a"),
        (header_bytes([("", 1)]), "empty key"),
        (header_bytes([(b"\xff\xfe", 1)]), "no text"),
        (header_bytes({"k" * 70_000: 1}), "key of 70000 bytes"),
        (header_bytes({"a": Typed(13, raw=bytes(8))}), "unknown value type 13"),
        (header_bytes({"a": Typed(files.ARRAY, raw=struct.pack("<IQ", 99, 1) + bytes(8))}), "99"),
        (header_bytes({"a": Typed(files.BOOL, raw=b"\x02")}), "truth value"),
        (header_bytes({"a": Array(files.BOOL, [], count=1, raw=b"\x07")}), "truth value"),
        (header_bytes({"general.alignment": 48}), "alignment 48"),
        (header_bytes({"general.alignment": 0}), "alignment 0"),
        (header_bytes({"general.alignment": Typed(files.U64, 32)}), "type of alignment"),
        (header_bytes({"general.alignment": 1 << 30}), "alignment 1073741824"),
        (header_bytes({}, [Tensor("t", (4,)), Tensor("t", (4,))]), "duplicate tensor"),
        (header_bytes({}, [Tensor("", (4,))]), "empty tensor name"),
        (header_bytes({}, [Tensor("n" * 64, (4,))]), "tensor name of 64 bytes"),
        (header_bytes({}, [Tensor("t", (1, 1, 1, 1, 1))]), "5 dimensions"),
        (header_bytes({}, [Tensor("t", (4, 0))]), "impossible dimensions"),
        (header_bytes({}, [Tensor("t", (1 << 40, 1 << 40))]), "impossible dimensions"),
        (header_bytes({}, [Tensor("t", (4,), code=999)]), "unknown tensor type 999"),
        (header_bytes({}, [Tensor("t", (4,), code=31)]), "Q4_0_4_4"),
        (header_bytes({}, [Tensor("t", (33, 2), code=8)]), "rows of 33"),
        (header_bytes({}, [Tensor("t", (4,), offset=8)]), "not aligned"),
        (header_bytes({}, [Tensor("t", (64,)), Tensor("u", (4,), offset=0)]), "overlaps"),
        (header_bytes({}, [Tensor("t", (4,)), Tensor("u", (4,), offset=6400)]), "gap"),
        (header_bytes({}, [Tensor("t", (4,), offset=1 << 60)]), "gap"),
        (header_bytes({}, [Tensor("t", (1 << 61,))]), "larger than any disk"),
    ],
)
def test_malformed_headers(raw: bytes, problem: str) -> None:
    assert problem in problem_of(raw + bytes(256))


def test_lengths_beyond_the_file() -> None:
    for length in (100, 1 << 31, 1 << 58):
        entry = struct.pack("<Q", 1) + b"a" + struct.pack("<IQ", files.STRING, length)
        head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
        assert kind_of(head + entry + b"short") == "truncated_gguf"
        token = struct.pack("<IQ", files.STRING, 300) + struct.pack("<Q", 50 * length)
        listed = struct.pack("<Q", 1) + b"a" + struct.pack("<I", files.ARRAY) + token + bytes(4000)
        assert kind_of(head + listed) == "truncated_gguf"


def test_arrays_nested_too_deep() -> None:
    value = Array(files.I32, [1])
    for _ in range(100):
        value = Array(files.ARRAY, [value])
    assert "too deep" in problem_of(header_bytes({"n": value}))


def test_a_file_that_claims_millions_of_strings_is_refused_soon() -> None:
    """Ten lists of three million empty strings: a lie that would take seconds to read."""
    empty = Array(files.STRING, [], count=3_000_000, raw=bytes(24_000_000))
    raw = header_bytes({"a": empty, "b": empty})
    begin = time.perf_counter()
    assert "items do not fit" in problem_of(raw)
    assert time.perf_counter() - begin < 5


def test_a_file_full_of_empty_arrays_is_refused_soon() -> None:
    inner = struct.pack("<IQ", files.U8, 0) * 2_000_000
    raw = header_bytes({"a": Array(files.ARRAY, [], count=2_000_000, raw=inner)})
    begin = time.perf_counter()
    assert "arrays inside an array" in problem_of(raw)
    assert time.perf_counter() - begin < 2


def test_more_text_than_any_model_has() -> None:
    text = "x" * 1_000_000
    raw = header_bytes({f"k{n}": text for n in range(40)})
    assert "more metadata" in problem_of(raw)


def test_names_from_a_file_cannot_write_to_a_terminal() -> None:
    problem = problem_of(header_bytes([("\x1b[31mred\x07", 1), ("\x1b[31mred\x07", 1)]))
    assert "\x1b" not in problem
    assert "\x07" not in problem


def test_a_file_that_shrinks_while_it_is_read() -> None:
    class Shrinking(Bytes):
        def read(self, offset: int, n: int) -> bytes:
            return super().read(offset, min(n, 70)) if offset else super().read(offset, n)

    tokens = Array(files.STRING, ["x" * 9_000] * 300)
    with pytest.raises(ModelFileError) as caught:
        read_header_from(Shrinking(header_bytes({"t": tokens, "after": "y" * 90})), "m")
    assert caught.value.kind == "truncated_gguf"
