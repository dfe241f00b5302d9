"""The name that a model gets in the library: for people, and to type at a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from desktop.common.safe_names import is_safe_file
from desktop.gguf.header import ModelHeader

MAX_CHARACTERS = 80
ENDING = ".gguf"

# What converters write where nobody gave a name.
_SAYS_NOTHING = {
    "",
    "model",
    "models",
    "llama",
    "hf",
    "unknown",
    "none",
    "output",
    "snapshot",
    "tmp",
}
_SPLIT = re.compile(r"-\d{5}-of-\d{5}$")
_NEVER_IN_NAMES = re.compile(r"\s*[/\\:\"'<>|?*\x00-\x08\x0e-\x1f\x7f]+\s*")
_NOT_IN_NAMES = re.compile(r"[\s/\\:\"'<>|?*\x00-\x1f\x7f]+")


def name_of(header: ModelHeader) -> str:
    """``Qwen3-4B-Instruct-Q4_K_M``: the model's own name and its quantization, else the file's.

    Without blanks, slashes and colons, so that it is one word at a terminal and no path.
    """
    stem = _SPLIT.sub("", header.paths[0].stem)
    own = clean(header.text("general.name") or "")
    if own.casefold() in _SAYS_NOTHING or not any(c.isalpha() for c in own):
        return clean(stem) or "model"
    quantization = clean(header.quantization)
    if quantization and quantization.casefold() not in own.casefold():
        own = f"{own}-{quantization}"
    return own


def file_names(parts: Sequence[Path], name: str) -> list[str]:
    """What copies of `parts` are called: as they are, but a model that another program keeps under
    its hash gets `name` and the usual ending (a plain one where some system has no such name)."""
    if len(parts) == 1 and parts[0].suffix.casefold() != ENDING:
        wanted = f"{name}{ENDING}"
        return [wanted if is_safe_file(wanted) else f"model{ENDING}"]
    return [part.name for part in parts]


def clean_title(text: str) -> str:
    """As `clean`, but with the blanks of a name that a person gave."""
    words = _NEVER_IN_NAMES.sub("-", text.encode("utf-8", "replace").decode("utf-8").strip())
    return re.sub(r"\s+", " ", _without_ending(words)).strip("-. ")[:MAX_CHARACTERS].rstrip()


def clean(text: str) -> str:
    """`text` as one word of bounded length."""
    word = _NOT_IN_NAMES.sub("-", text.encode("utf-8", "replace").decode("utf-8").strip())
    return re.sub(r"-{2,}", "-", _without_ending(word)).strip("-. ")[:MAX_CHARACTERS]


def _without_ending(name: str) -> str:
    """A name with the ending would be taken for a path."""
    return name[: -len(ENDING)] if name.casefold().endswith(ENDING) else name


def unique(name: str, is_taken: Callable[[str], bool]) -> str:
    """`name`, or the first of ``name-2``, ``name-3``, ... that is free."""
    candidate, number = name, 1
    while is_taken(candidate):
        number += 1
        candidate = f"{name}-{number}"
    return candidate
