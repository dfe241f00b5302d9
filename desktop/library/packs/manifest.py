"""The index of a pack or a source: models, their files and hashes, as plain data.

It comes from strangers: bounded, typed, and one bad entry does not cost the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FORMAT = "hausgeist-models"
VERSION = 1
INDEX_NAME = "index.json"
SIGNATURE_NAME = "index.json.minisig"
MAX_INDEX_BYTES = 16 << 20

Role = Literal["model", "projector", "draft", "lora", "licence"]
ROLES: tuple[Role, ...] = ("model", "projector", "draft", "lora", "licence")


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file; `path` is relative, with forward slashes, and safe on every system."""

    path: str
    size_bytes: int
    sha256: str
    role: Role = "model"


@dataclass(frozen=True, slots=True)
class PackedModel:
    """One model with all that belongs to it; the parts of a split one stand in order.

    `content` is the library's digest (library.files.content_of), `origin` and `settings` are
    as library.origin and library.model_settings write them. `licence` is the Hub's tag.
    """

    name: str
    files: tuple[PackedFile, ...]
    architecture: str = ""
    quantization: str = ""
    parameters: int = 0
    context_tokens: int = 0
    licence: str = ""
    languages: tuple[str, ...] = ()
    task: str = ""
    about: str = ""
    content: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)

    @property
    def parts(self) -> tuple[PackedFile, ...]:
        """The model's own files, the first part first."""
        return tuple(file for file in self.files if file.role == "model")

    def of_role(self, role: Role) -> tuple[PackedFile, ...]:
        return tuple(file for file in self.files if file.role == role)


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry of an index that was left out; `kind` is that of an error."""

    name: str
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`piece_bytes`: larger files of a folder are cut into pieces of that size; 0: none is."""

    models: tuple[PackedModel, ...]
    title: str = ""
    made_at: str = ""
    piece_bytes: int = 0
    refused: tuple[Refused, ...] = ()

    @property
    def total_bytes(self) -> int:
        return sum(model.total_bytes for model in self.models)
