"""Let a model go: what becomes of its files is known, and said, before anything happens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.common.errors import UsageError
from desktop.library.files import delete_files
from desktop.library.folders import remove_empty
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.origin import OTHERS_STORES
from desktop.library.trash import can_trash, to_trash

Destination = Literal["trash", "gone", "stays"]


@dataclass(frozen=True, slots=True)
class Removal:
    """What removing `model` does to its `files`: into the trash, deleted for good, or left alone.

    `frees_bytes` is the disk space that is free afterwards (for "trash": once it is emptied);
    `belongs_to` names whose files stay: "user", "shared", or another program (an origin's kind).
    """

    model: LibraryModel
    destination: Destination
    files: tuple[Path, ...]
    frees_bytes: int
    belongs_to: str = ""

    @property
    def deletes(self) -> bool:
        return self.destination != "stays"


class ModelRemover:
    """Asks the disk: not on the window's thread."""

    def __init__(
        self,
        library: Library,
        *,
        trash: Callable[[Sequence[Path]], None] = to_trash,
        has_trash: Callable[[Path], bool] = can_trash,
    ) -> None:
        self._library = library
        self._trash = trash
        self._has_trash = has_trash

    def plan(self, name: str, *, delete: bool | None = None, for_good: bool = False) -> Removal:
        """What `remove` would do.

        `delete` None deletes the app's own files and leaves those alone that somebody only showed
        it; True deletes these, too, but never another program's or an office's shared ones.
        `for_good` passes the trash by.
        Raises ModelFileError("unknown_model"), UsageError("guide_stays").
        """
        model = self._library.get(name)
        if model.source == "built_in":
            raise UsageError("guide_stays")
        owner = _owner(model)
        wanted = model.source == "copy" if delete is None else delete
        if not wanted or owner not in ("", "user") or model.problem in ("vanished", "drive_gone"):
            return Removal(model, "stays", (), 0, owner)
        files = (*self._library.parts(model.name), *self._own_projector(model))
        there = tuple(file for file in files if file.exists())
        goes_to_trash = not for_good and all(self._has_trash(file) for file in there)
        return Removal(model, "trash" if goes_to_trash else "gone", there, _frees(there))

    def remove(self, name: str, *, delete: bool | None = None, for_good: bool = False) -> Removal:
        """Forget the model, with its files as `plan` says.

        Raises as `plan`, and StorageError: no_trash where the trash takes it not after all (then
        nothing is forgotten), read_only, storage.
        """
        planned = self.plan(name, delete=delete, for_good=for_good)
        if not planned.deletes:
            self._library.remove(planned.model.name, delete_file=False)
            return planned
        discard = self._trash if planned.destination == "trash" else delete_files
        self._library.remove(
            planned.model.name, delete_file=True, discard=lambda _parts: discard(planned.files)
        )
        _tidy(planned)
        return planned

    def _own_projector(self, model: LibraryModel) -> tuple[Path, ...]:
        """The file with which it sees, if that lies beside it and no other model needs it."""
        projector = model.projector
        if projector is None or projector.parent != model.path.parent:
            return ()
        others = (one for one in self._library.list() if one.name != model.name)
        if any(one.projector == projector for one in others):
            return ()
        return (projector,)


def _owner(model: LibraryModel) -> str:
    if model.source == "copy" and not model.is_shared:
        return ""
    if model.is_shared:
        return "shared"
    kind = "file" if model.origin is None else model.origin.kind
    return kind if kind in OTHERS_STORES else "user"


def _frees(files: Sequence[Path]) -> int:
    """A file with another name elsewhere (a hard link) frees nothing."""
    total = 0
    for file in files:
        with contextlib.suppress(OSError):  # gone just now: frees nothing
            stat = file.lstat()
            total += stat.st_size if stat.st_nlink <= 1 else 0
    return total


def _tidy(removal: Removal) -> None:
    """What downloads wrote beside the files, and folders that are empty now."""
    for file in removal.files:
        with contextlib.suppress(OSError):  # a note of 300 bytes that harms nobody
            file.with_name(f".{file.name}.origin.json").unlink(missing_ok=True)
    if removal.model.folder is not None:
        remove_empty(removal.model.path.parent, removal.model.folder)
