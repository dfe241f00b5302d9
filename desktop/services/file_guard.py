"""Refuse to answer from a mapped file that has changed under us.

Reading a page of a mapped file that was cut short kills the process (SIGBUS); a look at the
file's size before each answer turns almost all of these deaths into a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from desktop.common.errors import EngineError
from desktop.engine.engine import Engine
from desktop.engine.events import Failed
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.services.wrapped_engine import WrappedEngine

_Stamp = tuple[int, int, int, int]


class FileGuard:
    """Remembers the files of a model as they were when it was loaded."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._stamps = {path: _stamp(path) for path in paths}

    def check(self) -> None:
        """Raise EngineError("model_file_changed") if a file was rewritten or cut in place.

        A file that was removed or replaced by another is harmless: the map keeps the old one.
        """
        for path, before in self._stamps.items():
            now = _stamp(path)
            if before is None or now is None or now[:2] != before[:2]:
                continue
            if now != before:
                raise EngineError("model_file_changed", path=str(path))


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class GuardedEngine(WrappedEngine):
    """An engine that looks at its mapped file before every request."""

    def __init__(self, engine: Engine, guard: FileGuard) -> None:
        super().__init__(engine)
        self._guard = guard

    def submit(self, request: Request) -> Stream:
        try:
            self._guard.check()
        except EngineError as error:
            stream = Stream(request.id, lambda _request_id: None)
            stream.put(Failed(request.id, error.kind, error.params, error.detail))
            return stream
        return self._engine.submit(request)
