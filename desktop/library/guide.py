"""The model that ships inside the app: no row in the index, read from its own header."""

from __future__ import annotations

import threading
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.gguf.reader import read_header
from desktop.library.files import Stamp, stamp_of
from desktop.library.model import GUIDE_NAME, LibraryModel
from desktop.library.origin import Origin


class Guide:
    """Reads the guide's header once, and again only if the file changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._known: tuple[str, LibraryModel] | None = None

    def model(self) -> LibraryModel:
        """The guide's entry; `problem` says why where its file is missing or unreadable."""
        try:
            stamp = stamp_of([self.path])
        except OSError:
            return self._without_header(Stamp(0, 0, ""), "vanished")
        with self._lock:
            if self._known is None or self._known[0] != stamp.text:
                self._known = (stamp.text, self._read(stamp))
            return self._known[1]

    def _read(self, stamp: Stamp) -> LibraryModel:
        try:
            header = read_header(self.path)
        except ModelFileError as error:
            return self._without_header(stamp, error.kind)
        return LibraryModel(
            name=GUIDE_NAME,
            path=self.path,
            file_bytes=stamp.file_bytes,
            architecture=header.architecture,
            quantization=header.quantization,
            parameters=header.parameters,
            added_at=stamp.mtime_ns / 1e9,
            last_used_at=None,
            source="built_in",
            mtime_ns=stamp.mtime_ns,
            context_tokens=header.context_length,
            licence=header.licence,
            origin=Origin("built_in", ""),
        )

    def _without_header(self, stamp: Stamp, problem: str) -> LibraryModel:
        return LibraryModel(
            name=GUIDE_NAME,
            path=self.path,
            file_bytes=stamp.file_bytes,
            architecture="",
            quantization="",
            parameters=0,
            added_at=0.0,
            last_used_at=None,
            source="built_in",
            mtime_ns=stamp.mtime_ns,
            problem=problem,
        )
