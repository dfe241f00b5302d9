"""The models on this disk that the user knows by name: an index, not a second copy."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from desktop.common.database import Database
from desktop.common.database_opening import BUSY_TIMEOUT_S, open_database, open_in_memory
from desktop.common.errors import HausgeistError, ModelFileError, StorageError, UsageError
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.library.adding import Adding, Wanted, note_duplicate
from desktop.library.copying import Progress
from desktop.library.entries import READING, Told, renewed
from desktop.library.files import content_of, delete_files, same_file, stamp_of
from desktop.library.folders import holder_of
from desktop.library.guide import Guide
from desktop.library.index import Index, Seen
from desktop.library.index_entry import FOUND_WRONG, Entry
from desktop.library.intake import Intake
from desktop.library.model import GUIDE_NAME, LibraryModel, Source
from desktop.library.model_settings import ModelSettings, ModelSettingsStore
from desktop.library.naming import clean, clean_title, unique
from desktop.library.notebook import Notebook
from desktop.library.origin import Origin, origin_beside
from desktop.library.presence import Answer, Presence
from desktop.library.scan import ScanChange, ScanReport
from desktop.library.schema import SCHEMA

_log = get_logger("library")

SETTINGS_FILE = "model_settings.json"
NOTEBOOK_FILE = "library.jsonl"
Folders = Callable[[], Sequence[Path]]


class Library:
    """Every method may be called from any thread and raises StorageError.

    The guide is always there, always first, and cannot be removed. A name that is not there
    raises ModelFileError("unknown_model").
    """

    def __init__(
        self,
        database: Database,
        guide: Path,
        clock: Callable[[], float] = time.time,
        *,
        folders: Folders = lambda: (),
        settings: ModelSettingsStore | None = None,
        presence: Presence | None = None,
        notebook: Notebook | None = None,
    ) -> None:
        """`folders` are those in which models are kept, the app's own first."""
        self._db = database
        self._index = Index(database, notebook)
        self._guide = Guide(guide)
        self._clock = clock
        self._presence = presence or Presence(folders)
        self.model_settings = settings or ModelSettingsStore(None)

    @classmethod
    def open(
        cls,
        path: Path,
        guide: Path,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        folders: Folders = lambda: (),
    ) -> Library:
        """Open or make the index; what had to be repaired stands in `problem`.

        Raises StorageError (read_only, disk_full, storage) where nothing can be stored.
        """
        database = open_database(path, SCHEMA, busy_timeout_s=busy_timeout_s)
        settings = ModelSettingsStore(path.with_name(SETTINGS_FILE))
        # A stand-in's entries are brought home by the next opening, and written down then.
        notebook = Notebook(path.with_name(NOTEBOOK_FILE)) if database.path == path else None
        library = cls(database, guide, folders=folders, settings=settings, notebook=notebook)
        library.restore_lost()
        return library

    @classmethod
    def in_memory(
        cls, guide: Path, like: Path | None = None, *, folders: Folders = lambda: ()
    ) -> Library:
        """For a disk that cannot be written: changes are forgotten when the program ends.

        It begins with the models of the index `like`, where that can be read.
        """
        kept = None if like is None else like.with_name(SETTINGS_FILE)
        settings = ModelSettingsStore(kept, writable=False)
        library = cls(open_in_memory(SCHEMA, like), guide, folders=folders, settings=settings)
        library.restore_lost()
        return library

    @property
    def problem(self) -> StorageError | None:
        """library_damaged, library_locked or library_newer; None when all is well."""
        return self._db.problem

    @property
    def lasts(self) -> bool:
        """Whether what is added is still there after the program's end."""
        return self._db.path != Path(":memory:")

    @property
    def is_empty(self) -> bool:
        """Whether it knows no model but the guide."""
        return self._index.is_empty()

    def restore_lost(self) -> int:
        """Where the index is empty or was damaged, bring back what was written down beside it."""
        is_damaged = self.problem is not None and self.problem.kind == "library_damaged"
        if self._index.drop_unreadable():
            _log.warning("rows of the index made no sense and were thrown out")
            is_damaged = True
        if not is_damaged and not self._index.is_empty():
            return 0
        count = self._index.restore(_free_name)
        if count and self.problem is not None:
            found = {**self.problem.params, "rescued": int(self.problem.params["rescued"]) + count}
            self._db.problem = StorageError("library_damaged", detail=self.problem.detail, **found)
        if count:
            _log.info("%d models brought back into the index", count)
        return count

    def close(self) -> None:
        self._db.close()

    def get(self, name: str) -> LibraryModel:
        """The model of that name, in upper or lower case."""
        return self._guide.model() if _is_guide(name) else self._checked(self._entry(name))

    def find(self, path: Path) -> LibraryModel | None:
        """The entry of this file, however the path is written; None if it has none."""
        if same_file(path, self._guide.path):
            return self._guide.model()
        found = self._index.by_file(path)
        return None if found is None else self._checked(found)

    def parts(self, name: str) -> tuple[Path, ...]:
        """All files of the model, the first part first."""
        if _is_guide(name):
            return (self._guide.path,)
        return self._entry(name).parts

    def hashes(self, name: str) -> tuple[str, ...]:
        """What each of `parts` is to be by SHA-256, "" where nobody knows."""
        return ("",) if _is_guide(name) else self._entry(name).part_hashes

    def duplicates(self, name: str) -> tuple[Path, ...]:
        """Other files on this disk that hold the same model, as far as they were seen."""
        if _is_guide(name):
            return ()
        entry = self._entry(name)
        copies = self._index.copies(entry.content)
        answers = self._presence.ask([(path,) for path in copies])
        return tuple(
            path
            for path, answer in zip(copies, answers, strict=True)
            if answer.stamp is not None and not same_file(path, Path(entry.path))
        )

    def add(
        self,
        path: Path,
        header: ModelHeader | None = None,
        *,
        copy_to: Path | None = None,
        progress: Progress | None = None,
        source: Source = "import",
        origin: Origin | None = None,
        name: str | None = None,
        projector: Path | None = None,
        settings: ModelSettings | None = None,
        hashes: tuple[str, ...] = (),
    ) -> LibraryModel:
        """Take in the model at `path`, by reference or as a copy in the folder `copy_to`.

        `source` "copy" says that the file is the app's own already: removing it deletes it.
        `name`, `projector` and `settings` (what its source recommends) stand in for what the file
        says of itself; `hashes` are those of its parts, where somebody knows them.

        The same model again, at this or another place, gives the entry that is there, with the
        news; one whose file has vanished, that shall now be copied, or that is now the app's own,
        moves to the new place and keeps its name.
        Raises ModelFileError as read_header, and hash_wrong where what is to be copied is not what
        it should be; StorageError as copy_model, whatever `progress` does.
        """
        header = header or read_header(path)
        parts = tuple(part.absolute() for part in header.paths)
        if same_file(parts[0], self._guide.path):
            return self._guide.model()
        content = content_of(parts)
        origin = origin or origin_beside(parts[0], only_current=True)
        told = Told(origin, clean(name or "") or None, projector, hashes)
        if settings is not None:
            self.model_settings.recommend(content, settings)
        adding = Adding(self._index, self._presence, self._clock, _free_name, self._checked)
        wanted = Wanted(header, parts, content, source, told, copy_to, progress)
        return self._checked(adding.add(wanted))

    def remove(
        self,
        name: str,
        *,
        delete_file: bool,
        discard: Callable[[Sequence[Path]], None] = delete_files,
    ) -> None:
        """Forget the model and, if asked, `discard` all its files; the guide raises UsageError."""
        if _is_guide(name):
            raise UsageError("guide_stays")
        entry = self._entry(name)
        if delete_file:
            discard(entry.parts)
        self._index.delete(entry.name)
        if not delete_file:
            # Its file may lie in a folder that is looked through: it must not come back by itself.
            self._index.note([Seen(entry.path, entry.stamp, "forgotten", entry.content)])

    def rename(self, name: str, new_name: str) -> LibraryModel:
        """Give another name; raises UsageError: guide_stays, bad_name, name_taken."""
        if _is_guide(name):
            raise UsageError("guide_stays")
        entry = self._entry(name)
        wanted = clean_title(new_name)
        if not wanted:
            raise UsageError("bad_name", name=new_name)
        other = self._index.by_name(wanted)
        if _is_guide(wanted) or (other is not None and other.name != entry.name):
            raise UsageError("name_taken", name=wanted)
        return self._checked(
            self._index.replace(entry.name, dataclasses.replace(entry, name=wanted))
        )

    def relocate(self, name: str, places: Mapping[Path, Path], *, is_copy: bool) -> LibraryModel:
        """The model's files are now at other places: each old path with its new one.

        `is_copy`: the old ones are still there and not ours. Raises StorageError, ModelFileError.
        """
        entry = self._entry(name)
        if entry.path not in {str(old) for old in places}:
            return self._checked(entry)  # written down already, before an interruption
        parts = tuple(places.get(part, part) for part in entry.parts)
        try:
            stamp = stamp_of(parts)
        except OSError as error:
            raise storage_error(error, parts[0], reading=True) from error
        projector = Path(entry.projector) if entry.projector else None
        moved = dataclasses.replace(
            entry,
            path=str(parts[0]),
            source="copy" if is_copy else entry.source,
            mtime_ns=stamp.mtime_ns,
            stamp=stamp.text,
            projector="" if projector is None else str(places.get(projector, projector)),
        )
        self._index.unsee([moved.path])
        self._index.replace(entry.name, moved)
        if is_copy:
            note_duplicate(self._index, entry.parts, entry.content)
        return self._checked(moved)

    def touch(self, name: str) -> None:
        """The model was used just now."""
        if not _is_guide(name):
            entry = self._entry(name)
            self._index.replace(entry.name, dataclasses.replace(entry, last_used_at=self._clock()))

    def mark_probed(self, name: str, engine_version: str) -> None:
        """This engine has loaded this very file well; a file that changes loses the mark."""
        if not _is_guide(name) and not self.get(name).problem:
            entry = self._entry(name)
            marked = dataclasses.replace(entry, probed_engine=engine_version)
            self._index.replace(entry.name, marked)

    def list(self) -> list[LibraryModel]:
        """The guide, then the others by name; files that are gone are listed with their problem.

        Asks the disk about every file: milliseconds, and `presence.PATIENCE_S` at most where a
        drive does not answer.
        """
        entries = self._index.all()
        answers = self._presence.ask([entry.parts for entry in entries])
        shown = [self._judged(*pair) for pair in zip(entries, answers, strict=True)]
        return [self._guide.model(), *shown]

    def look_through(
        self,
        folder: Path,
        *,
        is_ours: bool,
        should_stop: Callable[[], bool] = lambda: False,
        on_change: Callable[[ScanChange], None] = lambda _change: None,
        leave_out: Sequence[Path] = (),
    ) -> ScanReport:
        """Take in what lies in `folder` and is not known yet; milliseconds where nothing is new.

        `is_ours`: the folder is the app's own, so that removing a model there deletes its file.
        Nothing is written into the folder; `on_change` hears of each change as it is found;
        `leave_out` are folders in it that are the library's themselves.
        Raises StorageError where the index takes no more.
        """
        return Intake(self._index, self._clock, _free_name).look_through(
            folder,
            "copy" if is_ours else "import",
            should_stop,
            on_change,
            frozenset(leave_out) - {folder},
        )

    def forget_below(self, folder: Path) -> int:
        """The folder is none of the library's any more: its models go from the list, their files
        and their settings stay. Returns how many went."""
        below = [entry for entry in self._index.all() if holder_of(Path(entry.path), (folder,))]
        for entry in below:
            self._index.delete(entry.name)
        seen = [path for path in self._index.seen() if holder_of(Path(path), (folder,))]
        self._index.unsee(seen)
        return len(below)

    def know_hashes(self, name: str, hashes: tuple[str, ...]) -> None:
        """What each part is by SHA-256, taken here: what it will be compared with."""
        if not _is_guide(name):
            entry = self._entry(name)
            known = dataclasses.replace(entry, hashes="\n".join(hashes))
            self._index.replace(entry.name, known)

    def mark_verified(self, name: str, hashes: tuple[str, ...]) -> None:
        """These are the hashes of its parts, just found right."""
        if not _is_guide(name):
            entry = self._entry(name)
            marked = dataclasses.replace(entry, hashes="\n".join(hashes), verified_at=self._clock())
            self._index.replace(entry.name, marked)

    def mark_wrong(self, name: str) -> None:
        """Its file is not what it was; taking it in again says that it is meant to be so."""
        if not _is_guide(name):
            entry = self._entry(name)
            self._index.replace(entry.name, dataclasses.replace(entry, verified_at=FOUND_WRONG))

    def _entry(self, name: str) -> Entry:
        found = self._index.by_name(name)
        if found is None:
            raise ModelFileError("unknown_model", model=name)
        return found

    def _checked(self, entry: Entry) -> LibraryModel:
        """The entry with what the disk says now; a file that was written since is read anew."""
        return self._judged(entry, self._presence.ask([entry.parts])[0])

    def _judged(self, entry: Entry, answer: Answer) -> LibraryModel:
        if answer.stamp is None:
            return _model(entry, answer, answer.problem)
        if answer.stamp.text == entry.stamp and entry.reading >= READING:
            return _model(entry, answer)
        try:
            fresh = renewed(entry)
        except HausgeistError as error:
            return _model(dataclasses.replace(entry, probed_engine=""), answer, error.kind)
        try:
            self._index.replace(entry.name, fresh)
        except StorageError as error:  # a full disk must not hide the models that are there
            _log.warning("entry not renewed: %s", error)
        return _model(fresh, answer)


def _model(entry: Entry, answer: Answer, problem: str = "") -> LibraryModel:
    return entry.model(problem, answer.folder, is_shared=answer.is_shared)


def _is_guide(name: str) -> bool:
    return name.casefold() == GUIDE_NAME


def _free_name(wanted: str, is_taken: Callable[[str], bool]) -> str:
    return unique(wanted, lambda name: _is_guide(name) or is_taken(name))
