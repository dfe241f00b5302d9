"""`hausgeist quantize MODEL TYPE`: make a smaller version of a model, here."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from desktop.cli.arguments import Arguments, columns, text, whole
from desktop.cli.front import Front, is_terminal
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.cli.typed import read_line
from desktop.common.errors import CancelledError, Param
from desktop.common.messages import format_bytes
from desktop.engine.cancel import CancelToken
from desktop.fit.wishes import MAX_THREADS
from desktop.services.model_ref import resolve
from desktop.services.quantize import (
    QuantizationChoice,
    QuantizationProgress,
    QuantizedModel,
    Quantizer,
)
from desktop.services.quantize_plan import QuantizationPlan, QuantizationWarning

_ASK_FIRST = frozenset({"lossy_twice", "very_low_bits", "loses_much"})


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    arguments.positional("TYPE", optional=True)
    arguments.option("--out", value="FILE", kind=text, help_key="cli.option.quantize_out")
    arguments.option("--threads", value="N", kind=whole(1, MAX_THREADS))
    arguments.switch("--yes")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    storing = given.type is not None
    with (
        Interrupts() as interrupts,
        open_house(front, storing=storing) as core,
        StatusLine(front) as status,
    ):
        source = resolve(given.model, core.library).path
        quantizer = Quantizer(core.library, core.places.for_new, lessons=core.history.corrections)
        if given.type is None:
            status.show(front.text("cli.fit.looking"))
            choices = quantizer.choices(source, core.machine_service.machine())
            status.clear()
            return _list(choices, given.model, front)
        plan = quantizer.plan(source, given.type)
        if not front.as_json:
            _tell_plan(plan, front)
        if not given.yes and not _agreed(plan, front):
            raise CancelledError
        made = interrupts.run(lambda cancel: _make(quantizer, plan, given, front, status, cancel))
    _tell(made, front)
    return 0


def _make(
    quantizer: Quantizer,
    plan: QuantizationPlan,
    given: Namespace,
    front: Front,
    status: StatusLine,
    cancel: CancelToken,
) -> QuantizedModel:
    def show(progress: QuantizationProgress) -> None:
        percent = int(100 * progress.fraction)
        key = "cli.quantize.starting" if progress.left_s is None else "cli.quantize.progress"
        more: dict[str, Param] = {} if progress.left_s is None else {"left_s": progress.left_s}
        status.show(front.text(key, quantization=plan.quantization, percent=percent, **more))

    out = None if given.out is None else Path(given.out)
    return quantizer.make(plan, out=out, threads=given.threads, progress=show, cancel=cancel)


def _agreed(plan: QuantizationPlan, front: Front) -> bool:
    """Asked only where somebody sits who can answer, and only before what may be regretted."""
    serious = any(warning.kind in _ASK_FIRST for warning in plan.warnings)
    if not serious or front.as_json or not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return True
    try:
        answer = read_line(front.text("cli.quantize.go_on") + " ")
    except EOFError:
        return False
    return answer.strip().casefold()[:1] in ("y", "j")


def _tell_plan(plan: QuantizationPlan, front: Front) -> None:
    front.note(
        front.text(
            "cli.quantize.plan",
            name=plan.source.name,
            quantization=plan.quantization,
            size=plan.file_bytes,
            before=plan.source_bytes,
            loss=front.text(f"quantize.loss.{plan.loss_tier}"),
        )
    )
    for warning in plan.warnings:
        front.note(_words(warning, front))


def _words(warning: QuantizationWarning, front: Front) -> str:
    return front.text(f"quantize.warning.{warning.kind}", **warning.params)


def _list(choices: tuple[QuantizationChoice, ...], model: str, front: Front) -> int:
    if front.as_json:
        front.document([_choice_document(choice, front) for choice in choices])
        return 0
    if not choices:
        front.say(front.text("cli.quantize.nothing_smaller"))
        return 0
    front.say(front.text("cli.quantize.choices", before=choices[0].plan.source_bytes))
    rows = []
    for choice in choices:
        words = [format_bytes(choice.plan.file_bytes, front.messages.language)]
        if choice.report is not None:
            words.append(front.text(f"cli.list.{choice.report.verdict}"))
        words.append(front.text(f"quantize.loss.{choice.plan.loss_tier}"))
        if choice.is_recommended:
            words.append(front.text("cli.quantize.recommended"))
        rows.append((choice.plan.quantization, "; ".join(words)))
    for line in columns(rows):
        front.say(line)
    shown = next((one for one in choices if one.is_recommended), choices[0])
    front.say(front.text("cli.quantize.how", model=model, quantization=shown.plan.quantization))
    return 0


def _choice_document(choice: QuantizationChoice, front: Front) -> dict[str, object]:
    report = choice.report
    return {
        **_plan_document(choice.plan, front),
        "verdict": None if report is None else report.verdict,
        "tokens_per_s": None if report is None else report.speed.tokens_per_s,
        "recommended": choice.is_recommended,
    }


def _plan_document(plan: QuantizationPlan, front: Front) -> dict[str, object]:
    return {
        "quantization": plan.quantization,
        "file_bytes": plan.file_bytes,
        "source_bytes": plan.source_bytes,
        "source_quantization": plan.source.quantization,
        "bits_per_weight": round(plan.bits_per_weight, 2),
        "loss_nats": None if plan.loss_nats is None else round(plan.loss_nats, 5),
        "loss": plan.loss_tier,
        "warnings": [
            {"kind": warning.kind, "message": _words(warning, front)} for warning in plan.warnings
        ],
    }


def _tell(made: QuantizedModel, front: Front) -> None:
    if front.as_json:
        front.document(
            {
                **_plan_document(made.plan, front),
                "path": str(made.path),
                "file_bytes": made.file_bytes,
                "model": made.model.name,
                "seconds": round(made.seconds, 2),
            }
        )
        return
    front.say(
        front.text(
            "cli.quantize.done",
            name=made.model.name,
            size=made.file_bytes,
            path=str(made.path),
            seconds=made.seconds,
        )
    )
