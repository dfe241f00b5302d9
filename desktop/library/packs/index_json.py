"""An index as JSON: written for others to read, read as from a stranger.

A bad entry is left out and named, one by one; only an index that is none at all is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from desktop.common.errors import PackError
from desktop.common.safe_names import folded, is_safe_file
from desktop.library.packs.manifest import (
    FORMAT,
    INDEX_NAME,
    MAX_INDEX_BYTES,
    ROLES,
    SIGNATURE_NAME,
    VERSION,
    Manifest,
    PackedFile,
    PackedModel,
    Refused,
    Role,
)

MAX_MODELS = 10_000
MAX_FILES = 1_000  # of one model
MAX_LICENCE_BYTES = 1 << 20
_MAX_FILE_BYTES = 1 << 50
_MAX_TEXT = 2_000
_MAX_NAME = 200
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LICENCE_FILE = re.compile(
    r"(?:LICEN[CS]E|NOTICE|COPYING|USE_POLICY|TERMS)(?:(?:[-_].{1,120})?\.(?:txt|md))?",
    re.IGNORECASE,
)


def index_bytes(manifest: Manifest) -> bytes:
    """The same bytes for the same index."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "title": manifest.title,
        "made_at": manifest.made_at,
        "piece_bytes": manifest.piece_bytes,
        "models": [_model_document(model) for model in manifest.models],
    }
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def parse_index(data: bytes, path: str) -> Manifest:
    """The models that can be used; the others stand in `refused`. `path` is for sentences.

    Raises PackError: pack_not_one, pack_damaged, pack_newer, pack_empty.
    """
    if len(data) > MAX_INDEX_BYTES:
        raise PackError("pack_damaged", path=path, detail="the index is too large")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise PackError("pack_damaged", path=path, detail=str(error)[:200]) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PackError("pack_not_one", path=path)
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise PackError("pack_damaged", path=path, detail="no version")
    if version > VERSION:
        raise PackError("pack_newer", path=path)
    entries = document.get("models")
    if not isinstance(entries, list) or len(entries) > MAX_MODELS:
        raise PackError("pack_damaged", path=path, detail="no list of models")
    models, refused = _models(entries)
    if not models:
        detail = "; ".join(f"{one.name}: {one.kind} {one.detail}" for one in refused[:5])
        raise PackError("pack_empty", path=path, detail=detail)
    return Manifest(
        models=models,
        title=_text(document.get("title"), _MAX_NAME),
        made_at=_text(document.get("made_at"), 40),
        piece_bytes=_number(document.get("piece_bytes")),
        refused=refused,
    )


def is_licence_file(name: str) -> bool:
    """Whether a text may lie beside a model under that name: nothing that a double click runs."""
    return _LICENCE_FILE.fullmatch(name) is not None


def _model_document(model: PackedModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "architecture": model.architecture,
        "quantization": model.quantization,
        "parameters": model.parameters,
        "context_tokens": model.context_tokens,
        "licence": model.licence,
        "languages": list(model.languages),
        "task": model.task,
        "about": model.about,
        "content": model.content,
        "origin": dict(model.origin),
        "settings": dict(model.settings),
        "files": [
            {
                "path": file.path,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                "role": file.role,
            }
            for file in model.files
        ],
    }


def _models(entries: list[Any]) -> tuple[tuple[PackedModel, ...], tuple[Refused, ...]]:
    models: list[PackedModel] = []
    refused: list[Refused] = []
    places = _Places()
    names: set[str] = set()
    for number, entry in enumerate(entries, 1):
        name = f"#{number}"
        try:
            if not isinstance(entry, dict):
                raise _RefusedError("pack_bad_entry", "no object")
            name = _text(entry.get("name"), _MAX_NAME) or name
            model = _model(entry, name)
            if name.casefold() in names:
                raise _RefusedError("pack_twin_name", name)
            places.take(model)
        except _RefusedError as error:
            refused.append(Refused(name, error.kind, error.detail))
        else:
            names.add(name.casefold())
            models.append(model)
    return tuple(models), tuple(refused)


class _RefusedError(Exception):
    """This entry cannot be used; the others can."""

    def __init__(self, kind: str, detail: str) -> None:
        self.kind = kind
        self.detail = detail
        super().__init__(kind)


