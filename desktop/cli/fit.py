"""`hausgeist fit MODEL`: whether, how and how fast a model runs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from desktop.cli import options
from desktop.cli.arguments import Arguments, columns, text
from desktop.cli.front import Front, speed_text
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine, fetched
from desktop.common.messages import format_bytes, format_number
from desktop.fit.types import DeviceMemory, FitReport, Wish
from desktop.hardware.machine import Machine
from desktop.hardware.machine_file import read_machine
from desktop.services.fingerprint import fingerprint_of
from desktop.services.fit_model import fit
from desktop.services.measured_speed import as_measured
from desktop.services.remote_model import OnBytes, find_for_fit
from desktop.services.wiring import Core


def configure(arguments: Arguments) -> None:
    arguments.positional("MODEL")
    options.context(arguments)
    options.kv_type(arguments)
    options.parallel(arguments)
    options.gpu_layers(arguments)
    options.ubatch(arguments)
    arguments.option("--machine", value="FILE", kind=text)
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    wish = Wish(
        context=given.ctx,
        kv_type=given.kv_type,
        parallel=given.parallel,
        gpu_layers=given.gpu_layers,
        ubatch=given.ubatch,
    )
    described = None if given.machine is None else read_machine(Path(given.machine))
    with open_house(front) as core, StatusLine(front) as status:
        status.show(front.text("cli.fit.looking"))
        report = _fit(given.model, wish, core, described, fetched(front, status))
    reason = front.text(report.reason_key, **report.reason_params)
    warnings = tuple(
        front.text(f"fit.warning.{warning.kind}", **warning.params) for warning in report.warnings
    )
    if front.as_json:
        front.document(report.to_json(reason, warnings))
        return 0
    front.say(reason)
    front.say()
    for line in columns(_rows(report, front)):
        front.say(line)
    for warning in warnings:
        front.say()
        front.say(warning)
    return 0


def _fit(
    model: str, wish: Wish, core: Core, described: Machine | None, on_bytes: OnBytes
) -> FitReport:
    found = find_for_fit(model, core.library, core.network.remote_models, on_bytes=on_bytes)
    if described is not None:
        return fit(found, described, wish, this_machine=False)
    machine = core.machine_service.machine()
    report = fit(found, machine, wish, corrections=core.history.corrections(machine))
    return as_measured(report, core.history, machine, lambda: fingerprint_of(found))


def _rows(report: FitReport, front: Front) -> list[tuple[str, str]]:
    say, language = front.text, front.messages.language
    model = report.model
    size = format_bytes(model.file_bytes, language)
    parameters = _count(model.parameters, front)
    described = say(
        "cli.fit.model", quantization=model.quantization, size=size, parameters=parameters
    )
    rows = [(say("cli.fit.name"), model.name), ("", described)]
    for device in report.memory:
        rows.append((say("cli.fit.memory", device=device.device), _memory(device, front)))
    plan = report.plan
    rows.append(
        (
            say("cli.fit.context"),
            say("cli.fit.context_tokens", tokens=plan.context, kv=plan.kv_type),
        )
    )
    if plan.gpu_layers:
        layers = say("cli.fit.layers", layers=plan.gpu_layers, total=model.layers + 1)
        rows.append((say("cli.fit.gpu_layers"), layers))
    if report.speed.tokens_per_s is not None:
        words = say(
            f"cli.fit.speed_{report.speed.basis}",
            tokens_per_s=speed_text(report.speed.tokens_per_s, language),
        )
        rows.append((say("cli.fit.speed"), words))
    rows.append((say("cli.fit.method"), say(f"cli.fit.method_{report.method}")))
    return rows


def _count(parameters: int, front: Front) -> str:
    """ "8.0 billion", "12 million": how people speak of a model's size."""
    unit, size = ("billions", 1e9) if parameters >= 1e9 else ("millions", 1e6)
    value = parameters / size
    digits = 1 if value < 20 else 0
    number = format_number(value, front.messages.language, digits)
    return front.text(f"cli.count.{unit}", number=number)


def _memory(device: DeviceMemory, front: Front) -> str:
    language = front.messages.language
    parts = {
        "needed": format_bytes(device.total_bytes, language),
        "weights": format_bytes(device.weights_bytes, language),
        "context": format_bytes(device.context_bytes, language),
        "compute": format_bytes(device.compute_bytes, language),
    }
    if device.available_bytes is None:
        return front.text("cli.fit.device", **parts)
    available = format_bytes(device.available_bytes, language)
    return front.text("cli.fit.device_of", available=available, **parts)
