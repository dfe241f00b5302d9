"""The models that a server offers, from the many forms in which servers tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from desktop.common.errors import RemoteError

MOST_MODELS = 2_000
_MOST_NAME = 200
_CONTEXT_KEYS = (
    "loaded_context_length",  # LM Studio
    "max_model_len",  # vLLM, SGLang
    "context_length",  # OpenRouter, Together
    "context_window",  # Groq
    "max_context_length",  # Mistral, LM Studio
    "n_ctx",  # llama-server, in "meta"
)

RemoteKind = Literal["chat", "embedding", "reranker"]


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One model of a server. `context_tokens` 0: the server does not tell. `owner`: its word for
    whose it is, by which servers can be told apart."""

    id: str
    context_tokens: int = 0
    owner: str = ""
    kind: RemoteKind = "chat"
    vision: bool | None = None


def parse_models(document: Any, server: str) -> tuple[RemoteModel, ...]:
    """From the answer to ``/models``, in the server's order; doubles and nonsense are left out.

    Raises RemoteError("remote_nonsense") for what is no list of models at all.
    """
    entries = document
    if isinstance(document, Mapping):
        entries = document.get("data", document.get("models"))
    if entries is None and isinstance(document, Mapping) and "object" in document:
        entries = []  # a server without models says "data": null
    if not isinstance(entries, list):
        raise RemoteError("remote_nonsense", server=server, detail="no list of models")
    found: dict[str, RemoteModel] = {}
    for model in _models(entries):
        found.setdefault(model.id, model)
        if len(found) == MOST_MODELS:
            break
    return tuple(found.values())


def _models(entries: list[Any]) -> Iterator[RemoteModel]:
    for entry in entries:
        if isinstance(entry, str):
            entry = {"id": entry}
        if not isinstance(entry, Mapping):
            continue
        name = entry.get("id") or entry.get("name") or entry.get("model")
        if not isinstance(name, str) or not name.strip() or len(name) > _MOST_NAME:
            continue
        if not name.isprintable():
            continue
        owner = entry.get("owned_by")
        yield RemoteModel(
            name,
            context_of(entry),
            owner if isinstance(owner, str) else "",
            _kind(entry, name),
            _vision(entry),
        )


def context_of(entry: Mapping[str, Any]) -> int:
    """How many tokens one conversation may hold, by whichever name; 0 where none tells."""
    places: list[Mapping[str, Any]] = [entry]
    for inner in ("meta", "top_provider", "details"):
        place = entry.get(inner)
        if isinstance(place, Mapping):
            places.append(place)
    for key in _CONTEXT_KEYS:
        for place in places:
            value = place.get(key)
            if type(value) is int and 0 < value < 1 << 31:
                return value
    return 0


def _kind(entry: Mapping[str, Any], name: str) -> RemoteKind:
    told = str(entry.get("type", "")).lower()
    lower = name.lower()
    if "rerank" in told or "rerank" in lower:
        return "reranker"
    if "embed" in told or "embed" in lower:
        return "embedding"
    return "chat"


def _vision(entry: Mapping[str, Any]) -> bool | None:
    if str(entry.get("type", "")).lower() == "vlm":
        return True
    for place in (entry, entry.get("architecture")):
        if isinstance(place, Mapping) and isinstance(place.get("input_modalities"), list):
            return "image" in place["input_modalities"]
    told = entry.get("capabilities")
    if isinstance(told, list):
        return any(word in told for word in ("vision", "multimodal"))
    if isinstance(told, Mapping) and isinstance(told.get("vision"), bool):
        return bool(told["vision"])
    return None
