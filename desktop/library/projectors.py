"""Which of the files beside a model lets it see."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from desktop.common.errors import ModelFileError
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header

MAX_TRIED = 32
"""Of a folder with thousands of projectors no more are opened."""


def projector_beside(header: ModelHeader, candidates: Sequence[Path] | None = None) -> Path | None:
    """The projector in the model's own folder that fits it; None where none does.

    `candidates` are the files there that are named as one, where somebody has looked already.

    A projector fits by its width: what it makes of an image must be as wide as the model's own
    states. Of several the one whose name is most like the model's is taken, then 16 bits first.
    """
    first = header.paths[0]
    if candidates is None:
        candidates = _named_so(first.parent)
    likely = sorted(candidates, key=lambda path: _rank(path, first))
    return next((path for path in likely[:MAX_TRIED] if fits(path, header)), None)


def fits(path: Path, header: ModelHeader) -> bool:
    """Whether `path` is a projector of the model's width; one that states no width is believed."""
    try:
        projector = read_header(path, allow_missing_data=True)
    except ModelFileError:
        return False
    width = projector.integer("clip.vision.projection_dim")
    return projector.architecture == "clip" and width in (None, header.embedding_length)


def is_projector_name(name: str) -> bool:
    """As everybody names them."""
    return "mmproj" in name.lower()


def _named_so(folder: Path) -> Sequence[Path]:
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if is_projector_name(entry.name) and entry.name.lower().endswith(".gguf")
            ]
    except OSError:
        return []


def _rank(path: Path, model: Path) -> tuple[int, bool, str]:
    name = path.stem.lower().replace("mmproj", "").strip("-_.")
    pairs = zip(name, model.stem.lower(), strict=False)
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return (-alike, "f16" not in name, path.name)
