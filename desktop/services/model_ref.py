"""What a person calls a model, and the file that it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from desktop.common.errors import HubError, ModelFileError, UsageError
from desktop.hub.file_names import split_name, split_place
from desktop.hub.listing import HubFile, Listing, group_files
from desktop.hub.refs import DEFAULT_REVISION, HubRef, parse_ref
from desktop.hub.transfer.places import TWIN_MARK, repo_folder
from desktop.library.model import LibraryModel
from desktop.library.naming import clean
from desktop.services.remote_ref import parse_remote

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
    def list(self) -> list[LibraryModel]: ...


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
    there still resolves (reading it says what is wrong). Raises UsageError("remote_has_no_file").
    """
    ref = parse(text)
    if parse_remote(text) is not None:
        raise UsageError("remote_has_no_file", model=text[:120])
    if ref.kind == "hub" and (fetched := find_fetched(text, library.list())) is not None:
        return ResolvedModel(fetched.path, fetched.name, fetched)
    # As it is typed, or as the library writes it: Ollama's llama3.2:3b is llama3.2-3b here.
    for name in dict.fromkeys((text, clean(text))) if ref.kind != "path" else ():
        try:
            entry = library.get(name)
        except ModelFileError:
            continue  # perhaps a file without the usual ending
        return ResolvedModel(entry.path, entry.name, entry)
    path = Path(text).expanduser()
    if ref.kind == "path" or (text.strip() and path.exists()):
        known = library.find(path)
        return ResolvedModel(path, known.name if known else path.stem, known)
    return None


def find_fetched(text: str, models: Iterable[LibraryModel]) -> LibraryModel | None:
    """The one of `models` that is the Hub's ``org/repo:WHAT``: it says that it came from there, or
    lies in a folder ``org/name``, as others keep theirs, too. Touches no disk."""
    try:
        ref = parse_ref(text)
    except UsageError:
        return None
    folder = repo_folder(Path(), ref.repo, ref.revision)
    folders = [part.casefold() for part in folder.parts]
    here = {
        inside: entry
        for entry in models
        if not entry.problem and (inside := _place_in(entry, ref, folders))
    }
    try:
        wanted = Listing(ref.repo, "", group_files(_whole(here))).select(ref)
    except HubError:
        return None
    return here[wanted.path]


def _place_in(entry: LibraryModel, ref: HubRef, folders: list[str]) -> str:
    """The model's path in the repository; empty if it is not of that one."""
    origin = entry.origin
    is_newest = ref.revision == DEFAULT_REVISION
    if origin is not None and origin.kind == "hub" and origin.file and is_newest:
        return origin.file if origin.where.casefold() == ref.repo.casefold() else ""
    return _inside(entry.path, folders)


def _inside(path: Path, folders: list[str]) -> str:
    """The path below a repository's folder; empty if it does not lie in one of that name."""
    parts = path.parts
    names = [part.casefold() for part in parts]
    for number in range(len(parts) - 2, 0, -1):
        if names[number - 1 : number + 1] == folders:
            inside = parts[number + 1 :]
            return "/".join(inside[1:] if inside[0].startswith(TWIN_MARK) else inside)
    return ""


def _whole(paths: Iterable[str]) -> Iterator[HubFile]:
    """The files of models whose first parts are known."""
    for path in paths:
        place = split_place(path)
        if place is None:
            yield HubFile(path)
        else:
            stem, _, count = place
            yield from (HubFile(split_name(stem, n, count)) for n in range(1, count + 1))


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
