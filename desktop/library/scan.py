"""Find the models in a folder: quickly where nothing has changed, and whatever lies in there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from desktop.library.projectors import is_projector_name

MAX_DEPTH = 24
"""Folders deeper than that are not looked into: nobody keeps models there."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)
_MANY = 512

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A file that is named like a model (the first part of a split one), not opened yet.

    `stamp` is that of library.files over the parts that its name promises, `own_stamp` that of
    the file itself (a name can claim anything); `projectors` lie beside it, each with its stamp.
    """

    path: Path
    stamp: str
    own_stamp: str
    projectors: tuple[tuple[Path, str], ...] = ()


@dataclass(slots=True)
class Walk:
    """What a walk through a folder met besides models.

    `folders` are those it looked into, each with its time of change; `unreadable` those it could
    not look into. `leave_out` are folders that somebody else looks through.
    """

    leave_out: frozenset[Path] = frozenset()
    folders: dict[Path, int] = field(default_factory=dict)
    unreadable: list[Path] = field(default_factory=list)
    files: int = 0


def models_in(folder: Path, walk: Walk, should_stop: Stop = lambda: False) -> Iterator[FoundModel]:
    """Every model below `folder`, folder by folder.

    Links to folders are followed, but no folder is looked into twice, so that a loop of links
    ends. Hidden folders are left out. A folder that cannot be read is noted and passed over.
    """
    met: set[tuple[int, int]] = set()
    waiting: list[tuple[Path, int]] = [(folder, 0)]
    while waiting and not should_stop():
        place, depth = waiting.pop()
        try:
            found = os.stat(place)  # noqa: PTH116  (faster, and asked for every folder)
            if (identity := (found.st_dev, found.st_ino)) in met and found.st_ino:
                continue
            met.add(identity)
            listing = _listing(place, walk, should_stop)
        except OSError:
            walk.unreadable.append(place)
            continue
        walk.folders[place] = found.st_mtime_ns
        if depth < MAX_DEPTH:
            below = [place / name for name in sorted(listing.below, reverse=True)]
            waiting.extend((path, depth + 1) for path in below if path not in walk.leave_out)
        yield from listing.models(place)


@dataclass(slots=True)
class _Listing:
    """One folder: `stats` has "size:time" of each model file by name."""

    stats: dict[str, str] = field(default_factory=dict)
    below: list[str] = field(default_factory=list)

    def models(self, place: Path) -> Iterator[FoundModel]:
        projectors = tuple(
            (place / name, self.stats[name])
            for name in sorted(self.stats)
            if is_projector_name(name)
        )
        for name in sorted(self.stats):
            if is_projector_name(name):
                continue
            part = _PART.search(name)
            if part is None:
                yield FoundModel(place / name, self.stats[name], self.stats[name], projectors)
            elif int(part[1]) == 1:
                stamps = [self.stats.get(one, "-") for one in _part_names(name, part)]
                yield FoundModel(place / name, " ".join(stamps), self.stats[name], projectors)


def _listing(place: Path, walk: Walk, should_stop: Stop) -> _Listing:
    """Raises OSError."""
    listing = _Listing()
    with os.scandir(place) as entries:
        for entry in entries:
            walk.files += 1
            if walk.files % _MANY == 0 and should_stop():
                break
            name = entry.name
            is_model = name.lower().endswith(".gguf")
            if name.startswith(".") or not (is_model or _is_folder(entry)):
                continue
            try:
                # A link's own entry says nothing of the file behind it.
                found = entry.stat() if entry.is_symlink() or is_model else None
            except OSError:
                continue  # a link to nowhere
            if found is not None and stat.S_ISREG(found.st_mode) and is_model:
                listing.stats[name] = f"{found.st_size}:{found.st_mtime_ns}"
            elif found is None or stat.S_ISDIR(found.st_mode):
                listing.below.append(name)
    return listing


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _part_names(first: str, part: re.Match[str]) -> list[str]:
    count = min(int(part[2]), 4096)  # a name can claim anything
    stem = first[: part.start()]
    ending = first[part.end() - len(".gguf") :]
    return [f"{stem}-{number:05d}-of-{part[2]}{ending}" for number in range(1, count + 1)]


Outcome = Literal["added", "moved", "changed", "unusable"]


@dataclass(frozen=True, slots=True)
class ScanChange:
    """One file that a scan found news of: the entry's `name`, or the `problem` of the file."""

    path: Path
    outcome: Outcome
    name: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one look through a folder brought; `complete` is False where it was stopped.

    `folders` are those it looked into, with their times; `unreadable` what it could not look into.
    """

    folder: Path
    models: int
    files: int
    changes: tuple[ScanChange, ...]
    folders: Mapping[Path, int]
    unreadable: Sequence[Path]
    complete: bool
