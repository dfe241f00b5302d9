"""`hausgeist list`: the models on this computer, and how each fits."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from desktop.cli.arguments import Arguments, one_of
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine
from desktop.common.messages import format_bytes
from desktop.fit.types import FitReport
from desktop.library.model import LibraryModel
from desktop.services.library_watch import look_once
from desktop.services.model_problem import problem_words
from desktop.services.models import ListedModel
from desktop.services.wiring import build_opening

LOOK_S = 10.0
"""A folder that has not answered by then is listed as it was known."""

_SORTS: dict[str, Callable[[LibraryModel], Any]] = {
    "name": lambda model: model.name.casefold(),
    "size": lambda model: -model.file_bytes,
    "used": lambda model: -(model.last_used_at or 0.0),
    "added": lambda model: -model.added_at,
}


def configure(arguments: Arguments) -> None:
    arguments.option(
        "--sort",
        value="name|size|used|added",
        kind=one_of(*_SORTS),
        help_key="cli.option.list_sort",
    )
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    with open_house(front) as core, StatusLine(front) as status:
        status.show(front.text("cli.fit.looking"))
        late = look_once(core.library, core.places, LOOK_S)
        listed = build_opening(core).models_service.with_fit(core.machine_service.machine())
        copies = {item.model.name: core.library.duplicates(item.model.name) for item in listed}
        hashes = {item.model.name: core.library.hashes(item.model.name)[0] for item in listed}
    for folder in late:
        front.note(front.text("cli.list.late", path=str(folder)))
    if given.sort:
        listed.sort(key=lambda item: _SORTS[given.sort](item.model))
    if front.as_json:
        front.document(
            [
                _document(item)
                | {
                    "sha256": hashes[item.model.name] or None,
                    "duplicates": [str(path) for path in copies[item.model.name]],
                }
                for item in listed
            ]
        )
        return 0
    for item in listed:
        _say(front, item)
        for path in copies[item.model.name]:
            front.say("  " + front.text("cli.list.duplicate", path=str(path)))
    front.say()
    if len(listed) == 1:
        front.say(front.text("cli.list.only_guide"))
        return 0
    total_bytes = sum(item.model.file_bytes for item in listed if not item.model.problem)
    front.say(front.text("cli.list.total", count=len(listed), size=total_bytes))
    return 0


def _document(item: ListedModel) -> dict[str, object]:
    model, report = item.model, item.report
    return {
        "name": model.name,
        "path": str(model.path),
        "file_bytes": model.file_bytes,
        "architecture": model.architecture,
        "quantization": model.quantization,
        "parameters": model.parameters,
        "source": model.source,
        "added_at": model.added_at,
        "last_used_at": model.last_used_at,
        "problem": model.problem or None,
        "verdict": report.verdict if report else None,
        "tokens_per_s": report.speed.to_json()["tokens_per_s"] if report else None,
        "speed_basis": report.speed.basis if report else None,
        "context_tokens": model.context_tokens,
        "licence": model.licence or None,
        "abilities": list(model.abilities),
        "origin": asdict(model.origin) if model.origin else None,
        "projector": str(model.projector) if model.projector else None,
        "verified_at": model.verified_at,
        "is_damaged": model.is_damaged,
        "folder": str(model.folder) if model.folder else None,
        "is_shared": model.is_shared,
    }


def _say(front: Front, item: ListedModel) -> None:
    model = item.model
    size = format_bytes(model.file_bytes, front.messages.language)
    kind = front.text("cli.list.guide") if model.source == "built_in" else model.quantization
    words = [kind, size, *(front.text(f"ability.{one}") for one in model.abilities)]
    front.say(f"{model.name}  {', '.join(words)}")
    if model.is_damaged:
        front.say("  " + front.text("cli.list.damaged"))
    if model.problem:
        said = problem_words(model, front.messages)
        front.say("  " + front.text("cli.list.problem", problem=said, path=str(model.path)))
    elif item.report is not None:
        front.say("  " + front.text(_verdict_key(item.report)))


def _verdict_key(report: FitReport) -> str:
    """The verdict in a few words, with what its sentence says besides: slow, or only for now."""
    said = report.reason_key
    for more in ("_slow", "_for_now"):
        if said.endswith(more):
            return f"cli.list.{report.verdict}{more}"
    return f"cli.list.{report.verdict}"
