"""An organisation's own models in the answer of `hausgeist search`, before those of the Hub."""

from __future__ import annotations

from collections.abc import Mapping

from desktop.cli.arguments import columns
from desktop.cli.front import Front
from desktop.common.messages import format_bytes
from desktop.hub.search import SearchQuery
from desktop.services.catalog_words import licence_words
from desktop.services.core import Core
from desktop.services.licences import OFFICE, may_be_used_at_work
from desktop.services.sources import SourceModel, Sources


def models_of_sources(core: Core, query: SearchQuery) -> tuple[SourceModel, ...]:
    """What the sources of the settings have for `query`, after a look whether they have changed."""
    if not core.settings.sources or query.author:
        return ()
    sources = Sources.of(core)
    sources.refresh()
    return tuple(model for model in sources.search(query.text) if _suits(model, query))


def _suits(model: SourceModel, query: SearchQuery) -> bool:
    packed = model.packed
    if query.licence == OFFICE:
        licensed = may_be_used_at_work(model.licence)
    else:
        licensed = query.licence in ("", model.licence.id.lower())
    return (
        licensed
        and query.task in (None, packed.task or None)
        and (not query.language or query.language in packed.languages)
        and (query.max_bytes is None or model.file_bytes <= query.max_bytes)
    )


def source_document(model: SourceModel) -> Mapping[str, object]:
    """As the Hub's entries, with what nobody counts left empty; `reference` fetches it."""
    packed = model.packed
    return {
        "repo": model.reference,
        "author": model.source.name,
        "name": model.name,
        "downloads": None,
        "likes": None,
        "updated": None,
        "created": None,
        "licence": model.licence.id or None,
        "gated": False,
        "parameters": packed.parameters or None,
        "architecture": packed.architecture or None,
        "context": packed.context_tokens or None,
        "languages": list(packed.languages),
        "task": packed.task or None,
        "source": model.source.name,
        "quantization": packed.quantization,
        "file_bytes": model.file_bytes,
        "here": model.is_here,
    }


def say_source(model: SourceModel, front: Front) -> None:
    """For a person."""
    front.say(model.reference)
    size = format_bytes(model.file_bytes, front.messages.language)
    rows = [
        (front.text("cli.search.from"), model.source.name),
        (front.text("cli.recommend.size"), f"{size}  {model.packed.quantization}".rstrip()),
        (front.text("cli.recommend.licence"), licence_words(model.licence, front.messages)),
    ]
    for line in columns(rows):
        front.say(line)
    front.say()
