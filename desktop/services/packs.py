"""Packs: models with their parts, settings, licences and hashes, carried to another computer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.packs.manifest import Manifest, PackedModel
from desktop.library.packs.progress import OnProgress

FAT32_SPLIT_BYTES = (4 << 30) - (1 << 20)
"""As much of a file as a FAT32 drive takes, a little less than 4 GiB."""


@dataclass(frozen=True, slots=True)
class PackWish:
    """What shall be packed, and how.

    `models` are names in the library. `target` is the file to make, or the folder with
    `as_folder`. `split_bytes`: 0 never cuts, None cuts where the drive takes no large file.
    `sign_with`: a secret key's file (minisign's form), opened with `password`.
    """

    models: tuple[str, ...]
    target: Path
    split_bytes: int | None = None
    as_folder: bool = False
    sign_with: Path | None = None
    password: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class PackPlan:
    """What would be written: `volumes` files of at most `split_bytes` (0: one file of any size).

    `begun_bytes` are there already from an interrupted time. `file_system` is the drive's, ""
    where unknown. `notes` are keys of sentences (licences that forbid passing on...).
    """

    wish: PackWish
    models: tuple[PackedModel, ...]
    total_bytes: int
    volumes: int
    split_bytes: int
    begun_bytes: int
    free_bytes: int
    file_system: str
    notes: tuple[str, ...]
    problem: HausgeistError | None


@dataclass(frozen=True, slots=True)
class PackedVolume:
    """One file of a pack; `sha256` of all its bytes."""

    path: Path
    file_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Packed:
    """What was made; `sha256` is the file's (of a split pack or a folder: the index's)."""

    path: Path
    sha256: str
    total_bytes: int
    volumes: tuple[PackedVolume, ...]
    models: tuple[PackedModel, ...]
    signed_by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PackView:
    """What is inside a pack, before anything of it was taken in.

    `signed_by` is the key's number as minisign prints it, "" for an unsigned pack; `is_trusted`:
    one of the keys that this organisation pins made it. `here` names those of its models that
    are in the library already. `problem` says why it may not be unpacked.
    """

    path: Path
    manifest: Manifest
    total_bytes: int
    volumes: int
    signed_by: str
    comment: str
    is_trusted: bool
    here: tuple[str, ...]
    free_bytes: int
    problem: HausgeistError | None


@dataclass(frozen=True, slots=True)
class UnpackedModel:
    """One model of a pack: its entry in the library, or the `problem` that keeps it out.

    `sha256` is the first file's; `was_here`: nothing had to be written."""

    packed: PackedModel
    path: Path
    sha256: str
    model: LibraryModel | None
    problem: HausgeistError | None = None
    was_here: bool = False


@dataclass(frozen=True, slots=True)
class Unpacked:
    view: PackView
    models: tuple[UnpackedModel, ...]
    seconds: float


class Packs:
    """Any thread; each call works in the thread that makes it."""

    def __init__(self, library: Library, models_dir: Path, trusted_keys: Sequence[str]) -> None:
        self._library = library
        self._models_dir = models_dir
        self._trusted_keys = tuple(trusted_keys)

    def plan(self, wish: PackWish) -> PackPlan:
        """What packing would write, without writing. Raises ModelFileError("unknown_model")."""
        raise NotImplementedError

    def pack(
        self,
        wish: PackWish,
        *,
        progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
        keep_unfinished: bool = True,
    ) -> Packed:
        """Write the pack, from where an interrupted time stopped. Raises CancelledError (with
        `keep_unfinished` the next time goes on), StorageError, ModelFileError, UsageError."""
        raise NotImplementedError

    def look(self, path: Path) -> PackView:
        """What is inside; quick. Raises PackError: pack_not_one, pack_damaged, pack_newer..."""
        raise NotImplementedError

    def unpack(
        self,
        view: PackView,
        *,
        only: Sequence[str] | None = None,
        progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Unpacked:
        """Take the models in: nothing of them is visible before every hash was right."""
        raise NotImplementedError

    def check(
        self,
        view: PackView,
        *,
        progress: OnProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Read all of the pack and compare every hash; raises PackError("pack_wrong_hash")."""
        raise NotImplementedError
