"""The stand-in's list of models and its word on tokens, as the Hub's API answers them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from tests.hub.stored import Repo

Query = Mapping[str, list[str]]
_ALWAYS = ("id", "modelId", "private", "tags")
_MOST = 1000
_SORTS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "downloads": lambda entry: entry.get("downloads", 0),
    "likes": lambda entry: entry.get("likes", 0),
    "lastModified": lambda entry: entry.get("lastModified", ""),
    "createdAt": lambda entry: entry.get("createdAt", ""),
    "trendingScore": lambda entry: entry.get("trendingScore", 0),
}


def list_models(
    repos: Mapping[str, Repo], query: Query, endpoint: str
) -> tuple[list[dict[str, Any]], str]:
    """One page and the ``Link`` header to the next ("" at the end)."""
    entries = [_entry(name, repo) for name, repo in repos.items()]
    found = [entry for entry in entries if _matches(entry, query)]
    sort = _one(query, "sort")
    if sort:
        found.sort(key=_SORTS[sort], reverse=True)
    start = int(base64.urlsafe_b64decode(_one(query, "cursor") or "MA==").decode())
    limit = min(int(_one(query, "limit") or _MOST), _MOST)
    wanted = query.get("expand", [])
    page = [_shown(entry, wanted) for entry in found[start : start + limit]]
    if start + limit >= len(found):
        return page, ""
    cursor = base64.urlsafe_b64encode(str(start + limit).encode()).decode()
    rest = {name: values for name, values in query.items() if name != "cursor"}
    address = f"{endpoint}/api/models?{urlencode(rest | {'cursor': [cursor]}, doseq=True)}"
    return page, f'<{address}>; rel="next"'


def whoami(authorization: str, token: str) -> dict[str, Any] | None:
    """Whose token it is; None where the Hub knows none of that kind."""
    if not token or authorization != f"Bearer {token}":
        return None
    return {
        "type": "user",
        "name": "tester",
        "fullname": "Test Person",
        "auth": {"accessToken": {"displayName": "laptop", "role": "read"}},
    }


def _entry(name: str, repo: Repo) -> dict[str, Any]:
    author = name.partition("/")[0]
    return {"id": name, "modelId": name, "author": author, "private": False, "tags": ["gguf"]} | {
        "gated": repo.gated,
        "sha": repo.commit,
        **repo.info,
    }


def _matches(entry: Mapping[str, Any], query: Query) -> bool:
    tags = [tag.lower() for tag in [*entry["tags"], entry.get("pipeline_tag") or ""]]
    text = _one(query, "search").lower().split()
    return (
        all(tag.lower() in tags for tag in query.get("filter", []))
        and all(word in entry["id"].lower() for word in text)
        and _one(query, "author").lower() in ("", entry["author"].lower())
        and _one(query, "pipeline_tag") in ("", entry.get("pipeline_tag"))
    )


def _shown(entry: Mapping[str, Any], wanted: list[str]) -> dict[str, Any]:
    if not wanted:
        return dict(entry)
    return {name: value for name, value in entry.items() if name in (*_ALWAYS, *wanted)}


def _one(query: Query, name: str) -> str:
    return query.get(name, [""])[0]
