"""`hausgeist import PATH...`: take models in that are on this computer already."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import NoReturn

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import HausgeistError, UsageError
from desktop.common.messages import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.library.model import LibraryModel
from desktop.services.models import ImportProgress, ImportResult
from desktop.services.wiring import build_opening

_MOST_TOLD = 10  # of the failures in a folder of hundreds


def configure(arguments: Arguments) -> None:
    arguments.positional("PATH", many=True)
    arguments.switch("--copy")
    arguments.option("--from", value="ollama|lmstudio|huggingface", kind=_from_later)
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
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
    return _tell(front, results)


def _from_later(_flag: str, value: str) -> NoReturn:
    """Other programs' folders are a matter of the next version: said while reading the option."""
    raise UsageError("import_from_later", source=value)


def _tell(front: Front, results: list[ImportResult]) -> int:
    imported = [result.model for result in results if result.model is not None]
    failed = [(result.path, result.error) for result in results if result.error is not None]
    if failed and not imported and len(failed) == 1:
        raise failed[0][1]
    if front.as_json:
        front.document(_document(front, imported, failed))
    else:
        for model in {model.name: model for model in imported}.values():  # copies are one model
            size = format_bytes(model.file_bytes, front.messages.language)
            front.say(front.text("cli.import.done", name=model.name, size=size))
        for _path, error in failed[:_MOST_TOLD]:
            front.note(front.messages.error(error))
        if len(failed) > _MOST_TOLD:
            front.note(front.text("cli.import.more_failed", count=len(failed) - _MOST_TOLD))
    return max((error.exit_code for _path, error in failed), default=0)


def _document(
    front: Front, imported: list[LibraryModel], failed: list[tuple[Path, HausgeistError]]
) -> dict[str, object]:
    def described(error: HausgeistError) -> dict[str, str]:
        return {"kind": error.kind, "message": front.messages.error(error)}

    document: dict[str, object] = {
        "imported": [
            {
                "name": model.name,
                "path": str(model.path),
                "file_bytes": model.file_bytes,
                "source": model.source,
            }
            for model in imported
        ],
        "failed": [{"path": str(path), "error": described(error)} for path, error in failed],
    }
    if failed:
        document["error"] = described(failed[0][1])
    return document
