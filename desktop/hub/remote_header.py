"""A model's header out of the Hub: a few megabytes instead of gigabytes, and only once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import (
    CancelledError,
    HubError,
    ModelFileError,
    NetworkError,
    StorageError,
)
from desktop.common.logs import get_logger
from desktop.gguf.header import ModelHeader
from desktop.gguf.part import Part, read_part
from desktop.gguf.reader import header_of, read_header
from desktop.hub.client import HubClient
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import FileGroup, HubFile, Listing, fetch_listing, listing_of_one
from desktop.hub.ranges import FIRST_BYTES, HubRangeReader
from desktop.hub.refs import HubRef

_WINDOW_BYTES = 16 << 10  # the reader's own look ahead, so that little more is fetched than needed
_LATER_PART_BYTES = 64 << 10  # the vocabulary stands in the first part
_SPARE_BYTES = 32 << 10
_AT_ONCE = 4
_LOOK_EVERY_S = 0.1  # Windows wakes no waiting thread for Ctrl+C
# After these an older listing is of no use; after those a newer one may help.
_FINAL = ("hub_no_repo", "hub_no_revision", "hub_gated", "hub_token_access", "hub_waiting",
          "hub_forbidden", "hub_token_refused")  # fmt: skip
_NO_LISTING = ("hub_no_repo", "hub_down", "hub_refused", "hub_forbidden")
_OUTDATED = ("hub_no_gguf", "hub_no_file", "hub_no_quant", "hub_no_revision", "hub_no_repo",
             "hub_part_missing", "hub_inconsistent")  # fmt: skip

_log = get_logger("hub")


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model on the Hub, known by its header.

    `header.paths` are header-only files in the cache (that are not there, if the disk took none);
    `fetched_bytes` is what came over the network for it, 0 if all was known.
    """

    ref: HubRef
    listing: Listing
    group: FileGroup
    header: ModelHeader
    fetched_bytes: int = 0

    @property
    def repo(self) -> str:
        return self.listing.repo

    @property
    def commit(self) -> str:
        return self.listing.commit

    @property
    def projectors(self) -> tuple[FileGroup, ...]:
        """What lets the model see, as far as it lies beside it."""
        return self.listing.of_kind("projector")

    @property
    def drafts(self) -> tuple[FileGroup, ...]:
        return self.listing.of_kind("draft")

    @property
    def loras(self) -> tuple[FileGroup, ...]:
        return self.listing.of_kind("lora")


def known_listing(
    client: HubClient, cache: HeaderCache, ref: HubRef, *, ask: bool = False
) -> tuple[Listing, bool]:
    """What lies in the repository, and whether the Hub said so just now.

    As known from the last day (unless `ask`), else as the Hub says, else, where the Hub cannot be
    reached, as it once was. Raises NetworkError, HubError, UsageError.
    """
    known = cache.listing(ref)
    if known is not None and (client.is_offline or (known.is_fresh and not ask)):
        return known.listing, False
    try:
        listing = _ask(client, ref)
    except NetworkError as error:
        if known is None or error.kind in _FINAL:
            raise
        _log.info("listing as of %.0f s ago: %s", known.age_s, error)
        return known.listing, False
    cache.keep_listing(ref, listing)
    return listing, True


def _ask(client: HubClient, ref: HubRef) -> Listing:
    """The Hub's listing; of a mirror that hands out files but no listings, the one file."""
    try:
        return fetch_listing(client, ref.repo, ref.revision)
    except HubError as error:
        if ref.file is None or error.kind not in _NO_LISTING:
            raise
        try:
            return listing_of_one(client, ref)
        except HubError as other:
            if other.kind == "hub_no_file":
                raise
            raise error from other


def fetch_header(
    client: HubClient,
    cache: HeaderCache,
    ref: HubRef,
    *,
    on_progress: Callable[[int], None] | None = None,
) -> RemoteModel:
    """The header of the model that `ref` means; without traffic if it was fetched before.

    `on_progress` gets the bytes fetched so far. Raises NetworkError, HubError (with listing's and
    ranges' kinds, and hub_file_incomplete), ModelFileError, UsageError.
    """
    listing, is_new = known_listing(client, cache, ref)
    try:
        return _fetch_from(client, cache, ref, listing, on_progress)
    except HubError as error:
        if is_new or client.is_offline or error.kind not in _OUTDATED:
            raise
    listing, _ = known_listing(client, cache, ref, ask=True)
    return _fetch_from(client, cache, ref, listing, on_progress)


