"""Valid headers: every type, both byte orders, both versions, and what is left unread."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import pytest

from desktop.gguf.reader import read_header, read_header_from
from desktop.gguf.tensor_types import TENSOR_TYPES
from desktop.gguf.values import ArrayRef, TextRef, ValueType
from tests import gguf_files as files
from tests.gguf_files import Array, LlamaShape, Tensor, Typed, write_gguf

EVERY_VALUE: dict[str, object] = {
    "general.architecture": "llama",
    "a.u8": Typed(files.U8, 200),
    "a.i8": Typed(files.I8, -100),
    "a.u16": Typed(files.U16, 60_000),
    "a.i16": Typed(files.I16, -30_000),
    "a.u32": Typed(files.U32, 4_000_000_000),
    "a.i32": Typed(files.I32, -2_000_000_000),
    "a.u64": Typed(files.U64, 1 << 63),
    "a.i64": Typed(files.I64, -(1 << 62)),
    "a.f32": Typed(files.F32, 0.5),
    "a.f64": Typed(files.F64, 1e300),
    "a.yes": True,
    "a.no": False,
    "a.text": "Grüße, 世界 🦊",
    "a.empty": "",
    "a.numbers": Array(files.I32, [3, -1, 2]),
    "a.truths": Array(files.BOOL, [True, False]),
    "a.words": Array(files.STRING, ["de", "en"]),
    "a.nothing": Array(files.U8, []),
}
EXPECTED = {
    "a.u8": 200,
    "a.i8": -100,
    "a.u16": 60_000,
    "a.i16": -30_000,
    "a.u32": 4_000_000_000,
    "a.i32": -2_000_000_000,
    "a.u64": 1 << 63,
    "a.i64": -(1 << 62),
    "a.f32": 0.5,
    "a.f64": 1e300,
    "a.yes": True,
    "a.no": False,
    "a.text": "Grüße, 世界 🦊",
    "a.empty": "",
    "a.numbers": (3, -1, 2),
    "a.truths": (True, False),
    "a.words": ("de", "en"),
    "a.nothing": (),
}


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("version", [2, 3])
def test_every_value_type_is_read(
    tmp_path: Path, byte_order: files.ByteOrder, version: int
) -> None:
    tensors = [Tensor("x.weight", (64, 3), "Q8_0"), Tensor("y.weight", (7,))]
    path = write_gguf(
        tmp_path / "m.gguf", EVERY_VALUE, tensors, version=version, byte_order=byte_order
    )
    header = read_header(path)
    assert {key: header.metadata[key] for key in EXPECTED} == EXPECTED
    assert (header.version, header.byte_order) == (version, byte_order)
    assert [(t.name, t.dims, t.type_name, t.offset, t.nbytes) for t in header.tensors] == [
        ("x.weight", (64, 3), "Q8_0", 0, 204),
        ("y.weight", (7,), "F32", 224, 28),
    ]
    assert header.complete
    assert header.file_bytes == path.stat().st_size


def test_true_is_no_number() -> None:
    """A truth value must not be taken for the number 1."""
    header_bytes = files.header_bytes({"general.architecture": "x", "x.block_count": True})
    header = read_header_from(Bytes(header_bytes), "x")
    assert header.integer("x.block_count") is None


@pytest.mark.parametrize("name", sorted(files.BLOCKS))
def test_the_writer_of_the_tests_knows_the_types(name: str) -> None:
    code, block_values, block_bytes = files.BLOCKS[name]
    assert TENSOR_TYPES[code] == (name, block_values, block_bytes)


def test_type_sizes_are_ggmls() -> None:
    """The gguf package says 40 bytes for Q8_1; ggml itself says 36, and no file has such."""
    for kind, sizes in gguf.GGML_QUANT_SIZES.items():
        assert TENSOR_TYPES[int(kind)].name == kind.name
        if kind.name != "Q8_1":
            assert TENSOR_TYPES[int(kind)][1:] == sizes, kind.name


@pytest.mark.parametrize("code", sorted(TENSOR_TYPES))
def test_every_tensor_type_is_read(tmp_path: Path, code: int) -> None:
    kind = TENSOR_TYPES[code]
    width = kind.block_values * 2
    raw = files.header_bytes({}, [Tensor("t", (width, 4), "F32", code=code)])
    header = read_header_from(Bytes(raw), "x", allow_missing_data=True)
    assert header.tensors[0].nbytes == 2 * 4 * kind.block_bytes
    assert header.tensors[0].type_name == kind.name


def test_value_types_are_those_of_the_gguf_package() -> None:
    assert {kind.name: int(kind) for kind in gguf.GGUFValueType} == {
        kind.name: int(kind) for kind in ValueType
    }


def test_a_file_of_the_gguf_package_is_read_the_same(tmp_path: Path) -> None:
    path = LlamaShape().write(tmp_path / "m.gguf")
    ours, theirs = read_header(path), gguf.GGUFReader(path)
    assert [t.name for t in ours.tensors] == [t.name for t in theirs.tensors]
    assert [t.nbytes for t in ours.tensors] == [t.n_bytes for t in theirs.tensors]
    starts = [ours.data_offset + t.offset for t in ours.tensors]
    assert starts == [t.data_offset for t in theirs.tensors]


def test_token_lists_are_skipped_and_counted(tmp_path: Path) -> None:
    tokens = [f"token {n}" * (n % 7) for n in range(5_000)]
    path = LlamaShape().write(
        tmp_path / "m.gguf",
        tokenizer__ggml__tokens=Array(files.STRING, tokens),
        tokenizer__ggml__scores=Array(files.F32, [0.0] * 20_000),
        tokenizer__ggml__eos_token_id=4_999,
    )
    header = read_header(path)
    assert header.metadata["tokenizer.ggml.tokens"] == ArrayRef(ValueType.STRING, 5_000)
    assert header.metadata["tokenizer.ggml.scores"] == ArrayRef(ValueType.FLOAT32, 20_000)
    assert header.metadata["tokenizer.ggml.eos_token_id"] == 4_999
    assert header.vocab_size == 5_000


@pytest.mark.parametrize("extra", range(0, 24))
def test_token_lists_across_the_windows_edge(extra: int) -> None:
    """A length or a string may begin in one window of the file and end in the next."""
    lengths = [1 << 18, 1 << 18, (1 << 18) - 20 + extra, 300_000, 3, 0, 1_100_000, 5]
    tokens = ["x" * n for n in lengths] + ["y"] * 300
    raw = files.header_bytes({"t": Array(files.STRING, tokens), "after": 7})
    header = read_header_from(Bytes(raw), "x")
    assert header.metadata["t"] == ArrayRef(ValueType.STRING, len(tokens))
    assert header.metadata["after"] == 7


def test_a_very_long_text_is_not_kept() -> None:
    raw = files.header_bytes({"tokenizer.huggingface.json": "x" * 2_000_000, "after": "y"})
    header = read_header_from(Bytes(raw), "x")
    assert header.metadata["tokenizer.huggingface.json"] == TextRef(2_000_000)
    assert header.metadata["after"] == "y"


def test_text_that_is_no_utf8_is_replaced_in_values() -> None:
    header = read_header_from(Bytes(files.header_bytes({"general.author": b"J\xe9r\xf4me"})), "x")
    assert header.metadata["general.author"] == "J�r�me"


def test_arrays_of_arrays_are_skipped() -> None:
    inner = Array(files.I32, [1, 2])
    nested = Array(files.ARRAY, [inner, Array(files.STRING, ["a"]), Array(files.ARRAY, [inner])])
    header = read_header_from(Bytes(files.header_bytes({"n": nested, "after": 1})), "x")
    assert header.metadata["n"] == ArrayRef(ValueType.ARRAY, 3)
    assert header.metadata["after"] == 1


def test_what_the_header_says(tmp_path: Path) -> None:
    shape = LlamaShape(layers=3, vocab=320)
    path = shape.write(
        tmp_path / "m.gguf",
        general__name="Little One",
        general__license="mit",
        general__size_label="1M",
        tokenizer__chat_template="{{ messages }}",
    )
    header = read_header(path)
    assert (header.architecture, header.name, header.licence) == ("llama", "Little One", "mit")
    assert header.size_label == "1M"
    assert header.chat_template == "{{ messages }}"
    assert (header.block_count, header.context_length, header.embedding_length) == (3, 2048, 256)
    assert (header.head_count, header.head_count_kv, header.vocab_size) == (4, 2, 320)
    assert header.parameters == sum(t.values for t in header.tensors)
    assert header.bits_per_weight == pytest.approx(8 * header.tensor_bytes / header.parameters)
    assert not header.is_split


def test_the_name_falls_back_to_the_files(tmp_path: Path) -> None:
    path = LlamaShape().write(tmp_path / "Some-Model-Q4_K_M.gguf", general__name=" ")
    assert read_header(path).name == "Some-Model-Q4_K_M"


def test_a_name_cannot_write_to_a_terminal(tmp_path: Path) -> None:
    name = "\x1b]0;owned\x07" + "very " * 500
    header = read_header(LlamaShape().write(tmp_path / "m.gguf", general__name=name))
    assert header.name.isprintable()
    assert len(header.name) < 130


def test_heads_may_differ_from_layer_to_layer(tmp_path: Path) -> None:
    kv = Array(files.I32, [2, 0])
    path = LlamaShape().write(tmp_path / "m.gguf", llama__attention__head_count_kv=kv)
    header = read_header(path)
    assert header.per_layer("attention.head_count_kv") == (2, 0)
    assert header.head_count_kv == 2


def test_missing_data_is_allowed_when_asked(tmp_path: Path) -> None:
    whole = LlamaShape().write(tmp_path / "whole.gguf")
    part = LlamaShape().write(tmp_path / "part.gguf", with_data=False)
    header = read_header(part, allow_missing_data=True)
    assert not header.complete
    assert header.file_bytes == whole.stat().st_size
    assert header.bits_per_weight == read_header(whole).bits_per_weight


def test_alignment_other_than_the_usual(tmp_path: Path) -> None:
    layout = files.Layout(alignment=4096)
    tensors = [Tensor("a", (3,)), Tensor("b", (5,))]
    path = write_gguf(tmp_path / "m.gguf", {"general.alignment": 4096}, tensors, layout=layout)
    header = read_header(path)
    assert header.data_offset % 4096 == 0
    assert [t.offset for t in header.tensors] == [0, 4096]


class Bytes:
    """A RangeReader over bytes that notes how much it was asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.bytes_read = 0

    @property
    def size_bytes(self) -> int:
        return len(self._data)

    def read(self, offset: int, n: int) -> bytes:
        piece = self._data[offset : offset + n]
        self.bytes_read += len(piece)
        return piece


def test_only_the_header_is_fetched_from_elsewhere() -> None:
    header = files.header_bytes(LlamaShape().metadata(), LlamaShape().tensors())
    source = Bytes(header + bytes(64_000_000))
    read_header_from(source, "m.gguf")
    assert source.bytes_read < 3_000_000


def test_big_endian_numbers_are_not_mistaken() -> None:
    raw = files.header_bytes({"n": 5}, layout=files.Layout(byte_order="big"))
    assert struct.unpack(">I", raw[4:8]) == (3,)
    assert read_header_from(Bytes(raw), "x").metadata["n"] == 5
