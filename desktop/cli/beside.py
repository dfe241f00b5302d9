"""Files that a command opens with a model, or shows to it: eyes, adapters, a draft, pictures."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from desktop.cli.arguments import Arguments, text
from desktop.common.errors import RequestError, UsageError
from desktop.common.storage import storage_error
from desktop.engine.adapters import MAX_SCALE
from desktop.engine.chat import Media, MediaKind
from desktop.engine.extras import Extras
from desktop.engine.media.media_limits import MAX_FILE_BYTES, check_count
from desktop.services.open_extras import adapter_files


def with_model(arguments: Arguments) -> None:
    """`extras_of` reads them."""
    arguments.option("--mmproj", value="FILE", kind=text)
    arguments.option("--lora", value="FILE", kind=text, repeated=True)
    arguments.option("--lora-scaled", value="FILE:SCALE", kind=_scaled, repeated=True)
    arguments.option("--model-draft", value="FILE", kind=text)


def to_show(arguments: Arguments) -> None:
    """`media_of` reads them."""
    arguments.option("--image", value="FILE", kind=text, repeated=True)
    arguments.option("--audio", value="FILE", kind=text, repeated=True)


def extras_of(given: Namespace) -> Extras:
    """Raises ModelFileError for an adapter that no name tells apart."""
    adapters = [(Path(name), 1.0) for name in given.lora or ()] + (given.lora_scaled or [])
    return Extras(
        projector=None if given.mmproj is None else Path(given.mmproj),
        draft=None if given.model_draft is None else Path(given.model_draft),
        adapters=adapter_files(adapters),
    )


def media_of(given: Namespace) -> tuple[Media, ...]:
    """Pictures first, each kind as it was given.

    Raises UsageError("no_such_file"), RequestError for too much, StorageError.
    """
    media = _read("image", given.image or ()) + _read("audio", given.audio or ())
    check_count(media)
    return tuple(media)


def _read(kind: MediaKind, names: Sequence[str]) -> list[Media]:
    return [Media(kind, _content(Path(name)), name=Path(name).name) for name in names]


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError("no_such_file", path=str(path))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
            size = path.stat().st_size
    except OSError as error:
        raise storage_error(error, path) from error
    if len(content) > MAX_FILE_BYTES:
        raise RequestError("media_too_large", size=size, limit=MAX_FILE_BYTES)
    return content


def _scaled(flag: str, given: str) -> tuple[Path, float]:
    """FILE:SCALE; a drive's colon (C:\\...) is none of ours."""
    name, _, scale = given.rpartition(":")
    try:
        number = float(scale)
    except ValueError:
        number = MAX_SCALE + 1
    if not name or not abs(number) <= MAX_SCALE:
        raise UsageError("bad_scale", option=flag, value=given, most=MAX_SCALE)
    return Path(name), number
