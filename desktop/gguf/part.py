"""Reads the header of one file: its magic, metadata and tensor list, refusing what is malformed."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop.common.errors import ModelFileError
from desktop.gguf.cursor import WINDOW_BYTES, Cursor
from desktop.gguf.formats import MAGIC, foreign_file
from desktop.gguf.header import ByteOrder, Span, TensorInfo
from desktop.gguf.source import RangeReader
from desktop.gguf.tensor_types import REMOVED_TENSOR_TYPES, TENSOR_TYPES
from desktop.gguf.values import SCALAR_FORMATS, ArrayRef, MetaValue, Scalar, TextRef, ValueType

_MAX_KEYS = 65_536
_MAX_TENSORS = 131_072
_MAX_KEY_BYTES = 65_535  # the format's own limit
_MAX_TENSOR_NAME_BYTES = 63  # ggml's limit
_MAX_DIMS = 4
_MAX_STRINGS = 4_000_000
"""In all arrays of one header; the largest vocabularies and their merges are 800,000."""
_MAX_NESTING = 4
_MAX_INNER_ARRAYS = 65_536
_KEPT_NUMBERS = 8_192
_KEPT_STRINGS = 256
_KEPT_TEXT_BYTES = 1 << 20
_MAX_KEPT_BYTES = 32 << 20
_MAX_ALIGNMENT = 1 << 24
DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Part:
    """One file's header. `end_bytes` is where the last tensor's data ends in the file.

    `entries` and `tensor_list` are places in the file, first and behind the last byte: of each
    metadata entry (key included), and of the list of tensors.
    """

    version: int
    byte_order: ByteOrder
    metadata: dict[str, MetaValue]
    tensors: tuple[TensorInfo, ...]
    alignment: int
    data_offset: int
    end_bytes: int
    size_bytes: int
    entries: dict[str, Span]
    tensor_list: Span

    @property
    def complete(self) -> bool:
        return self.end_bytes <= self.size_bytes

    @property
    def full_bytes(self) -> int:
        """The size of the whole file: as it lies there, or as its tensor list says."""
        return self.size_bytes if self.complete else _padded(self.end_bytes, self.alignment)


@dataclass(slots=True)
class _Metadata:
    """Metadata under construction, with what it may still use up."""

    values: dict[str, MetaValue] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    strings_left: int = _MAX_STRINGS
    inner_arrays_left: int = _MAX_INNER_ARRAYS
    kept_bytes_left: int = _MAX_KEPT_BYTES


def read_part(
    reader: RangeReader, name: str, number: int = 0, *, window_bytes: int = WINDOW_BYTES
) -> Part:
    """The header of the file behind `reader`; `name` stands in errors, `number` in its tensors.

    Raises ModelFileError: malformed_gguf, truncated_gguf, unsupported_gguf_version, or what
    formats.foreign_file names.
    """
    cursor = Cursor(reader, name, window_bytes=window_bytes)
    version, byte_order = _read_version(cursor, reader, name)
    tensor_count, key_count = cursor.u64(), cursor.u64()
    # An entry takes at least 13 bytes, a tensor at least 24.
    if key_count > _MAX_KEYS or key_count * 13 > cursor.remaining_bytes:
        raise cursor.malformed(f"{key_count} metadata entries")
    if tensor_count > _MAX_TENSORS or tensor_count * 24 > cursor.remaining_bytes:
        raise cursor.malformed(f"{tensor_count} tensors")
    metadata = _Metadata()
    for _ in range(key_count):
        _read_entry(cursor, metadata)
    alignment = _alignment(cursor, metadata.values)
    list_start = cursor.position
    tensors, data_bytes = _read_tensors(cursor, tensor_count, alignment, number)
    data_offset = _padded(cursor.position, alignment)
    return Part(
        version=version,
        byte_order=byte_order,
        metadata=metadata.values,
        tensors=tensors,
        alignment=alignment,
        data_offset=data_offset if tensors else cursor.position,
        end_bytes=data_offset + data_bytes if tensors else cursor.position,
        size_bytes=reader.size_bytes,
        entries=metadata.spans,
        tensor_list=(list_start, cursor.position),
    )


def _read_version(cursor: Cursor, reader: RangeReader, name: str) -> tuple[int, ByteOrder]:
    """The version, and the byte order that makes it a small number."""
    start = reader.read(0, min(64, reader.size_bytes))
    if start[:4] != MAGIC:
        raise foreign_file(start, reader.size_bytes, name)
    cursor.skip(4)
    raw = cursor.take(4)
    little, big = int.from_bytes(raw, "little"), int.from_bytes(raw, "big")
    version, byte_order = (big, "big") if little & 0xFFFF == 0 else (little, "little")
    if version not in (2, 3):
        if version == 0 or version > 1_000:
            raise cursor.malformed("no version number")
        raise ModelFileError("unsupported_gguf_version", path=name, version=version)
    if byte_order == "big":
        cursor.set_byte_order("big")
        return version, "big"
    return version, "little"


def _read_entry(cursor: Cursor, metadata: _Metadata) -> None:
    start = cursor.position
    key = _read_name(cursor, _MAX_KEY_BYTES, "key")
    if key in metadata.values:
        raise cursor.malformed("duplicate key", key)
    value_type = cursor.u32()
    if key == "general.alignment" and value_type != ValueType.UINT32:
        raise cursor.malformed("wrong type of alignment", key)
    metadata.values[key] = _read_value(cursor, metadata, value_type, key)
    metadata.spans[key] = start, cursor.position


def _read_value(cursor: Cursor, metadata: _Metadata, value_type: int, key: str) -> MetaValue:
    if value_type in SCALAR_FORMATS:
        return cursor.scalar(value_type, key)
    if value_type == ValueType.STRING:
        return _read_text(cursor, metadata)
    if value_type == ValueType.ARRAY:
        return _read_array(cursor, metadata, key, 1)
    raise cursor.malformed(f"unknown value type {value_type}", key)


def _read_array(cursor: Cursor, metadata: _Metadata, key: str, depth: int) -> MetaValue:
    item_type, count = cursor.u32(), cursor.u64()
    if item_type in SCALAR_FORMATS:
        size_bytes = count * cursor.scalar_bytes(item_type)
        if size_bytes > cursor.remaining_bytes:
            raise cursor.malformed(f"{count} items do not fit into the file", key)
        if count <= _KEPT_NUMBERS and depth == 1:
            _keep(cursor, metadata, size_bytes, key)
            return cursor.scalars(item_type, count, key)
        cursor.skip(size_bytes)
        return ArrayRef(item_type, count)
    if item_type == ValueType.STRING:
        return _read_strings(cursor, metadata, key, count, depth)
    if item_type == ValueType.ARRAY:
        if depth >= _MAX_NESTING:
            raise cursor.malformed("arrays inside arrays too deep", key)
        if count > metadata.inner_arrays_left:
            raise cursor.malformed(f"{count} arrays inside an array", key)
        metadata.inner_arrays_left -= count
        for _ in range(count):
            _read_array(cursor, metadata, key, depth + 1)
        return ArrayRef(item_type, count)
    raise cursor.malformed(f"unknown item type {item_type}", key)


def _read_strings(
    cursor: Cursor, metadata: _Metadata, key: str, count: int, depth: int
) -> MetaValue:
    _use_items(cursor, metadata, count, key)
    if count > _KEPT_STRINGS or depth > 1:
        cursor.skip_strings(count)
        return ArrayRef(ValueType.STRING, count)
    items: list[Scalar] = []
    for _ in range(count):
        text = _read_text(cursor, metadata)
        items.append(text if isinstance(text, str) else "")
    return tuple(items)


def _use_items(cursor: Cursor, metadata: _Metadata, count: int, key: str) -> None:
    """Each item takes at least 8 bytes and some time; a header may not ask for endless ones."""
    if count * 8 > cursor.remaining_bytes or count > metadata.strings_left:
        raise cursor.malformed(f"{count} items do not fit into the file", key)
    metadata.strings_left -= count


def _keep(cursor: Cursor, metadata: _Metadata, size_bytes: int, where: str) -> None:
    if size_bytes > metadata.kept_bytes_left:
        raise cursor.malformed("more metadata than any real model has", where)
    metadata.kept_bytes_left -= size_bytes


def _read_text(cursor: Cursor, metadata: _Metadata) -> str | TextRef:
    """A value's text; bytes that are no UTF-8 are replaced, as they harm nobody."""
    length = cursor.string_length()
    if length > _KEPT_TEXT_BYTES:
        cursor.skip(length)
        return TextRef(length)
    _keep(cursor, metadata, length, "")
    return cursor.take(length).decode("utf-8", errors="replace")


