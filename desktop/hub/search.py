"""Searching the Hub for GGUF models, a page at a time, by huggingface-hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from desktop.common.errors import HausgeistError
from desktop.hub.door import Door

SearchTask = Literal["chat", "code", "vision", "embedding"]
Sort = Literal["trending", "downloads", "likes", "updated", "created"]
Gated = Literal["", "auto", "manual"]

SORTS: tuple[Sort, ...] = ("trending", "downloads", "likes", "updated", "created")
PAGE_REPOS = 30


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for; empty fields leave everything in.

    `language` and `licence` are written as the Hub tags them (``de``, ``apache-2.0``);
    `max_bytes` leaves out what would be larger in the usual four bits.
    """

    text: str = ""
    author: str = ""
    task: SearchTask | None = None
    language: str = ""
    licence: str = ""
    max_bytes: int | None = None
    sort: Sort = "trending"


@dataclass(frozen=True, slots=True)
class FoundRepo:
    """One repository as the Hub lists it; what it does not tell is "", () or None.

    `updated_at` and `created_at` are seconds since 1970, `parameters` a count. `gated`: "auto"
    wants consent on its page, "manual" its owner's approval too.
    """

    repo: str
    author: str
    name: str
    downloads: int | None = None
    likes: int | None = None
    updated_at: float | None = None
    created_at: float | None = None
    task: SearchTask | None = None
    licence_id: str = ""
    languages: tuple[str, ...] = ()
    gated: Gated = ""
    parameters: int | None = None
    architecture: str = ""
    context_tokens: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some of the answer; `next` asks for what follows, None at the end.

    `is_catalogue`: out of the built-in catalogue, because the Hub could not be asked; `problem`
    says why.
    """

    repos: tuple[FoundRepo, ...]
    next: str | None = None
    is_catalogue: bool = False
    problem: HausgeistError | None = None


class HubSearch:
    """Any thread may ask."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def page(
        self,
        query: SearchQuery,
        cursor: str | None = None,
        *,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> SearchPage:
        """What the Hub has for `query`, from `cursor` (a page's `next`) on.

        Raises NetworkError, HubError (hub.statuses' kinds, hub_bad_answer), CancelledError.
        """
        raise NotImplementedError
