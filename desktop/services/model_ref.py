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

# org/repo:WHAT, org/repo@revision:WHAT, hf.co/org/repo, an address; never C:/folder/file.
_HUB = re.compile(
    r"[\w.-]+/[\w.-]+(?:@[\w./-]+)?:.+|(?:hf\.co|huggingface\.co)/.+|(?:https?|hf)://.*",
    re.IGNORECASE | re.ASCII,
)


class KnownModels(Protocol):
    """The part of the library that finding a model needs."""

    def get(self, name: str) -> LibraryModel: ...
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
    if not text.strip():
        return ModelRef("name", text)
    looks_like_path = (
        text.lower().endswith(".gguf") or text.startswith((".", "/", "~", "\\")) or "\\" in text
    )
    if _HUB.fullmatch(text) and not re.match(r"^[A-Za-z]:[/\\]", text):
        return ModelRef("hub", text)
    if looks_like_path or "/" in text:
        return ModelRef("path", text)
    return ModelRef("name", text)


def find_local(text: str, library: KnownModels) -> ResolvedModel | None:
    """The file that `text` means, None where it means none here.

    A name in the library wins over a file of that name in the current folder; a path that is not
    there still resolves (reading it says what is wrong).
    """
    ref = parse(text)
    if ref.kind != "path":
        try:
            entry = library.get(text)
        except ModelFileError:
            pass  # perhaps a file without the usual ending
        else:
            return ResolvedModel(entry.path, entry.name, entry)
    path = Path(text).expanduser()
    if ref.kind == "path" or (text.strip() and path.exists()):
        known = library.find(path)
        return ResolvedModel(path, known.name if known else path.stem, known)
    return None


def resolve(text: str, library: KnownModels) -> ResolvedModel:
    """As find_local, for what must be here.

    Raises UsageError("hub_not_yet") and ModelFileError("unknown_model").
    """
    found = find_local(text, library)
    if found is None:
        raise unknown(text)
    return found


def unknown(text: str) -> UsageError | ModelFileError:
    """The error for a model that is not here."""
    if parse(text).kind == "hub":
        return UsageError("hub_not_yet", model=text)
    return ModelFileError("unknown_model", model=text)
