"""`hausgeist pack MODEL... --out FILE`: models in one file or folder, for a stick or a share."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from desktop.cli.arguments import Arguments, text
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.packing import line, password_for, piece_size, shower, tell_failure
from desktop.cli.progress import StatusLine
from desktop.common.errors import HausgeistError, UsageError
from desktop.engine.cancel import CancelToken
from desktop.library.packs.names import PACK_SUFFIX
from desktop.services.packs import Packed, Packs, PackWish


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL", many=True)
    arguments.option("--out", value="FILE", kind=text, help_key="cli.option.pack_out")
    arguments.option("--split", value="SIZE", kind=piece_size)
    arguments.option("--sign", value="KEY", kind=text)
    arguments.option("--title", value="TEXT", kind=text)
    arguments.switch("--folder")
    arguments.switch("--replace")
    arguments.switch("--check")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    try:
        wish = _wish(given, front)
        with (
            Interrupts() as interrupts,
            open_house(front) as core,
            StatusLine(front) as status,
        ):
            packs = Packs.of(core.library, core.places, core.settings_store)
            show = shower(front, status)

            def work(cancel: CancelToken) -> Packed:
                plan = packs.plan(wish)
                for key in plan.notes:
                    status.clear()
                    front.note(front.text("cli.note", text=front.text(key)))
                packed = packs.pack(wish, progress=show, cancel=cancel)
                if given.check:
                    packs.check(packs.look(packed.path), progress=show, cancel=cancel)
                return packed

            packed = interrupts.run(work)
    except HausgeistError as error:
        return tell_failure(error, front, "cli.pack.kept")
    _tell(packed, front)
    return 0


def _wish(given: Namespace, front: Front) -> PackWish:
    if not given.out:
        raise UsageError("missing_option", option="--out", command="pack")
    out = Path(given.out).expanduser()
    as_folder = bool(given.folder) or given.out.endswith(("/", "\\"))
    if out.is_dir() and not as_folder:
        out = out / f"{Path(given.model[0]).stem or 'models'}{PACK_SUFFIX}"
    key = None if given.sign is None else Path(given.sign).expanduser()
    return PackWish(
        models=tuple(given.model),
        target=out.absolute(),
        split_bytes=given.split,
        as_folder=as_folder,
        sign_with=key,
        password=password_for(key, front),
        title=given.title or "",
        may_replace=given.replace,
    )


def _tell(packed: Packed, front: Front) -> None:
    if front.as_json:
        line(
            {
                "event": "done",
                "path": str(packed.path),
                "sha256": packed.sha256,
                "file_bytes": packed.total_bytes,
                "files": [
                    {"path": str(one.path), "file_bytes": one.size_bytes, "sha256": one.sha256}
                    for one in packed.volumes
                ],
                "models": [model.name for model in packed.models],
                "signed_by": packed.signed_by,
                "seconds": round(packed.seconds, 3),
            }
        )
        return
    front.say(
        front.text(
            "cli.pack.done",
            path=str(packed.path),
            size=packed.total_bytes,
            models=len(packed.models),
            pieces=len(packed.volumes),
        )
    )
    if packed.signed_by:
        front.say(front.text("cli.pack.signed", key=packed.signed_by))
