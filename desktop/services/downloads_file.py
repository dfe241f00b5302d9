"""The queue as it stands on the disk: read at the start, written whole at every change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from desktop.common.atomic import write_atomic
from desktop.common.errors import HausgeistError, StorageError
from desktop.common.storage import free_name, storage_error
from desktop.services.downloads_entry import Download

VERSION = 1
_MAX_BYTES = 4 << 20
_MOST = 1000
_KEPT = ("waiting", "paused", "failed")


class DownloadsFile:
    """`downloads.json`; a damaged one is kept aside and `problem` says so."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problem: HausgeistError | None = None

    def load(self, is_reference: Callable[[str], bool]) -> tuple[Download, ...]:
        """What an earlier run left; never raises. `is_reference` tells what names a model."""
        self.problem = None
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                raise ValueError("too large")
            document = json.loads(self._path.read_bytes())
            if not isinstance(document, dict) or not isinstance(document.get("downloads"), list):
                raise ValueError("no list of downloads")
        except FileNotFoundError:
            return ()
        except (ValueError, RecursionError) as error:
            self.problem = self._keep_aside(error)
            return ()
        except OSError as error:
            self.problem = storage_error(error, self._path, reading=True)
            return ()
        read = [_read(item) for item in document["downloads"][:_MOST]]
        good = {
            entry.id: entry for entry in read if entry is not None and is_reference(entry.reference)
        }
        if len(good) < len(document["downloads"]):
            self.problem = self._keep_aside(ValueError("some downloads are none"), move=False)
        return tuple(good.values())

    def save(self, downloads: Iterable[Download]) -> None:
        """Raises StorageError."""
        kept = [_written(entry) for entry in downloads if entry.state != "done"]
        if not kept:
            try:
                self._path.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, self._path) from error
            return
        document = {"version": VERSION, "downloads": kept}
        text = json.dumps(document, ensure_ascii=True, indent=1) + "\n"
        write_atomic(self._path, text.encode())

    def _keep_aside(self, error: Exception, *, move: bool = True) -> StorageError:
        kept = free_name(self._path, "broken")
        try:
            if move:
                self._path.rename(kept)
            else:
                kept.write_bytes(self._path.read_bytes())
        except OSError as failed:
            return storage_error(failed, self._path)
        return StorageError(
            "downloads_damaged", path=str(self._path), kept_as=str(kept), detail=str(error)
        )


def _written(entry: Download) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": entry.id,
        "reference": entry.reference,
        "name": entry.name,
        "state": entry.state if entry.state in ("paused", "failed") else "waiting",
        "bytes": entry.bytes,
        "total_bytes": entry.total_bytes,
        "with_projector": entry.with_projector,
        "folder": entry.folder,
        "files": list(entry.files),
    }
    if entry.state == "failed" and entry.error is not None:
        document["error"] = {"kind": entry.error.kind, "params": dict(entry.error.params)}
    return document


def _read(item: Any) -> Download | None:
    """None for what no download can be."""
    if not isinstance(item, Mapping):
        return None
    texts = [item.get(name) for name in ("id", "reference", "name", "state", "folder")]
    numbers = [item.get("bytes"), item.get("total_bytes")]
    files = item.get("files")
    if not all(isinstance(text, str) for text in texts) or not isinstance(files, list):
        return None
    if not all(type(number) is int and number >= 0 for number in numbers):
        return None
    if not all(isinstance(file, str) for file in files) or item["state"] not in _KEPT:
        return None
    error = _error(item.get("error")) if item["state"] == "failed" else None
    return Download(
        id=item["id"],
        reference=item["reference"],
        name=item["name"],
        state=item["state"],
        bytes=item["bytes"],
        total_bytes=item["total_bytes"],
        with_projector=item.get("with_projector") is not False,
        folder=item["folder"],
        files=tuple(files),
        error=error,
    )


def _error(item: Any) -> HausgeistError:
    """The error of last time, for its sentence."""
    if not isinstance(item, Mapping) or not isinstance(item.get("kind"), str):
        return HausgeistError()
    params = item.get("params")
    good: dict[str, Any] = {
        name: value
        for name, value in (params if isinstance(params, Mapping) else {}).items()
        if isinstance(name, str) and isinstance(value, str | int | float) and name != "detail"
    }
    return HausgeistError(item["kind"], **good)
