"""Models from the Hub and from an organisation's own sources, fetched by one hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from desktop.common.errors import CancelledError
from desktop.common.settings import SettingsStore
from desktop.hub.refs import parse_ref
from desktop.services.downloads_line import Job
from desktop.services.fetch_model import FetchedModel, ModelFetcher
from desktop.services.fetch_wish import AS_USUAL, FetchWish
from desktop.services.source_index import kind_of, source_id
from desktop.services.sources import Sources, is_source_reference


class LateJob:
    """Made where it runs: finding out who has the model may ask disks."""

    def __init__(self, make: Callable[[], Job]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._is_stopped = False
        self._is_cancelled = False

    def run(self) -> FetchedModel:
        """Raises what making and running the job raise."""
        job = self._make()
        with self._lock:
            self._job = job
            is_stopped, is_cancelled = self._is_stopped, self._is_cancelled
        if is_cancelled:
            job.cancel()
        if is_stopped:
            raise CancelledError
        return job.run()

    def stop(self) -> None:
        with self._lock:
            self._is_stopped, job = True, self._job
        if job is not None:
            job.stop()

    def cancel(self) -> None:
        with self._lock:
            self._is_stopped = self._is_cancelled = True
            job = self._job
        if job is not None:
            job.cancel()


class AnyFetcher:
    """``org/repo:FILE`` comes from the Hub, ``source:ID/NAME`` from a source."""

    def __init__(self, hub: ModelFetcher, sources: Sources, settings: SettingsStore) -> None:
        self._hub = hub
        self._sources = sources
        self._settings = settings

    @property
    def folder(self) -> Path:
        """Where a model goes that is fetched now."""
        return self._hub.folder

    def key(self, reference: str) -> str:
        """The short way to write a reference, the same for all ways but for upper and lower case.

        Raises UsageError("bad_hub_ref", "bad_endpoint").
        """
        if is_source_reference(reference):
            return reference
        return str(parse_ref(reference, self._hub.endpoint))

    def needs_network(self, reference: str) -> bool:
        """Whether it comes through the door: a share or a folder works offline, too."""
        if not is_source_reference(reference):
            return True
        id = reference.partition(":")[2].partition("/")[0].casefold()
        addresses = self._settings.load().sources
        kinds = {source_id(address).casefold(): kind_of(address) for address in addresses}
        return kinds.get(id) != "folder"

    def job(self, text: str, wish: FetchWish = AS_USUAL) -> Job:
        """As ModelFetcher.job; what is wrong with the reference is said by `run`."""
        maker: Callable[[str, FetchWish], Job] = (
            self._sources.job if is_source_reference(text) else self._hub.job
        )
        return LateJob(lambda: maker(text, wish))
