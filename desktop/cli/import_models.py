"""`hausgeist import PATH...` or `--from PROGRAM`: take in models that are here already."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.import_stores import run_from, store_option
from desktop.cli.imported import tell
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import UsageError
from desktop.engine.cancel import CancelToken
from desktop.services.models import ImportProgress, ImportResult
from desktop.services.wiring import build_opening


def configure(arguments: Arguments) -> None:
    arguments.positional("PATH", many=True, optional=True)
    arguments.switch("--copy")
    store_option(arguments)
    arguments.switch("--list")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    stores = getattr(given, "from")
    if stores is not None:
        if given.path:
            raise UsageError("unexpected_argument", argument=given.path[0], command="import")
        return run_from(stores, given, front)
    if given.list:
        raise UsageError("list_needs_from")
    if not given.path:
        raise UsageError("missing_argument", command="import", argument="PATH")
    paths = [Path(text).expanduser() for text in given.path]
    with (
        Interrupts() as interrupts,
        open_house(front, storing=True) as core,
        StatusLine(front) as status,
    ):

        def show(progress: ImportProgress) -> None:
            percent = round(100 * progress.fraction)
            name = progress.path.name
            status.show(front.text("cli.import.progress", name=name, percent=percent))

        def work(cancel: CancelToken) -> list[ImportResult]:
            return build_opening(core).models_service.import_paths(
                paths, copy=given.copy, progress=show, cancel=cancel
            )

        results = interrupts.run(work)
    return tell(front, results)
