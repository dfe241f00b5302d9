"""Small files of other programs, read with bounds: they may be anything."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

from desktop.common.errors import ModelFileError

MAX_BYTES = 1 << 20
"""A manifest takes one kilobyte, a licence fifty; nothing longer is read."""

_LINE = re.compile(r"(?P<key>[A-Za-z_][\w.-]*)\s*:\s*(?P<value>.*)")


def is_file(path: Path) -> bool:
    """Whether a file is there that this person may see; nothing is raised."""
    return os.path.isfile(path)  # noqa: PTH113  (Path.is_file raises PermissionError)


def is_folder(path: Path) -> bool:
    """As `is_file`, of a folder."""
    return os.path.isdir(path)  # noqa: PTH112


def read_bytes(path: Path) -> bytes:
    """Raises ModelFileError: store_file_missing, store_file_too_long, store_file_unreadable."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise ModelFileError("store_file_unreadable", path=str(path))
        if status.st_size > MAX_BYTES:
            raise ModelFileError("store_file_too_long", path=str(path), size=status.st_size)
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except FileNotFoundError as error:
        raise ModelFileError("store_file_missing", path=str(path)) from error
    except (OSError, ValueError) as error:
        raise ModelFileError("store_file_unreadable", path=str(path), detail=str(error)) from error


def read_text(path: Path) -> str:
    """Raises as `read_bytes`."""
    return read_bytes(path).decode("utf-8", "replace").lstrip("\ufeff")


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object. Raises as `read_bytes`, and ModelFileError("store_file_damaged")."""
    try:
        document = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise ModelFileError("store_file_damaged", path=str(path), detail=str(error)) from error
    if not isinstance(document, dict):
        raise ModelFileError("store_file_damaged", path=str(path), detail="no object")
    return document


def read_pairs(path: Path) -> dict[str, str | list[str]]:
    """The top-level texts and lists of texts of a simple YAML file; what is deeper is left out.

    Raises as `read_bytes`.
    """
    found: dict[str, str | list[str]] = {}
    key = ""
    for line in read_text(path).splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        item = re.match(r"\s*-\s+(?P<value>.*)", line)
        if item is not None and key:
            before = found.get(key)
            values = before if isinstance(before, list) else []
            found[key] = [*values, _plain(item["value"])]
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            continue  # deeper, or a text of several lines
        key = match["key"]
        found[key] = _plain(match["value"])
    return found


def text(value: object) -> str:
    """`value` where it is a text, else ""."""
    return value if isinstance(value, str) else ""


def _plain(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        quote, value = value[0], value[1:-1]
        # YAML's two kinds of quotes write a backslash (of a Windows path) differently.
        return value.replace("\\\\", "\\") if quote == '"' else value.replace("''", "'")
    return re.sub(r"\s+#.*$", "", value)
