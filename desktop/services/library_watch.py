"""Notices what others do to the models' folders: files that come, go, move or change."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from desktop.common.errors import HausgeistError
from desktop.common.logs import get_logger
from desktop.library.folders import is_present
from desktop.library.library import Library
from desktop.library.scan import ScanChange
from desktop.services.model_places import ModelPlaces

LOOK_EVERY_S = 3.0
FULL_LOOK_EVERY_S = 60.0
"""Some file systems (FAT, many shares) do not note a folder's time when a file comes or goes."""

PATIENCE_S = 2.0
_RESTLESS_S = 60.0

_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class LibraryChange:
    """What is different since the last look; `gone` and `back` are names of models."""

    changes: tuple[ScanChange, ...] = ()
    gone: tuple[str, ...] = ()
    back: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes or self.gone or self.back)


Listener = Callable[[LibraryChange], None]


@dataclass(slots=True)
class _FolderState:
    """One folder, looked through by one thread at a time: a drive that hangs holds only that."""

    thread: threading.Thread | None = None
    folders: Mapping[Path, int] = field(default_factory=dict)
    looked_at: float | None = None
    restless_until: float = 0.0


class FolderLooks:
    """Looks through all folders at once, each in a thread of its own."""

    def __init__(
        self,
        library: Library,
        places: ModelPlaces,
        tell: Listener = lambda _change: None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` hears of changes on the threads that find them."""
        self._library = library
        self._places = places
        self._tell = tell
        self._clock = clock
        self._stopped = threading.Event()
        self._states: dict[Path, _FolderState] = {}

    def stop(self) -> None:
        """Let the looks that are under way end soon."""
        self._stopped.set()

    def look(self, patience_s: float = PATIENCE_S, *, full: bool = False) -> tuple[Path, ...]:
        """Look where something may have changed (everywhere if `full`).

        Returns after `patience_s` at most, with the folders that have not answered by then; what
        is found there is told when it comes.
        """
        folders = self._places.folders()
        for folder in [known for known in self._states if known not in folders]:
            # Nobody wants to know of it any more. Its models that lie in another folder stay.
            del self._states[folder]
            if not any(folder in other.parents or other in folder.parents for other in folders):
                self._library.forget_below(folder)
        for folder in folders:
            state = self._states.setdefault(folder, _FolderState())
            if state.thread is None or not state.thread.is_alive():
                state.thread = threading.Thread(
                    target=self._look_at, args=(folder, state, full), name="library", daemon=True
                )
                state.thread.start()
        deadline = time.monotonic() + patience_s
        late = []
        for folder in folders:
            thread = self._states[folder].thread
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
                if thread.is_alive():
                    late.append(folder)
        return tuple(late)

    def _look_at(self, folder: Path, state: _FolderState, full: bool) -> None:
        if not is_present(folder):
            state.looked_at = None
            return
        if not (full or self._is_due(state) or _has_changed(state.folders)):
            return
        restless = False

        def hear(change: ScanChange) -> None:
            nonlocal restless
            if change.outcome == "unusable":  # being copied there, perhaps
                restless = True
            else:
                self._tell(LibraryChange((change,)))

        try:
            report = self._library.look_through(
                folder,
                is_ours=self._places.is_ours(folder),
                should_stop=self._stopped.is_set,
                on_change=hear,
                leave_out=self._places.folders(),
            )
        except HausgeistError as error:  # the index takes no more: the next look tries again
            _log.warning("%s not looked through: %s", folder, error)
            return
        if report.complete:
            state.folders, state.looked_at = report.folders, self._clock()
        if restless:
            state.restless_until = self._clock() + _RESTLESS_S

    def _is_due(self, state: _FolderState) -> bool:
        """A file that grows changes no folder's time: then every round looks."""
        if state.looked_at is None or self._clock() < state.restless_until:
            return True
        return self._clock() - state.looked_at >= FULL_LOOK_EVERY_S


class LibraryWatch:
    """Looks every few seconds in a thread of its own, from `start` to `close`."""

    def __init__(
        self, library: Library, places: ModelPlaces, *, every_s: float = LOOK_EVERY_S
    ) -> None:
        self._library = library
        self._looks = FolderLooks(library, places, self._collect)
        self._every_s = every_s
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._collected: list[ScanChange] = []
        self._problems: dict[str, str] | None = None
        self._is_coming = False  # a folder is being looked through, and things are found
        self._woken = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """`listener` hears of changes on the watch's thread; call what is returned to end that."""
        with self._lock:
            self._listeners.append(listener)

        def leave() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return leave

    def start(self) -> None:
        """A second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="library-watch", daemon=True)
            self._thread.start()

    def look_now(self) -> None:
        """Do not wait for the next round."""
        self._woken.set()

    def close(self) -> None:
        """Look no more; the index may be closed afterwards."""
        self._closed = True
        self._looks.stop()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    def round(self) -> LibraryChange:
        """One look at everything, and what is different since the one before."""
        late = self._looks.look()
        gone, back = self._presence()
        with self._lock:
            changes, self._collected = tuple(self._collected), []
        change = LibraryChange(changes, gone, back)
        self._is_coming = bool(late and changes)
        if change:
            with self._lock:
                listeners = list(self._listeners)
            for listener in listeners:
                listener(change)
        return change

    def _run(self) -> None:
        while not self._closed:
            started = time.monotonic()
            try:
                self.round()
            except HausgeistError as error:  # a full disk, a closed index: the next round tells
                _log.warning("library not looked at: %s", error)
            # Never more than a thirtieth of the time, however slow the disk is; but what is found
            # meanwhile in a large folder is told as it comes.
            pause_s = max(self._every_s, 30 * (time.monotonic() - started))
            if self._is_coming:
                pause_s = self._every_s
            self._woken.wait(min(pause_s, FULL_LOOK_EVERY_S))
            self._woken.clear()

    def _collect(self, change: LibraryChange) -> None:
        with self._lock:
            self._collected.extend(change.changes)

    def _presence(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the models whose files went or came back since the last round."""
        now = {model.name: model.problem for model in self._library.list()}
        before, self._problems = self._problems, now
        if before is None:
            return (), ()
        known = [name for name in now if name in before]
        gone = tuple(name for name in known if now[name] and not before[name])
        back = tuple(name for name in known if before[name] and not now[name])
        return gone, back


def look_once(
    library: Library, places: ModelPlaces, patience_s: float = PATIENCE_S
) -> tuple[Path, ...]:
    """For a command: know what lies in the folders now, as far as they answer in time.

    Returns the folders that were not looked through to their end.
    """
    looks = FolderLooks(library, places)
    late = looks.look(patience_s, full=True)
    looks.stop()
    if late:
        _log.info("no answer from %s", ", ".join(str(folder) for folder in late))
    return late


def _has_changed(folders: Mapping[Path, int]) -> bool:
    """Whether one of the folders has another time than when it was looked through."""
    for folder, changed_ns in folders.items():
        try:
            if os.stat(folder).st_mtime_ns != changed_ns:  # noqa: PTH116  (asked very often)
                return True
        except OSError:
            return True
    return False
