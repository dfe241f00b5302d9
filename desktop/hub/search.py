"""Searching the Hub for GGUF models, a page at a time, by huggingface-hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from desktop.common.errors import HausgeistError
from desktop.hub.client import HubClient
from desktop.hub.found import FoundRepo, Gated, SearchTask, parameters_in

__all__ = ["SORTS", "FoundRepo", "Gated", "HubSearch", "SearchPage", "SearchQuery", "SearchTask"]

Sort = Literal["trending", "downloads", "likes", "updated", "created"]

SORTS: tuple[Sort, ...] = ("trending", "downloads", "likes", "updated", "created")
PAGE_REPOS = 30

USUAL_BYTES_A_PARAMETER = 0.6
"""In Q4_K_M, what people usually take."""

_MOST_CHARACTERS = 200  # of what is typed; addresses have an end
_MOST_REQUESTS = 4  # for one page, where few of the found ones are small enough
_ENOUGH_REPOS = 10
_MORE_TO_SORT = 3  # times as many are asked for at once where some will be left out
_SortKey = Literal["created_at", "downloads", "last_modified", "likes", "trending_score"]
_SORT_KEYS: Mapping[Sort, _SortKey] = MappingProxyType(
    {
        "trending": "trending_score",
        "downloads": "downloads",
        "likes": "likes",
        "updated": "last_modified",
        "created": "created_at",
    }
)
_PIPELINES = MappingProxyType({"vision": "image-text-to-text"})
_TASK_TAGS = MappingProxyType({"chat": "conversational", "embedding": "feature-extraction"})
# Few who publish a model for programming tag it so; its name tells.
_BY_NAME = ("code",)


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

    def __init__(self, client: HubClient, *, page_repos: int = PAGE_REPOS) -> None:
        self._client = client
        self._page_repos = page_repos

    def page(
        self,
        query: SearchQuery,
        cursor: str | None = None,
        *,
        is_cancelled: Callable[[], bool] | None = None,
        is_wanted: Callable[[FoundRepo], bool] | None = None,
    ) -> SearchPage:
        """What the Hub has for `query`, from `cursor` (a page's `next`) on.

        What the Hub cannot sort out, `max_bytes`, models for programming and `is_wanted`, is sorted
        out here; so that a page is not empty, up to four of the Hub's are asked for then.
        Raises NetworkError, HubError (hub.statuses' kinds, hub_bad_list), CancelledError.
        """
        sorts = query.max_bytes is not None or is_wanted is not None or query.task in _BY_NAME
        limit = self._page_repos * (_MORE_TO_SORT if sorts else 1)
        found: dict[str, FoundRepo] = {}
        for _ in range(_MOST_REQUESTS if sorts else 1):
            repos, after = self._ask(query, cursor, limit, is_cancelled)
            cursor = None if after == cursor else after  # else that page is its own successor
            for repo in repos:
                if _suits(repo, query) and (is_wanted is None or is_wanted(repo)):
                    found.setdefault(repo.repo, repo)
            if cursor is None or len(found) >= _ENOUGH_REPOS:
                break
        return SearchPage(tuple(found.values()), cursor)

    def _ask(
        self,
        query: SearchQuery,
        cursor: str | None,
        limit: int,
        is_cancelled: Callable[[], bool] | None,
    ) -> tuple[list[FoundRepo], str | None]:
        self._client.require_online()  # before what follows
        from desktop.hub.hf_api import list_models  # half a second that only a search costs

        tags = ["gguf"]
        if query.language:
            tags.append(query.language)
        if query.licence:
            tags.append(f"license:{query.licence}")
        if query.task is not None and query.task in _TASK_TAGS:
            tags.append(_TASK_TAGS[query.task])
        return list_models(
            self._client,
            follow=cursor or "",
            is_cancelled=is_cancelled,
            search=_typed(query.text),
            author=_typed(query.author),
            tags=tags,
            pipeline_tag=_PIPELINES.get(query.task or ""),
            sort=_SORT_KEYS[query.sort],
            limit=limit,
        )


def _suits(repo: FoundRepo, query: SearchQuery) -> bool:
    if query.task in _BY_NAME and repo.task != query.task:
        return False
    return may_fit(repo, query.max_bytes)


def _typed(text: str) -> str | None:
    """What an address can hold; None for nothing."""
    whole = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(whole.split())[:_MOST_CHARACTERS] or None


def may_fit(repo: FoundRepo, max_bytes: int | None) -> bool:
    """Whether the model may come in a file of at most `max_bytes`; what nobody knows, may."""
    parameters = repo.parameters or parameters_in(repo.name)
    if max_bytes is None or parameters is None:
        return True
    return parameters * USUAL_BYTES_A_PARAMETER <= max_bytes
