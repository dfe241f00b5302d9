"""The catalogue as the Hub has it now: what lies in its repositories, and headers already fetched.

Nothing is asked by itself: only when somebody asks for it. What came is kept in the cache, and
without a network the last known state holds.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import HausgeistError, HubError, ModelFileError, StorageError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.gguf.header import ModelHeader
from desktop.gguf.mixes import known_mix
from desktop.gguf.reader import read_header
from desktop.hub.header_cache import HeaderCache
from desktop.hub.listing import Listing
from desktop.hub.refs import parse_ref
from desktop.library.catalog import Catalog, CatalogFile, CatalogModel, shipped_catalog
from desktop.services.remote_model import RemoteModels

_FORMAT = 1
_AT_ONCE = 4
_MAX_FILES_A_REPO = 2_000
_SAME = {"MXFP4_MOE": "MXFP4"}
_SIXTEEN_BITS = ("BF16", "F16", "F32")  # twice as large as Q8_0 and no better
_GONE = ("hub_no_repo",)
_LEAST_SHARE, _MOST_SHARE = 0.6, 1.7  # of what its quantization would take: else it is another's
_EMPTY = {"commit": "", "gated": False, "files": []}

OnProgress = Callable[[int, int], None]
_log = get_logger("catalog")


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many repositories answered, and which did not, each with why."""

    answered: int
    failed: tuple[tuple[str, HausgeistError], ...]


class CatalogUpdates:
    """The shipped catalogue with what the last refresh found."""

    def __init__(
        self,
        remote: RemoteModels,
        headers: HeaderCache,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._remote = remote
        self._headers = headers
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, int], Mapping[str, Any]] | None = None

    @property
    def refreshed_at(self) -> float | None:
        """When the Hub was asked last, in seconds since 1970; None for never."""
        at = self._stored().get("at")
        return float(at) if isinstance(at, int | float) else None

    def catalog(self) -> Catalog:
        """What is known now, without asking anybody."""
        shipped = shipped_catalog()
        repos = self._stored().get("repos", {})
        if not repos:
            return shipped
        models = tuple(_updated(model, repos) for model in shipped.models)
        return Catalog(models, shipped.licences)

    def header(self, file: CatalogFile) -> ModelHeader | None:
        """The real header of `file`, if it was fetched before; no connection is made."""
        try:
            ref = parse_ref(file.reference)
            known = self._headers.listing(ref)
            if known is None:
                return None
            paths = self._headers.header_paths(known.listing, known.listing.select(ref))
            return None if paths is None else read_header(paths[0], allow_missing_data=True)
        except (HubError, ModelFileError) as error:
            _log.info("header of %s not used: %s", file.reference, error)
            return None

    def refresh(
        self, *, on_progress: OnProgress | None = None, cancel: CancelToken | None = None
    ) -> Refreshed:
        """Ask the Hub what lies in the catalogue's repositories; what answered is kept.

        Raises NetworkError where the Hub cannot be reached, CancelledError.
        """
        repos = sorted(_repos(shipped_catalog()))
        found: dict[str, Any] = dict(self._stored().get("repos", {}))
        answered = 0
        gone: list[str] = []
        failed: list[tuple[str, HausgeistError]] = []
        try:
            for done, (repo, answer) in enumerate(self._ask(repos, cancel), start=1):
                if isinstance(answer, Listing):
                    found[repo] = _kept(answer)
                    answered += 1
                elif answer.kind in _GONE:
                    gone.append(repo)
                    failed.append((repo, answer))
                else:
                    failed.append((repo, answer))
                if on_progress is not None:
                    on_progress(done, len(repos))
        finally:
            if answered > len(gone):  # else it is no Hub that has lost them all
                found |= dict.fromkeys(gone, _EMPTY)
                self._keep({"format": _FORMAT, "at": self._clock(), "repos": found})
        return Refreshed(answered, tuple(failed))

    def fetch_headers(
        self, files: tuple[CatalogFile, ...], *, cancel: CancelToken | None = None
    ) -> int:
        """Fetch the headers of `files` (a few megabytes each at most); how many are there now.

        Raises CancelledError; a file that cannot be had is left out.
        """
        have = 0
        for file in files:
            if cancel is not None:
                cancel.raise_if_cancelled()
            try:
                self._remote.model(file.reference)
                have += 1
            except HausgeistError as error:
                _log.warning("header of %s: %s", file.reference, error)
        return have

    def _ask(
        self, repos: list[str], cancel: CancelToken | None
    ) -> Iterator[tuple[str, Listing | HubError]]:
        """Some at once; the first failure of the network itself ends it."""
        stopped = threading.Event()

        def ask(repo: str) -> Listing | HubError | None:
            if stopped.is_set():
                return None
            try:
                return self._remote.listing(repo)
            except HubError as error:
                return error

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for repo, answer in zip(repos, pool.map(ask, repos), strict=True):
                    if cancel is not None:
                        cancel.raise_if_cancelled()
                    if answer is not None:
                        yield repo, answer
            finally:
                stopped.set()

    def _stored(self) -> Mapping[str, Any]:
        """What `refresh` wrote; what cannot be read counts as not there."""
        with self._lock:
            try:
                stat = self._path.stat()
                stamp = (stat.st_mtime_ns, stat.st_size)
                if self._known is None or self._known[0] != stamp:
                    self._known = stamp, _checked(json.loads(self._path.read_bytes()))
            except FileNotFoundError:
                return {}
            except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
                _log.warning("catalogue updates not readable: %s", error)
                return {}
            return self._known[1]

    def _keep(self, document: Mapping[str, Any]) -> None:
        try:
            write_atomic(self._path, json.dumps(document).encode())
        except StorageError as error:
            _log.warning("catalogue updates not kept: %s", error)


