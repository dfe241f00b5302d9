"""One file from the Hub to the disk, whole and verified, through whatever lies between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.common.errors import CancelledError, HausgeistError, HubError, StorageError
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes
from desktop.hub.client import HubClient
from desktop.hub.transfer.connections import Connections
from desktop.hub.transfer.hashing import FollowingHash
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.pace import RateLimit, Speed
from desktop.hub.transfer.part_file import PartFile
from desktop.hub.transfer.patience import PATIENCE_S, Patience
from desktop.hub.transfer.rounds import CheckRound, FillRound, Round
from desktop.hub.transfer.source import STALL_S, Source

State = Literal["running", "waiting", "paused", "checking", "repairing"]

PROGRESS_EVERY_S = 0.25
METERED = "metered_network"
_TICK_S = 0.05
_FIRST_TICK_S = 0.01  # while it shows how many connections help
_SYNC_EVERY_S = 5.0
_SYNC_BYTES = 16 << 20
_SYNC_SOON_BYTES = 128 << 20
_LOOK_EVERY_S = 0.1
_LOOK_AT_DISK_EVERY_S = 1.0
_SLEPT_S = 10.0
_REPAIRS = 2
SPARE_BYTES = 500_000_000

_log = get_logger("transfer")


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """`received_bytes` came over the network in this session, waste included; `front_bytes` are
    there without a gap from the beginning (of the file that is fetched now); `free_bytes` has the
    disk still. `waits_for` is the
    kind of the error that is waited out in state "waiting", for `wait_s` more seconds."""

    state: State
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    received_bytes: int = 0
    front_bytes: int = 0
    waits_for: str = ""
    wait_s: float = 0.0
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """`sha256` was compared with the Hub's if `is_verified` (else the Hub named none)."""

    path: Path
    sha256: str
    is_verified: bool
    received_bytes: int


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """`connections` at once at most; silent for `stall_s`, a connection is given up; after
    `patience_s` in which nothing came, the transfer is."""

    connections: int = 4
    stall_s: float = STALL_S
    patience_s: float = PATIENCE_S


