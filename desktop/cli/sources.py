"""`hausgeist sources`: an organisation's own sources of models, and the keys that are trusted."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from functools import partial
from typing import Any

from desktop.cli.arguments import Arguments, columns, text
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import UsageError
from desktop.common.messages import format_bytes
from desktop.common.settings import SettingsStore
from desktop.engine.cancel import CancelToken
from desktop.library.packs.minisign import parse_public_key, read_public_key
from desktop.services.pack_keys import pinned_keys
from desktop.services.sources import ModelSource, SourceModel, Sources


def configure(arguments: Arguments) -> None:
    arguments.option("--add", value="ADDRESS", kind=text, repeated=True)
    arguments.option("--remove", value="ADDRESS", kind=text, repeated=True)
    arguments.option("--trust", value="KEY", kind=text, repeated=True)
    arguments.option("--untrust", value="KEY", kind=text, repeated=True)
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    with Interrupts() as interrupts, open_house(front) as core, StatusLine(front) as status:
        _change_keys(given, core.settings_store)
        sources = Sources.of(core)
        status.show(front.text("cli.fit.looking"))
        for address in given.remove or ():
            sources.remove(address)
            front.note(front.text("cli.sources.removed", address=address))
        for address in given.add or ():
            interrupts.run(partial(_add, sources, address))
        added = bool(given.add)
        found = interrupts.run(
            lambda cancel: sources.sources() if added else sources.refresh(lambda: cancel.cancelled)
        )
        models = sources.search()
        keys = pinned_keys(core.settings_store)
        status.clear()
        if front.as_json:
            front.document(
                {
                    "sources": [_document(one, models, front) for one in found],
                    "trusted_keys": list(keys),
                }
            )
        else:
            _tell(found, models, keys, front)
    return 0


def _add(sources: Sources, address: str, _cancel: CancelToken) -> ModelSource:
    return sources.add(address)


def _change_keys(given: Namespace, store: SettingsStore) -> None:
    """Raises UsageError: bad_public_key, key_not_trusted."""
    trusted = list(pinned_keys(store)) if given.trust or given.untrust else []
    before = list(trusted)
    for text_or_file in given.trust or ():
        line = read_public_key(text_or_file).text
        if line not in trusted:
            trusted.append(line)
    for wanted in given.untrust or ():
        left = [one for one in trusted if wanted not in (one, parse_public_key(one).number)]
        if len(left) == len(trusted):
            left = [one for one in trusted if one != read_public_key(wanted).text]
        if len(left) == len(trusted):
            raise UsageError("key_not_trusted", key=wanted[:80])
        trusted = left
    if trusted != before:
        store.save(replace(store.load(), trusted_keys=tuple(trusted)))


def _document(source: ModelSource, models: tuple[SourceModel, ...], front: Front) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": source.id,
        "address": source.address,
        "kind": source.kind,
        "name": source.name,
        "seen_at": source.seen_at,
        "signed_by": source.signed_by,
        "trusted": source.is_trusted,
        "models": [
            {
                "model": one.name,
                "reference": one.reference,
                "file_bytes": one.file_bytes,
                "licence": one.packed.licence,
                "quantization": one.packed.quantization,
                "sha256": one.packed.files[0].sha256,
                "here": one.is_here,
            }
            for one in models
            if one.source.id == source.id
        ],
    }
    if source.problem is not None:
        message = front.messages.error(source.problem)
        document["problem"] = {"kind": source.problem.kind, "message": message}
    return document


def _tell(
    sources: tuple[ModelSource, ...],
    models: tuple[SourceModel, ...],
    keys: tuple[str, ...],
    front: Front,
) -> None:
    if not sources:
        front.say(front.text("cli.sources.none"))
    for source in sources:
        front.say(
            front.text(
                "cli.sources.source",
                name=source.name,
                address=source.address,
                models=source.models,
            )
        )
        if source.problem is not None:
            text = front.messages.error(source.problem)
            front.say(front.text("cli.sources.problem", text=text))
        rows = [
            (one.reference, format_bytes(one.file_bytes, front.messages.language))
            for one in models
            if one.source.id == source.id
        ]
        for line in columns(rows, indent=4):
            front.say(line)
    if models:
        front.say(front.text("cli.sources.fetch", reference=models[0].reference))
    if keys:
        shown = ", ".join(parse_public_key(key).number for key in keys)
        front.say(front.text("cli.sources.keys", keys=shown))
