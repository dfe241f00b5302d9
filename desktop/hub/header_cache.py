"""Headers and listings that were fetched once: by repository and commit, below one folder.

<root>/<org>--<name>/listing-<revision>.json      what lay there, and when it was asked
<root>/<org>--<name>/<commit>/<path>.gguf         a file's header, nothing behind it
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger
from desktop.hub.file_names import is_safe_file
from desktop.hub.listing import FileGroup, HubFile, Listing, group_files, is_commit
from desktop.hub.refs import HubRef, is_repo_name

FRESH_S = 24 * 3600.0
MAX_BYTES = 512 << 20
_COMMIT_DIGITS = 12  # 48 bits; the whole commit would make paths too long for Windows
_FORMAT = 1

_log = get_logger("hub")


@dataclass(frozen=True, slots=True)
class KnownListing:
    """A listing as it was `age_s` seconds ago."""

    listing: Listing
    age_s: float

    @property
    def is_fresh(self) -> bool:
        """Whether there is no need to ask again."""
        return 0 <= self.age_s < FRESH_S


class HeaderCache:
    """What cannot be read counts as not there; what cannot be written is logged."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._clock = clock

    def listing(self, ref: HubRef) -> KnownListing | None:
        """The last known listing of the repository at `ref`'s revision."""
        path = self._listing_path(ref)
        try:
            document = json.loads(path.read_bytes())
            listing = _listing_from(document)
            age_s = float("inf") if ref.repo != listing.repo else self._age_s(document)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            _log.warning("listing not readable: %s", error)
            return None
        return KnownListing(listing, 0.0 if ref.is_pinned else age_s)

    def keep_listing(self, ref: HubRef, listing: Listing) -> None:
        document = {
            "format": _FORMAT,
            "repo": listing.repo,
            "commit": listing.commit,
            "branch": listing.branch,
            "gated": listing.gated,
            "asked_at": self._clock(),
            "files": [
                [file.path, file.size_bytes, file.sha256]
                for group in listing.groups
                for file in group.files
            ],
        }
        try:
            write_atomic(self._listing_path(ref), json.dumps(document).encode())
        except StorageError as error:
            _log.warning("listing not kept: %s", error)

    def header_path(self, listing: Listing, file: HubFile) -> Path:
        """Where the header of `file` is or would be."""
        folder = self._repo_folder(listing.repo) / listing.commit[:_COMMIT_DIGITS]
        return folder.joinpath(*file.path.split("/"))

    def header_paths(self, listing: Listing, group: FileGroup) -> tuple[Path, ...] | None:
        """The headers of all files of a model, None unless all are there."""
        paths = tuple(self.header_path(listing, file) for file in group.files)
        try:
            return paths if all(path.is_file() for path in paths) else None
        except OSError as error:  # a path too long for this system, mostly
            _log.warning("headers not looked for: %s", error)
            return None

    def keep_header(self, listing: Listing, file: HubFile, header: bytes) -> Path:
        """Write a header; raises StorageError."""
        path = self.header_path(listing, file)
        write_atomic(path, header)
        return path

    def typical_header_bytes(self, listing: Listing) -> int | None:
        """How long the headers of this repository's models are, as far as one is known: all
        quantizations of a model carry the same vocabulary."""
        folder = self._repo_folder(listing.repo)
        try:
            return max((path.stat().st_size for path in folder.glob("*/**/*.gguf")), default=None)
        except OSError:  # another process tidies: it was only a guess
            return None

    def forget(self, listing: Listing, file: HubFile) -> None:
        """Drop a header that turned out to be damaged."""
        try:
            self.header_path(listing, file).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("header not dropped: %s", error)

    def tidy(self, keep: Listing, max_bytes: int = MAX_BYTES) -> None:
        """Drop what was fetched longest ago, by whole commits, until the rest is small enough."""
        try:
            folders = [path for path in self._root.glob("*/*") if path.is_dir()]
            sized = [(path.stat().st_mtime, path, _bytes_below(path)) for path in folders]
        except OSError as error:
            _log.warning("headers not tidied: %s", error)
            return
        total = sum(size for _, _, size in sized)
        kept = self._repo_folder(keep.repo) / keep.commit[:_COMMIT_DIGITS]
        for _, path, size in sorted(sized, key=lambda item: item[:2]):
            if total <= max_bytes:
                return
            if path != kept:
                shutil.rmtree(path, ignore_errors=True)
                total -= size

    def _age_s(self, document: dict[str, Any]) -> float:
        return self._clock() - float(document["asked_at"])

    def _listing_path(self, ref: HubRef) -> Path:
        name = ref.revision
        if re.fullmatch(r"[a-z0-9]{1,40}", name) is None:  # letters' case and slashes
            name = blake2b(name.encode(), digest_size=10).hexdigest()
        return self._repo_folder(ref.repo) / f"listing-{name}.json"

    def _repo_folder(self, repo: str) -> Path:
        # The Hub's names differ in more than their letters' case, so this is unique everywhere.
        return self._root / repo.replace("/", "--").lower()


def _listing_from(document: Any) -> Listing:
    """Raises KeyError, TypeError, ValueError for what this module did not write."""
    if document["format"] != _FORMAT or not is_repo_name(document["repo"]):
        raise ValueError("of another kind")
    commit = document["commit"]
    if not is_commit(commit):
        raise ValueError("no commit")
    files = []
    for path, size, sha256 in document["files"]:
        if not is_safe_file(path):
            raise ValueError("a name of a file that is none")
        files.append(HubFile(path, None if size is None else int(size), str(sha256)))
    branch = str(document.get("branch", ""))
    return Listing(document["repo"], commit, group_files(files), bool(document["gated"]), branch)


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
