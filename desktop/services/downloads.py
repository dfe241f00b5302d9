"""The models that are being fetched: one queue for the whole house, which survives its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from desktop.services.downloads_entry import Download

Listener = Callable[[tuple[Download, ...]], None]


class DownloadQueue(Protocol):
    """What the window asks of `Downloads`; every call returns at once, from any thread."""

    def start(self) -> None:
        """Read what an earlier run left, and go on with it."""
        ...

    def add(self, reference: str, *, name: str = "", with_projector: bool = True) -> Download:
        """Put a model at the end of the queue; one that is in it already is not added again.

        `name`: what people call it, until its own file says so.
        Raises UsageError("bad_hub_ref", "bad_endpoint").
        """
        ...

    def all(self) -> tuple[Download, ...]:
        """The queue, first one first; what has ended stays until it is forgotten."""
        ...

    def pause(self, id: str) -> None: ...
    def resume(self, id: str) -> None: ...

    def retry(self, id: str) -> None:
        """Begin a failed or waiting one now."""
        ...

    def cancel(self, id: str) -> None:
        """Take it out and delete what was fetched of it."""
        ...

    def forget(self, id: str) -> None:
        """Take what has ended out of the list; no file is touched."""
        ...

    def move(self, id: str, place: int) -> None:
        """Give it another place in the queue (0: first)."""
        ...

    def pause_all(self) -> None: ...
    def resume_all(self) -> None: ...

    def set_limit(self, bytes_per_s: float | None) -> None:
        """How fast all together may be; None: as fast as the line is."""
        ...

    def set_unmetered_only(self, wanted: bool) -> None: ...
    def set_at_once(self, n: int) -> None: ...

    def wake(self) -> None:
        """Try at once what waits for a network or a disk: perhaps it is back."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the queue after every change, at most 4 times a second for mere
        figures, from any thread; returns what ends that."""
        ...

    def close(self) -> None:
        """Stop all and keep what was fetched; what ran goes on at the next start."""
        ...
