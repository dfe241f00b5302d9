"""Where a repository's files lie on this disk, and what says that they are what they claim."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from desktop.common.atomic import write_atomic
from desktop.common.errors import HubError, StorageError
from desktop.common.logs import get_logger
from desktop.hub.file_names import is_safe_file
from desktop.hub.refs import DEFAULT_REVISION, is_repo_name
from desktop.hub.transfer.journal import Identity

TWIN_MARK = "~"

_log = get_logger("transfer")


def repo_folder(models_dir: Path, repo: str, revision: str = DEFAULT_REVISION) -> Path:
    """``<models>/org/name``; with ``@revision`` where another one than the newest was asked for."""
    if not is_repo_name(repo):
        raise HubError("hub_bad_answer", repo=repo[:200], detail="no name of a repository")
    org, _, name = repo.partition("/")
    at = "" if revision == DEFAULT_REVISION else f"@{revision.replace('/', '--')}"
    return models_dir / org / f"{name}{at}"


def place_of(folder: Path, path: str, siblings: Iterable[str] = ()) -> Path:
    """Where the repository's file `path` belongs below `folder`.

    `siblings` are the repository's other files: of those that some system takes for the same name
    (upper and lower case, composed letters), only the first has its plain place.
    Raises HubError("hub_unsafe_name") for a name that no system should be asked to write.
    """
    if not is_safe_file(path):
        raise HubError("hub_unsafe_name", file=path[:200].encode("utf-8", "replace").decode())
    twins = sorted({path, *(name for name in siblings if _folded(name) == _folded(path))})
    place = PurePosixPath(path)
    if twins[0] != path:
        mark = blake2b(path.encode(), digest_size=4).hexdigest()
        place = PurePosixPath(f"{TWIN_MARK}{mark}") / place
    return folder.joinpath(*place.parts)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file came from, and its size and time when it was verified."""

    repo: str
    path: str
    commit: str
    sha256: str
    is_verified: bool
    size_bytes: int
    mtime_ns: int
    kind: str = "hub"


def keep_origin(
    place: Path, identity: Identity, sha256: str, *, is_verified: bool, kind: str = "hub"
) -> None:
    """Write down beside `place` what it is; a disk that takes no more only costs a check later.

    `kind`: what brought it here (library.origin.OriginKind)."""
    try:
        stat = place.stat()
        origin = Origin(
            identity.repo,
            identity.path,
            identity.commit,
            sha256,
            is_verified,
            stat.st_size,
            stat.st_mtime_ns,
            kind,
        )
        write_atomic(_origin_path(place), json.dumps(asdict(origin)).encode())
    except (OSError, StorageError) as error:
        _log.warning("origin not written: %s", error)


def origin_of_file(place: Path) -> Origin | None:
    """What is known of the file at `place`; None if nothing is, or it was written since."""
    try:
        origin = Origin(**json.loads(_origin_path(place).read_bytes()))
        stat = place.stat()
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    if (stat.st_size, stat.st_mtime_ns) != (origin.size_bytes, origin.mtime_ns):
        return None
    return origin


def _origin_path(place: Path) -> Path:
    return place.with_name(f".{place.name}.origin.json")
