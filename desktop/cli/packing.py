"""What `pack`, `unpack` and `index` have in common: progress, failures, keys, sizes in words."""

from __future__ import annotations

import getpass
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.cli.front import Front, is_terminal, write
from desktop.cli.progress import StatusLine
from desktop.common.errors import CancelledError, HausgeistError, UsageError
from desktop.library.packs.minisign import read_secret_key
from desktop.library.packs.progress import PackProgress

PASSWORD_VARIABLE = "HAUSGEIST_KEY_PASSWORD"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*([kmgt]?)(i?b)?", re.IGNORECASE)
LEAST_PIECE_BYTES = 1 << 20


def piece_size(flag: str, value: str) -> int:
    """``4GB``, ``650 MB``, ``3.5GiB``; ``none`` is 0. Raises UsageError."""
    if value.strip().lower() in ("none", "0"):
        return 0
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise UsageError("not_a_size", option=flag, value=value)
    unit = match[2].lower()
    factor = _BINARY[unit] if unit and (match[3] or "").lower() == "ib" else _UNITS[unit]
    size = int(float(match[1].replace(",", ".")) * factor)
    if not LEAST_PIECE_BYTES <= size <= 1 << 50:
        raise UsageError("piece_too_small", option=flag, value=value)
    return size


def shower(front: Front, status: StatusLine) -> Callable[[PackProgress], None]:
    """Tells of the progress: JSON lines for scripts, one changing line for people."""

    def show(progress: PackProgress) -> None:
        if front.as_json:
            line(
                {
                    "event": "progress",
                    "state": progress.state,
                    "file": progress.name,
                    "bytes": progress.done_bytes,
                    "total_bytes": progress.total_bytes,
                    "bytes_per_s": round(progress.bytes_per_s),
                    "left_s": None if progress.left_s is None else round(progress.left_s, 1),
                }
            )
            return
        percent = int(100 * progress.done_bytes / max(1, progress.total_bytes))
        key = f"cli.pack.{progress.state}"
        left = "" if progress.left_s is None else front.text("cli.pack.left", s=progress.left_s)
        status.show(front.text(key, name=progress.name, percent=percent) + left)

    return show


def line(document: dict[str, Any]) -> None:
    """One of the JSON lines; a reader sees it at once."""
    write(sys.stdout, json.dumps(document, ensure_ascii=False) + "\n")


def tell_failure(error: HausgeistError, front: Front, kept_key: str) -> int:
    """As one more JSON line, or in words with what an interruption has left."""
    if front.as_json:
        message = front.messages.error(error)
        line({"event": "error", "kind": error.kind, "message": message})
        return error.exit_code
    code = front.fail(error)
    if isinstance(error, CancelledError):
        front.note(front.text(kept_key))
    return code


def password_for(key: Path | None, front: Front) -> str:
    """What opens the secret key: from the environment, else asked for at a terminal."""
    if key is None:
        return ""
    try:
        read_secret_key(key)
    except UsageError as error:
        if error.kind != "sign_key_password":
            raise
    else:
        return ""
    given = os.environ.get(PASSWORD_VARIABLE, "")
    if given or not is_terminal(sys.stdin):
        return given
    return getpass.getpass(front.text("cli.pack.password", path=str(key)))
