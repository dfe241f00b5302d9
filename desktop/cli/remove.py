"""`hausgeist remove MODEL`: let go of a model; a file that is not ours stays where it is."""

from __future__ import annotations

import sys
from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front, is_terminal
from desktop.cli.house import open_house
from desktop.cli.typed import read_line
from desktop.common.errors import CancelledError, ModelFileError, UsageError
from desktop.services.model_ref import resolve
from desktop.services.removal import Removal
from desktop.services.wiring import build_opening


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    arguments.switch("--delete")
    arguments.switch("--keep")
    arguments.switch("--for-good")
    arguments.switch("--yes")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    if given.delete and given.keep:
        raise UsageError("options_exclude", one="--delete", other="--keep")
    delete = True if given.delete else False if given.keep else None
    with open_house(front, storing=True) as core:
        found = resolve(given.model, core.library)
        if found.entry is None:
            raise ModelFileError("unknown_model", model=given.model)
        service, name = build_opening(core).models_service, found.entry.name
        planned = service.removal(name, delete=delete, for_good=given.for_good)
        if not given.yes and not _agreed(planned, front):
            raise CancelledError
        removal = service.remove(name, delete=delete, for_good=given.for_good)
    if front.as_json:
        front.document(_document(removal))
    else:
        _tell(removal, front)
    return 0


def _agreed(planned: Removal, front: Front) -> bool:
    """Asked only where somebody sits who can answer, and only before what cannot be undone."""
    if planned.destination != "gone" or front.as_json:
        return True
    size = planned.frees_bytes
    front.note(front.text("cli.remove.for_good", name=planned.model.name, size=size))
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return True
    try:
        answer = read_line(front.text("cli.remove.go_on") + " ")
    except EOFError:
        return False
    return answer.strip().casefold()[:1] in ("y", "j")


def _document(removal: Removal) -> dict[str, object]:
    return {
        "removed": removal.model.name,
        "path": str(removal.model.path),
        "deleted": removal.deletes,
        "trashed": removal.destination == "trash",
        "files": [str(file) for file in removal.files],
        "freed_bytes": removal.frees_bytes,
        "belongs_to": removal.belongs_to or None,
    }


def _tell(removal: Removal, front: Front) -> None:
    key = {"trash": "trashed", "gone": "deleted", "stays": "forgotten"}[removal.destination]
    if removal.destination == "stays" and removal.belongs_to not in ("", "user"):
        key = "shared" if removal.belongs_to == "shared" else "others"
    model = removal.model
    front.say(
        front.text(
            f"cli.remove.{key}",
            name=model.name,
            path=str(model.path),
            size=removal.frees_bytes,
            owner=front.text(f"origin.{removal.belongs_to}") if key == "others" else "",
        )
    )
