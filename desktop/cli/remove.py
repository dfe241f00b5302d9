"""`hausgeist remove MODEL`: let go of a model; a file that is not ours stays where it is."""

from __future__ import annotations

from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.common.errors import ModelFileError
from desktop.common.messages import format_bytes
from desktop.services.model_ref import resolve
from desktop.services.wiring import build_opening


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    with open_house(front, storing=True) as core:
        found = resolve(given.model, core.library)
        if found.entry is None:
            raise ModelFileError("unknown_model", model=given.model)
        removal = build_opening(core).models_service.remove(found.entry.name)
    model, deleted = removal.model, removal.deletes
    if front.as_json:
        front.document({"removed": model.name, "path": str(model.path), "deleted": deleted})
        return 0
    key = "cli.remove.deleted" if deleted else "cli.remove.forgotten"
    size = format_bytes(model.file_bytes, front.messages.language)
    front.say(front.text(key, name=model.name, path=str(model.path), size=size))
    return 0
