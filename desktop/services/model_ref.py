"""What a person calls a model, and the file that it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from desktop.common.errors import ModelFileError, UsageError
from desktop.library.model import LibraryModel

GUIDE = "guide"

RefKind = Literal["guide", "path", "name", "hub"]

_HUB = re.compile(r"^[\w.-]+/[\w.-]+:[\w./-]+$")


class KnownModels(Protocol):
    """The part of the library that finding a model needs."""

    def list(self) -> list[LibraryModel]: ...
    def find(self, path: Path) -> LibraryModel | None: ...


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model as somebody named it, sorted into what it can only mean."""

    kind: RefKind
    text: str


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The file behind a reference; `entry` is its line in the library, if it has one."""

    path: Path
    name: str
    entry: LibraryModel | None = None

    @property
    def is_guide(self) -> bool:
        """Whether this is the small model that ships inside."""
        return self.entry is not None and self.entry.source == "built_in"


def parse(text: str) -> ModelRef:
    """Sort `text` into guide, path, name in the library or place on the Hub; touches no disk."""
    if text == GUIDE:
        return ModelRef("guide", text)
    looks_like_path = (
        text.lower().endswith(".gguf") or text.startswith((".", "/", "~", "\\")) or "\\" in text
    )
    if _HUB.match(text) and not re.match(r"^[A-Za-z]:[/\\]", text):
        return ModelRef("hub", text)
    if looks_like_path or "/" in text:
        return ModelRef("path", text)
    return ModelRef("name", text)


def resolve(text: str, library: KnownModels) -> ResolvedModel:
    """Find the file that `text` means.

    A name in the library wins over a file of that name in the current folder; a path that is not
    there still resolves (reading it says what is wrong).
    Raises UsageError("hub_not_yet" | "missing_argument") and ModelFileError("unknown_model").
    """
    if not text.strip():
        raise UsageError("unknown_model", model=text)
    ref = parse(text)
    models = library.list()
    named = _named(text, models)
    if named is not None:
        return ResolvedModel(named.path, named.name, named)
    if ref.kind == "path" or (ref.kind == "name" and Path(text).exists()):
        path = Path(text).expanduser()
        entry = library.find(path)
        return ResolvedModel(path, entry.name if entry else path.stem, entry)
    if ref.kind == "hub":
        if Path(text).exists():
            return ResolvedModel(Path(text), Path(text).stem)
        raise UsageError("hub_not_yet", model=text)
    raise ModelFileError("unknown_model", model=text)


def _named(text: str, models: list[LibraryModel]) -> LibraryModel | None:
    for model in models:
        if model.source == "built_in" and text == GUIDE:
            return model
    wanted = text.casefold()
    exact = [m for m in models if m.name == text]
    loose = [m for m in models if m.name.casefold() == wanted]
    found = exact or (loose if len(loose) == 1 else [])
    return found[0] if found else None
