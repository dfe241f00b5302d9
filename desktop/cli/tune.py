"""`hausgeist tune MODEL`: try out how the model runs fastest on this computer, and keep that."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from desktop.cli import options
from desktop.cli.arguments import Arguments, columns, text
from desktop.cli.front import Front, speed_text
from desktop.cli.house import open_house
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.common.errors import Param
from desktop.common.messages import format_memory
from desktop.engine.cancel import CancelToken
from desktop.fit.types import Plan, Wish
from desktop.hardware.machine import Machine
from desktop.hardware.machine_file import read_machine
from desktop.library.model import GUIDE_NAME
from desktop.services.core import Core
from desktop.services.tune_report import Trial, TuneProgress, TuneReport
from desktop.services.wiring import build_opening


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    options.planning(arguments)
    options.threads(arguments)
    options.pool(arguments)
    arguments.option("--machine", value="FILE", kind=text)
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    wish = replace(options.planned_wish(given), threads=given.threads)
    described = None if given.machine is None else read_machine(Path(given.machine))
    with Interrupts() as interrupts, open_house(front) as core:
        options.use_pool(given, core, front)
        report = interrupts.run(
            lambda cancel: _tune(given.model, wish, core, described, front, cancel)
        )
    if front.as_json:
        front.document(_document(report))
    else:
        chosen = "chosen_there" if described is not None else "chosen"
        if described is None and given.model == GUIDE_NAME:
            chosen = "chosen_guide"  # it is always opened at once, in the same way
        elif described is None and wish != Wish():
            chosen = "chosen_wish"
        _say(report, front, chosen)
    return 0


def _tune(
    model: str, wish: Wish, core: Core, described: Machine | None, front: Front, cancel: CancelToken
) -> TuneReport:
    with StatusLine(front) as status:
        status.show(front.text("cli.fit.looking"))

        def show(progress: TuneProgress) -> None:
            words: dict[str, Param] = {
                "number": progress.number,
                "most": progress.most,
                "plan": _plan(progress.plan, front),
            }
            if progress.best is None:
                status.show(front.text("cli.tune.first", **words))
                return
            best = speed_text(progress.best, front.messages.language)
            status.show(front.text("cli.tune.trial", best=best, **words))

        return build_opening(core).tuner.tune(
            model, wish, machine=described, on_progress=show, cancel=cancel
        )


def _document(report: TuneReport) -> dict[str, object]:
    return {
        "chosen": report.chosen.to_json(),
        "trials": [trial.to_json() for trial in report.trials],
        "seconds": round(report.seconds, 2),
        "speed": report.speed.to_json(),
        "predicted": report.predicted.speed.to_json(),
        "stopped": report.stopped,
    }


def _say(report: TuneReport, front: Front, chosen: str) -> None:
    language = front.messages.language
    front.say(front.text(f"cli.tune.stopped_{report.stopped}", model=report.predicted.model.name))
    front.say()
    rows: list[tuple[str, str]] = []
    for number, trial in enumerate(report.trials, start=1):
        rows.append((front.text("cli.tune.number", number=number), _told(trial, front)))
    for line in columns(rows):
        front.say(line)
    front.say()
    if report.speed.tokens_per_s is not None:
        speed = speed_text(report.speed.tokens_per_s, language)
        front.say(front.text(f"cli.tune.{chosen}", plan=_plan(report.chosen, front), speed=speed))


def _told(trial: Trial, front: Front) -> str:
    language = front.messages.language
    plan = _plan(trial.plan, front)
    if not trial.ok:
        key = "cli.tune.gone" if trial.error == "device_gone" else "cli.tune.failed"
        return front.text(key, plan=plan)
    if trial.tokens_per_s is None:
        return front.text("cli.tune.unknown", plan=plan)
    speed = speed_text(trial.tokens_per_s, language)
    size = format_memory(trial.peak_bytes or 0, language)
    return front.text(f"cli.tune.{trial.basis}", plan=plan, speed=speed, size=size)


def _plan(plan: Plan, front: Front) -> str:
    """The plan's main points: where the layers lie, how many threads."""
    if plan.gpu_layers == 0:
        return front.text("cli.tune.on_cpu", threads=plan.threads, ubatch=plan.ubatch)
    key = "cli.tune.on_both" if plan.expert_layers_on_cpu == 0 else "cli.tune.experts"
    return front.text(
        key, layers=plan.gpu_layers, experts=plan.expert_layers_on_cpu, ubatch=plan.ubatch
    )
