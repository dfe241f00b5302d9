"""Are the files of the models there? Asked of every drive at once, and never waited for long."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.library.files import Stamp, stamp_of
from desktop.library.folders import drive_root, holder_of, is_bare, is_present, may_write

PATIENCE_S = 2.0
"""A disk that spins up takes longer; its models are back at the next question."""

_WRITABLE_FOR_S = 60.0
_SAID_FOR_S = 120.0
_DRIVE_FAILURE_NAMES = (
    "EIO",
    "ENXIO",
    "ENODEV",
    "ESTALE",
    "ENOTCONN",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ETIMEDOUT",
    "ENOMEDIUM",
)
_DRIVE_FAILURES = {getattr(errno, name) for name in _DRIVE_FAILURE_NAMES if hasattr(errno, name)}
# Not ready, network path or name not found, network name no longer available.
_WINDOWS_DRIVE_FAILURES = {21, 53, 55, 64, 67}


@dataclass(frozen=True, slots=True)
class Answer:
    """`stamp` None: the `problem` says why (vanished, drive_gone, no_permission). `folder` is the
    library's folder that holds the file; `is_shared`: nothing can be written in that."""

    stamp: Stamp | None
    problem: str = ""
    folder: Path | None = None
    is_shared: bool = False


class Presence:
    """May be asked from any thread; a drive that has hung for longer than our patience gets no
    further thread of ours, one that is only busy answering somebody else does."""

    def __init__(
        self,
        folders: Callable[[], Sequence[Path]],
        *,
        patience_s: float = PATIENCE_S,
        stamp: Callable[[Sequence[Path]], Stamp] = stamp_of,
    ) -> None:
        """`folders` are the library's, the first is the app's own to write in."""
        self._folders = folders
        self._patience_s = patience_s
        self._stamp = stamp
        self._lock = threading.Lock()
        self._under_way: dict[Path, list[float]] = {}
        self._writable: dict[Path, tuple[float, bool]] = {}
        self._said: dict[Path, tuple[float, Answer]] = {}

    def ask(self, models: Sequence[Sequence[Path]]) -> list[Answer]:
        """One answer for each model, whose files are given."""
        folders = tuple(self._folders())
        holders = [holder_of(parts[0], folders) for parts in models]
        groups: dict[Path | None, list[int]] = {}
        for number, parts in enumerate(models):
            groups.setdefault(_drive_of(parts[0], holders[number], folders), []).append(number)
        answers: list[Answer | None] = [None] * len(models)
        threads = [
            self._start(root, models, holders, numbers, answers)
            for root, numbers in groups.items()
            if root is not None
        ]
        for number in groups.get(None, ()):
            answers[number] = self._one(models[number], holders[number])
        deadline = time.monotonic() + self._patience_s
        for thread in threads:
            if thread is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return [
            answer or self._last(models[number], holders[number])
            for number, answer in enumerate(answers)
        ]

    def _last(self, parts: Sequence[Path], holder: Path | None) -> Answer:
        """For a drive that is too slow to answer in time: what it said last, while that is new."""
        said_at, answer = self._said.get(parts[0], (0.0, None))
        if answer is None or time.monotonic() - said_at > _SAID_FOR_S:
            return Answer(None, "drive_gone", holder)
        return answer

    def _start(
        self,
        root: Path,
        models: Sequence[Sequence[Path]],
        holders: Sequence[Path | None],
        numbers: Sequence[int],
        answers: list[Answer | None],
    ) -> threading.Thread | None:
        """Ask one drive in a thread of its own; None while it still owes us an answer."""
        with self._lock:
            now = time.monotonic()
            under_way = self._under_way.setdefault(root, [])
            if under_way and now - under_way[0] >= self._patience_s:
                return None
            under_way.append(now)

        def ask_all() -> None:
            try:
                for number in numbers:
                    answer = self._one(models[number], holders[number])
                    answers[number] = answer
                    self._said[models[number][0]] = (time.monotonic(), answer)
            finally:
                with self._lock:
                    self._under_way[root].remove(now)

        thread = threading.Thread(target=ask_all, name="presence", daemon=True)
        thread.start()
        return thread

    def _one(self, parts: Sequence[Path], holder: Path | None) -> Answer:
        try:
            stamp = self._stamp(parts)
        except PermissionError:
            return Answer(None, "no_permission", holder)
        except OSError as error:
            return Answer(None, _missing(error, parts[0], holder), holder)
        return Answer(stamp, "", holder, holder is not None and not self._may_write(holder))

    def _may_write(self, folder: Path) -> bool:
        now = time.monotonic()
        with self._lock:
            known = self._writable.get(folder)
        if known is not None and now - known[0] < _WRITABLE_FOR_S:
            return known[1]
        found = may_write(folder)
        with self._lock:
            self._writable[folder] = (now, found)
        return found


def _drive_of(path: Path, holder: Path | None, folders: Sequence[Path]) -> Path | None:
    """What may hang as one: a removable drive, or a folder that the user has added."""
    root = drive_root(path)
    if root is not None or holder is None or holder == folders[0]:
        return root
    return holder


def _missing(error: OSError, path: Path, holder: Path | None) -> str:
    """Whether a file was deleted, or all that lay around it is not there."""
    if error.errno in _DRIVE_FAILURES:
        return "drive_gone"
    if getattr(error, "winerror", None) in _WINDOWS_DRIVE_FAILURES:
        return "drive_gone"
    root = drive_root(path)
    if (root is not None and is_bare(root)) or (holder is not None and not is_present(holder)):
        return "drive_gone"
    return "vanished"
