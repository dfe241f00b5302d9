"""A queue of downloads that says what it is told to, and remembers what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desktop.common.errors import HausgeistError, UsageError
from desktop.services.downloads_entry import Download

Listener = Callable[[tuple[Download, ...]], None]


class StillDownloads:
    """Stands in for services.downloads.Downloads."""

    def __init__(self, *entries: Download, problem: HausgeistError | None = None) -> None:
        self.entries = list(entries)
        self.problem = problem
        self.asked: list[tuple[object, ...]] = []
        self.listeners: list[Listener] = []
        self.is_started = False
        self.is_closed = False

    def start(self) -> None:
        self.is_started = True

    def close(self) -> None:
        self.is_closed = True

    def all(self) -> tuple[Download, ...]:
        return tuple(self.entries)

    def find(self, reference: str) -> Download | None:
        return next((one for one in self.entries if one.reference == reference), None)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def say(self, *entries: Download) -> None:
        """From now on the queue is this."""
        self.entries = list(entries)
        for listener in list(self.listeners):
            listener(self.all())

    def become(self, id: str, **values: object) -> None:
        """One of them changes."""
        self.say(*(replace(e, **values) if e.id == id else e for e in self.entries))  # type: ignore[arg-type]

    def add(self, reference: str, *, name: str = "", with_projector: bool = True) -> Download:
        if "/" not in reference:
            raise UsageError("bad_hub_ref", model=reference)
        self.asked.append(("add", reference, name))
        known = self.find(reference)
        if known is not None:
            return known
        made = Download(f"d{len(self.entries)}", reference, name or reference)
        self.say(*self.entries, made)
        return made

    def pause(self, id: str) -> None:
        self.asked.append(("pause", id))
        self.become(id, state="paused")

    def resume(self, id: str) -> None:
        self.asked.append(("resume", id))
        self.become(id, state="waiting")

    def retry(self, id: str) -> None:
        self.asked.append(("retry", id))
        self.become(id, state="waiting", error=None, retry_in_s=None)

    def cancel(self, id: str) -> None:
        self.asked.append(("cancel", id))
        self.say(*(entry for entry in self.entries if entry.id != id))

    def forget(self, id: str) -> None:
        self.asked.append(("forget", id))
        self.say(*(entry for entry in self.entries if entry.id != id))

    def move(self, id: str, place: int) -> None:
        self.asked.append(("move", id, place))
        others = [entry for entry in self.entries if entry.id != id]
        others.insert(place, next(entry for entry in self.entries if entry.id == id))
        self.say(*others)

    def pause_all(self) -> None:
        self.asked.append(("pause_all",))
        self.say(*(replace(e, state="paused") for e in self.entries))

    def resume_all(self) -> None:
        self.asked.append(("resume_all",))
        self.say(*(replace(e, state="waiting") for e in self.entries))

    def set_limit(self, bytes_per_s: float | None) -> None:
        self.asked.append(("set_limit", bytes_per_s))

    def set_unmetered_only(self, wanted: bool) -> None:
        self.asked.append(("set_unmetered_only", wanted))

    def set_at_once(self, n: int) -> None:
        self.asked.append(("set_at_once", n))

    def wake(self) -> None:
        self.asked.append(("wake",))
