"""How a model is to be fetched, and who hears of it: the same wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop.gguf.header import ModelHeader
from desktop.hub.transfer.pace import RateLimit
from desktop.hub.transfer.transfer import TransferOptions, TransferProgress


@dataclass(frozen=True, slots=True)
class FoundModel:
    """What the Hub says will come, before its first byte: `files` are where it will lie, the
    first part of the model last."""

    name: str
    files: tuple[Path, ...]
    total_bytes: int


@dataclass(frozen=True, slots=True)
class FetchWish:
    """`on_header` hears what the model is as soon as its description has come, long before the
    rest: the moment to say whether it fits. `on_found` hears which files will come.

    `is_metered`, if given, holds the transfer back as long as it is true. `folder`: not where new
    models go now, but where this one was begun.
    """

    with_projector: bool = True
    options: TransferOptions | None = None
    limit: RateLimit | None = None
    is_metered: Callable[[], bool] | None = None
    on_progress: Callable[[TransferProgress], None] | None = None
    on_header: Callable[[ModelHeader], None] | None = None
    on_found: Callable[[FoundModel], None] | None = None
    folder: Path | None = None


AS_USUAL = FetchWish()
