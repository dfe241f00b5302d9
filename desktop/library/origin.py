"""Where a model on this disk came from, as far as somebody knows."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from desktop.common.logs import get_logger

OriginKind = Literal[
    "file",
    "hub",
    "ollama",
    "lmstudio",
    "huggingface",
    "jan",
    "gpt4all",
    "llamacpp",
    "pack",
    "quantized",
    "built_in",
]
OTHERS_STORES: tuple[OriginKind, ...] = (
    "ollama",
    "lmstudio",
    "huggingface",
    "jan",
    "gpt4all",
    "llamacpp",
)
"""Programs that own their files: nothing of theirs is deleted or moved."""

_MAX_BYTES = 64 << 10
_SHA256 = re.compile(r"[0-9a-f]{64}")

_log = get_logger("library")


@dataclass(frozen=True, slots=True)
class Origin:
    """`where` is a repository, a folder, a pack, or the model that a smaller one was made from.

    `file` is its name there, `commit` its version, `sha256` the hash of its first file as its
    source states it (lower-case hex, "" where nobody states one); `is_verified`: the file here had
    that hash when it came.
    """

    kind: OriginKind
    where: str
    file: str = ""
    commit: str = ""
    sha256: str = ""
    is_verified: bool = False


def origin_beside(place: Path, *, only_current: bool = False) -> Origin | None:
    """What a download wrote down beside its file (``.NAME.origin.json``); None where nothing is.

    It answers for a file that was written since, too, since what it once was is what it is to be
    compared with; not so with `only_current`.
    """
    written = place.with_name(f".{place.name}.origin.json")
    try:
        with written.open("rb") as file:
            document = json.loads(file.read(_MAX_BYTES))
        if only_current:
            found = place.stat()
            if (document["size_bytes"], document["mtime_ns"]) != (found.st_size, found.st_mtime_ns):
                return None
        kind = document.get("kind", "hub")  # not there in notes of earlier versions
        return Origin(
            kind if kind in get_args(OriginKind) else "hub",
            _text(document, "repo"),
            _text(document, "path"),
            _text(document, "commit"),
            is_sha256(_text(document, "sha256")),
            document["is_verified"] is True,
        )
    except FileNotFoundError:
        return None
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        _log.info("no origin of %s: %s", place.name, error)
        return None


def is_sha256(text: str) -> str:
    """`text` in lower case where it is a SHA-256 in hex, else ""."""
    lower = text.lower()
    return lower if _SHA256.fullmatch(lower) else ""


def to_text(origin: Origin | None) -> str:
    """For the index: one line of JSON, "" for None."""
    return "" if origin is None else json.dumps(asdict(origin))


def from_text(text: str) -> Origin | None:
    """The reverse of `to_text`; None for what no version of the app has written."""
    if not text:
        return None
    try:
        document = json.loads(text)
        if document["kind"] not in get_args(OriginKind):
            return None
        return Origin(
            document["kind"],
            _text(document, "where"),
            _text(document, "file"),
            _text(document, "commit"),
            _text(document, "sha256"),
            document["is_verified"] is True,
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _text(document: Any, key: str) -> str:
    value = document[key]
    if not isinstance(value, str):
        raise ValueError(f"{key} is no text")
    return value
