"""What a cancelled download leaves on the disk, deleted: halves, and parts without a whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from desktop.common.errors import StorageError
from desktop.common.locks import claim
from desktop.common.logs import get_logger
from desktop.hub.file_names import kind_of
from desktop.hub.transfer.part_file import journal_path, unfinished_path
from desktop.hub.transfer.places import origin_of_file

_log = get_logger("services")


def delete_leftovers(files: Iterable[str], folder: Path, kept: Iterable[Path]) -> None:
    """`files` are the download's, its model's first part last, all below `folder`; `kept` are the
    files of the models in the library.

    Of a model that is not whole its complete parts go, too; a projector stays where a model lies
    beside it. What cannot be deleted is logged: nobody can do more about it.
    """
    places = [Path(file) for file in files]
    if not folder.is_absolute() or not all(_is_inside(place, folder) for place in places):
        _log.warning("not deleted, as it lies elsewhere: %s", places)
        return
    for place in places:
        _delete_unfinished(place)
    if places and not places[-1].exists():
        homes = {path.parent for path in kept}
        for place in places[:-1]:
            is_ours = origin_of_file(place) is not None
            shared = kind_of(place.name) == "projector" and place.parent in homes
            if is_ours and not shared:
                _delete(place)
                _delete(place.with_name(f".{place.name}.origin.json"))
    for parent in sorted({place.parent for place in places}, reverse=True):
        _delete_empty(parent, folder)


def _is_inside(place: Path, folder: Path) -> bool:
    return ".." not in place.parts and folder in place.parents


def _delete_unfinished(place: Path) -> None:
    unfinished = unfinished_path(place)
    if not unfinished.exists() and not journal_path(place).exists():
        return
    try:
        lock = claim(unfinished.with_name(unfinished.name + ".lock"))
    except StorageError as error:
        _log.warning("not deleted: %s", error)
        return
    if lock is None:  # another process fetches it; then it is that one's
        return
    try:
        _delete(unfinished)
        _delete(journal_path(place))
    finally:
        lock.close()


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("not deleted: %s", error)


def _delete_empty(path: Path, folder: Path) -> None:
    while folder in path.parents:
        with contextlib.suppress(OSError):  # not empty: then it is needed
            path.rmdir()
        path = path.parent
