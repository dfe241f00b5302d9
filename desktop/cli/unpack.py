"""`hausgeist unpack FILE`: models out of a pack, checked before anything of them is here."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from desktop.cli.arguments import Arguments, columns, text
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.packing import line, shower, tell_failure
from desktop.cli.progress import StatusLine
from desktop.common.errors import HausgeistError
from desktop.common.messages import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.library.packs.minisign import read_public_key
from desktop.services.packs import Packs, PackView, Unpacked, UnpackedModel


def configure(arguments: Arguments) -> None:
    arguments.positional("FILE")
    arguments.option("--only", value="MODEL", kind=text, repeated=True)
    arguments.option("--key", value="KEY", kind=text, repeated=True)
    arguments.switch("--list")
    arguments.switch("--check")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    only_look = given.list or given.check
    try:
        keys = [read_public_key(key) for key in given.key or ()]
        with (
            Interrupts() as interrupts,
            open_house(front, storing=not only_look) as core,
            StatusLine(front) as status,
        ):
            packs = Packs.of(core.library, core.places, core.settings_store)
            view = packs.look(Path(given.file).expanduser(), keys=keys)
            _note_refused(view, front)
            if view.problem is not None and not given.list:
                raise view.problem
            show = shower(front, status)
            if only_look:
                if given.check:
                    interrupts.run(lambda cancel: packs.check(view, progress=show, cancel=cancel))
                status.clear()
                _tell_view(view, front, checked=given.check)
                return 0

            def work(cancel: CancelToken) -> Unpacked:
                return packs.unpack(view, only=given.only, progress=show, cancel=cancel)

            unpacked = interrupts.run(work)
    except HausgeistError as error:
        return tell_failure(error, front, "cli.unpack.kept")
    return _tell(unpacked, front)


def _note_refused(view: PackView, front: Front) -> None:
    for refused in view.manifest.refused:
        reason = front.text(f"packs.refused.{refused.kind}")
        front.note(front.text("cli.unpack.refused", name=refused.name, reason=reason))


def _refused(view: PackView, front: Front) -> list[dict[str, str]]:
    """What was left out and why, for a script."""
    return [
        {"name": one.name, "kind": one.kind, "message": front.text(f"packs.refused.{one.kind}")}
        for one in view.manifest.refused
    ]


def _tell_view(view: PackView, front: Front, *, checked: bool) -> None:
    if front.as_json:
        line(
            {
                "event": "pack",
                "path": str(view.path),
                "title": view.manifest.title,
                "file_bytes": view.total_bytes,
                "signed_by": view.signed_by,
                "trusted": view.is_trusted,
                "checked": checked,
                "models": [
                    {
                        "name": model.name,
                        "file_bytes": model.total_bytes,
                        "licence": model.licence,
                        "quantization": model.quantization,
                        "sha256": model.files[0].sha256,
                        "here": model.name in view.here,
                    }
                    for model in view.manifest.models
                ],
                "refused": _refused(view, front),
            }
        )
        return
    rows = [
        (model.name, format_bytes(model.total_bytes, front.messages.language))
        for model in view.manifest.models
    ]
    for text_line in columns(rows):
        front.say(text_line)
    if view.is_trusted:
        front.say(front.text("cli.unpack.trusted", key=view.signed_by))
    elif view.signed_by:
        front.say(front.text("cli.unpack.signed", key=view.signed_by))
    if view.problem is not None:
        front.note(front.text("cli.note", text=front.messages.error(view.problem)))
    if checked:
        front.say(front.text("cli.unpack.checked", size=view.total_bytes))


def _tell(unpacked: Unpacked, front: Front) -> int:
    good = [one for one in unpacked.models if one.problem is None]
    bad = [one for one in unpacked.models if one.problem is not None]
    first_problem = bad[0].problem if bad else None
    if first_problem is not None and not good:
        return tell_failure(first_problem, front, "cli.unpack.kept")
    if front.as_json:
        line(
            {
                "event": "done",
                "path": str(good[0].path),
                "sha256": good[0].sha256,
                "models": [_document(one, front) for one in unpacked.models],
                "refused": _refused(unpacked.view, front),
                "signed_by": unpacked.view.signed_by,
                "trusted": unpacked.view.is_trusted,
                "seconds": round(unpacked.seconds, 3),
            }
        )
        return 0
    for one in good:
        key = "cli.unpack.already" if one.was_here else "cli.unpack.done"
        name = one.model.name if one.model is not None else one.packed.name
        front.say(front.text(key, name=name, size=one.packed.total_bytes))
    for one in bad:
        if one.problem is not None:
            front.note(front.messages.error(one.problem))
    return 0


def _document(one: UnpackedModel, front: Front) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": one.model.name if one.model is not None else one.packed.name,
        "path": str(one.path),
        "sha256": one.sha256,
        "file_bytes": one.packed.total_bytes,
        "was_here": one.was_here,
    }
    if one.problem is not None:
        message = front.messages.error(one.problem)
        document["problem"] = {"kind": one.problem.kind, "message": message}
    return document
