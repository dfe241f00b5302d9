"""Files that are opened with a model: checked against it before anybody loads them."""

from __future__ import annotations

from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.engine.extras import AdapterFile, Extras
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.gguf.adapter import check_adapter
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.services.companion_files import companions_of


def check_extras(extras: Extras, header: ModelHeader) -> Companions:
    """What they take beside the model of `header`.

    Raises ModelFileError: what read_header raises, not_a_projector, not_an_adapter,
    activated_adapter, adapter_of_another_model, what a draft model's check raises.
    """
    if not files_of(extras):
        return NO_COMPANIONS
    adapters = tuple(read_header(file.path) for file in extras.adapters)
    for adapter in adapters:
        check_adapter(adapter, header)
    return companions_of(
        projector=None if extras.projector is None else read_header(extras.projector),
        draft=None if extras.draft is None else read_header(extras.draft),
        loras=adapters,
    )


def files_of(extras: Extras) -> tuple[Path, ...]:
    """Every file that is opened beside the model."""
    beside = (extras.projector, extras.draft, *(file.path for file in extras.adapters))
    return tuple(path for path in beside if path is not None)


def adapter_files(paths: list[tuple[Path, float]]) -> tuple[AdapterFile, ...]:
    """Adapters by the names of their files, told apart by a number where two have the same.

    Raises ModelFileError("not_an_adapter") for a file without a name.
    """
    named: list[AdapterFile] = []
    for path, scale in paths:
        stem = path.name.removesuffix(".gguf")
        if not stem:
            raise ModelFileError("not_an_adapter", path=str(path))
        taken, name, number = {one.name for one in named}, stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        named.append(AdapterFile(path, name, scale))
    return tuple(named)
