"""What the library knows about one model on this disk, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.library.origin import Origin

Ability = Literal["vision", "tools", "reasoning", "embedding"]
Source = Literal["import", "copy", "built_in"]

GUIDE_NAME = "guide"


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """One model; `path` is the first part of a split one, `file_bytes` the sum of all parts.

    `problem` is the kind of an error (``vanished``, ``truncated_gguf``...) while the file cannot be
    used, else empty. `probed_engine` is the engine version that loaded this very file well,
    `content` a digest that knows the same model again at another place.
    `context_tokens` is what the model was trained for, `licence` the tag in its file; `projector`
    the file beside it with which it sees. `verified_at`: when its hash was last found right;
    `is_damaged`: it was found wrong.
    `folder` is the library's folder in which it lies, None elsewhere; `is_shared`: nothing can be
    written there.
    """

    name: str
    path: Path
    file_bytes: int
    architecture: str
    quantization: str
    parameters: int
    added_at: float
    last_used_at: float | None
    source: Source
    mtime_ns: int
    probed_engine: str = ""
    problem: str = ""
    content: str = ""
    context_tokens: int = 0
    licence: str = ""
    abilities: tuple[Ability, ...] = ()
    origin: Origin | None = None
    projector: Path | None = None
    verified_at: float | None = None
    is_shared: bool = False
    folder: Path | None = None
    is_damaged: bool = False
