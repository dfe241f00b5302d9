"""Copies of a model's file without its vocabulary, for a dry run in a fraction of the time.

llama.cpp spends nine tenths of a dry run on 128k words and their merges, yet no buffer depends on
what the words are, only on how many. So the copy says "no_vocab" and how many; whether this engine
knows the tokenizer is asked with a second file: its settings and the first words of its lists.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from desktop.gguf.cursor import Cursor
from desktop.gguf.formats import MAGIC
from desktop.gguf.header import ModelHeader, Span
from desktop.gguf.hollow import copy_names, copy_part, require_holes, stretch
from desktop.gguf.source import RangeReader, open_reader
from desktop.gguf.values import SCALAR_FORMATS, ArrayRef, TextRef, ValueType

_TOKENIZER = "tokenizer."
_MODEL = "tokenizer.ggml.model"
_TOKENS = "tokenizer.ggml.tokens"
_TYPES_OF_TOKENS = "tokenizer.ggml.token_type_count"  # decides a tensor's size
_TEMPLATE = "tokenizer.chat_template"
# Those that llama.cpp loads with any part of their lists; others may need all their bytes' words.
_KINDS = ("gpt2", "llama", "bert", "gemma4")
_FEW_TOKENS = 4_096  # below it there is nothing to gain
_FIRST_WORDS = 256


@dataclass(frozen=True, slots=True)
class LeanModel:
    """`model` is the (first) file without words, `tokenizer` one with nothing but the tokenizer."""

    model: Path
    tokenizer: Path


def can_be_lean(header: ModelHeader) -> bool:
    """Whether a copy without words says the same as the file, and sooner."""
    tokens = header.metadata.get(_TOKENS)
    return (
        isinstance(tokens, ArrayRef)
        and tokens.item_type == ValueType.STRING
        and tokens.count > _FEW_TOKENS
        and header.text(_MODEL) in _KINDS
        and header.byte_order == "little"
        and bool(header.architecture)
        and _TOKENS in header.entries
    )


def write_lean(header: ModelHeader, folder: Path) -> LeanModel:
    """Write both into `folder`; for headers that `can_be_lean`.

    Raises OSError where the disk stores holes in full or takes no such file, ModelFileError where
    the source cannot be read.
    """
    require_holes(folder)
    names = copy_names(len(header.paths))
    with open_reader(header.paths[0]) as reader:
        model = folder / names[0]
        with model.open("w+b") as target:
            target.write(_wordless(header, reader))
            stretch(target, target.tell() + _data_bytes(header))
        tokenizer = folder / "tokenizer.gguf"
        tokenizer.write_bytes(_first_words(header, reader))
    for number, (source, name) in enumerate(zip(header.paths, names, strict=True)):
        if number > 0:
            copy_part(source, folder / name, number)
    return LeanModel(model, tokenizer)


def _wordless(header: ModelHeader, reader: RangeReader) -> bytes:
    """The header of the first file without its tokenizer, padded to where the data begins."""
    size_key = f"{header.architecture}.vocab_size"
    entries = [
        _text_entry(_MODEL, "no_vocab"),
        _name(size_key) + struct.pack("<II", ValueType.UINT32, header.vocab_size),
    ]
    for key, span in header.entries.items():
        if key == _TYPES_OF_TOKENS or not (key.startswith(_TOKENIZER) or key == size_key):
            entries.append(_bytes_of(reader, span))
    tensors = sum(tensor.part == 0 for tensor in header.tensors)
    head = _start(header, tensors, len(entries)) + b"".join(entries)
    head += _bytes_of(reader, header.tensor_list)
    return head.ljust(_padded(len(head), header.alignment), b"\0")


def _first_words(header: ModelHeader, reader: RangeReader) -> bytes:
    """A file with the tokenizer alone, of whose lists the first items are kept."""
    entries = [_text_entry("general.architecture", header.architecture)]
    for key, span in header.entries.items():
        value = header.metadata[key]
        if not key.startswith(_TOKENIZER) or key == _TEMPLATE or isinstance(value, TextRef):
            continue
        if isinstance(value, ArrayRef):
            entries.append(_shortened(reader, key, span, value, header.vocab_size))
        else:
            entries.append(_bytes_of(reader, span))
    return _start(header, 0, len(entries)) + b"".join(entries)


def _shortened(reader: RangeReader, key: str, span: Span, array: ArrayRef, words: int) -> bytes:
    """The entry with its first items; a list that is too short for its words stays so."""
    keep = min(_FIRST_WORDS if array.count >= words else _FIRST_WORDS - 1, array.count)
    start = span[0] + len(_name(key)) + 16  # behind both types and the count
    if array.item_type in SCALAR_FORMATS:
        end = start + keep * struct.calcsize(f"<{SCALAR_FORMATS[array.item_type]}")
    elif array.item_type == ValueType.STRING:
        cursor = Cursor(reader, key, window_bytes=64 << 10)
        cursor.skip(start)
        for _ in range(keep):
            cursor.skip(cursor.string_length())
        end = cursor.position
    else:  # arrays of arrays, which no tokenizer has: as they are
        return _bytes_of(reader, span)
    head = struct.pack("<IIQ", ValueType.ARRAY, array.item_type, keep)
    return _name(key) + head + _bytes_of(reader, (start, end))


def _start(header: ModelHeader, tensors: int, entries: int) -> bytes:
    return MAGIC + struct.pack("<IQQ", header.version, tensors, entries)


def _name(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _text_entry(key: str, value: str) -> bytes:
    return _name(key) + struct.pack("<I", ValueType.STRING) + _name(value)


def _bytes_of(reader: RangeReader, span: Span) -> bytes:
    return reader.read(span[0], span[1] - span[0])


def _data_bytes(header: ModelHeader) -> int:
    """What the first file's tensors take."""
    ends = (tensor.offset + tensor.nbytes for tensor in header.tensors if tensor.part == 0)
    return _padded(max(ends, default=0), header.alignment)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
