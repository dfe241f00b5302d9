"""What is written down beside the files that came in a pack or from a source."""

from __future__ import annotations

from pathlib import Path

from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.places import keep_origin
from desktop.library.packs.manifest import PackedModel


def note_origins(packed: PackedModel, places: dict[str, Path], where: str) -> None:
    """Beside each file what it is and where it came from, so that a lost index can be built anew
    and the Hub's own are not fetched once more."""
    first = packed.origin
    is_hub = first.get("kind") == "hub" and bool(first.get("where"))
    repo = str(first["where"]) if is_hub else where
    commit = str(first.get("commit", "")) if is_hub else ""
    for file in packed.files:
        if file.path in places and file.role != "licence":
            path = file.path.removeprefix(f"{repo}/")
            identity = Identity(repo, path, commit, file.size_bytes, file.sha256)
            keep_origin(places[file.path], identity, file.sha256, is_verified=True, kind="pack")
