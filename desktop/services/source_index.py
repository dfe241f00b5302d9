"""What a source's index said when it was last read, kept here: the list is there at once, and
while the server or the share is not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from desktop.common.atomic import write_atomic
from desktop.common.errors import HausgeistError, NetworkError, PackError, StorageError
from desktop.common.logs import get_logger
from desktop.common.storage import storage_error
from desktop.hub.door import Door
from desktop.hub.index_source import IndexSource, as_source_error, clean_address
from desktop.library.packs.index_json import parse_index
from desktop.library.packs.manifest import (
    INDEX_NAME,
    MAX_INDEX_BYTES,
    SIGNATURE_NAME,
    Manifest,
)
from desktop.library.packs.minisign import MAX_FILE_BYTES, PublicKey
from desktop.library.packs.trust import Trust, judge
from desktop.library.packs.writer import remove

SourceKind = Literal["web", "folder"]

_log = get_logger("sources")


@dataclass(frozen=True, slots=True)
class KnownIndex:
    """`manifest` None: never read, or it may not be used, for the reason in `problem`."""

    manifest: Manifest | None
    trust: Trust
    seen_at: float
    problem: HausgeistError | None = None


class SourceIndex:
    """One source's index, on this disk and at its place. Any thread."""

    def __init__(self, address: str, cache_dir: Path) -> None:
        """`address` as it stands in the settings."""
        self.address = address
        self.id = source_id(address)
        self.kind: SourceKind = kind_of(address)
        self._folder = cache_dir / "sources" / self.id

    def known(self, keys: Sequence[PublicKey]) -> KnownIndex:
        """What was read last, judged anew: a key may have been pinned since."""
        index, signature, seen_at = self._kept()
        if index is None:
            return KnownIndex(None, Trust(), 0.0)
        return self._judged(index, signature, seen_at, keys)

    def refresh(
        self, door: Door, keys: Sequence[PublicKey], now: Callable[[], float] = time.time
    ) -> KnownIndex:
        """Read it at its place. Raises NetworkError, PackError, StorageError; an index that may not
        be used is not kept."""
        index, signature = self._read(door)
        fresh = self._judged(index, signature, now(), keys)
        if fresh.problem is not None:
            raise fresh.problem
        self._keep(index, signature, fresh.seen_at)
        return fresh

    def forget(self) -> None:
        try:
            remove([self._folder / name for name in (INDEX_NAME, SIGNATURE_NAME, "seen.json")])
        except StorageError as error:
            _log.info("index not forgotten: %s", error)

    def web(self, door: Door) -> IndexSource:
        """For a source on a web server."""
        return IndexSource(door, clean_address(self.address, INDEX_NAME))

    @property
    def path(self) -> Path:
        """For a source in a folder."""
        path = Path(self.address).expanduser()
        return path.parent if path.name == INDEX_NAME else path

    def _read(self, door: Door) -> tuple[bytes, bytes | None]:
        if self.kind == "folder":
            index = _read(self.path / INDEX_NAME, MAX_INDEX_BYTES)
            if index is None:
                raise PackError("source_no_index", address=self.address)
            return index, _read(self.path / SIGNATURE_NAME, MAX_FILE_BYTES)
        web = self.web(door)
        try:
            found = web.document_or_none(INDEX_NAME, MAX_INDEX_BYTES)
            if found is None:
                raise PackError("source_no_index", address=self.address)
            return found, web.document_or_none(SIGNATURE_NAME, MAX_FILE_BYTES)
        except NetworkError as error:
            raise as_source_error(error, web.host, INDEX_NAME) from error

    def _judged(
        self, index: bytes, signature: bytes | None, seen_at: float, keys: Sequence[PublicKey]
    ) -> KnownIndex:
        trust = judge(index, signature, keys, self.address)
        try:
            manifest = parse_index(index, self.address)
        except PackError as error:
            return KnownIndex(None, trust, seen_at, error)
        usable = manifest if trust.problem is None else None
        return KnownIndex(usable, trust, seen_at, trust.problem)

    def _kept(self) -> tuple[bytes | None, bytes | None, float]:
        try:
            index = _read(self._folder / INDEX_NAME, MAX_INDEX_BYTES)
            signature = _read(self._folder / SIGNATURE_NAME, MAX_FILE_BYTES)
            seen = json.loads(_read(self._folder / "seen.json", 1000) or b"0")
        except (StorageError, ValueError, RecursionError) as error:
            _log.info("known index not read: %s", error)
            return None, None, 0.0
        return index, signature, float(seen) if isinstance(seen, int | float) else 0.0

    def _keep(self, index: bytes, signature: bytes | None, seen_at: float) -> None:
        try:
            if signature is None:
                remove([self._folder / SIGNATURE_NAME])
            else:
                write_atomic(self._folder / SIGNATURE_NAME, signature)
            write_atomic(self._folder / INDEX_NAME, index)
            write_atomic(self._folder / "seen.json", json.dumps(seen_at).encode())
        except StorageError as error:  # it was read all the same
            _log.info("index not kept: %s", error)


def source_id(address: str) -> str:
    return blake2b(address.encode(), digest_size=4).hexdigest()


def kind_of(address: str) -> SourceKind:
    return "web" if address.lower().startswith(("http://", "https://")) else "folder"


def _read(path: Path, most: int) -> bytes | None:
    """None where there is no such file. Raises StorageError."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise storage_error(error, path, reading=True) from error
