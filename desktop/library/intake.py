"""Bring the index up to what lies in a folder: new models, moved ones, files written anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from desktop.common.errors import HausgeistError, ModelFileError, StorageError
from desktop.common.logs import get_logger
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.library.entries import READING, Told, new_entry, renewed
from desktop.library.files import content_of, stamp_of
from desktop.library.index import Index, Seen, What
from desktop.library.index_entry import Entry
from desktop.library.model import Source
from desktop.library.scan import FoundModel, ScanChange, ScanReport, Stop, Walk, models_in

_log = get_logger("library")

FreeName = Callable[[str, Callable[[str], bool]], str]

_NOTE_AT_ONCE = 256


class Intake:
    """One look through folders; knows what the index knew when it began."""

    def __init__(self, index: Index, clock: Callable[[], float], free_name: FreeName) -> None:
        self._index = index
        self._clock = clock
        self._free_name = free_name
        self._known = {entry.path: entry for entry in index.all()}
        self._seen = index.seen()
        self._notes: list[Seen] = []
        self._projectors: dict[Path, Seen] = {}

    def look_through(
        self,
        folder: Path,
        source: Source,
        should_stop: Stop,
        on_change: Callable[[ScanChange], None],
        leave_out: frozenset[Path],
    ) -> ScanReport:
        """Raises StorageError where the index takes no more."""
        walk = Walk(leave_out)
        changes: list[ScanChange] = []
        models = 0
        for found in models_in(folder, walk, should_stop):
            models += 1
            if should_stop():
                break
            change = self._look_at(found, source)
            if change is not None:
                changes.append(change)
                on_change(change)
            if len(self._notes) >= _NOTE_AT_ONCE:
                self._write_notes()
        self._notes.extend(self._projectors.values())
        self._write_notes()
        return ScanReport(
            folder,
            models,
            walk.files,
            tuple(changes),
            walk.folders,
            tuple(walk.unreadable),
            complete=not should_stop(),
        )

    def _look_at(self, found: FoundModel, source: Source) -> ScanChange | None:
        path = str(found.path)
        entry = self._known.get(path)
        if entry is not None:
            is_new = entry.reading < READING or self._was_written(entry, found)
            may_see = not entry.projector and self._has_new_projector(found)
            return self._renew(entry) if is_new or may_see else None
        seen = self._seen.get(path)
        if seen is not None and seen.stamp == found.stamp and not self._is_needed(seen):
            return None
        try:
            return self._take_in(found, source)
        except StorageError as error:
            if error.kind in ("not_readable", "storage"):  # this file, not the index
                return self._pass_over(found, "unusable", error)
            raise
        except ModelFileError as error:
            is_part = error.kind == "no_language_model"
            return self._pass_over(found, "part" if is_part else "unusable", error)

    def _take_in(self, found: FoundModel, source: Source) -> ScanChange | None:
        header = read_header(found.path)
        check(header)
        parts = header.paths
        content = content_of(parts)
        known = self._index.by_content(content)
        if known is not None and (known.path == str(found.path) or _is_there(known)):
            self._notes.append(Seen(str(found.path), found.stamp, "duplicate", content))
            return None
        self._has_new_projector(found)
        told = Told(candidates=[path for path, _ in found.projectors])
        entry = new_entry(header, parts, source, self._clock(), told, content)
        self._index.unsee([entry.path])
        if known is None:
            written = self._index.insert(entry, self._free_name)
            return ScanChange(found.path, "added", written.name)
        # Somebody has moved the file: its name and what is known of it move along.
        moved = dataclasses.replace(
            entry,
            name=known.name,
            added_at=known.added_at,
            last_used_at=known.last_used_at,
            probed_engine=known.probed_engine,
            origin=entry.origin if '"hub"' in entry.origin else known.origin,
            hashes=entry.hashes if entry.hashes.strip() else known.hashes,
            verified_at=known.verified_at,
        )
        self._index.replace(known.name, moved)
        return ScanChange(found.path, "moved", known.name)

    def _was_written(self, entry: Entry, found: FoundModel) -> bool:
        """Whether the file is another than the entry's; the folder's own word is checked, since
        Windows notes some files' times there late."""
        if entry.stamp in (found.stamp, found.own_stamp):
            return False
        try:
            return stamp_of(entry.parts).text != entry.stamp
        except OSError:
            return False  # gone just now: the list tells

    def _has_new_projector(self, found: FoundModel) -> bool:
        """Whether one has come since the last look: it is tried once with its folder's models."""
        new = [
            (path, stamp)
            for path, stamp in found.projectors
            if (seen := self._seen.get(str(path))) is None or seen.stamp != stamp
        ]
        self._projectors.update({path: Seen(str(path), stamp, "part") for path, stamp in new})
        return bool(new)

    def _renew(self, entry: Entry) -> ScanChange | None:
        try:
            fresh = renewed(entry)
            if fresh == entry:
                return None
            self._index.replace(entry.name, fresh)
        except HausgeistError as error:
            # Half written, perhaps: its entry tells, and the next look tries again.
            _log.info("%s not read anew: %s", entry.name, error)
            return None
        return ScanChange(Path(entry.path), "changed", entry.name)

    def _is_needed(self, seen: Seen) -> bool:
        """Whether a copy has become the only one: its entry's own file is gone."""
        if seen.what != "duplicate":
            return False
        known = self._index.by_content(seen.content)
        return known is None or not _is_there(known)

    def _pass_over(self, found: FoundModel, what: What, error: HausgeistError) -> ScanChange | None:
        self._notes.append(Seen(str(found.path), found.stamp, what))
        if what == "part":
            return None
        return ScanChange(found.path, "unusable", problem=error.kind)

    def _write_notes(self) -> None:
        if self._notes:
            self._index.note(self._notes)
            self._notes = []


def _is_there(entry: Entry) -> bool:
    try:
        stamp_of(entry.parts)
    except OSError:
        return False
    return True
