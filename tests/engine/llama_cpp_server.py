"""llama-cpp-python's own server module as a real peer, in a process of its own on loopback."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

START_S = 60.0
_READY = re.compile(rb"Uvicorn running on http://127\.0\.0\.1:(\d+)")


class RealServer:
    """Started by `real_server`; `kill` ends it as a power cut would."""

    def __init__(self, model: Path, alias: str, *more: str) -> None:
        command = [sys.executable, "-P", "-m", "llama_cpp.server", "--model", str(model)]
        command += ["--model_alias", alias, "--host", "127.0.0.1", "--port", "0", *more]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._ready = threading.Event()
        self.port = 0
        self.said: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        """Until it answers; AssertionError with its last words if it does not."""
        if not self._ready.wait(START_S) or not self.port:
            raise AssertionError(b"".join(self.said[-20:]).decode("utf-8", "replace"))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._reader.join(10)
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # closed while it is read
            for line in self._process.stderr:
                self.said.append(line)
                found = _READY.search(line)
                if found is not None:
                    self.port = int(found[1])
                    self._ready.set()
        self._ready.set()


@contextlib.contextmanager
def real_server(model: Path, alias: str, *more: str) -> Iterator[RealServer]:
    server = RealServer(model, alias, *more)
    try:
        server.wait()
        yield server
    finally:
        server.kill()
