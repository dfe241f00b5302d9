"""Files that are opened beside a model, checked to be what they are given as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.fit.companions import Companions
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.gguf.safety import check

Found = Path | ModelHeader


def companions_of(
    projector: Found | None = None, draft: Found | None = None, loras: Sequence[Found] = ()
) -> Companions:
    """Headers of files here or on the Hub.

    Raises ModelFileError: not_a_projector, not_an_adapter, what a draft model's check and
    read_header raise.
    """
    return Companions(
        projector=None if projector is None else _projector(_header(projector)),
        draft=None if draft is None else _draft(_header(draft)),
        loras=tuple(_lora(_header(lora)) for lora in loras),
    )


def _header(found: Found) -> ModelHeader:
    if isinstance(found, ModelHeader):
        return found
    return read_header(found, allow_missing_data=True)


def _projector(header: ModelHeader) -> ModelHeader:
    if header.architecture != "clip":
        raise ModelFileError("not_a_projector", path=_path(header))
    return header


def _draft(header: ModelHeader) -> ModelHeader:
    check(header)
    return header


def _lora(header: ModelHeader) -> ModelHeader:
    if header.text("general.type") != "adapter" or header.text("adapter.type") != "lora":
        raise ModelFileError("not_an_adapter", path=_path(header))
    return header


def _path(header: ModelHeader) -> str:
    return str(header.paths[0]) if header.paths else ""
