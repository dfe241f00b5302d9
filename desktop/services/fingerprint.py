"""What knows a model again wherever its file lies: for the history and for tuned plans."""

from __future__ import annotations

from pathlib import Path

from desktop.common.errors import StorageError
from desktop.common.logs import get_logger
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.library.files import content_of

_log = get_logger("services")


def fingerprint_of(model: Path | ModelHeader) -> str:
    """A digest that knows this model again at another place; empty where it cannot be read."""
    header = (
        model if isinstance(model, ModelHeader) else read_header(model, allow_missing_data=True)
    )
    if not header.complete:
        return ""
    try:
        return content_of(header.paths)
    except StorageError as error:
        _log.warning("no fingerprint: %s", error)
        return ""
