"""huggingface-hub's search, made to go through the house's own door.

The library asks, pages and reads; the door decides whether it may, bounds it and writes it down.
This module is imported only when somebody searches: the library takes half a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, get_session, set_client_factory
from huggingface_hub.hf_api import ExpandModelProperty_T, ModelInfo

from desktop.common.errors import HubError
from desktop.hub.answer import Answer, Purpose
from desktop.hub.client import HubClient
from desktop.hub.found import FoundRepo, languages_in, licence_in, sound_fields, task_in

SEARCH = "hub_search"

SortKey = Literal["created_at", "downloads", "last_modified", "likes", "trending_score"]

_NO_SEARCH = ("hub_no_repo", "hub_forbidden", "hub_refused", "hub_no_file", "hub_no_revision")
_MAX_QUERY_CHARACTERS = 8_000
_MAX_ENTRIES = 1_000
_EXPAND: list[ExpandModelProperty_T] = [
    "author",
    "createdAt",
    "downloads",
    "gated",
    "gguf",
    "lastModified",
    "likes",
    "pipeline_tag",
    "tags",
]


@dataclass(slots=True)
class _Call:
    """One question on its way: where it really goes, and where the answer goes on."""

    client: HubClient
    follow: str
    is_cancelled: Callable[[], bool] | None
    next_query: str | None = None


_CALL: ContextVar[_Call] = ContextVar("hub_search")


class _DoorClient(httpx2.Client):
    """The one client that huggingface-hub shares between all its calls."""

    def __init__(self) -> None:
        super().__init__(transport=_DoorTransport())


class _DoorTransport(httpx2.BaseTransport):
    """Answers are good ones or errors of our own: the library has nothing left to retry."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        call = _CALL.get()
        url = str(request.url)
        if call.follow:
            url = f"{url.partition('?')[0]}?{call.follow}"
        try:
            answer = call.client.answer(
                url,
                Purpose(SEARCH),
                "",
                headers={"Accept": "application/json"},
                is_cancelled=call.is_cancelled,
            )
        except HubError as error:
            if error.kind not in _NO_SEARCH:
                raise
            # A mirror that hands out files and knows no search: no repository is meant here.
            host = str(request.url.host)
            raise HubError("hub_no_search", host=host, detail=error.detail) from error
        call.next_query = _next_query(answer)
        return httpx2.Response(200, content=json.dumps(_sound(answer)).encode(), request=request)


def list_models(
    client: HubClient,
    *,
    follow: str = "",
    is_cancelled: Callable[[], bool] | None = None,
    search: str | None = None,
    author: str | None = None,
    tags: list[str],
    pipeline_tag: str | None = None,
    sort: SortKey,
    limit: int,
) -> tuple[list[FoundRepo], str | None]:
    """One page, and what to pass as `follow` for the next (None at the end).

    Raises NetworkError, HubError, CancelledError.
    """
    _install()
    call = _Call(client, follow, is_cancelled)
    reset = _CALL.set(call)
    try:
        api = HfApi(endpoint=client.endpoint, token=False)  # the door adds the user's own
        found = api.list_models(
            filter=tags,
            author=author,
            search=search,
            pipeline_tag=pipeline_tag,
            sort=sort,
            limit=limit,
            expand=_EXPAND,
        )
        return [_repo(model) for model in found], call.next_query
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise HubError("hub_bad_list", detail=f"{error!r:.200}") from error
    finally:
        _CALL.reset(reset)


def _repo(model: ModelInfo) -> FoundRepo:
    author, _, name = model.id.partition("/")
    tags = tuple(model.tags or ())
    gguf = model.gguf or {}
    return FoundRepo(
        repo=model.id,
        author=model.author or author,
        name=name,
        downloads=model.downloads,
        likes=model.likes,
        updated_at=model.last_modified.timestamp() if model.last_modified else None,
        created_at=model.created_at.timestamp() if model.created_at else None,
        task=task_in(name, model.pipeline_tag or "", tags),
        licence_id=licence_in(tags),
        languages=languages_in(tags),
        gated=model.gated or "",
        parameters=gguf.get("total"),
        architecture=gguf.get("architecture", ""),
        context_tokens=gguf.get("context_length"),
        tags=tags,
    )


def _install() -> None:
    """Anew where somebody else has set another client."""
    # Else it asks the Hub once a day for a list by which it tells who calls it, keeps that beside
    # our own folders, and a wrong one there ends every search.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    if not isinstance(get_session(), _DoorClient):
        set_client_factory(_DoorClient)


def _sound(answer: Answer) -> list[dict[str, Any]]:
    """The entries of a page, without what is no entry and with only what the library can read.

    Raises HubError("hub_bad_list").
    """
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise HubError("hub_bad_list", detail=str(error)[:200]) from error
    if not isinstance(document, list):
        raise HubError("hub_bad_list", detail="no list of models")
    found = (sound_fields(entry) for entry in document[:_MAX_ENTRIES])
    return [fields for fields in found if fields is not None]


def _next_query(answer: Answer) -> str | None:
    """The query of the page that follows: of its address, not where that leads to. A mirror may
    hand on the Hub's own, and nobody shall be sent elsewhere by it."""
    links = httpx2.Response(200, headers={"link": answer.headers.get("link", "")}).links
    try:
        query = urlsplit(links.get("next", {}).get("url", "")).query
    except ValueError:
        return None
    return query if 0 < len(query) <= _MAX_QUERY_CHARACTERS and query.isascii() else None
