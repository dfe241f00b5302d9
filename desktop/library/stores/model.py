"""What another program's store holds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.common.errors import HausgeistError

StoreKind = Literal["ollama", "lmstudio", "huggingface", "jan", "gpt4all", "llamacpp"]

STORES: tuple[StoreKind, ...] = (
    "ollama",
    "lmstudio",
    "jan",
    "gpt4all",
    "huggingface",
    "llamacpp",
)
"""In the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class StoreModel:
    """One model of a store, where it lies: `paths` are all its parts, in order.

    `name` is what the store's users call it, `projector` what lets it see. `template_note` says
    that the store keeps a chat template in a form that only its program reads: the model's own is
    used. `problem` is why it cannot be taken in (its `paths` may be empty then).
    """

    store: StoreKind
    name: str
    paths: tuple[Path, ...]
    file_bytes: int
    projector: Path | None = None
    template_note: str = ""
    system_prompt: str = ""
    licence: str = ""
    problem: HausgeistError | None = None


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """A store that was found, and what lies in it; `problem` where it cannot be read at all."""

    store: StoreKind
    path: Path
    models: tuple[StoreModel, ...]
    problem: HausgeistError | None = None