class _Places:
    """No two files in one place, on any system; no file where another needs a folder."""

    def __init__(self) -> None:
        self._files: dict[str, PackedFile] = {
            name: PackedFile(name, 0, "") for name in (INDEX_NAME, SIGNATURE_NAME)
        }
        self._folders: set[str] = set()

    def take(self, model: PackedModel) -> None:
        """All of the model's files or, raising, none."""
        files: dict[str, PackedFile] = {}
        folders: set[str] = set()
        for file in model.files:
            place = folded(file.path)
            above = _above(place)
            known = self._files.get(place) or files.get(place)
            is_same = known is not None and _is_same(known, file)
            if (known is not None and not is_same) or place in self._folders | folders:
                raise _RefusedError("pack_twin_name", _shown(file.path))
            if any(folder in self._files or folder in files for folder in above):
                raise _RefusedError("pack_twin_name", _shown(file.path))
            files[place] = file
            folders.update(above)
        self._files.update(files)
        self._folders |= folders


def _is_same(one: PackedFile, other: PackedFile) -> bool:
    """Two models may share a file: what lets them see, a licence."""
    return (one.path, one.size_bytes, one.sha256) == (other.path, other.size_bytes, other.sha256)


def _above(place: str) -> list[str]:
    words = place.split("/")
    return ["/".join(words[:n]) for n in range(1, len(words))]


def _model(entry: Mapping[str, Any], name: str) -> PackedModel:
    listed = entry.get("files")
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_FILES:
        raise _RefusedError("pack_bad_entry", "no list of files")
    files = tuple(_file(one) for one in listed)
    if len({file.path for file in files}) != len(files):
        raise _RefusedError("pack_twin_name", "a file twice")
    if files[0].role != "model":
        raise _RefusedError("pack_bad_entry", "no model among its files")
    return PackedModel(
        name=name,
        files=files,
        architecture=_text(entry.get("architecture"), _MAX_NAME),
        quantization=_text(entry.get("quantization"), _MAX_NAME),
        parameters=_number(entry.get("parameters")),
        context_tokens=_number(entry.get("context_tokens")),
        licence=_text(entry.get("licence"), _MAX_NAME),
        languages=_texts(entry.get("languages")),
        task=_text(entry.get("task"), _MAX_NAME),
        about=_text(entry.get("about"), _MAX_TEXT),
        content=_text(entry.get("content"), _MAX_NAME),
        origin=_plain(entry.get("origin")),
        settings=_plain(entry.get("settings")),
    )


def _file(entry: object) -> PackedFile:
    if not isinstance(entry, dict):
        raise _RefusedError("pack_bad_entry", "a file that is no object")
    path, size, sha256 = entry.get("path"), entry.get("size_bytes"), entry.get("sha256")
    role = entry.get("role", "model")
    if not isinstance(path, str) or not is_safe_file(path):
        raise _RefusedError("pack_unsafe_name", _shown(str(path)))
    if type(size) is not int or not 0 < size <= _MAX_FILE_BYTES:
        raise _RefusedError("pack_bad_entry", f"{_shown(path)}: size")
    if not isinstance(sha256, str) or _SHA256.fullmatch(sha256) is None:
        raise _RefusedError("pack_bad_entry", f"{_shown(path)}: sha256")
    if role not in ROLES:
        raise _RefusedError("pack_bad_entry", f"{_shown(path)}: role")
    if not _may_lie_there(path, size, role):
        raise _RefusedError("pack_unsafe_name", _shown(path))
    return PackedFile(path, size, sha256, cast(Role, role))


def _may_lie_there(path: str, size: int, role: str) -> bool:
    """Only models and texts of licences: nothing that a double click would run."""
    if role == "licence":
        return size <= MAX_LICENCE_BYTES and is_licence_file(path.rpartition("/")[2])
    return path.lower().endswith(".gguf")


def _shown(text: str) -> str:
    return text[:_MAX_NAME].encode("utf-8", "replace").decode()


def _text(value: object, most: int) -> str:
    """Printable text of bounded length; "" for anything else."""
    if not isinstance(value, str):
        return ""
    clean = "".join(c if c.isprintable() else " " for c in value[:most])
    return clean.encode("utf-8", "replace").decode().strip()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(text for one in value[:100] if (text := _text(one, _MAX_NAME)))


def _number(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MAX_FILE_BYTES else 0


def _plain(value: object) -> dict[str, Any]:
    """Short plain values by name; a template may be long."""
    if not isinstance(value, dict):
        return {}
    return {
        key: one
        for key, one in list(value.items())[:100]
        if isinstance(one, str | int | float | bool) and len(str(key)) <= _MAX_NAME
    }