def _repos(catalog: Catalog) -> set[str]:
    return {file.repo for model in catalog.models for file in (*model.files, *model.projectors)}


def _kept(listing: Listing) -> Mapping[str, Any]:
    """What recommendations need of a listing: whole models and projectors with their sizes."""
    files = [
        [group.path, group.size_bytes, group.files[0].sha256, group.quantization, group.kind]
        for group in listing.groups
        if group.kind in ("model", "projector") and group.size_bytes
    ]
    return {
        "commit": listing.commit,
        "gated": listing.gated,
        "files": files[:_MAX_FILES_A_REPO],
    }


def _checked(document: Any) -> Mapping[str, Any]:
    """Raises KeyError, TypeError, ValueError for what this module did not write."""
    if document["format"] != _FORMAT or not isinstance(document["repos"], dict):
        raise ValueError("of another kind")
    for entry in document["repos"].values():
        if not isinstance(entry["gated"], bool):
            raise ValueError("gated")
        for path, size, sha256, quantization, kind in entry["files"]:
            texts = (path, sha256, quantization, kind)
            if not all(isinstance(text, str) for text in texts) or type(size) is not int:
                raise ValueError("a file that is none")
    return document  # type: ignore[no-any-return]


def _updated(model: CatalogModel, repos: Mapping[str, Any]) -> CatalogModel:
    """Files of repositories that were asked as they are there now, the others as shipped."""
    asked = dict.fromkeys(file.repo for file in (*model.files, *model.projectors))
    fresh = [repo for repo in asked if repo in repos]
    if not fresh:
        return model
    files = [file for file in model.files if file.repo not in repos]
    projectors = [file for file in model.projectors if file.repo not in repos]
    for repo in fresh:
        for file, kind in _files(repo, repos[repo]):
            if kind == "projector":
                projectors.append(file)
            elif _is_of_use(model, file):
                files.append(file)
    return model.with_files(tuple(files), tuple(projectors))


def _files(repo: str, entry: Mapping[str, Any]) -> Iterator[tuple[CatalogFile, str]]:
    for path, size, sha256, quantization, kind in entry["files"]:
        file = CatalogFile(
            repo=repo,
            name=path,
            quantization=_SAME.get(quantization, quantization),
            file_bytes=size,
            exact=True,
            sha256=sha256,
            source=f"Hugging Face {repo} @{entry['commit'][:12]}",
            gated=entry["gated"],
        )
        yield file, kind


def _is_of_use(model: CatalogModel, file: CatalogFile) -> bool:
    """Whether it is a file of this model that may be recommended; its size must be possible."""
    if not known_mix(file.quantization):
        return False
    if model.blueprint is not None:
        expected = model.blueprint.file_bytes(file.quantization)
        if not _LEAST_SHARE < file.file_bytes / expected < _MOST_SHARE:
            return False
    return file.quantization not in _SIXTEEN_BITS or "embedding" in model.tasks
