"""Fetch a model from the Hub: find it there, say whether it fits, bring it here, take it in."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from desktop.common.errors import (
    CancelledError,
    HausgeistError,
    HubError,
    ModelFileError,
    NetworkError,
)
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hub.client import HubClient
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import FileGroup, HubFile, Listing
from desktop.hub.refs import HubRef, parse_ref
from desktop.hub.remote_header import known_listing
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.order import Order, OrderedFile
from desktop.hub.transfer.part_file import unfinished_path
from desktop.hub.transfer.patience import Patience
from desktop.hub.transfer.places import place_of, repo_folder
from desktop.hub.transfer.source import ANOTHER_NOW, identify
from desktop.hub.transfer.transfer import Fetched, TransferOptions, TransferProgress
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.model_settings import ModelSettings
from desktop.library.origin import Origin
from desktop.services.card_settings import card_settings
from desktop.services.fetch_wish import AS_USUAL, FetchWish, FoundModel

_CHANGES = 3
_LESS = 0.25
_HEADER_TRIES_BYTES = (1 << 20, 4 << 20, 16 << 20, 64 << 20)

_log = get_logger("services")
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """`path` is the first part's file; `model` its entry in the library, None with the `problem`
    that keeps it out. `received_bytes` is 0 if all was here already."""

    path: Path
    sha256: str
    is_verified: bool
    file_bytes: int
    files: tuple[Path, ...]
    received_bytes: int
    commit: str
    model: LibraryModel | None
    problem: HausgeistError | None = None


class FetchJob:
    """One model on its way. `run` in a thread of your own; all else from any thread."""

    def __init__(
        self,
        client: HubClient,
        cache: HeaderCache,
        library: Library,
        models_dir: Path,
        text: str,
        wish: FetchWish = AS_USUAL,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """`text` names the model (``org/repo:Q4_K_M``...); it goes to `models_dir`.

        Raises UsageError(bad_hub_ref, bad_endpoint)."""
        self._client = client
        self._cache = cache
        self._library = library
        self._models_dir = models_dir
        self._ref: HubRef = parse_ref(text, client.endpoint)
        self._wish = wish
        self._options = wish.options or TransferOptions()
        self._free = free
        self._lock = threading.Lock()
        self._order: Order | None = None
        self._stopped = threading.Event()
        self._is_paused = False
        self._is_cancelled = False
        self._header_tries = list(_HEADER_TRIES_BYTES) if wish.on_header is not None else []

    def pause(self) -> None:
        """Let go of the line until `resume`; what was fetched stays."""
        with self._lock:
            self._is_paused, order = True, self._order
        if order is not None:
            order.pause()

    def resume(self) -> None:
        with self._lock:
            self._is_paused, order = False, self._order
        if order is not None:
            order.resume()

    def stop(self) -> None:
        """`run` raises CancelledError; what was fetched stays for the next time."""
        self._stopped.set()
        with self._lock:
            order = self._order
        if order is not None:
            order.stop()

    def cancel(self) -> None:
        """As `stop`, and what is not complete is deleted."""
        self._is_cancelled = True
        self._stopped.set()
        with self._lock:
            order = self._order
        if order is not None:
            order.cancel()

    def run(self) -> FetchedModel:
        """Raises CancelledError, NetworkError, HubError, StorageError: as Listing.select and
        Transfer.run."""
        number = 0
        while True:
            number += 1
            listing, group, is_new = self._find()
            # Who asked the Hub in vain has waited for a good part of the time already.
            options = (
                self._options
                if is_new
                else replace(self._options, patience_s=_LESS * self._options.patience_s)
            )
            try:
                return self._fetch(listing, group, options)
            except HubError as error:
                if error.kind not in ANOTHER_NOW or number >= _CHANGES:
                    raise
                _log.info("asking anew what lies there: %s", error)

    def _find(self) -> tuple[Listing, FileGroup, bool]:
        """What lies in the repository, which of its files are meant, and whether the Hub said so
        just now (else it cannot be reached, and this is what it once said)."""

        def ask() -> tuple[Listing, FileGroup, bool]:
            listing, is_new = known_listing(self._client, self._cache, self._ref, ask=True)
            return listing, listing.select(self._ref), is_new

        return self._patiently(ask)

    def _fetch(self, listing: Listing, group: FileGroup, options: TransferOptions) -> FetchedModel:
        # The first part last: whoever sees it sees a whole model.
        wanted = [*group.files[1:], *self._projector(listing, group), group.files[0]]
        files = [self._ordered(listing, file) for file in wanted]
        if self._wish.on_found is not None:
            total_bytes = sum(file.identity.size_bytes for file in files)
            places = tuple(file.place for file in files)
            self._wish.on_found(FoundModel(_shown(listing, group), places, total_bytes))
        order = Order(
            self._client,
            files,
            options=options,
            limit=self._wish.limit,
            on_progress=lambda progress: self._tell(progress, files[-1], group),
            free=self._free,
            is_metered=self._wish.is_metered,
        )
        with self._lock:
            self._order = order
            is_paused = self._is_paused
        if self._stopped.is_set():
            raise CancelledError
        if is_paused:
            order.pause()
        try:
            fetched = order.run()
        finally:
            with self._lock:
                self._order = None
        return self._take_in(listing, group, files, fetched)

    def _projector(self, listing: Listing, group: FileGroup) -> list[HubFile]:
        """What lets the model see, if it lies beside it: 16 bits first, then the smallest."""
        if not self._wish.with_projector or group.kind != "model":
            return []
        found = sorted(
            listing.of_kind("projector"),
            key=lambda one: (one.quantization != "F16", one.size_bytes or 0),
        )
        return list(found[0].files) if found else []

    def _ordered(self, listing: Listing, file: HubFile) -> OrderedFile:
        folder = repo_folder(self._models_dir, listing.repo, self._ref.revision)
        siblings = (other.path for group in listing.groups for other in group.files)
        place = place_of(folder, file.path, siblings)
        if file.size_bytes is None:
            size, sha256 = self._patiently(
                lambda: identify(self._client, listing.repo, listing.revision, file.path)
            )
            file = replace(file, size_bytes=size, sha256=file.sha256 or sha256)
        if not file.size_bytes:
            raise HubError("hub_file_incomplete", repo=listing.repo, file=file.path)
        identity = Identity(listing.repo, file.path, listing.revision, file.size_bytes, file.sha256)
        return OrderedFile(identity, place)

    def _take_in(
        self,
        listing: Listing,
        group: FileGroup,
        files: list[OrderedFile],
        fetched: tuple[Fetched, ...],
    ) -> FetchedModel:
        first = fetched[-1]
        model, problem = None, None
        try:
            header = read_header(first.path)
            if first.received_bytes:
                self._say_what_it_is(header)
            if group.kind == "model":
                check(header)
                model = self._add(header, listing, group, fetched)
        except ModelFileError as error:  # it arrived as it was sent: no fault of the transfer
            problem = error
        return FetchedModel(
            path=first.path,
            sha256=first.sha256,
            is_verified=all(one.is_verified for one in fetched),
            file_bytes=sum(file.identity.size_bytes for file in files),
            files=tuple(one.path for one in fetched),
            received_bytes=sum(one.received_bytes for one in fetched),
            commit=listing.commit,
            model=model,
            problem=problem,
        )

    def _add(
        self,
        header: ModelHeader,
        listing: Listing,
        group: FileGroup,
        fetched: tuple[Fetched, ...],
    ) -> LibraryModel:
        """Into the library, with what is known of where it came from."""
        first, others = fetched[-1], fetched[: len(group.files) - 1]
        beside = fetched[len(others) : -1]
        is_verified = all(one.is_verified for one in fetched)
        origin = Origin(
            "hub", listing.repo, group.path, listing.commit, first.sha256, is_verified=is_verified
        )
        return self._library.add(
            first.path,
            header,
            source="copy",
            origin=origin,
            projector=beside[0].path if beside else None,
            settings=self._recommended(listing) if first.received_bytes else None,
            hashes=(first.sha256, *(one.sha256 for one in others)),
        )

    def _recommended(self, listing: Listing) -> ModelSettings | None:
        """What the model's card says of temperature and the like."""
        return card_settings(self._client, self._cache, listing)

    def _tell(self, progress: TransferProgress, first: OrderedFile, group: FileGroup) -> None:
        if self._wish.on_progress is not None:
            self._wish.on_progress(progress)
        if self._header_tries and len(group.files) == 1:
            self._look_at_header(progress.front_bytes, first.place)

    def _look_at_header(self, front_bytes: int, place: Path) -> None:
        """Read the description out of the file that is still coming."""
        if front_bytes < self._header_tries[0] or self._wish.on_header is None:
            return
        while self._header_tries and front_bytes >= self._header_tries[0]:
            self._header_tries.pop(0)
        try:
            header = read_header(unfinished_path(place), allow_missing_data=True)
        except ModelFileError as error:
            _log.info("not readable yet: %s", error)
            return
        self._say_what_it_is(header)

    def _say_what_it_is(self, header: ModelHeader) -> None:
        """Once, and only where something was fetched."""
        if self._header_tries and self._wish.on_header is not None:
            self._header_tries.clear()
            self._wish.on_header(header)

    def _patiently(self, ask: Callable[[], _Found]) -> _Found:
        """Once more after faults that pass."""
        # Half of it: an answer that does not come costs 15 s, and 30 are all there is.
        patience = Patience(self._options.patience_s / 2)
        failures = 0
        while True:
            if self._stopped.is_set():
                raise CancelledError
            try:
                return ask()
            except NetworkError as error:
                failures += 1
                pause_s = patience.pause_s(error, failures)
                if pause_s is None:
                    raise
                _log.info("once more in %.1f s: %s", pause_s, error)
            self._stopped.wait(pause_s)


