"""The models that are being fetched: one queue for the whole house, which survives its end.

A thread of its own, the keeper, decides who runs, writes the queue down and tells who listens;
every download that runs has another. All calls return at once and may come from any thread.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from desktop.common.errors import HausgeistError, NetworkError, StorageError
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes
from desktop.hub.transfer.pace import RateLimit
from desktop.hub.transfer.transfer import TransferOptions, TransferProgress
from desktop.services.downloads_disks import folder_gone, is_of_disk, is_over
from desktop.services.downloads_entry import Download
from desktop.services.downloads_file import DownloadsFile
from desktop.services.downloads_leftovers import delete_leftovers
from desktop.services.downloads_line import Fetcher, Halt, Job, Line
from desktop.services.downloads_lines import Lines
from desktop.services.downloads_listeners import Listener, Listeners
from desktop.services.downloads_turns import (
    Hold,
    in_the_way,
    shorten_after_sleep,
    surplus,
    take_turns,
)
from desktop.services.downloads_workers import Workers
from desktop.services.fetch_model import FetchedModel
from desktop.services.fetch_wish import FetchWish, FoundModel

LOOK_EVERY_S = 1.0
MOST_AT_ONCE = 8
_END_S = 3.0

_log = get_logger("services")


class Downloads:
    """Use `start` once; `close` at the end."""

    def __init__(
        self,
        fetcher: Fetcher,
        path: Path,
        *,
        require_online: Callable[[], None] = lambda: None,
        is_metered: Callable[[], bool] = lambda: False,
        kept_files: Callable[[], Iterable[Path]] = tuple,
        limit: RateLimit | None = None,
        unmetered_only: bool = False,
        at_once: int = 1,
        options: TransferOptions | None = None,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`path` is the queue's file. `require_online` raises NetworkError while nothing may be
        asked of the internet; `is_metered` is only asked where that matters; `kept_files` are
        those of the models in the library."""
        self._fetcher = fetcher
        self._file = DownloadsFile(path)
        self._require_online = require_online
        self._is_metered = is_metered
        self._kept_files = kept_files
        self._limit = limit or RateLimit()
        self._unmetered_only = unmetered_only
        self._at_once = _bounded(at_once)
        self._options = options
        self._free = free
        self._clock = clock
        self._wall = wall
        self._change = threading.Condition()
        self._lines = Lines(fetcher)
        self._listeners = Listeners(clock)
        self._workers = Workers()
        self._is_stirred = False
        self._is_unsaved = False
        self._is_closed = False
        self._keeper: threading.Thread | None = None
        self._seen = (clock(), wall())

    @property
    def problem(self) -> HausgeistError | None:
        """What was wrong with the queue's file at the start."""
        return self._file.problem

    def start(self) -> None:
        """Read what an earlier run left, and go on with it."""
        with self._change:
            if self._keeper is not None or self._is_closed:
                return
            is_new = self._lines.put_first(self._file.load(self._lines.is_reference))
            self._keeper = threading.Thread(target=self._keep, name="downloads", daemon=True)
            self._keeper.start()
            self._changed(is_new=is_new)

    def add(self, reference: str, *, name: str = "", with_projector: bool = True) -> Download:
        """Put a model at the end of the queue; one that is in it already is not added again, one
        that failed is tried again.

        `name`: what people call it, until its own file says so.
        Raises UsageError("bad_hub_ref", "bad_endpoint").
        """
        wanted = self._fetcher.key(reference)
        with self._change:
            line = self._lines.by_reference(wanted)
            if line is None:
                entry = Download(secrets.token_hex(6), wanted, name, with_projector=with_projector)
                line = self._lines.add(entry)
            elif line.entry.state in ("done", "failed", "paused"):
                line.try_soon()
                line.rest("waiting")
            self._changed()
            return line.entry

    def find(self, reference: str) -> Download | None:
        """The download of that model, however its reference is written."""
        wanted = self._fetcher.key(reference)
        with self._change:
            line = self._lines.by_reference(wanted)
            return None if line is None else line.entry

    def all(self) -> tuple[Download, ...]:
        """The queue, first one first; what has ended stays until it is forgotten."""
        with self._change:
            return self._lines.told(self._clock())

    def pause(self, id: str) -> None:
        """Let go of the line; what was fetched stays, and the next one's turn has come."""
        with self._change:
            self._pause(self._lines.by_id(id))
            self._changed()

    def resume(self, id: str) -> None:
        """Take a place in the queue again."""
        with self._change:
            self._resume(self._lines.by_id(id))
            self._changed()

    def retry(self, id: str) -> None:
        """Begin a failed or waiting one now."""
        with self._change:
            line = self._lines.by_id(id)
            if line is not None and line.entry.state != "done" and line.job is None:
                line.try_soon()
                line.failures = 0
                line.rest("waiting")
            self._changed()

    def pause_all(self) -> None:
        with self._change:
            for line in self._lines.all:
                self._pause(line)
            self._changed()

    def resume_all(self) -> None:
        with self._change:
            for line in self._lines.all:
                self._resume(line)
            self._changed()

    def cancel(self, id: str) -> None:
        """Take it out and delete what was fetched of it."""
        with self._change:
            line = self._lines.by_id(id)
            if line is None:
                return
            self._lines.all.remove(line)
            if line.job is not None:
                line.halt = "cancelled"
                self._workers.start(line.job.cancel)
            elif line.entry.state != "done":
                self._workers.start(lambda: self._clean_up(line))
            self._changed()

    def forget(self, id: str) -> None:
        """Take what has ended out of the list; no file is touched."""
        with self._change:
            line = self._lines.by_id(id)
            if line is not None and line.entry.is_ended:
                self._lines.all.remove(line)
            self._changed()

    def move(self, id: str, place: int) -> None:
        """Give it another place in the queue (0: first); what runs behind it makes room."""
        with self._change:
            line = self._lines.by_id(id)
            if line is None:
                return
            self._lines.move(line, place)
            other = in_the_way(line, self._lines.all, self._at_once)
            if other is not None:
                self._stop(other, "later")
            self._changed()

    def set_limit(self, bytes_per_s: float | None) -> None:
        """How fast all together may be; None or 0: as fast as the line is."""
        self._limit.bytes_per_s = max(0.0, bytes_per_s or 0.0)

    def set_unmetered_only(self, wanted: bool) -> None:
        """Whether to wait while the line is paid by volume."""
        with self._change:
            self._unmetered_only = wanted
            self._changed()

    def set_at_once(self, n: int) -> None:
        """How many may run at the same time."""
        with self._change:
            self._at_once = _bounded(n)
            for line in surplus(self._lines.all, self._at_once):
                self._stop(line, "later")
            self._changed()

    def wake(self) -> None:
        """Try at once what waits for a network or a disk: perhaps it is back."""
        with self._change:
            for line in self._lines.all:
                if line.retry_at is not None and not line.is_retry_sure:
                    line.retry_at = self._clock()
            self._changed(is_new=False)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with the queue after every change, at most 4 times a second for mere
        figures, from the keeper's thread; returns what ends that."""
        return self._listeners.add(listener)

    def close(self) -> None:
        """Stop all and keep what was fetched; what ran goes on at the next start."""
        with self._change:
            if self._is_closed:
                return
            self._is_closed = True
            for line in self._lines.all:
                self._stop(line, "closed")
            self._change.notify_all()
        self._workers.join(_END_S)
        if self._keeper is not None:
            self._keeper.join(_END_S)
            self._save()

    # All below with the lock held, unless it says otherwise.

    def _stop(self, line: Line, why: Halt) -> None:
        """Ask its job to end, which may take a fifth of a second; what was fetched stays."""
        if line.job is not None and not line.halt:
            self._workers.start(line.job.stop)
        if line.job is not None and line.halt != "cancelled":
            line.halt = why

    def _pause(self, line: Line | None) -> None:
        if line is not None and line.is_wanted:
            self._stop(line, "paused")
            line.try_soon()
            line.rest("paused")

    def _resume(self, line: Line | None) -> None:
        if line is not None and line.entry.state == "paused":
            line.rest("waiting")

    def _changed(self, *, is_new: bool = True) -> None:
        """Have the keeper look; `is_new`: there is something to tell and to write down."""
        self._is_stirred = True
        if is_new:
            self._is_unsaved = True
            self._listeners.note(is_news=True)
        self._change.notify_all()

    def _keep(self) -> None:
        """The keeper's thread; without the lock."""
        while True:
            with self._change:
                self._is_stirred = False
            hold = self._hold()
            self._wait_for_disks()
            with self._change:
                if self._is_closed:
                    return
                self._note_sleep()
                self._schedule(hold)
                shall_save, self._is_unsaved = self._is_unsaved, False
            if shall_save:
                self._save()
            self._listeners.tell(self.all)
            with self._change:
                if not self._is_stirred and not self._is_closed:
                    self._change.wait(self._pause_s())

    def _hold(self) -> Hold | None:
        """Asks settings and system; without the lock."""
        try:
            self._require_online()
        except NetworkError as error:
            return Hold("offline", error)
        return Hold("metered") if self._unmetered_only and self._is_metered() else None

    def _note_sleep(self) -> None:
        now = (self._clock(), self._wall())
        before, self._seen = self._seen, now
        slept_s = (now[1] - before[1]) - (now[0] - before[0])
        shorten_after_sleep(self._lines.all, slept_s, now[0])

    def _schedule(self, hold: Hold | None) -> None:
        turns = take_turns(self._lines.all, hold, self._at_once, self._clock())
        for line in turns.stop:
            self._stop(line, "held")
        for line in turns.begin:
            self._begin(line)
        if turns.is_news:
            self._listeners.note(is_news=True)

    def _begin(self, line: Line) -> None:
        entry = line.entry
        home = Path(entry.folder) if entry.folder else self._fetcher.folder
        wish = FetchWish(
            with_projector=entry.with_projector,
            options=self._options,
            limit=self._limit,
            on_progress=lambda progress: self._progressed(line, progress),
            on_found=lambda found: self._found(line, found, home),
            folder=home,
        )
        job = self._fetcher.job(entry.reference, wish)
        line.begin(job)
        self._workers.start(lambda: self._work(line, job))
        self._is_unsaved = True
        self._listeners.note(is_news=True)

    def _pause_s(self) -> float | None:
        """Until when the keeper may sleep."""
        due_s = 0.0 if self._is_unsaved else self._listeners.due_s()
        if due_s is None and any(line.is_wanted for line in self._lines.all):
            return LOOK_EVERY_S
        return due_s

    # All below without the lock.

    def _found(self, line: Line, found: FoundModel, folder: Path) -> None:
        with self._change:
            line.found(found, folder)
            self._changed()

    def _progressed(self, line: Line, progress: TransferProgress) -> None:
        with self._change:
            self._listeners.note(is_news=line.tell(progress))
            self._change.notify_all()

    def _work(self, line: Line, job: Job) -> None:
        """One download, in a thread of its own."""
        outcome: FetchedModel | HausgeistError
        try:
            outcome = folder_gone(line.entry) or job.run()
        except HausgeistError as error:
            outcome = (is_of_disk(error) and folder_gone(line.entry)) or error
        except Exception as error:  # noqa: BLE001  (the last stop of a thread: logged and told)
            _log.exception("a download broke")
            outcome = HausgeistError("internal", detail=f"{type(error).__name__}: {error}")
        with self._change:
            is_cancelled = line.halt == "cancelled"
            line.end(outcome, self._clock())
            self._changed()
        if isinstance(outcome, HausgeistError):
            _log.info("%s: %s", line.entry.reference, outcome)
        if is_cancelled:
            self._clean_up(line)

    def _clean_up(self, line: Line) -> None:
        entry = line.entry
        if entry.files and entry.folder:
            try:
                kept = list(self._kept_files())
            except StorageError as error:
                _log.warning("nothing deleted: %s", error)
                return
            delete_leftovers(entry.files, Path(entry.folder), kept)

    def _wait_for_disks(self) -> None:
        """What failed for want of room stays where it is until there is some."""
        now = self._clock()
        with self._change:
            due = self._lines.due_for_disks(now)
        for line, entry in due:
            folder = Path(entry.folder) if entry.folder else self._fetcher.folder
            if not is_over(entry, folder, self._free):
                with self._change:
                    if line.retry_at is not None and line.entry.error is entry.error:
                        line.retry_at = now + LOOK_EVERY_S

    def _save(self) -> None:
        try:
            self._file.save(self.all())
        except StorageError as error:
            _log.warning("the queue is not written: %s", error)


def _bounded(n: int) -> int:
    return max(1, min(n, MOST_AT_ONCE))
