"""What another program's store holds, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from desktop.common.errors import HausgeistError
from desktop.library.model_settings import ModelSettings
from desktop.library.origin import Origin

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

NO_SETTINGS = ModelSettings()


@dataclass(frozen=True, slots=True)
class StoreModel:
    """One model of a store, where it lies: `paths` are its files as far as the store names them
    (of a split model the first may stand for all).

    `name` is what the store's users call it, `also` further names of the same; `projector` what
    lets it see (`beside`: files of which one may be that), `adapters` what changes it (taken in
    without them it is another model). `settings` are those that the store keeps for it,
    `system_prompt` included. `template_note` is "own" where the store keeps a chat template that
    only its program can read: the model's own is used. `file_bytes` and `quantization` are known
    once its header was read. `problem` is why it cannot be taken in (its `paths` may be empty).
    """

    store: StoreKind
    name: str
    paths: tuple[Path, ...]
    file_bytes: int = 0
    projector: Path | None = None
    template_note: Literal["", "own"] = ""
    system_prompt: str = ""
    settings: ModelSettings = NO_SETTINGS
    licence: str = ""
    origin: Origin | None = None
    also: tuple[str, ...] = ()
    adapters: tuple[Path, ...] = ()
    beside: tuple[Path, ...] = ()
    quantization: str = ""
    problem: HausgeistError | None = None


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """A store that was found, and what lies in it; `problem` where it cannot be read at all."""

    store: StoreKind
    path: Path
    models: tuple[StoreModel, ...]
    problem: HausgeistError | None = None
