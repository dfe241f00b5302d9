"""The models on this disk that the user knows by name: an index, not a second copy."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from desktop.common.database import Database
from desktop.common.database_opening import BUSY_TIMEOUT_S, open_database, open_in_memory
from desktop.common.errors import HausgeistError, ModelFileError, StorageError, UsageError
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.library.copying import Progress, copy_model
from desktop.library.files import content_of, delete_files, same_file, stamp_of
from desktop.library.guide import Guide
from desktop.library.index import Entry, Index
from desktop.library.model import GUIDE_NAME, LibraryModel, Source
from desktop.library.naming import clean, name_of, unique
from desktop.library.schema import SCHEMA

_log = get_logger("library")


class Library:
    """Every method may be called from any thread and raises StorageError.

    The guide is always there, always first, and cannot be removed. A name that is not there
    raises ModelFileError("unknown_model").
    """

    def __init__(
        self, database: Database, guide: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = database
        self._index = Index(database)
        self._guide = Guide(guide)
        self._clock = clock

    @classmethod
    def open(cls, path: Path, guide: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Library:
        """Open or make the index; what had to be repaired stands in `problem`.

        Raises StorageError (read_only, disk_full, storage) where nothing can be stored.
        """
        return cls(open_database(path, SCHEMA, busy_timeout_s=busy_timeout_s), guide)

    @classmethod
    def in_memory(cls, guide: Path, like: Path | None = None) -> Library:
        """For a disk that cannot be written: changes are forgotten when the program ends.

        It begins with the models of the index `like`, where that can be read.
        """
        return cls(open_in_memory(SCHEMA, like), guide)

    @property
    def problem(self) -> StorageError | None:
        """library_damaged, library_locked or library_newer; None when all is well."""
        return self._db.problem

    @property
    def lasts(self) -> bool:
        """Whether what is added is still there after the program's end."""
        return self._db.path != Path(":memory:")

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

    def add(
        self,
        path: Path,
        header: ModelHeader | None = None,
        *,
        copy_to: Path | None = None,
        progress: Progress | None = None,
        source: Source = "import",
    ) -> LibraryModel:
        """Take in the model at `path`, by reference or as a copy in the folder `copy_to`.

        `source` "copy" says that the file is the app's own already: removing it deletes it.

        The same model again, at this or another place, gives the entry that is there; one whose
        file has vanished, or that shall now be copied, moves to the new place and keeps its name.
        Raises ModelFileError as read_header, StorageError as copy_model, whatever `progress` does.
        """
        header = header or read_header(path)
        parts = tuple(part.absolute() for part in header.paths)
        if same_file(parts[0], self._guide.path):
            return self._guide.model()
        content = content_of(parts)
        known = self._index.by_file(parts[0]) or self._index.by_content(content)
        if known is not None and not _shall_move(known, copy_to):
            return self._checked(known)
        if copy_to is not None:
            parts, source = copy_model(parts, copy_to, progress=progress), "copy"
        entry = self._new_entry(header, parts, source, content)
        if known is None:
            return self._index.insert(entry, _free_name).model()
        moved = dataclasses.replace(
            entry,
            name=known.name,
            added_at=known.added_at,
            last_used_at=known.last_used_at,
            probed_engine=known.probed_engine if known.content == content else "",
        )
        return self._index.replace(known.name, moved).model()

    def remove(self, name: str, *, delete_file: bool) -> None:
        """Forget the model and, if asked, delete all its files; the guide raises UsageError."""
        if _is_guide(name):
            raise UsageError("guide_stays")
        entry = self._entry(name)
        if delete_file:
            delete_files(entry.parts)
        self._index.delete(entry.name)

    def rename(self, name: str, new_name: str) -> LibraryModel:
        """Give another name; raises UsageError: guide_stays, bad_name, name_taken."""
        if _is_guide(name):
            raise UsageError("guide_stays")
        entry = self._entry(name)
        wanted = clean(new_name)
        if not wanted:
            raise UsageError("bad_name", name=new_name)
        other = self._index.by_name(wanted)
        if _is_guide(wanted) or (other is not None and other.name != entry.name):
            raise UsageError("name_taken", name=wanted)
        return self._checked(
            self._index.replace(entry.name, dataclasses.replace(entry, name=wanted))
        )

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
        """The guide, then the others by name; files that are gone are listed as "vanished".

        Asks the disk about every file: milliseconds, but seconds where a network drive sleeps.
        """
        return [self._guide.model(), *(self._checked(entry) for entry in self._index.all())]

    def _entry(self, name: str) -> Entry:
        found = self._index.by_name(name)
        if found is None:
            raise ModelFileError("unknown_model", model=name)
        return found

    def _new_entry(
        self, header: ModelHeader, parts: tuple[Path, ...], source: Source, content: str
    ) -> Entry:
        try:
            stamp = stamp_of(parts)
        except OSError as error:
            raise storage_error(error, parts[0]) from error
        return Entry(
            name=name_of(header),
            path=str(parts[0]),
            part_names="\n".join(part.name for part in parts),
            file_bytes=stamp.file_bytes,
            architecture=header.architecture,
            quantization=header.quantization,
            parameters=header.parameters,
            added_at=self._clock(),
            last_used_at=None,
            source=source,
            mtime_ns=stamp.mtime_ns,
            stamp=stamp.text,
            content=content,
        )

    def _checked(self, entry: Entry) -> LibraryModel:
        """The entry with what the disk says now; a file that was written since is read anew."""
        try:
            stamp = stamp_of(entry.parts)
        except PermissionError:
            return entry.model(problem="no_permission")
        except OSError:  # not there, or its drive is not
            return entry.model(problem="vanished")
        if stamp.text == entry.stamp:
            return entry.model()
        try:
            header = read_header(Path(entry.path))
            content = content_of(header.paths)
            fresh = self._new_entry(header, header.paths, entry.source, content)
        except HausgeistError as error:
            return dataclasses.replace(entry, probed_engine="").model(problem=error.kind)
        renewed = dataclasses.replace(
            fresh,
            name=entry.name,
            added_at=entry.added_at,
            last_used_at=entry.last_used_at,
            # A restored backup has another time and the same content: still the file we know.
            probed_engine=entry.probed_engine if content == entry.content else "",
        )
        try:
            self._index.replace(entry.name, renewed)
        except StorageError as error:  # a full disk must not hide the models that are there
            _log.warning("entry not renewed: %s", error)
        return renewed.model()


def _is_guide(name: str) -> bool:
    return name.casefold() == GUIDE_NAME


def _free_name(wanted: str, is_taken: Callable[[str], bool]) -> str:
    return unique(wanted, lambda name: _is_guide(name) or is_taken(name))


def _shall_move(entry: Entry, copy_to: Path | None) -> bool:
    """Whether a known model gets a new place: its file is gone, or a copy of it is wanted."""
    try:
        stamp_of(entry.parts)
    except OSError:
        return True
    return copy_to is not None and entry.source != "copy"
