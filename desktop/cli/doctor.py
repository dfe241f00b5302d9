"""`hausgeist doctor`: what a support person needs, and what was predicted against what came."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime

from desktop.cli.arguments import Arguments, columns
from desktop.cli.front import Front, speed_text
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine
from desktop.common.ledger import Connection
from desktop.common.messages import format_bytes, format_memory, format_number
from desktop.fit.corrections import Corrections
from desktop.fit.memory import CPU
from desktop.services.doctor import Diagnosis, examine
from desktop.services.history_summary import Compared, SessionCompared, compared
from desktop.services.machine import summary

_SHOWN_SESSIONS = 8
_SHOWN_CONNECTIONS = 8
_SHOWN_ERRORS = 5
_SHOWN_FAILURES = 5
_SHOWN_VERSIONS = ("hausgeist", "python", "llama-cpp-python", "PySide6-Essentials")
_SHOWN_PLACES = ("data", "models", "log")
_NOTICED = 0.005  # below half a percent nobody sees a difference

Row = tuple[str, str]


def configure(arguments: Arguments) -> None:
    arguments.switch("--json")


def run(_given: Namespace, front: Front) -> int:
    with open_house(front) as core, StatusLine(front) as status:
        status.show(front.text("cli.doctor.looking"))
        found = examine(core)
    if front.as_json:
        front.document(found.to_json(front.messages.error))
        return 0
    for line in _report(found, front):
        front.say(line)
    return 0


def _report(found: Diagnosis, front: Front) -> Iterator[str]:
    yield front.text("cli.doctor.intro")
    yield ""
    yield from columns(list(_house(found, front)))
    for title, lines in (
        ("cli.doctor.attention", list(_attention(found, front))),
        ("cli.doctor.history", list(_history(found, front))),
        ("cli.doctor.learned", list(_learned(found.corrections, front))),
        ("cli.doctor.errors", list(_errors(found))),
        ("cli.doctor.connections", list(_connections(found.connections, front))),
    ):
        yield ""
        yield front.text(title)
        yield from columns(lines or [(front.text(f"{title}_none"), "")])
    yield ""
    yield front.text("cli.doctor.more")


def _house(found: Diagnosis, front: Front) -> Iterator[Row]:
    language = front.messages.language
    known = [f"{name} {found.versions[name]}" for name in _SHOWN_VERSIONS if name in found.versions]
    yield front.text("cli.doctor.versions"), "\n".join([*known, found.system])
    if found.machine is not None:
        key, params = summary(found.machine)
        yield front.text("cli.doctor.computer"), front.text(key, **params)
    for place in found.places:
        if place.name not in _SHOWN_PLACES:
            continue
        free = "" if place.free_bytes is None else format_bytes(place.free_bytes, language)
        words = front.text("cli.doctor.free_at", free=free, path=str(place.path))
        yield front.text(f"cli.doctor.place.{place.name}"), words if free else str(place.path)
    if found.network:
        way = {name: str(value or "–") for name, value in found.network.items()}
        key = "cli.doctor.network_off" if found.network["offline"] else "cli.doctor.network_way"
        yield front.text("cli.doctor.network"), front.text(key, **way)
    if found.pool:
        yield front.text("cli.doctor.pool"), "\n".join(_pool(found, front))
    if found.servers:
        shown = [f"{server.name} ({server.address})" for server in found.servers]
        yield front.text("cli.doctor.servers"), "\n".join(shown)
    total = format_bytes(sum(model.file_bytes for model in found.models), language)
    count = len(found.models)
    yield (
        front.text("cli.doctor.models"),
        front.text("cli.doctor.models_are", count=count, total=total),
    )


def _pool(found: Diagnosis, front: Front) -> Iterator[str]:
    """Each of the other machines, and what it lends or why it does not."""
    for server in found.pool:
        if server.error is not None:
            yield f"{server.given}: {front.messages.error(server.error)}"
            continue
        free = format_memory(server.free_bytes, front.messages.language)
        yield front.text("cli.doctor.pool_lends", server=server.given, free=free)


def _attention(found: Diagnosis, front: Front) -> Iterator[Row]:
    """What somebody should do something about."""
    for broken in found.broken:
        words = front.messages.error(broken.error)
        yield front.text("cli.doctor.broken", part=broken.part), words
    for problem in found.problems:
        yield "", front.messages.error(problem)
    for model in found.models:
        if model.problem:
            yield model.name, front.messages.problem(model.problem)
    for crash in found.crashes:
        key = f"cli.crash.{crash.activity}"
        yield _time(crash.started_at), front.text(key, model=crash.model_path.stem)
    for failure in found.failures[-_SHOWN_FAILURES:]:
        yield (
            _time(failure.at),
            front.text(
                "cli.doctor.failed_load",
                model=failure.model or "?",
                device=_memory_of(failure.device, front),
                needed=format_memory(failure.predicted_bytes, front.messages.language),
            ),
        )


def _history(found: Diagnosis, front: Front) -> Iterator[Row]:
    for session in found.sessions[-_SHOWN_SESSIONS:]:
        figures = compared(session)
        lines = [figures.load.model.name, *_figures(figures, front)]
        yield _time(figures.load.at), "\n".join(lines)
    shares = found.accuracy
    for key, share in (("memory", shares.memory), ("generation", shares.generation)):
        if share is not None:
            yield front.text(f"cli.doctor.accuracy.{key}"), _percent(share, front)


def _figures(figures: SessionCompared, front: Front) -> Iterator[str]:
    language = front.messages.language
    for device in figures.devices:
        if device.total.actual is None:
            continue
        yield front.text(
            "cli.doctor.memory",
            device=_memory_of(device.device, front),
            predicted=format_memory(int(device.total.predicted or 0), language),
            actual=format_memory(int(device.total.actual), language),
            off=_off(device.total, front),
        )
    speed = figures.generation
    if speed.predicted and speed.actual:
        yield front.text(
            "cli.doctor.speed",
            predicted=speed_text(speed.predicted, language),
            actual=speed_text(speed.actual, language),
            off=_off(speed, front),
        )


def _learned(corrections: Corrections, front: Front) -> Iterator[Row]:
    for device, factor in corrections.generation.items():
        if abs(factor - 1) >= _NOTICED:
            key = "cli.doctor.faster" if factor > 1 else "cli.doctor.slower"
            name = front.text("cli.doctor.processor") if device == CPU else device
            yield name, front.text(key, percent=_percent(abs(factor - 1), front))
    for device, size in corrections.margin_bytes.items():
        room = format_memory(size, front.messages.language)
        yield _memory_of(device, front), front.text("cli.doctor.margin", room=room)


def _errors(found: Diagnosis) -> Iterator[Row]:
    for line in found.errors[-_SHOWN_ERRORS:]:
        yield line.time, line.text


def _connections(connections: tuple[Connection, ...], front: Front) -> Iterator[Row]:
    for connection in connections[-_SHOWN_CONNECTIONS:]:
        key = f"ledger.purpose.{connection.purpose}"
        purpose = front.text(key) if key in front.messages else connection.purpose
        yield (
            _time(connection.started_at),
            front.text(
                "cli.doctor.connection",
                host=connection.host,
                purpose=f"{purpose}: {connection.subject}" if connection.subject else purpose,
                received=format_bytes(connection.received_bytes, front.messages.language),
                outcome=connection.outcome,
            ),
        )


def _memory_of(device: str, front: Front) -> str:
    return front.text("cli.doctor.main_memory") if device == CPU else device


def _off(figure: Compared, front: Front) -> str:
    error = figure.error or 0.0
    if abs(error) < _NOTICED:
        return front.text("cli.doctor.exact")
    key = "cli.doctor.too_much" if error > 0 else "cli.doctor.too_little"
    return front.text(key, percent=_percent(abs(error), front))


def _percent(share: float, front: Front) -> str:
    percent = 100 * share
    return f"{format_number(percent, front.messages.language, 1 if percent < 10 else 0)} %"


def _time(at: float) -> str:
    """Local time, as it stands in the log."""
    try:
        return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # a clock that was set wrong
        return "?"
