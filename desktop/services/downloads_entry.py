"""One model on its way, as the queue, the window and the file on disk speak of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from desktop.common.errors import HausgeistError
from desktop.library.model import LibraryModel

DownloadState = Literal[
    "waiting", "running", "paused", "metered", "offline", "verifying", "done", "failed"
]

ENDED: frozenset[DownloadState] = frozenset(("done", "failed"))


@dataclass(frozen=True, slots=True)
class Download:
    """A place in the queue; `id` stays the same for its whole life.

    "waiting": for its turn, or for what `error` says (a full disk, a busy Hub: `retry_in_s` from
    when this was made); "metered" and "offline": goes on by itself as soon as it may.
    `bytes` are on the disk already, of `total_bytes` (0 while nobody has said how many).
    `is_verified`: it is done, and its hash was compared with the Hub's.
    """

    id: str
    reference: str
    name: str
    state: DownloadState = "waiting"
    bytes: int = 0
    total_bytes: int = 0
    bytes_per_s: float = 0.0
    left_s: float | None = None
    error: HausgeistError | None = None
    retry_in_s: float | None = None
    model: LibraryModel | None = None
    is_repairing: bool = False
    is_verified: bool = False
    with_projector: bool = True
    folder: str = ""
    files: tuple[str, ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ENDED

    @property
    def share(self) -> float:
        """How much of it is here, 0 to 1."""
        return min(1.0, self.bytes / self.total_bytes) if self.total_bytes else 0.0

    def at_rest(self, state: DownloadState, error: HausgeistError | None = None) -> Download:
        """The same without anything moving."""
        return replace(
            self,
            state=state,
            error=error,
            bytes_per_s=0.0,
            left_s=None,
            retry_in_s=None,
            is_repairing=False,
        )
