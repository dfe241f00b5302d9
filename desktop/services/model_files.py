"""Whether a model's files can be worked with."""

from __future__ import annotations

from desktop.common.errors import ModelFileError
from desktop.library.model import LibraryModel


def require_files(model: LibraryModel) -> None:
    """Raise ModelFileError where its files cannot be reached: vanished, drive_gone, no_permission.

    A file that is there and damaged passes.
    """
    path = str(model.path)
    match model.problem:
        case "vanished":
            raise ModelFileError("vanished", model=model.name, path=path)
        case "drive_gone":
            raise ModelFileError("drive_gone", model=model.name, path=path)
        case "no_permission":
            raise ModelFileError("no_permission", path=path)
