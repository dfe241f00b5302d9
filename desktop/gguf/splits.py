"""Models in several files: which they are, by the names that every tool gives them."""

from __future__ import annotations

import re
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.gguf.header import TensorInfo
from desktop.gguf.part import Part

_NAME = re.compile(r"(?P<prefix>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_MAX_PARTS = 1_000


def part_count(first: Part, path: str) -> int:
    """How many files the model has, by `split.count` (none or 0 is one file)."""
    count = first.metadata.get("split.count", 1)
    if not isinstance(count, int) or not 0 <= count <= _MAX_PARTS:
        raise _malformed(path, f"split.count {count!r:.40}")
    return max(1, count)


def part_paths(path: Path, first: Part, count: int) -> tuple[Path, ...]:
    """All files of the model of which `path` must be the first.

    Raises ModelFileError: split_not_first_part, split_bad_name, split_part_missing.
    """
    match = _NAME.fullmatch(path.name)
    number = first.metadata.get("split.no", 0)
    if match is None or int(match["count"]) != count:
        expected = f"{path.stem}-00001-of-{count:05d}.gguf"
        raise ModelFileError("split_bad_name", path=str(path), expected=expected)
    if number != 0 or int(match["number"]) != 1:
        first_name = f"{match['prefix']}-00001-of-{count:05d}.gguf"
        raise ModelFileError("split_not_first_part", path=str(path), first=first_name)
    names = (f"{match['prefix']}-{i:05d}-of-{count:05d}.gguf" for i in range(1, count + 1))
    paths = (path, *(path.with_name(name) for name in list(names)[1:]))
    for part in paths:
        if not part.exists():
            raise ModelFileError("split_part_missing", path=str(path), missing=part.name)
    return paths


def joined_tensors(parts: list[Part], path: str) -> tuple[TensorInfo, ...]:
    """The tensors of all parts, checked to belong together."""
    first = parts[0]
    for number, part in enumerate(parts):
        stated = part.metadata.get("split.no", 0), part.metadata.get("split.count", 0)
        if len(parts) > 1 and stated != (number, len(parts)):
            raise _malformed(path, f"part {number + 1} says it is part {stated}")
        if (part.version, part.byte_order) != (first.version, first.byte_order):
            raise _malformed(path, f"part {number + 1} is of another kind")
    tensors = tuple(tensor for part in parts for tensor in part.tensors)
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise _malformed(path, "two parts hold the same tensor")
    stated_total = first.metadata.get("split.tensors.count")
    if len(parts) > 1 and stated_total is not None and stated_total != len(tensors):
        raise _malformed(path, f"{len(tensors)} tensors of {stated_total!r:.40}")
    return tensors


def _malformed(path: str, problem: str) -> ModelFileError:
    return ModelFileError("malformed_gguf", path=path, problem=problem)
