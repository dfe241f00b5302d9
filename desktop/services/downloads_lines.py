"""The queue itself: its lines in their order, found by id and by the model that they fetch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from desktop.common.errors import UsageError
from desktop.services.downloads_disks import is_of_disk
from desktop.services.downloads_entry import Download
from desktop.services.downloads_line import Fetcher, Line


class Lines:
    """All calls with the queue's lock held, but for `is_reference`."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self.all: list[Line] = []

    def is_reference(self, reference: str) -> bool:
        """Whether it names a model."""
        try:
            return bool(self._fetcher.key(reference))
        except UsageError as error:
            return error.kind == "bad_endpoint"  # today's; nothing is wrong with the reference

    def put_first(self, entries: Iterable[Download]) -> bool:
        """What an earlier run left goes before all else; whether any of it is new."""
        known = {line.entry.id for line in self.all}
        left = [self._new(entry) for entry in entries if entry.id not in known]
        self.all[:0] = left
        return bool(left)

    def add(self, entry: Download) -> Line:
        """At the end."""
        line = self._new(entry)
        self.all.append(line)
        return line

    def move(self, line: Line, place: int) -> None:
        """To another place (0: first)."""
        self.all.remove(line)
        self.all.insert(max(0, min(place, len(self.all))), line)

    def by_id(self, id: str) -> Line | None:
        return next((line for line in self.all if line.entry.id == id), None)

    def by_reference(self, reference: str) -> Line | None:
        """`reference` in its short form; upper and lower case are the same."""
        wanted = reference.casefold()
        found = (line for line in self.all if line.entry.reference.casefold() == wanted)
        return next(found, None)

    def due_for_disks(self, now: float) -> list[tuple[Line, Download]]:
        """Those that failed for want of room, and would be tried again now."""
        return [
            (line, line.entry)
            for line in self.all
            if line.is_due(now) and is_of_disk(line.entry.error)
        ]

    def told(self, now: float) -> tuple[Download, ...]:
        """The downloads as people see them, with the seconds that are left of a wait."""
        return tuple(_counted_down(line, now) for line in self.all)

    def _new(self, entry: Download) -> Line:
        return Line(entry, is_remote=self._fetcher.needs_network(entry.reference))


def _counted_down(line: Line, now: float) -> Download:
    if line.retry_at is None or line.entry.retry_in_s is None:
        return line.entry
    return replace(line.entry, retry_in_s=max(0.0, line.retry_at - now))
