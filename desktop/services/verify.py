"""Is a model still what it was? Its files are read and compared with what is known of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.common.errors import ModelFileError, StorageError
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.engine.cancel import CancelToken
from desktop.gguf.reader import read_header
from desktop.library.hashing import sha256_of
from desktop.library.library import Library
from desktop.library.origin import origin_beside
from desktop.services.model_files import require_files

Basis = Literal["origin", "import", "none"]
VerifyProgress = Callable[[int, int], None]

_TELL_S = 0.1

_log = get_logger("services")


@dataclass(frozen=True, slots=True)
class Verification:
    """`ok` is None where nobody knows what the file should be; then `basis` is "none".

    `basis` says whose hash it was compared with: that of where it came from, or that which was
    taken when it was imported (or first verified). `sha256` and `expected` are those of the first
    wrong part, else of the first. `wrong` are the parts that are not what they were.
    """

    model: str
    ok: bool | None
    basis: Basis
    sha256: str
    expected: str
    bytes: int
    seconds: float
    wrong: tuple[Path, ...] = ()


class Verifier:
    """Reads whole models: seconds to minutes, so call it off the window's thread."""

    def __init__(self, library: Library, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._library = library
        self._clock = clock

    def verify(
        self,
        name: str,
        on_progress: VerifyProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Verification:
        """Check the library's model `name` and remember the result.

        What was not known before is remembered for the next time. `on_progress` hears bytes and
        total bytes. Raises ModelFileError (unknown_model, and the model's own problem such as
        vanished or drive_gone), StorageError, CancelledError.
        """
        model = self._library.get(name)
        require_files(model)
        parts, expected = self._library.parts(model.name), self._library.hashes(model.name)
        found, seconds = self._hash(parts, on_progress, cancel)
        origin = model.origin
        basis: Basis = "import"
        if origin is not None and origin.sha256 and origin.sha256 == expected[0]:
            basis = "origin"
        result = _judge(model.name, parts, found, expected, basis, seconds)
        self._remember(result, found, expected)
        return result

    def verify_file(
        self,
        path: Path,
        on_progress: VerifyProgress | None = None,
        cancel: CancelToken | None = None,
    ) -> Verification:
        """A model that is in no library, by what a download wrote beside it.

        Raises ModelFileError as read_header, StorageError, CancelledError.
        """
        try:
            parts: tuple[Path, ...] = read_header(path, allow_missing_data=True).paths
        except ModelFileError:
            if not path.is_file():
                raise
            parts = (path,)  # whatever is wrong with it, its bytes can be compared
        origins = [origin_beside(part) for part in parts]
        expected = tuple("" if origin is None else origin.sha256 for origin in origins)
        found, seconds = self._hash(parts, on_progress, cancel)
        return _judge(path.name, parts, found, expected, "origin", seconds)

    def learn(self, name: str, *, at_most_bytes: int) -> None:
        """Take the hashes of a model that has none, where that takes a moment only.

        Raises StorageError.
        """
        model = self._library.get(name)
        expected = self._library.hashes(model.name)
        if model.problem or all(expected) or model.file_bytes > at_most_bytes:
            return
        found, _ = self._hash(self._library.parts(model.name), None, None)
        self._library.know_hashes(
            model.name, tuple(old or new for old, new in zip(expected, found, strict=True))
        )

    def _hash(
        self,
        parts: Sequence[Path],
        on_progress: VerifyProgress | None,
        cancel: CancelToken | None,
    ) -> tuple[tuple[str, ...], float]:
        started = self._clock()
        teller = _Teller(_total_bytes(parts), on_progress, cancel, self._clock)
        found = []
        for part in parts:
            try:
                found.append(sha256_of(part, teller.add))
            except OSError as error:
                raise storage_error(error, part, reading=True) from error
        teller.tell()
        return tuple(found), self._clock() - started

    def _remember(
        self, result: Verification, found: tuple[str, ...], expected: tuple[str, ...]
    ) -> None:
        """A full disk must not hide what was found out."""
        try:
            if result.ok is False:
                self._library.mark_wrong(result.model)
            elif result.ok:
                self._library.mark_verified(result.model, found)
            else:
                known = tuple(old or new for old, new in zip(expected, found, strict=True))
                self._library.know_hashes(result.model, known)
        except StorageError as error:
            _log.warning("verification not written down: %s", error)


class _Teller:
    """Counts bytes, tells at most ten times a second, and stops where nobody wants to go on."""

    def __init__(
        self,
        total_bytes: int,
        on_progress: VerifyProgress | None,
        cancel: CancelToken | None,
        clock: Callable[[], float],
    ) -> None:
        self._total_bytes = total_bytes
        self._on_progress = on_progress
        self._cancel = cancel
        self._clock = clock
        self._done_bytes = 0
        self._told_at = clock()

    def add(self, count: int) -> None:
        """Raises CancelledError."""
        if self._cancel is not None:
            self._cancel.raise_if_cancelled()
        self._done_bytes += count
        if self._clock() - self._told_at >= _TELL_S:
            self.tell()

    def tell(self) -> None:
        self._told_at = self._clock()
        if self._on_progress is not None:
            self._on_progress(self._done_bytes, max(self._total_bytes, self._done_bytes))


def _total_bytes(parts: Sequence[Path]) -> int:
    total = 0
    for part in parts:
        try:
            total += part.stat().st_size
        except OSError as error:
            raise storage_error(error, part, reading=True) from error
    return total


def _judge(
    name: str,
    parts: Sequence[Path],
    found: Sequence[str],
    expected: Sequence[str],
    basis: Basis,
    seconds: float,
) -> Verification:
    pairs = list(zip(parts, found, expected, strict=True))
    wrong = [pair for pair in pairs if pair[2] and pair[1] != pair[2]]
    ok: bool | None = False if wrong else True if all(expected) else None
    shown = wrong[0] if wrong else pairs[0]
    return Verification(
        model=name,
        ok=ok,
        basis="none" if ok is None else basis,
        sha256=shown[1],
        expected=shown[2],
        bytes=_total_bytes(parts),
        seconds=seconds,
        wrong=tuple(pair[0] for pair in wrong),
    )