class Transfer:
    """`run` in a thread of your own; all else may be called from any thread."""

    def __init__(
        self,
        client: HubClient,
        identity: Identity,
        final: Path,
        *,
        options: TransferOptions | None = None,
        limit: RateLimit | None = None,
        on_progress: Callable[[TransferProgress], None] | None = None,
        free: Callable[[Path], int] = free_bytes,
        is_metered: Callable[[], bool] | None = None,
    ) -> None:
        """`free` tells the bytes that are free where the file goes; while `is_metered` (None: not
        asked) says so, nothing is fetched, and the state is "waiting" for METERED."""
        self._client = client
        self._identity = identity
        self._final = final
        self._options = options or TransferOptions()
        self._limit = limit or RateLimit()
        self._on_progress = on_progress
        self._free = free
        self._is_metered = is_metered
        self._is_held = False
        self._patience = Patience(self._options.patience_s)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._connections: Connections | None = None
        self._is_paused = False
        self._is_stopped = False
        self._is_discarded = False
        self._speed = Speed()
        self._told_s = 0.0
        self._room: int | None = None
        self._state: State = "running"

    def pause(self) -> None:
        """End all connections and wait for `resume`; what was fetched stays."""
        with self._lock:
            self._is_paused = True
            connections = self._connections
        if connections is not None:
            connections.halt()
        self._wake.set()

    def resume(self) -> None:
        with self._lock:
            self._is_paused = False
        self._patience.progressed()
        self._wake.set()

    def stop(self) -> None:
        """`run` raises CancelledError; what was fetched stays for the next time."""
        with self._lock:
            self._is_stopped = True
            connections = self._connections
        if connections is not None:
            connections.halt()
        self._wake.set()

    def cancel(self) -> None:
        """As `stop`, and what was fetched is deleted."""
        self._is_discarded = True
        self.stop()

    def run(self) -> Fetched:
        """Fetch the file and put it in its place.

        Raises CancelledError, StorageError: download_busy, no_room_for_download, disk_full,
        read_only, file_too_large_here, storage; NetworkError, HubError: hub_changed if the file at
        the Hub is another by now, hub_wrong_content if it is not what the Hub says it is.
        """
        self._raise_if_stopped()
        part = PartFile.open(self._final, self._identity)
        hashed = FollowingHash(part)
        try:
            self._require_room(part)
            hashed.start()
            return self._run(part, hashed)
        finally:
            hashed.close()
            if self._is_discarded and not part.is_finished:
                part.discard()
            else:
                part.close()

    def _run(self, part: PartFile, hashed: FollowingHash) -> Fetched:
        source = Source(self._client, self._identity, stall_s=self._options.stall_s)
        syncer = _Syncer(part)
        received, wanted = 0, ""
        try:
            for number in range(_REPAIRS + 1):
                fill: Round = FillRound(part, hashed)
                if number:
                    fill = CheckRound(part, hashed, wanted)
                connections = Connections(
                    source,
                    fill,
                    self._patience,
                    self._limit,
                    most=self._options.connections,
                    slow_after_s=self._options.stall_s / 2,
                )
                self._state = "running" if number == 0 else "repairing"
                received = self._drive(part, hashed, source, fill, connections, received)
                wanted = self._identity.sha256 or source.linked_sha256
                found = hashed.digest()
                if found is not None and wanted in ("", found):
                    syncer.close()
                    part.finish()
                    self._tell(part, received, force=True)
                    return Fetched(self._final, found, bool(wanted), received)
                _log.warning("%s has another hash than the Hub says", self._final.name)
                if number and not fill.changed_bytes:
                    break  # it comes the same again
                hashed.rewind(0)  # by what is read from the disk, whatever was hashed so far
        finally:
            syncer.close()
        self._is_discarded = True  # worth nothing
        raise HubError("hub_wrong_content", repo=self._identity.repo, file=self._identity.path)

    def _drive(
        self,
        part: PartFile,
        hashed: FollowingHash,
        source: Source,
        fill: Round,
        connections: Connections,
        received: int,
    ) -> int:
        """Until the round is done and the hash is known; returns what came in all."""
        with self._lock:
            self._connections = connections
        watch = _Watch()
        disk_seen_s = time.monotonic()
        try:
            while True:
                self._raise_if_stopped()
                if hashed.error is not None:
                    raise hashed.error
                if fill.is_done(self._identity.sha256 or source.linked_sha256):
                    return received + connections.received_bytes
                if connections.error is not None:
                    raise connections.error
                if watch.has_slept():
                    _log.info("back from sleep: new connections")
                    self._patience.progressed()
                    connections.halt()
                self._is_held = self._is_metered is not None and self._is_metered()
                if self._is_paused or self._is_held:
                    connections.halt()
                    self._patience.progressed()
                elif not fill.is_full:
                    connections.keep_going()
                now = time.monotonic()
                if now - disk_seen_s >= _LOOK_AT_DISK_EVERY_S:
                    disk_seen_s = now
                    self._keep_room(part)
                self._state = self._state_of(fill, connections)
                self._tell(part, received + connections.received_bytes, connections)
                self._wake.wait(_TICK_S if connections.is_settled else _FIRST_TICK_S)
                self._wake.clear()
        finally:
            connections.halt()
            with self._lock:
                self._connections = None

    def _state_of(self, fill: Round, connections: Connections) -> State:
        if self._is_paused:
            return "paused"
        if fill.is_full:
            return "checking"
        if self._is_held or connections.waiting() is not None:
            return "waiting"
        return "repairing" if isinstance(fill, CheckRound) else "running"

    def _tell(
        self,
        part: PartFile,
        received: int,
        connections: Connections | None = None,
        *,
        force: bool = False,
    ) -> None:
        """Four times a second."""
        now = time.monotonic()
        if self._on_progress is None or (now - self._told_s < PROGRESS_EVERY_S and not force):
            return
        self._told_s = now
        self._speed.mark(now, received)
        waiting = connections.waiting() if connections is not None else None
        if self._is_held:
            waiting = (METERED, 0.0)
        self._on_progress(
            TransferProgress(
                state=self._state,
                done_bytes=self._identity.size_bytes if force else part.done_bytes,
                total_bytes=self._identity.size_bytes,
                bytes_per_s=self._speed.bytes_per_s,
                received_bytes=received,
                front_bytes=self._identity.size_bytes if force else part.front,
                waits_for=waiting[0] if waiting else "",
                wait_s=waiting[1] if waiting else 0.0,
                free_bytes=self._room,
            )
        )

    def _require_room(self, part: PartFile) -> None:
        """Before the first byte."""
        left = part.size_bytes - part.done_bytes
        spare = min(SPARE_BYTES, part.size_bytes // 20)
        room = self._room = self._free(self._final.parent)
        if left and left + spare > room:
            raise StorageError(
                "no_room_for_download",
                path=str(self._final.parent),
                needed_bytes=left + spare,
                free_bytes=room,
            )

    def _keep_room(self, part: PartFile) -> None:
        """Others write, too: stop before the disk is so full that the computer suffers."""
        left = part.size_bytes - part.done_bytes
        room = self._room = self._free(self._final.parent)
        if left > room and room < SPARE_BYTES // 5:
            raise StorageError(
                "no_room_for_download",
                path=str(self._final.parent),
                needed_bytes=left,
                free_bytes=room,
            )

    def _raise_if_stopped(self) -> None:
        if self._is_stopped:
            raise CancelledError


class _Watch:
    """Notices that the computer slept: one of its clocks jumped between two looks."""

    def __init__(self) -> None:
        self._seen = (time.monotonic(), time.time())

    def has_slept(self) -> bool:
        now = (time.monotonic(), time.time())
        before, self._seen = self._seen, now
        # Where the one clock stands still in sleep, the other goes on; on Windows both do.
        return max(now[0] - before[0], now[1] - before[1]) > _SLEPT_S


class _Syncer:
    """Brings to the disk what was written, every few seconds, so that a power failure costs
    little and the end has little left to do."""

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._work, name="transfer-sync", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()

    def _work(self) -> None:
        synced_s = time.monotonic()
        while not self._closed.wait(_LOOK_EVERY_S):
            is_time = time.monotonic() - synced_s >= _SYNC_EVERY_S
            if self._part.unsynced_bytes < (_SYNC_BYTES if is_time else _SYNC_SOON_BYTES):
                continue
            try:
                self._part.sync()
            except HausgeistError as error:
                _log.warning("not synced: %s", error)  # writing or the end will say why
            synced_s = time.monotonic()
