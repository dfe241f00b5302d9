"""The files of a small tree, each folder once: links may lead in circles."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_FOLDERS = 50_000


@dataclass(frozen=True, slots=True)
class Found:
    """A file; `depth` is 1 in the first folder."""

    path: Path
    depth: int


def files_below(
    folder: Path, max_depth: int, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[Found]:
    """Files in the order of their names, folder by folder; hidden ones are left out.

    Raises OSError where the first folder cannot be read; further ones are passed over.
    """
    met: set[tuple[int, int]] = set()
    waiting = [(folder, 1)]
    while waiting and not should_stop() and len(met) < MAX_FOLDERS:
        place, depth = waiting.pop()
        try:
            status = place.stat()
            if (identity := (status.st_dev, status.st_ino)) in met and status.st_ino:
                continue
            met.add(identity)
            folders, files = _listed(place)
        except OSError:
            if place == folder:
                raise
            continue
        yield from (Found(path, depth) for path in files)
        if depth < max_depth:
            waiting.extend((path, depth + 1) for path in reversed(folders))


def _listed(place: Path) -> tuple[list[Path], list[Path]]:
    """(folders, files), both sorted; a link to nowhere counts as a file. Raises OSError."""
    folders: list[Path] = []
    files: list[Path] = []
    with os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            (folders if _is_folder(entry) else files).append(Path(entry.path))
    return folders, files


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
