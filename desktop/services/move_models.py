"""Move models to another folder: with progress, and without loss whatever happens in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.atomic import write_atomic
from desktop.common.errors import CancelledError, HausgeistError, StorageError
from desktop.common.locks import claim
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes
from desktop.engine.cancel import CancelToken
from desktop.library.copying import SPARE_BYTES
from desktop.library.files import size_of
from desktop.library.folders import remove_empty
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.moving import Move, MoveJournal, finish, move_files
from desktop.library.origin import OTHERS_STORES
from desktop.services.model_files import require_files

RECOVER_WITHIN_S = 2.0
_TELL_S = 0.1

_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class MoveProgress:
    """Model `number` of `count` is under way; bytes are those of all models together."""

    name: str
    number: int
    count: int
    done_bytes: int
    total_bytes: int

    @property
    def fraction(self) -> float:
        return self.done_bytes / self.total_bytes if self.total_bytes else 1.0


@dataclass(frozen=True, slots=True)
class MovedModel:
    """What became of one model. `kept_original`: the old file is still there, because it belongs
    to somebody else or is in use (then it goes at the next start)."""

    name: str
    model: LibraryModel | None
    kept_original: bool = False
    error: HausgeistError | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    model: LibraryModel
    move: Move


class ModelMover:
    """One move at a time, in all processes together; blocks for as long as the disks take."""

    def __init__(
        self,
        library: Library,
        journal: Path,
        *,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._library = library
        self._lock = journal.with_name(journal.name + ".lock")
        self._path = journal
        self._journal = MoveJournal(journal)
        self._free = free
        self._clock = clock

    def move(
        self,
        names: Sequence[str],
        target: Path,
        on_progress: Callable[[MoveProgress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> tuple[MovedModel, ...]:
        """Move the models `names` into the folder `target`, each below it as it lay in its own.

        What belongs to other programs, or lies in a folder that cannot be written, is copied. One
        that fails does not stop the others. Models that are there already are passed over.
        Raises CancelledError (what was moved stays moved), StorageError: move_busy,
        not_enough_space before the first byte, read_only.
        """
        lock = claim(self._lock)
        if lock is None:
            raise StorageError("move_busy", path=str(target))
        try:
            self._finish_interrupted()
            target = target.expanduser().absolute()
            models = [self._library.get(name) for name in names]
            plans = [self._plan(model, target) for model in models if _may_move(model, target)]
            self._require_space([plan.model for plan in plans], target)
            return self._move_all(plans, on_progress, cancel or CancelToken())
        finally:
            lock.close()

    def recover(self, patience_s: float = RECOVER_WITHIN_S) -> bool:
        """End what an earlier process left half done; True if nothing is left to do.

        For the start: costs nothing where nothing was interrupted, and goes on in the background
        after `patience_s` where a drive hangs. Never raises.
        """
        if not self._path.exists():
            return True
        thread = threading.Thread(target=self._recover, name="move-recovery", daemon=True)
        thread.start()
        thread.join(patience_s)
        return not thread.is_alive() and not self._path.exists()

    def _recover(self) -> None:
        try:
            lock = claim(self._lock)
            if lock is None:
                return
            try:
                self._finish_interrupted()
            finally:
                lock.close()
        except HausgeistError as error:
            _log.warning("a move is still unfinished: %s", error)

    def _finish_interrupted(self) -> None:
        move = self._journal.read()
        if move is None:
            self._journal.clear()  # nobody can tell any more what it meant
        else:
            finish(move, self._journal, self._write_index)

    def _move_all(
        self,
        plans: Sequence[_Plan],
        on_progress: Callable[[MoveProgress], None] | None,
        cancel: CancelToken,
    ) -> tuple[MovedModel, ...]:
        teller = _Teller(plans, on_progress, cancel, self._clock)
        moved = []
        for number, plan in enumerate(plans, start=1):
            teller.begin(number)
            moved.append(self._move_one(plan, teller.add))
        teller.end()
        return tuple(moved)

    def _move_one(self, plan: _Plan, on_bytes: Callable[[int], None]) -> MovedModel:
        name = plan.model.name
        on_bytes(0)
        try:
            cleared = move_files(plan.move, self._journal, on_bytes, self._write_index)
            _carry_notes(plan.move)
            if plan.model.folder is not None and not plan.move.keeps:
                remove_empty(plan.model.path.parent, plan.model.folder)
            return MovedModel(name, self._library.get(name), plan.move.keeps or not cleared)
        except CancelledError:
            raise
        except HausgeistError as error:
            return MovedModel(name, None, kept_original=True, error=error)

    def _plan(self, model: LibraryModel, target: Path) -> _Plan:
        parts = self._library.parts(model.name)
        inside = Path()
        if model.folder is not None:
            inside = parts[0].parent.relative_to(model.folder)
        files = [*parts[1:], *self._projector(model), parts[0]]
        place = target / inside
        number = 1
        while any((place / file.name).exists() for file in files):
            number += 1
            place = target / inside.parent / f"{inside.name or parts[0].stem}-{number}"
        pairs = tuple((str(file), str(place / file.name)) for file in files)
        return _Plan(model, Move(model.name, pairs, "copying", keeps=_belongs_to_others(model)))

    def _projector(self, model: LibraryModel) -> tuple[Path, ...]:
        """What it sees with, if it lies beside it and no other model needs it."""
        projector = model.projector
        if projector is None or projector.parent != model.path.parent or not projector.exists():
            return ()
        others = (one for one in self._library.list() if one.name != model.name)
        return () if any(one.projector == projector for one in others) else (projector,)

    def _require_space(self, models: Sequence[LibraryModel], target: Path) -> None:
        """Raises StorageError("not_enough_space"); moves within a drive need none."""
        needed = sum(
            model.file_bytes
            for model in models
            if _belongs_to_others(model) or _device(model.path) != _device(target)
        )
        free = self._free(target)
        if needed and needed + SPARE_BYTES > free:
            raise StorageError(
                "not_enough_space",
                path=str(target),
                needed_bytes=needed + SPARE_BYTES,
                free_bytes=free,
            )

    def _write_index(self, move: Move) -> None:
        self._library.relocate(
            move.name,
            dict(zip(move.sources, move.targets, strict=True)),
            is_copy=move.keeps,
        )


class _Teller:
    """Counts the bytes of all moves together (each twice: copied, and compared), and tells."""

    def __init__(
        self,
        plans: Sequence[_Plan],
        on_progress: Callable[[MoveProgress], None] | None,
        cancel: CancelToken,
        clock: Callable[[], float],
    ) -> None:
        self._names = [plan.model.name for plan in plans]
        self._sizes = [2 * _bytes_of(plan.move) for plan in plans]
        self._on_progress = on_progress
        self._cancel = cancel
        self._clock = clock
        self._told_at = -_TELL_S
        self._number = 0
        self._done_bytes = 0

    def begin(self, number: int) -> None:
        """Model `number` (from 1) is next; what failed of the one before counts as done."""
        self._number = number
        self._done_bytes = sum(self._sizes[: number - 1])

    def add(self, count: int) -> None:
        """Raises CancelledError."""
        self._cancel.raise_if_cancelled()
        self._done_bytes += count
        if self._clock() - self._told_at >= _TELL_S:
            self._tell()

    def end(self) -> None:
        if self._names:
            self._done_bytes = sum(self._sizes)
            self._tell()

    def _tell(self) -> None:
        self._told_at = self._clock()
        if self._on_progress is not None:
            name, count = self._names[self._number - 1], len(self._names)
            total = sum(self._sizes)
            done = min(total, self._done_bytes)
            self._on_progress(MoveProgress(name, self._number, count, done, total))


def _may_move(model: LibraryModel, target: Path) -> bool:
    """Whether it is there, is not the guide, and does not lie in `target` already.

    Raises ModelFileError with the problem of one that cannot be read.
    """
    if model.source == "built_in" or model.folder == target:
        return False
    require_files(model)
    return True


def _belongs_to_others(model: LibraryModel) -> bool:
    if model.is_shared:
        return True
    if model.source == "copy":
        return False
    is_theirs = model.origin is not None and model.origin.kind in OTHERS_STORES
    return is_theirs or model.folder is None


def _bytes_of(move: Move) -> int:
    return sum(max(0, size_of(source)) for source in move.sources)


def _device(path: Path) -> int:
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return place.stat().st_dev
    except OSError:
        return -1


def _carry_notes(move: Move) -> None:
    """Bring along what downloads wrote beside the files, with the time that the new file has."""
    for source, target in zip(move.sources, move.targets, strict=True):
        note = source.with_name(f".{source.name}.origin.json")
        try:
            document = json.loads(note.read_bytes())
            document["mtime_ns"] = target.stat().st_mtime_ns
            new = target.with_name(f".{target.name}.origin.json")
            write_atomic(new, json.dumps(document).encode())
            if not move.keeps:
                note.unlink()
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, RecursionError, StorageError) as error:
            _log.info("note of %s stays behind: %s", source.name, error)
