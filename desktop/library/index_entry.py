"""One row of the library's table, typed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast, get_args

from desktop.library.model import Ability, LibraryModel, Source
from desktop.library.origin import from_text

FOUND_WRONG = -1.0
"""As `verified_at`: the file was compared, and is not what it was."""


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One row; the fields are the table's columns, in their order."""

    name: str
    path: str
    part_names: str
    file_bytes: int
    architecture: str
    quantization: str
    parameters: int
    added_at: float
    last_used_at: float | None
    source: Source
    mtime_ns: int
    stamp: str
    content: str
    probed_engine: str = ""
    context_tokens: int = 0
    licence: str = ""
    abilities: str = ""
    origin: str = ""
    projector: str = ""
    hashes: str = ""
    verified_at: float | None = None
    reading: int = 0

    @property
    def is_damaged(self) -> bool:
        """Whether its hash was found wrong, and its file was not written since."""
        return self.verified_at == FOUND_WRONG

    @property
    def part_hashes(self) -> tuple[str, ...]:
        """What each part is to be by SHA-256, "" where nobody knows."""
        known = self.hashes.split("\n")
        return tuple(known[n] if n < len(known) else "" for n in range(len(self.parts)))

    @property
    def parts(self) -> tuple[Path, ...]:
        """All files of the model, in order."""
        folder = Path(self.path).parent
        return tuple(folder / name for name in self.part_names.split("\n"))

    def model(
        self, problem: str = "", folder: Path | None = None, *, is_shared: bool = False
    ) -> LibraryModel:
        """What the library tells of it; `folder` holds it, if one of the library's does."""
        return LibraryModel(
            name=self.name,
            path=Path(self.path),
            file_bytes=self.file_bytes,
            architecture=self.architecture,
            quantization=self.quantization,
            parameters=self.parameters,
            added_at=self.added_at,
            last_used_at=self.last_used_at,
            source=self.source,
            mtime_ns=self.mtime_ns,
            probed_engine=self.probed_engine,
            content=self.content,
            problem=problem,
            context_tokens=self.context_tokens,
            licence=self.licence,
            abilities=_abilities(self.abilities),
            origin=from_text(self.origin),
            projector=Path(self.projector) if self.projector else None,
            verified_at=None if self.is_damaged else self.verified_at,
            is_damaged=self.is_damaged,
            folder=folder,
            is_shared=is_shared,
        )


def _abilities(words: str) -> tuple[Ability, ...]:
    known = get_args(Ability)
    return tuple(cast(Ability, word) for word in words.split() if word in known)
