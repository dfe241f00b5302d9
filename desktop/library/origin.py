"""Where a model on this disk came from, as far as somebody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OriginKind = Literal[
    "file",
    "hub",
    "ollama",
    "lmstudio",
    "huggingface",
    "jan",
    "gpt4all",
    "pack",
    "quantized",
    "built_in",
]


@dataclass(frozen=True, slots=True)
class Origin:
    """`where` is a repository, a folder, a pack, or the model that a smaller one was made from.

    `file` is its name there, `commit` its version, `sha256` the hash of its first file as its
    source states it (lower-case hex, "" where nobody states one); `is_verified`: the file here had
    that hash when it came.
    """

    kind: OriginKind
    where: str
    file: str = ""
    commit: str = ""
    sha256: str = ""
    is_verified: bool = False