def _fetch_from(
    client: HubClient,
    cache: HeaderCache,
    ref: HubRef,
    listing: Listing,
    on_progress: Callable[[int], None] | None,
) -> RemoteModel:
    group = listing.select(ref)
    header = known_header(cache, listing, group)
    if header is not None:
        return RemoteModel(ref, listing, group, header)
    fetch = _Fetch(client, cache, listing, on_progress)
    header = fetch.header(group)
    return RemoteModel(ref, listing, group, header, fetch.fetched_bytes)


def known_header(cache: HeaderCache, listing: Listing, group: FileGroup) -> ModelHeader | None:
    """What is kept of the group's description; a kept one that cannot be read is dropped."""
    paths = cache.header_paths(listing, group)
    if paths is None:
        return None
    try:
        return read_header(paths[0], allow_missing_data=True)
    except ModelFileError as error:
        _log.warning("header fetched again: %s", error)
        for file in group.files:
            cache.forget(listing, file)
        return None


class _Fetch:
    """One model's header on its way from the Hub into the cache."""

    def __init__(
        self,
        client: HubClient,
        cache: HeaderCache,
        listing: Listing,
        on_progress: Callable[[int], None] | None,
    ) -> None:
        self._client = client
        self._cache = cache
        self._listing = listing
        self._on_progress = on_progress
        self._readers: list[HubRangeReader] = []
        self._stopped = threading.Event()

    @property
    def fetched_bytes(self) -> int:
        return sum(reader.fetched_bytes for reader in self._readers)

    def header(self, group: FileGroup) -> ModelHeader:
        known = self._cache.typical_header_bytes(self._listing)
        first_bytes = FIRST_BYTES if known is None else known + _SPARE_BYTES
        self._readers = [
            HubRangeReader(
                self._client,
                self._listing.repo,
                self._listing.revision,
                file,
                first_bytes=_LATER_PART_BYTES if number else first_bytes,
                on_progress=self._tell,
                is_cancelled=self._stopped.is_set,
            )
            for number, file in enumerate(group.files)
        ]
        jobs = list(zip(self._readers, group.files, range(len(group.files)), strict=True))
        fetched = [self._part(*jobs[0])] if len(jobs) == 1 else self._parts(jobs)
        self._cache.tidy(self._listing)
        parts, paths = zip(*fetched, strict=True)
        header = header_of(parts, paths, f"{self._listing.repo}/{group.path}")
        return replace(header, complete=not header.tensors)  # its data is there, not here

    def _parts(self, jobs: list[tuple[HubRangeReader, HubFile, int]]) -> list[tuple[Part, Path]]:
        """Some at once; one that fails, or Ctrl+C, stops the others."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            futures = [pool.submit(self._part, *job) for job in jobs]
            try:
                while wait(futures, _LOOK_EVERY_S, FIRST_EXCEPTION).not_done:
                    if any(future.done() and future.exception() for future in futures):
                        break
            finally:
                self._stopped.set()  # of no meaning to those that are done
                pool.shutdown(cancel_futures=True)
        failed = [future.exception() for future in futures if not future.cancelled()]
        for error in failed:
            if error is not None and not isinstance(error, CancelledError):
                raise error
        return [future.result() for future in futures]

    def _part(self, reader: HubRangeReader, file: HubFile, number: int) -> tuple[Part, Path]:
        """Fetch one file's header; where it was kept, or would be if the disk took it."""
        part = self._read(reader, file, number)
        if not part.complete:
            detail = f"{reader.size_bytes} of {part.end_bytes} bytes"
            repo = self._listing.repo
            raise HubError("hub_file_incomplete", repo=repo, file=file.path, detail=detail)
        header = reader.read(0, min(part.data_offset, reader.size_bytes))
        try:
            return part, self._cache.keep_header(self._listing, file, header)
        except StorageError as error:
            _log.warning("header not kept: %s", error)
            return part, self._cache.header_path(self._listing, file)

    def _read(self, reader: HubRangeReader, file: HubFile, number: int) -> Part:
        name = f"{self._listing.repo}/{file.path}"
        try:
            return read_part(reader, name, number, window_bytes=_WINDOW_BYTES)
        except ModelFileError as error:
            if error.kind != "truncated_gguf":
                raise
            repo = self._listing.repo
            raise HubError(
                "hub_file_incomplete", repo=repo, file=file.path, detail=error.detail
            ) from error

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.fetched_bytes)
