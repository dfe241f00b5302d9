"""`hausgeist index FOLDER`: a share or a web server becomes a source of models."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from desktop.cli.arguments import Arguments, text
from desktop.cli.front import Front
from desktop.cli.interrupts import Interrupts
from desktop.cli.packing import line, password_for, shower, tell_failure
from desktop.cli.progress import StatusLine
from desktop.common.errors import HausgeistError
from desktop.services.folder_index import FolderIndex, write_folder_index


def configure(arguments: Arguments) -> None:
    arguments.positional("FOLDER")
    arguments.option("--title", value="TEXT", kind=text)
    arguments.option("--sign", value="KEY", kind=text)
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    key = None if given.sign is None else Path(given.sign).expanduser()
    try:
        password = password_for(key, front)
        with Interrupts() as interrupts, StatusLine(front) as status:
            written = interrupts.run(
                lambda cancel: write_folder_index(
                    Path(given.folder),
                    title=given.title or "",
                    sign_with=key,
                    password=password,
                    progress=shower(front, status),
                    cancel=cancel,
                )
            )
    except HausgeistError as error:
        return tell_failure(error, front, "cli.pack.kept")
    _tell(written, front)
    return 0


def _tell(written: FolderIndex, front: Front) -> None:
    for path, error in written.failed:
        reason = front.messages.error(error)
        front.note(front.text("cli.index.failed", path=str(path), reason=reason))
    size = sum(model.total_bytes for model in written.models)
    if front.as_json:
        line(
            {
                "event": "done",
                "path": str(written.path),
                "file_bytes": size,
                "models": [model.name for model in written.models],
                "failed": [str(path) for path, _ in written.failed],
                "signed_by": written.signed_by,
            }
        )
        return
    front.say(
        front.text("cli.index.done", path=str(written.path), models=len(written.models), size=size)
    )
    if written.signed_by:
        front.say(front.text("cli.pack.signed", key=written.signed_by))
