"""Reads a model's header from its file, or files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

from desktop.common.errors import ModelFileError
from desktop.gguf import splits
from desktop.gguf.header import ModelHeader
from desktop.gguf.part import Part, read_part
from desktop.gguf.source import RangeReader, open_reader


def read_header(path: Path | str, *, allow_missing_data: bool = False) -> ModelHeader:
    """The header of the model at `path`, the first file of a split one; weights are not read.

    With `allow_missing_data` a file that ends behind its header is answered too, and
    `header.complete` is False.
    Raises ModelFileError: not_found, is_directory, not_a_file, no_permission, unreadable_file,
    empty_file, not_gguf and its neighbours (formats.foreign_file), unsupported_gguf_version,
    truncated_gguf, malformed_gguf, split_part_missing, split_bad_name, split_not_first_part.
    """
    path = Path(path)
    first = _read_file(path, 0)
    count = splits.part_count(first, str(path))
    paths = splits.part_paths(path, first, count) if count > 1 else (path,)
    parts = [first, *(_read_file(other, n) for n, other in enumerate(paths[1:], start=1))]
    if not allow_missing_data:
        for part, part_path in zip(parts, paths, strict=True):
            _require_data(part, part_path)
    return _joined(parts, paths)


def read_header_from(
    readers: RangeReader | Sequence[RangeReader],
    name: str,
    *,
    allow_missing_data: bool = True,
) -> ModelHeader:
    """As read_header, from ranges of one file or of all parts of a model; `name` is for errors."""
    sources = list(readers) if isinstance(readers, Sequence) else [readers]
    parts = [read_part(source, name, number) for number, source in enumerate(sources)]
    if not allow_missing_data:
        for part in parts:
            _require_data(part, Path(name))
    return header_of(parts, tuple(Path(name) for _ in parts), name)


def header_of(parts: Sequence[Part], paths: tuple[Path, ...], name: str) -> ModelHeader:
    """The header of a model whose files' headers are known, in order.

    Raises ModelFileError: split_part_missing, malformed_gguf.
    """
    count = splits.part_count(parts[0], name)
    if count != len(parts):
        raise ModelFileError("split_part_missing", path=name, missing=f"{len(parts) + 1}/{count}")
    return _joined(list(parts), paths)


def _read_file(path: Path, number: int) -> Part:
    with open_reader(path) as reader:
        return read_part(reader, str(path), number)


def _require_data(part: Part, path: Path) -> None:
    if not part.complete:
        raise ModelFileError(
            "truncated_gguf",
            path=str(path),
            detail=f"{part.size_bytes} of {part.end_bytes} bytes are there",
        )


def _joined(parts: list[Part], paths: tuple[Path, ...]) -> ModelHeader:
    first = parts[0]
    return ModelHeader(
        paths=paths,
        version=first.version,
        byte_order=first.byte_order,
        metadata=MappingProxyType(first.metadata),
        tensors=splits.joined_tensors(parts, str(paths[0])),
        file_bytes=sum(part.full_bytes for part in parts),
        data_offset=first.data_offset,
        alignment=first.alignment,
        complete=all(part.complete for part in parts),
        entries=MappingProxyType(first.entries),
        tensor_list=first.tensor_list,
    )
