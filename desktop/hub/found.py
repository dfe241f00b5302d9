"""A repository as a search finds it, read from what the Hub's tags tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

SearchTask = Literal["chat", "code", "vision", "embedding"]
Gated = Literal["", "auto", "manual"]

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
