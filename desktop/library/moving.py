"""Move a model's files to another folder or drive; at every moment they are whole somewhere.

Within a drive they are renamed. Across drives they are copied under unfinished names, read back and
compared, renamed, written into the index, and only then deleted where they were. A journal says how
far that came; `finish` ends in either direction what a kill, a full disk or a pulled drive stopped:

    copying    the old files are whole: what there is of the new ones is deleted
    placing    the new files are whole and compared: they get their names, the index the new place
    renaming   within one drive: the rest is renamed, the index gets the new place
    clearing   the index knows the new place: the old files are deleted
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from desktop.common.atomic import replace as rename_over
from desktop.common.atomic import sync_folder, write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.library.copying import OnBytes, copy_file
from desktop.library.files import same_file, size_of
from desktop.library.hashing import sha256_of

UNFINISHED = ".moving"

State = Literal["copying", "placing", "renaming", "clearing"]

_log = get_logger("library")


@dataclass(frozen=True, slots=True)
class Move:
    """One model on its way: `pairs` of old and new paths, its first part last.

    `keeps`: the old files stay (they belong to somebody else).
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    state: State
    keeps: bool = False

    @property
    def sources(self) -> tuple[Path, ...]:
        return tuple(Path(source) for source, _ in self.pairs)

    @property
    def targets(self) -> tuple[Path, ...]:
        return tuple(Path(target) for _, target in self.pairs)


class MoveJournal:
    """The one move that is under way, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, move: Move) -> Move:
        """Raises StorageError."""
        write_atomic(self._path, json.dumps(asdict(move)).encode())
        return move

    def read(self) -> Move | None:
        """None where no move was interrupted, or nobody can tell any more which."""
        try:
            document = json.loads(self._path.read_bytes())
            return _move_from(document)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            _log.warning("journal of a move not readable: %s", error)
            return None

    def clear(self) -> None:
        with contextlib.suppress(OSError):  # a journal that stays is read again, harmlessly
            self._path.unlink(missing_ok=True)


def move_files(
    move: Move,
    journal: MoveJournal,
    on_bytes: OnBytes,
    write_index: Callable[[Move], None],
) -> bool:
    """Do all of it; False where old files could not be deleted (in use, on Windows).

    `on_bytes` hears of every byte twice: copied, and compared; it may raise. Then, and on any
    failure, the old files are as they were.
    Raises StorageError (disk_full, read_only, storage, copy_differs), and what `on_bytes` and
    `write_index` raise.
    """
    made = _make_folders(move)
    if not move.keeps and (renamed := _rename_all(move, journal)) is not None:
        on_bytes(2 * sum(size_of(target) for target in renamed.targets))
        write_index(renamed)
        journal.clear()
        return True
    move = journal.write(replace(move, state="copying"))
    try:
        for source, target in zip(move.sources, move.targets, strict=True):
            _copy_and_compare(source, unfinished(target), on_bytes)
    except BaseException:
        _drop(move)
        _unmake(made)
        journal.clear()
        raise
    move = journal.write(replace(move, state="placing"))
    _place(move)
    write_index(move)
    return _clear_sources(journal.write(replace(move, state="clearing")), journal)


def finish(move: Move, journal: MoveJournal, write_index: Callable[[Move], None]) -> bool:
    """End an interrupted move; False while its drive is not there (then it waits).

    Raises StorageError, and what `write_index` raises.
    """
    if move.state == "copying":
        _drop(move)
        journal.clear()
        return True
    if move.state == "renaming":
        for source, target in zip(move.sources, move.targets, strict=True):
            if not target.exists() and source.exists():
                _rename(source, target)
    elif move.state == "placing":
        _place(move)
    if not all(target.exists() for target in move.targets):
        _log.info("move of %s waits for its drive", move.name)
        return False
    if move.state != "clearing":
        write_index(move)
    if move.state == "renaming":
        journal.clear()
        return True
    return _clear_sources(journal.write(replace(move, state="clearing")), journal)


def unfinished(target: Path) -> Path:
    return target.with_name(target.name + UNFINISHED)


def _rename_all(move: Move, journal: MoveJournal) -> Move | None:
    """Rename everything, or nothing: None where the target is on another drive."""
    move = journal.write(replace(move, state="renaming"))
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in zip(move.sources, move.targets, strict=True):
            source.rename(target)
            done.append((source, target))
    except OSError as error:
        for source, target in reversed(done):
            _rename(target, source)
        journal.clear()
        if error.errno == errno.EXDEV or getattr(error, "winerror", None) == _NOT_SAME_DEVICE:
            return None
        raise storage_error(error, move.targets[-1]) from error
    for folder in {path.parent for pair in done for path in pair}:
        sync_folder(folder)
    return move


_NOT_SAME_DEVICE = 17  # ERROR_NOT_SAME_DEVICE


def _copy_and_compare(source: Path, into: Path, on_bytes: OnBytes) -> None:
    try:
        read = copy_file(source, into, on_bytes)
        found = source.stat()
        os.utime(into, ns=(found.st_atime_ns, found.st_mtime_ns))
        arrived = sha256_of(into, on_bytes, from_disk=True)
    except OSError as error:
        raise storage_error(error, into) from error
    if arrived != read:
        raise StorageError("copy_differs", path=str(into))


def _place(move: Move) -> None:
    """Give the new files their names; the first part, which stands last, makes the model whole."""
    for target in move.targets:
        temporary = unfinished(target)
        if temporary.exists() and not target.exists():
            _rename(temporary, target)
    for folder in {target.parent for target in move.targets}:
        sync_folder(folder)


def _clear_sources(move: Move, journal: MoveJournal) -> bool:
    """Delete the old files, where the new ones are there and are others."""
    gone = True
    for source, target in zip(move.sources, move.targets, strict=True):
        if move.keeps or not source.exists():
            continue
        if not target.exists() or same_file(source, target) or size_of(source) != size_of(target):
            gone = False
            continue
        try:
            source.unlink()
        except OSError as error:
            _log.info("old file stays for now: %s", error)
            gone = False
    if gone:
        journal.clear()
    return gone


def _drop(move: Move) -> None:
    """What there is of the new files."""
    for target in move.targets:
        with contextlib.suppress(OSError):  # the failure that brought us here is the one to tell
            unfinished(target).unlink(missing_ok=True)


def _rename(old: Path, new: Path) -> None:
    try:
        rename_over(old, new)
    except OSError as error:
        raise storage_error(error, new) from error


def _make_folders(move: Move) -> list[Path]:
    """Those that were missing, the innermost first."""
    missing: list[Path] = []
    for folder in dict.fromkeys(target.parent for target in move.targets):
        place = folder
        while not place.exists() and place not in missing:
            missing.append(place)
            place = place.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            _unmake(missing)
            raise storage_error(error, folder) from error
    return sorted(missing, key=lambda place: -len(place.parts))


def _unmake(folders: Sequence[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # something else lies there by now
            folder.rmdir()


def _move_from(document: Any) -> Move:
    pairs: Sequence[Any] = document["pairs"]
    if document["state"] not in get_args(State) or not pairs:
        raise ValueError("no state of a move")
    return Move(
        str(document["name"]),
        tuple((str(source), str(target)) for source, target in pairs),
        document["state"],
        document["keeps"] is True,
    )
