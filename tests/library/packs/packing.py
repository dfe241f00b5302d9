"""Packs of small made-up files for tests."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desktop.library.packs.making import Made, Making, ModelToPack
from desktop.library.packs.manifest import PackedFile, PackedModel, Role
from desktop.library.packs.progress import PackProgress


@dataclass(frozen=True)
class Sources:
    """Models made of random bytes, in a folder of their own."""

    folder: Path

    def model(self, name: str, sizes: Sequence[int] = (300_000,), **more: Any) -> ModelToPack:
        """One with a file for each size; the same name gives the same bytes."""
        stems = [f"{name}-{n:05d}-of-{len(sizes):05d}" for n in range(1, len(sizes) + 1)]
        stems = stems if len(sizes) > 1 else [name]
        listed = [
            self._file(name, f"{stem}.gguf", size, "model")
            for stem, size in zip(stems, sizes, strict=True)
        ]
        files = tuple(file for file, _ in listed)
        return ModelToPack(PackedModel(name, files, **more), {f.path: place for f, place in listed})

    def with_file(self, model: ModelToPack, name: str, size: int, role: Role) -> ModelToPack:
        file, place = self._file(model.packed.name, name, size, role)
        packed = replace(model.packed, files=(*model.packed.files, file))
        return ModelToPack(packed, {**model.places, file.path: place})

    def _file(self, folder: str, name: str, size: int, role: Role) -> tuple[PackedFile, Path]:
        place = self.folder / name
        place.write_bytes(random.Random(name).randbytes(size))
        return PackedFile(f"{folder}/{name}", size, "", role), place


def make(models: Sequence[ModelToPack], target: Path, volume_bytes: int = 0, **more: Any) -> Made:
    return Making(tuple(models), target, volume_bytes, **more).run()


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_below(folder: Path) -> dict[str, bytes]:
    """All files in it, those of a leading dot included, by their path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class Seen:
    """Keeps every progress; raises or tells a wish to stop once enough was done."""

    def __init__(self, stop_after_bytes: int | None = None) -> None:
        self.all: list[PackProgress] = []
        self._stop_after_bytes = stop_after_bytes
        self.asked = 0

    def __call__(self, progress: PackProgress) -> None:
        self.all.append(progress)

    def is_cancelled(self) -> bool:
        self.asked += 1
        return self._stop_after_bytes is not None and self.asked > self._stop_after_bytes


def index_document(models: Sequence[Mapping[str, Any]], **more: Any) -> bytes:
    """An index as a stranger writes it."""
    document = {"format": "hausgeist-models", "version": 1, "models": list(models), **more}
    return json.dumps(document).encode()


def entry(path: str = "M/m.gguf", name: str = "M", body: bytes = b"x" * 1000, **more: Any) -> Any:
    """A model of one file in such an index."""
    file = {"path": path, "size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    return {"name": name, "files": [{**file, **more}]}
