"""A repository as a search finds it, read from what the Hub's tags tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from desktop.hub.refs import is_repo_name

SearchTask = Literal["chat", "code", "vision", "embedding"]
Gated = Literal["", "auto", "manual"]

_TEXTS = ("author", "pipeline_tag")
_COUNTS = ("downloads", "likes")
_DATES = ("createdAt", "lastModified")
_MOST_TAGS = 1_000
# ISO 639-1: a tag of two letters may be anything else.
_LISTED = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_CODES = frozenset(_LISTED.split())
_VISION = ("image-text-to-text", "visual-question-answering", "image-to-text", "any-to-any")
_EMBEDDING = ("feature-extraction", "sentence-similarity", "text-ranking")
_CHAT = ("text-generation", "conversational", "text2text-generation")
_CODER = re.compile(r"(?:^|[-_.])(?:code|coder|starcoder\d*|codestral|devstral)(?:[-_.\d]|$)", re.I)
# "8B", "0.6b", "8x7B"; never the "A3B" of active parameters.
_SIZE = re.compile(r"(?:^|[-_. ])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([bm])(?=$|[-_. ])", re.I)
_ENDING = re.compile(r"[-_.](?:i1-)?gguf$", re.I)


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

    @property
    def title(self) -> str:
        """The name without what every one of them has."""
        return _ENDING.sub("", self.name).replace("_", " ")


def task_in(name: str, pipeline: str, tags: Iterable[str]) -> SearchTask | None:
    """What a repository is for, by its pipeline, its tags and its name; None if nothing says."""
    known = {pipeline, *tags}
    if pipeline in _VISION:
        return "vision"
    if pipeline in _EMBEDDING or (not pipeline and known & set(_EMBEDDING)):
        return "embedding"
    if "code" in known or _CODER.search(name):
        return "code"
    return "chat" if known & set(_CHAT) else None


def languages_in(tags: Iterable[str]) -> tuple[str, ...]:
    """Codes of two letters, each once, in their order."""
    return tuple(dict.fromkeys(tag for tag in tags if tag in _CODES))


def licence_in(tags: Iterable[str]) -> str:
    """``apache-2.0`` out of ``license:apache-2.0``; "" where none is named."""
    for tag in tags:
        if tag.startswith("license:"):
            return tag.removeprefix("license:").strip().lower()
    return ""


def parameters_in(name: str) -> int | None:
    """``8B``, ``0.6B``, ``8x7B`` in a name as a count; None where there is none."""
    for times, size, unit in _SIZE.findall(name):
        found = float(size) * (1e9 if unit.lower() == "b" else 1e6) * int(times or 1)
        if 1e6 <= found <= 5e12:
            return round(found)
    return None


def sound_fields(entry: object) -> dict[str, Any] | None:
    """What a list's or a repository's document says that can be read, under the Hub's names; None
    for what is no repository. Documents come from strangers: each field by itself may be nonsense.
    """
    if not isinstance(entry, Mapping):
        return None
    name = entry.get("id")
    if not isinstance(name, str) or not is_repo_name(name):
        return None
    return {"id": name} | dict(_fields(entry))


def read_found(entry: object) -> FoundRepo | None:
    """A repository out of the Hub's JSON; None for what is none."""
    fields = sound_fields(entry)
    if fields is None:
        return None
    author, _, name = fields["id"].partition("/")
    tags = tuple(fields.get("tags", ()))
    gguf = fields.get("gguf", {})
    return FoundRepo(
        repo=fields["id"],
        author=fields.get("author", author),
        name=name,
        downloads=fields.get("downloads"),
        likes=fields.get("likes"),
        updated_at=_seconds(fields.get("lastModified")),
        created_at=_seconds(fields.get("createdAt")),
        task=task_in(name, fields.get("pipeline_tag", ""), tags),
        licence_id=licence_in(tags),
        languages=languages_in(tags),
        gated=fields.get("gated", ""),
        parameters=gguf.get("total"),
        architecture=gguf.get("architecture", ""),
        context_tokens=gguf.get("context_length"),
        tags=tags,
    )


def _fields(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _TEXTS:
        if isinstance(entry.get(name), str):
            yield name, entry[name]
    for name in _COUNTS:
        if type(entry.get(name)) is int:
            yield name, entry[name]
    for name in _DATES:
        if _seconds(entry.get(name)) is not None:
            yield name, entry[name]
    if entry.get("gated") in (True, "auto", "manual"):
        yield "gated", "manual" if entry["gated"] == "manual" else "auto"
    tags = entry.get("tags")
    if isinstance(tags, list):
        yield "tags", [tag for tag in tags[:_MOST_TAGS] if isinstance(tag, str)]
    if isinstance(entry.get("gguf"), Mapping):
        yield "gguf", dict(_gguf_fields(entry["gguf"]))


def _gguf_fields(stated: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("total", "context_length"):
        value = stated.get(name)
        if type(value) is int and 0 < value < 1 << 50:
            yield name, value
    architecture = stated.get("architecture")
    if isinstance(architecture, str) and architecture.isprintable():
        yield "architecture", architecture[:40]


def _seconds(date: object) -> float | None:
    """``2026-01-02T03:04:05.000Z`` as seconds since 1970; None for what is no date."""
    if not isinstance(date, str) or not date.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(date).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
