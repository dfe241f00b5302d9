"""`hausgeist verify MODEL`: is the file still what it was?"""

from __future__ import annotations

from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import ModelFileError
from desktop.engine.cancel import CancelToken
from desktop.services.model_ref import resolve
from desktop.services.verify import Verification, Verifier


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    with (
        Interrupts() as interrupts,
        open_house(front) as core,
        StatusLine(front) as status,
    ):
        found = resolve(given.model, core.library)
        verifier = Verifier(core.library)

        def show(done_bytes: int, total_bytes: int) -> None:
            percent = round(100 * done_bytes / max(1, total_bytes))
            status.show(front.text("cli.verify.progress", name=found.name, percent=percent))

        def work(cancel: CancelToken) -> Verification:
            if found.entry is None:
                return verifier.verify_file(found.path, show, cancel)
            return verifier.verify(found.name, show, cancel)

        result = interrupts.run(work)
    error = _error(result) if result.ok is False else None
    if front.as_json:
        front.document(_document(result, error, front))
    elif error is not None:
        raise error
    else:
        _tell(result, front)
    return 0 if error is None else error.exit_code


def _error(result: Verification) -> ModelFileError:
    path = str(result.wrong[0])
    kind = "hash_wrong_since_import" if result.basis == "import" else "hash_wrong"
    return ModelFileError(
        kind, model=result.model, path=path, expected=result.expected, sha256=result.sha256
    )


def _document(
    result: Verification, error: ModelFileError | None, front: Front
) -> dict[str, object]:
    document: dict[str, object] = {
        "model": result.model,
        "ok": result.ok,
        "sha256": result.sha256,
        "expected": result.expected or None,
        "bytes": result.bytes,
        "seconds": round(result.seconds, 3),
        "basis": result.basis,
        "wrong": [str(path) for path in result.wrong],
    }
    if error is not None:
        document["error"] = {"kind": error.kind, "message": front.messages.error(error)}
    return document


def _tell(result: Verification, front: Front) -> None:
    front.say(front.text(f"cli.verify.{result.basis}", name=result.model, size=result.bytes))
    front.say(front.text("cli.verify.sha256", sha256=result.sha256))
