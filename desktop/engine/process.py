"""Child processes of the engine: how one is started, talked to and ended.

A child runs one job (`desktop.engine.child`) and speaks JSON, one document a line: the parent's
on its standard input, its own on standard output (an engine's speaks in frames: `pipe.py`). It
ends when its input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from desktop.common.errors import EngineError

_TAIL_BYTES = 4000
# No console window, and no Ctrl+C from the terminal: it is meant for the parent, who decides.
_FLAGS = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
    subprocess, "CREATE_NEW_PROCESS_GROUP", 0
)
_OWN_GROUP = None if sys.platform == "win32" else 0
_BOOT = (
    "import sys; sys.path.append(sys.argv.pop(1)); from desktop.engine.child import main; main()"
)


class ChildDiedError(Exception):
    """The child ended before it answered; `code` is negative for a signal (POSIX)."""

    def __init__(self, code: int, last_words: str) -> None:
        super().__init__(f"exit {code}: {last_words}")
        self.code = code
        self.last_words = last_words


def child_command() -> list[str]:
    """The command that starts a child; the job's name follows. The one place that knows how.

    The package's folder goes to the end of the path: no file in the user's working folder or
    beside the package can stand in for a module of the standard library.
    """
    root = Path(__file__).resolve().parent.parent.parent
    return [sys.executable, "-P", "-c", _BOOT, str(root)]


def _scratch_file() -> IO[bytes]:
    """A nameless file; where no folder takes one (a full disk), a hole that keeps nothing."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("w+b", buffering=0)


_waiting: dict[str, Child] = {}


def start_ahead(*jobs: str) -> None:
    """Start children that will be asked for soon: they load llama.cpp while we load ourselves.

    `open_child` takes them; whoever calls this calls `end_waiting` in the end.
    """
    with contextlib.suppress(EngineError):  # told when the child is asked for
        for job in jobs:
            _waiting[job] = Child(job)


def open_child(job: str) -> Child:
    """A child for `job`, one that was started ahead if there is one. Raises as `Child` does."""
    return _waiting.pop(job, None) or Child(job)


def end_waiting() -> None:
    """End the children that nobody has asked for."""
    while _waiting:
        _waiting.popitem()[1].close()


class ChildProcess(ABC):
    """A process of ours that runs one job; who talks to it, and how, a subclass says.

    Raises EngineError("no_child") where the system gives no process.
    """

    def __init__(self, job: str) -> None:
        self._last_words = _scratch_file()  # closed with the child
        try:
            self._process = subprocess.Popen(
                [*child_command(), job],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._last_words,
                env=os.environ | {"GGML_NO_BACKTRACE": "1", "PYTHONUTF8": "1"},
                creationflags=_FLAGS,
                process_group=_OWN_GROUP,
            )
        except OSError as error:
            self._last_words.close()
            raise EngineError("no_child", detail=str(error)) from error
        self._reader = threading.Thread(target=self._read, name=f"child-{job}", daemon=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """End the child at once, without waiting for its end."""
        if self._process.poll() is None:
            self._process.kill()

    def close(self) -> None:
        """End the child at once and wait for its end."""
        self.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # the rest of a message for a child that is gone
        self._last_words.close()

    @abstractmethod
    def _read(self) -> None:
        """What the child says, until its end: in a thread of its own."""

    def _death(self) -> ChildDiedError:
        """How it ended; waits for that."""
        code = self._process.wait()
        size = self._last_words.seek(0, os.SEEK_END)
        self._last_words.seek(max(0, size - _TAIL_BYTES))
        return ChildDiedError(code, self._last_words.read().decode("utf-8", "replace").strip())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Child(ChildProcess):
    """A running job that speaks JSON. Always close it: `with Child("probe") as child: ...`."""

    def __init__(self, job: str) -> None:
        """Raises EngineError("no_child")."""
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        super().__init__(job)
        self._reader.start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises ChildDiedError when nobody listens any more."""
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()
        except (BrokenPipeError, OSError) as error:
            raise self._death() from error

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message; None when none came in time. Raises ChildDiedError."""
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            try:
                line = self._lines.get(timeout=left_s)
            except queue.Empty:
                return None
            if not line:
                raise self._death()
            try:
                message = json.loads(line)
            except ValueError:
                continue  # something that a driver printed
            if isinstance(message, dict):
                return message

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        for line in pipe:
            self._lines.put(line)
        self._lines.put(b"")

    def _death(self) -> ChildDiedError:
        self._lines.put(b"")  # whoever asks again learns the same
        return super()._death()