def _read_name(cursor: Cursor, max_bytes: int, what: str) -> str:
    length = cursor.string_length()
    if length == 0:
        raise cursor.malformed(f"empty {what}")
    if length > max_bytes:
        raise cursor.malformed(f"{what} of {length} bytes")
    raw = cursor.take(length)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise cursor.malformed(f"{what} that is no text", repr(raw)) from error


def _alignment(cursor: Cursor, metadata: dict[str, MetaValue]) -> int:
    value = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(value, int) or value <= 0 or value & (value - 1) or value > _MAX_ALIGNMENT:
        raise cursor.malformed(f"alignment {value}", "general.alignment")
    return value


def _read_tensors(
    cursor: Cursor, count: int, alignment: int, part: int
) -> tuple[tuple[TensorInfo, ...], int]:
    """The tensor list, and where the last one ends behind the start of the data section.

    llama.cpp wants the data in the list's order without gaps; so does this.
    """
    tensors: list[TensorInfo] = []
    seen: set[str] = set()
    expected_offset = end = 0
    for _ in range(count):
        tensor = _read_tensor(cursor, part)
        if tensor.name in seen:
            raise cursor.malformed("duplicate tensor", tensor.name)
        seen.add(tensor.name)
        if tensor.offset % alignment:
            raise cursor.malformed("tensor that is not aligned", tensor.name)
        if tensor.offset < expected_offset:
            raise cursor.malformed("tensor that overlaps another", tensor.name)
        if tensor.offset > expected_offset:
            raise cursor.malformed("gap before a tensor", tensor.name)
        end = tensor.offset + tensor.nbytes
        expected_offset = _padded(end, alignment)
        if expected_offset >= 1 << 63:
            raise cursor.malformed("tensors larger than any disk", tensor.name)
        tensors.append(tensor)
    return tuple(tensors), end


def _read_tensor(cursor: Cursor, part: int) -> TensorInfo:
    name = _read_name(cursor, _MAX_TENSOR_NAME_BYTES, "tensor name")
    dim_count = cursor.u32()
    if dim_count > _MAX_DIMS:
        raise cursor.malformed(f"{dim_count} dimensions", name)
    dims = tuple(cursor.u64() for _ in range(dim_count))
    values = 1
    for dim in dims:
        values *= dim
    if not 0 < values < 1 << 63:
        raise cursor.malformed("impossible dimensions", name)
    code = cursor.u32()
    tensor_type = TENSOR_TYPES.get(code)
    if tensor_type is None:
        removed = REMOVED_TENSOR_TYPES.get(code)
        kind = f"tensor type {removed}, which no program reads any more" if removed else ""
        raise cursor.malformed(kind or f"unknown tensor type {code}", name)
    row = dims[0] if dims else 1
    if row % tensor_type.block_values:
        raise cursor.malformed(f"rows of {row} values in {tensor_type.name}", name)
    nbytes = values // tensor_type.block_values * tensor_type.block_bytes
    return TensorInfo(name, dims, code, tensor_type.name, cursor.u64(), nbytes, part)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
