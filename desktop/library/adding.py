"""Take one model in: by reference or as a copy, new, known already, or known at another place."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.gguf.header import ModelHeader
from desktop.library.copying import Progress, copy_model
from desktop.library.entries import Told, new_entry, with_told
from desktop.library.files import delete_files, stamp_of
from desktop.library.index import Index, Seen
from desktop.library.index_entry import Entry
from desktop.library.model import Source
from desktop.library.naming import file_names, name_of
from desktop.library.origin import Origin
from desktop.library.presence import Presence

FreeName = Callable[[str, Callable[[str], bool]], str]


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """A model to take in; `content` is the digest of `parts`, `copy_to` the folder for a copy."""

    header: ModelHeader
    parts: tuple[Path, ...]
    content: str
    source: Source
    told: Told
    copy_to: Path | None = None
    progress: Progress | None = None


class Adding:
    """Writes the index and, for copies, the folder they go to."""

    def __init__(
        self,
        index: Index,
        presence: Presence,
        clock: Callable[[], float],
        free_name: FreeName,
        refresh: Callable[[Entry], object],
    ) -> None:
        """`refresh` reads an entry's file anew where it was written since."""
        self._index = index
        self._presence = presence
        self._clock = clock
        self._free_name = free_name
        self._refresh = refresh

    def add(self, wanted: Wanted) -> Entry:
        """See Library.add."""
        here = self._index.by_file(wanted.parts[0])
        known = here or self._index.by_content(wanted.content)
        if known is None:
            return self._new(wanted, None)
        if self._shall_move(known, wanted, is_here=here is not None):
            return self._new(wanted, known)
        if here is None:
            # What is said is said of the other file: the entry's own came from elsewhere.
            note_duplicate(self._index, wanted.parts, wanted.content)
            return known
        return self._with_news(known, wanted.told)

    def _new(self, wanted: Wanted, known: Entry | None) -> Entry:
        """A new entry, or `known` at a new place."""
        parts, source, told = wanted.parts, wanted.source, wanted.told
        if wanted.copy_to is not None:
            parts, told = _copied(wanted, wanted.copy_to)
            source = "copy"
        # A copy has the times of its own, and the content of what it was copied from.
        entry = new_entry(wanted.header, parts, source, self._clock(), told, wanted.content)
        self._index.unsee([entry.path])
        if known is None:
            return self._index.insert(entry, self._free_name)
        is_same = known.content == entry.content
        moved = dataclasses.replace(
            entry,
            name=known.name,
            added_at=known.added_at,
            last_used_at=known.last_used_at,
            probed_engine=known.probed_engine if is_same else "",
            hashes=known.hashes if is_same and not entry.hashes.strip() else entry.hashes,
        )
        return self._index.replace(known.name, moved)

    def _with_news(self, known: Entry, told: Told) -> Entry:
        self._refresh(known)
        entry = self._index.by_name(known.name) or known
        if entry.is_damaged:
            entry = dataclasses.replace(entry, hashes="", verified_at=None)
        news = with_told(entry, told)
        return self._index.replace(entry.name, news) if news != known else news

    def _shall_move(self, entry: Entry, wanted: Wanted, *, is_here: bool) -> bool:
        """Whether its file is gone, or there is (or shall be) one of our own now."""
        if self._presence.ask([entry.parts])[0].stamp is None:
            return True
        if entry.source == "copy":
            return False
        return wanted.copy_to is not None or (wanted.source == "copy" and not is_here)


def note_duplicate(index: Index, parts: Sequence[Path], content: str) -> None:
    """Remember that these files hold a model, too, whose entry is elsewhere."""
    try:
        stamp = stamp_of(parts).text
    except OSError:
        return  # gone again: no duplicate
    index.note([Seen(str(parts[0]), stamp, "duplicate", content)])


def _copied(wanted: Wanted, folder: Path) -> tuple[tuple[Path, ...], Told]:
    """The copy's files, and what is known of them; a copy of what is damaged is not kept.

    Raises as copy_model, and ModelFileError("hash_wrong").
    """
    told, first = wanted.told, wanted.parts[0]
    origin = told.origin or Origin("file", str(first.parent), first.name)
    names = file_names(wanted.parts, told.name or name_of(wanted.header))
    copied = copy_model(wanted.parts, folder, names=names, progress=wanted.progress)
    parts = tuple(file.path for file in copied)
    stated = told.hashes or (origin.sha256,)
    for source, file, expected in zip(wanted.parts, copied, stated, strict=False):
        if expected and expected.lower() != file.sha256:
            delete_files(parts)
            raise ModelFileError("hash_wrong", model=name_of(wanted.header), path=str(source))
    if origin.sha256:
        origin = dataclasses.replace(origin, is_verified=True)
    hashes = tuple(file.sha256 for file in copied)
    return parts, dataclasses.replace(told, origin=origin, hashes=hashes)
