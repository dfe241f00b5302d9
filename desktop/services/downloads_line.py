"""One download while it stands in the queue: what it says, who fetches it, what it waits for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from desktop.common.errors import CancelledError, HausgeistError
from desktop.hub.transfer.transfer import METERED, TransferProgress
from desktop.services.downloads_entry import Download, DownloadState
from desktop.services.downloads_outlook import NO_WAY, outlook
from desktop.services.fetch_model import FetchedModel
from desktop.services.fetch_wish import FetchWish, FoundModel

_STEADY = 0.1
"""Weight of the newest speed in the time that is left: it should not jump about."""

Halt = Literal["", "paused", "cancelled", "held", "later", "closed"]

_STATES: dict[str, DownloadState] = {
    "running": "running",
    "repairing": "running",
    "checking": "verifying",
}


class Job(Protocol):
    """What fetches one model; `run` raises CancelledError after `stop` or `cancel`."""

    def run(self) -> FetchedModel: ...
    def stop(self) -> None: ...
    def cancel(self) -> None: ...


class Fetcher(Protocol):
    """Makes jobs, at once: services.fetch_any.AnyFetcher is the real one."""

    @property
    def folder(self) -> Path: ...
    def key(self, reference: str) -> str: ...
    def needs_network(self, reference: str) -> bool: ...
    def job(self, text: str, wish: FetchWish) -> Job: ...


@dataclass(slots=True)
class Line:
    """`job` is None while nothing is fetched; `halt` is why the job was told to stop;
    `is_remote`: it is fetched over the network.

    `retry_at` (of the queue's clock): when to try again what failed; `is_retry_sure`: not before.
    """

    entry: Download
    is_remote: bool = True
    job: Job | None = None
    halt: Halt = ""
    failures: int = 0
    retry_at: float | None = None
    is_retry_sure: bool = False
    steady_bytes_per_s: float = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether it should be running, now or later."""
        return self.entry.state not in ("paused", "done", "failed")

    def is_due(self, now: float) -> bool:
        """Whether the time to try again has come."""
        return self.retry_at is not None and self.retry_at <= now

    def begin(self, job: Job) -> None:
        self.job, self.halt, self.retry_at = job, "", None
        self.steady_bytes_per_s = 0.0
        self.entry = self.entry.at_rest("running")

    def rest(self, state: DownloadState, error: HausgeistError | None = None) -> bool:
        """Stand still in `state`; whether that is news."""
        before = self.entry
        if (before.state, before.error) == (state, error) or _same(before, state, error):
            return False
        self.entry = before.at_rest(state, error)
        return True

    def try_soon(self) -> None:
        """Whatever it waits for: try again as soon as there is a place for it."""
        self.retry_at, self.is_retry_sure = None, False

    def found(self, found: FoundModel, folder: Path) -> None:
        """The Hub said what will come."""
        self.entry = replace(
            self.entry,
            name=self.entry.name or found.name,
            total_bytes=found.total_bytes,
            folder=str(folder),
            files=tuple(str(file) for file in found.files),
        )

    def tell(self, progress: TransferProgress) -> bool:
        """Note how far it is; whether its state is another now."""
        if self.halt:  # it is on its way out
            return False
        if progress.received_bytes > 0:
            self.failures = 0
        state = _state_of(progress)
        is_moving = state == "running" and progress.bytes_per_s > 0
        if is_moving:
            old = self.steady_bytes_per_s or progress.bytes_per_s
            self.steady_bytes_per_s = old + _STEADY * (progress.bytes_per_s - old)
        total = progress.total_bytes or self.entry.total_bytes
        left = max(0, total - progress.done_bytes)
        before = self.entry
        self.entry = replace(
            before,
            state=state,
            bytes=progress.done_bytes,
            total_bytes=total,
            bytes_per_s=progress.bytes_per_s if is_moving else 0.0,
            left_s=left / self.steady_bytes_per_s if is_moving else None,
            retry_in_s=progress.wait_s if progress.waits_for else None,
            is_repairing=progress.state == "repairing",
            error=None,
        )
        after = self.entry
        return (after.state, after.is_repairing) != (before.state, before.is_repairing)

    def end(self, outcome: FetchedModel | HausgeistError, now: float) -> None:
        """The job is over."""
        self.job, self.halt = None, ""
        if isinstance(outcome, FetchedModel):
            self._arrived(outcome)
        elif self.entry.state in ("paused", "done"):
            self.entry = self.entry.at_rest(self.entry.state)
        elif isinstance(outcome, CancelledError):
            self.entry = self.entry.at_rest("waiting")
        else:
            self._failed(outcome, now)

    def _arrived(self, fetched: FetchedModel) -> None:
        self.failures = 0
        state: DownloadState = "done" if fetched.problem is None else "failed"
        rested = self.entry.at_rest(state, fetched.problem)
        self.entry = replace(
            rested,
            name=rested.name or fetched.path.stem,
            bytes=fetched.file_bytes,
            total_bytes=fetched.file_bytes,
            model=fetched.model,
            is_verified=fetched.is_verified,
        )

    def _failed(self, error: HausgeistError, now: float) -> None:
        self.failures += 1
        seen = outlook(error, self.failures)
        self.entry = replace(self.entry.at_rest(seen.state, error), retry_in_s=seen.pause_s)
        self.retry_at = None if seen.pause_s is None else now + seen.pause_s
        self.is_retry_sure = seen.is_sure


def _state_of(progress: TransferProgress) -> DownloadState:
    if progress.state == "waiting":
        if progress.waits_for == METERED:
            return "metered"
        return "offline" if progress.waits_for in NO_WAY else "waiting"
    return _STATES.get(progress.state, "running")


def _same(before: Download, state: DownloadState, error: HausgeistError | None) -> bool:
    old = before.error
    if before.state != state or (old is None) != (error is None):
        return False
    return old is None or error is None or (old.kind, old.params) == (error.kind, error.params)
