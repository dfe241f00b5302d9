"""What packing and unpacking tell: plans, views and results, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.common.errors import HausgeistError
from desktop.library.model import LibraryModel
from desktop.library.packs.manifest import Manifest, PackedModel
from desktop.library.packs.writer import Written


@dataclass(frozen=True, slots=True)
class PackWish:
    """What shall be packed, and how.

    `models` are names in the library. `target` is the file to make, or the folder with
    `as_folder`. `split_bytes`: 0 never cuts, None cuts where the drive takes no large file.
    `sign_with`: a secret key's file (minisign's form), opened with `password`. `may_replace`: a
    pack of that name is written over once the new one is whole.
    """

    models: tuple[str, ...]
    target: Path
    split_bytes: int | None = None
    as_folder: bool = False
    sign_with: Path | None = None
    password: str = ""
    title: str = ""
    may_replace: bool = False


@dataclass(frozen=True, slots=True)
class PackPlan:
    """What would be written: `volumes` files of at most `split_bytes` (0: one file of any size).

    `begun_bytes` are there already from an interrupted time. `file_system` is the drive's, ""
    where unknown. `notes` are keys of sentences (licences that do not let everybody pass on...).
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
class Packed:
    """What was made; `sha256` is the file's (of a split pack or a folder: the index's).

    `models` are those of the index: in a folder also those that it had before."""

    path: Path
    sha256: str
    total_bytes: int
    volumes: tuple[Written, ...]
    models: tuple[PackedModel, ...]
    signed_by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PackView:
    """What is inside a pack, before anything of it was taken in.

    `signed_by` is the key's number as minisign prints it, "" for an unsigned pack; `is_trusted`:
    one of the keys that are known here made it, and `comment` is what it says. `here` names those
    of its models that are in the library already. `problem` says why it may not be unpacked.
    """

    path: Path
    manifest: Manifest
    total_bytes: int
    volumes: int
    signed_by: str
    comment: str
    is_trusted: bool
    here: tuple[str, ...]
    folder: Path
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
