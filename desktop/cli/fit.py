"""`hausgeist fit MODEL`: whether, how and how fast a model runs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from desktop.cli import options
from desktop.cli.arguments import Arguments, columns, text
from desktop.cli.fit_words import companion_headers, rows
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine, fetched
from desktop.engine.dry_run import DryRuns
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.types import FitReport, Wish
from desktop.fit.words import alternative_words
from desktop.gguf.header import ModelHeader
from desktop.hardware.bounded import Pending
from desktop.hardware.machine import Machine
from desktop.hardware.machine_file import read_machine
from desktop.services.companion_files import companions_of
from desktop.services.core import TUNED_FILE, Core
from desktop.services.fingerprint import fingerprint_of
from desktop.services.fit_model import fit
from desktop.services.measured_speed import as_measured
from desktop.services.model_ref import find_local, parse
from desktop.services.remote_model import Beside, OnBytes, find_for_fit
from desktop.services.tuned_fit import as_tuned
from desktop.services.tuned_plans import TunedPlans

_CANNOT_BE_OPENED = "engine_refuses"


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    options.planning(arguments)
    options.pool(arguments)
    arguments.option("--mmproj", value="FILE", kind=text)
    arguments.option("--model-draft", value="MODEL", kind=text)
    arguments.option("--lora", value="FILE", kind=text, repeated=True)
    arguments.option("--machine", value="FILE", kind=text)
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    wish = options.planned_wish(given)
    described = None if given.machine is None else read_machine(Path(given.machine))
    # The child that will be asked starts while everything else is looked at.
    with DryRuns() as ask, open_house(front) as core, StatusLine(front) as status:
        options.use_pool(given, core, front)
        status.show(front.text("cli.fit.looking"))
        on_bytes = fetched(front, status)
        companions = _companions(given, core, on_bytes)
        report, machine = _fit(given.model, wish, core, described, companions, ask, on_bytes)
        beside = _beside(given.model, core)
        if described is None:
            options.tell_pool(core, front)
    reason = front.text(report.reason_key, **report.reason_params)
    more = []
    for warning in report.warnings:
        words = front.text(f"fit.warning.{warning.kind}", **warning.params)
        if warning.kind == _CANNOT_BE_OPENED:
            reason = words  # "fits well" would be true of a model that this one is not
        else:
            more.append(words)
    if front.as_json:
        document = report.to_json(reason, tuple(more))
        document["companions"] = [
            {"kind": kind, "name": header.name, "file_bytes": header.file_bytes}
            for kind, header in companion_headers(companions)
        ]
        document["beside"] = [
            {"kind": one.kind, "model": one.reference, "file_bytes": one.file_bytes}
            for one in beside
        ]
        front.document(document)
        return 0
    if companions.projector is None:
        more += [_sees_with(one, front) for one in beside if one.kind == "projector"]
    for other in report.alternatives:
        key, params = alternative_words(other)
        more.append(front.text(key, **params))
    front.say(reason)
    front.say()
    for line in columns(rows(report, companions, machine, front)):
        front.say(line)
    for sentence in more:
        front.say()
        front.say(sentence)
    return 0


def _beside(model: str, core: Core) -> tuple[Beside, ...]:
    """What else of a model lies on the Hub; of a file here nobody knows."""
    if find_local(model, core.library) is not None:
        return ()
    return core.network.remote_models.beside(model)


def _sees_with(projector: Beside, front: Front) -> str:
    reference = projector.reference
    if projector.file_bytes is None:
        return front.text("fit.beside.projector_no_size", reference=reference)
    return front.text("fit.beside.projector", reference=reference, size=projector.file_bytes)


def _companions(given: Namespace, core: Core, on_bytes: OnBytes) -> Companions:
    def find(name: str) -> Path | ModelHeader:
        return find_for_fit(name, core.library, core.network.remote_models, on_bytes=on_bytes)

    return companions_of(
        projector=None if given.mmproj is None else find(given.mmproj),
        draft=None if given.model_draft is None else find(given.model_draft),
        loras=[find(name) for name in given.lora or ()],
    )


def _fit(
    model: str,
    wish: Wish,
    core: Core,
    described: Machine | None,
    companions: Companions,
    ask: DryRuns,
    on_bytes: OnBytes,
) -> tuple[FitReport, Machine]:
    """The report, and the machine that it is about."""
    if described is None and parse(model).kind == "hub":
        # The Hub is waited for anyway; whoever asks for the machine below finds it looked at.
        Pending(core.machine_service.machine, "machine")
    found = find_for_fit(model, core.library, core.network.remote_models, on_bytes=on_bytes)
    if described is not None:
        report = fit(found, described, wish, this_machine=False, run=ask, companions=companions)
        return report, described
    machine = core.machine_service.machine()
    lessons = core.history.corrections(machine)
    report = fit(found, machine, wish, run=ask, corrections=lessons, companions=companions)
    if isinstance(found, Path) and companions == NO_COMPANIONS:
        tuned = TunedPlans(core.paths.data_dir / TUNED_FILE)
        report = as_tuned(report, found, machine, wish, tuned, lessons)
    report = as_measured(report, core.history, machine, lambda: fingerprint_of(found))
    return report, machine
