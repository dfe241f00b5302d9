"""The one module that reads resources/: catalogues, icons, the guide, licences."""

from __future__ import annotations

from pathlib import Path

from desktop.common.errors import StorageError

_PACKAGE = Path(__file__).resolve().parent.parent


def resources_folder() -> Path:
    """`desktop/_resources` in an installed package, `resources/` beside it in a checkout."""
    installed = _PACKAGE / "_resources"
    return installed if installed.is_dir() else _PACKAGE.parent / "resources"


def resource_path(name: str) -> Path:
    """The file of `name`, such as ``messages/en.json``; raises StorageError if it is not there."""
    path = resources_folder().joinpath(*name.split("/"))
    if not path.exists():
        raise StorageError("resource_missing", name=name)
    return path


def read_text(name: str) -> str:
    """The UTF-8 text of a resource; raises StorageError if it is missing or unreadable."""
    path = resource_path(name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError("resource_missing", name=name, detail=str(error)) from error
