"""What packs are called, for whoever is only handed a path."""

from __future__ import annotations

from pathlib import Path

from desktop.library.packs.manifest import INDEX_NAME
from desktop.library.packs.volumes import whole_path

PACK_SUFFIX = ".hgpack"


def is_pack(path: Path) -> bool:
    """Whether `path` is called like a pack: a file, a piece of one, a folder's index."""
    return whole_path(path).name.lower().endswith(PACK_SUFFIX) or path.name == INDEX_NAME
