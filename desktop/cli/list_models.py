"""`hausgeist list`: the models on this computer, and how each fits."""

from __future__ import annotations

from argparse import Namespace

from desktop.cli.arguments import Arguments
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine
from desktop.common.messages import format_bytes
from desktop.fit.types import FitReport
from desktop.services.models import ListedModel
from desktop.services.wiring import build_opening


def configure(arguments: Arguments) -> None:
    arguments.switch("--json")


def run(_given: Namespace, front: Front) -> int:
    with open_house(front) as core, StatusLine(front) as status:
        status.show(front.text("cli.fit.looking"))
        listed = build_opening(core).models_service.with_fit(core.machine_service.machine())
    if front.as_json:
        front.document([_document(item) for item in listed])
        return 0
    for item in listed:
        _say(front, item)
    if len(listed) == 1:
        front.say()
        front.say(front.text("cli.list.only_guide"))
    return 0


def _document(item: ListedModel) -> dict[str, object]:
    model = item.model
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
        "verdict": item.report.verdict if item.report else None,
    }


def _say(front: Front, item: ListedModel) -> None:
    model = item.model
    size = format_bytes(model.file_bytes, front.messages.language)
    kind = front.text("cli.list.guide") if model.source == "built_in" else model.quantization
    front.say(f"{model.name}  {kind}, {size}")
    if model.problem:
        words = front.messages.problem(model.problem)
        front.say("  " + front.text("cli.list.problem", problem=words, path=str(model.path)))
    elif item.report is not None:
        front.say("  " + front.text(_verdict_key(item.report)))


def _verdict_key(report: FitReport) -> str:
    """The verdict in a few words, with what its sentence says besides: slow, or only for now."""
    said = report.reason_key
    for more in ("_slow", "_for_now"):
        if said.endswith(more):
            return f"cli.list.{report.verdict}{more}"
    return f"cli.list.{report.verdict}"
