"""Fetch a model from an organisation's source: off a web server by ranges, or off a share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from desktop.common.errors import (
    CancelledError,
    HausgeistError,
    ModelFileError,
    NetworkError,
    PackError,
)
from desktop.common.storage import free_bytes
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check
from desktop.hub.index_source import IndexSource, as_source_error
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.order import Order, OrderedFile
from desktop.hub.transfer.places import place_of
from desktop.hub.transfer.transfer import State, TransferProgress
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.library.model_settings import settings_from
from desktop.library.origin import Origin
from desktop.library.packs.arrival import Arrival, delete_staged
from desktop.library.packs.manifest import PackedFile, PackedModel
from desktop.library.packs.opening import FolderPack
from desktop.library.packs.progress import PackProgress
from desktop.services.fetch_model import FetchedModel
from desktop.services.fetch_wish import FetchWish, FoundModel
from desktop.services.pack_origins import note_origins


class SourceJob(Protocol):
    """One model on its way; `run` in a thread of your own, all else from any thread."""

    def run(self) -> FetchedModel:
        """Raises CancelledError, NetworkError, PackError, StorageError."""
        ...

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self) -> None: ...
    def cancel(self) -> None: ...


class WebJob:
    """Off a web server, by the transfer that fetches from the Hub."""

    def __init__(
        self,
        library: Library,
        packed: PackedModel,
        source_name: str,
        folder: Path,
        web: IndexSource,
        wish: FetchWish,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._library = library
        self._packed = packed
        self._source_name = source_name
        self._host = web.host
        self._wish = wish
        # The first part last: whoever sees it sees a whole model.
        self._files = (*_wanted(packed, wish.with_projector)[1:], packed.files[0])
        paths = [file.path for file in self._files]
        self._places = [place_of(folder, path, paths) for path in paths]
        ordered = [
            OrderedFile(Identity(web.host, file.path, "", file.size_bytes, file.sha256), place)
            for file, place in zip(self._files, self._places, strict=True)
        ]
        self._order = Order(
            web, ordered, options=wish.options, limit=wish.limit, on_progress=wish.on_progress,
            free=free, is_metered=wish.is_metered,
        )  # fmt: skip

    def pause(self) -> None:
        self._order.pause()

    def resume(self) -> None:
        self._order.resume()

    def stop(self) -> None:
        self._order.stop()

    def cancel(self) -> None:
        self._order.cancel()

    def run(self) -> FetchedModel:
        if self._wish.on_found is not None:
            total = self._order.total_bytes
            self._wish.on_found(FoundModel(self._packed.name, tuple(self._places), total))
        try:
            fetched = self._order.run()
        except NetworkError as error:
            raise as_source_error(error, self._host, self._packed.files[0].path) from error
        received = sum(one.received_bytes for one in fetched)
        places = {file.path: one.path for file, one in zip(self._files, fetched, strict=True)}
        return take_in(
            self._library, self._packed, self._source_name, places, received, self._wish.on_header
        )


class FolderJob:
    """Off a share or a drive, by the way that packs come in."""

    def __init__(
        self,
        library: Library,
        packed: PackedModel,
        source_name: str,
        folder: Path,
        source: Path,
        wish: FetchWish,
        *,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._library = library
        self._packed = replace(packed, files=_wanted(packed, wish.with_projector))
        self._source_name = source_name
        self._folder = folder
        self._source = source
        self._wish = wish
        self._free = free
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self._is_cancelled = False
        self._seen_bytes = 0
        self._last: PackProgress | None = None

    def pause(self) -> None:
        self._going.clear()

    def resume(self) -> None:
        self._going.set()

    def stop(self) -> None:
        self._stopped.set()
        self._going.set()

    def cancel(self) -> None:
        self._is_cancelled = True
        self.stop()

    def run(self) -> FetchedModel:
        pack = FolderPack(self._source)
        try:
            if not any(_same_files(self._packed, one) for one in pack.manifest.models):
                raise PackError("source_changed", model=self._packed.name)
            if self._wish.on_found is not None:
                places = tuple(
                    place_of(self._folder, file.path) for file in reversed(self._packed.files)
                )
                total = self._packed.total_bytes
                self._wish.on_found(FoundModel(self._packed.name, places, total))
            arrival = Arrival(pack, (self._packed,), self._folder, free=self._free)
            try:
                arrived = arrival.run(self._tell, self._shall_end)[0]
            except CancelledError:
                if self._is_cancelled:
                    delete_staged(pack, self._folder)
                raise
        finally:
            pack.close()
        by_path = dict(zip((file.path for file in self._packed.files), arrived.paths, strict=True))
        received = 0 if arrived.was_here else self._packed.total_bytes
        return take_in(
            self._library, self._packed, self._source_name, by_path, received, self._wish.on_header
        )

    def _shall_end(self) -> bool:
        """Asked at every piece: the place to wait while it is paused, too."""
        if not self._going.is_set() and self._last is not None:
            self._tell(self._last, "paused")
        self._going.wait()
        return self._stopped.is_set()

    def _tell(self, progress: PackProgress, state: State | None = None) -> None:
        self._last = progress
        if self._wish.limit is not None:
            pause_s = self._wish.limit.wait_s(max(0, progress.done_bytes - self._seen_bytes))
            self._seen_bytes = progress.done_bytes
            self._stopped.wait(pause_s)
        if self._wish.on_progress is None:
            return
        self._wish.on_progress(
            TransferProgress(
                state=state or ("running" if progress.state == "writing" else "checking"),
                done_bytes=progress.done_bytes,
                total_bytes=progress.total_bytes,
                bytes_per_s=0.0 if state == "paused" else progress.bytes_per_s,
                received_bytes=progress.done_bytes,
            )
        )


def take_in(
    library: Library,
    packed: PackedModel,
    source_name: str,
    places: dict[str, Path],
    received_bytes: int,
    on_header: Callable[[ModelHeader], None] | None,
) -> FetchedModel:
    """Into the library; a file that no engine could open stays, with the problem said."""
    note_origins(packed, places, source_name)
    first = places[packed.files[0].path]
    projectors = [places[file.path] for file in packed.of_role("projector") if file.path in places]
    model: LibraryModel | None = None
    problem: HausgeistError | None = None
    try:
        header = read_header(first)
        if received_bytes and on_header is not None:
            on_header(header)
        check(header)
        model = library.add(
            first,
            header,
            source="copy",
            origin=Origin(
                "pack",
                source_name,
                packed.files[0].path,
                sha256=packed.files[0].sha256,
                is_verified=True,
            ),
            name=packed.name,
            projector=projectors[0] if projectors else None,
            settings=settings_from(dict(packed.settings)),
            hashes=tuple(file.sha256 for file in packed.parts),
        )
    except ModelFileError as error:
        problem = error
    return FetchedModel(
        path=first,
        sha256=packed.files[0].sha256,
        is_verified=True,
        file_bytes=sum(file.size_bytes for file in packed.files if file.path in places),
        files=tuple(places.values()),
        received_bytes=received_bytes,
        commit="",
        model=model,
        problem=problem,
    )


def _wanted(packed: PackedModel, with_projector: bool) -> tuple[PackedFile, ...]:
    files = packed.files
    return files if with_projector else tuple(f for f in files if f.role != "projector")


def _same_files(one: PackedModel, other: PackedModel) -> bool:
    return one.name == other.name and set(one.files) <= set(other.files)
