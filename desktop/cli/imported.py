"""What became of models that should be taken in, told to a person or a script."""

from __future__ import annotations

from pathlib import Path

from desktop.cli.front import Front
from desktop.common.errors import HausgeistError
from desktop.common.messages import format_bytes
from desktop.library.model import LibraryModel
from desktop.services.models import ImportResult

_MOST_TOLD = 10  # of the failures in a folder of hundreds


def tell(front: Front, results: list[ImportResult]) -> int:
    """Returns the exit code; raises the one error where nothing else happened."""
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


def described(front: Front, error: HausgeistError) -> dict[str, str]:
    return {"kind": error.kind, "message": front.messages.error(error)}


def _document(
    front: Front, imported: list[LibraryModel], failed: list[tuple[Path, HausgeistError]]
) -> dict[str, object]:
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
        "failed": [{"path": str(path), "error": described(front, error)} for path, error in failed],
    }
    if failed:
        document["error"] = described(front, failed[0][1])
    return document