def _shown(listing: Listing, group: FileGroup) -> str:
    """What to call a model before its own description is here."""
    name = re.sub(r"[-_.]gguf$", "", listing.repo.partition("/")[2], flags=re.IGNORECASE)
    if group.kind != "model" or group.quantization.casefold() in ("", name.casefold()):
        return group.path.rpartition("/")[2]
    return f"{name} {group.quantization}"


class ModelFetcher:
    """Makes jobs; one for the whole house."""

    def __init__(
        self,
        client: HubClient,
        cache: HeaderCache,
        library: Library,
        models_dir: Path | Callable[[], Path],
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        """`models_dir`: where new models go, perhaps asked anew each time. `free` tells the bytes
        that are free in a folder."""
        self._free = free
        self._client = client
        self._cache = cache
        self._library = library
        self._models_dir = models_dir

    @property
    def endpoint(self) -> str:
        """The Hub's address. Raises UsageError("bad_endpoint")."""
        return self._client.endpoint

    @property
    def folder(self) -> Path:
        """Where a model goes that is fetched now."""
        return self._models_dir if isinstance(self._models_dir, Path) else self._models_dir()

    def job(self, text: str, wish: FetchWish = AS_USUAL) -> FetchJob:
        """As FetchJob."""
        folder = wish.folder or self.folder
        return FetchJob(
            self._client, self._cache, self._library, folder, text, wish, free=self._free
        )
