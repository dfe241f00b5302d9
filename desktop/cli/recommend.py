"""`hausgeist recommend`: which models are worth fetching for a computer."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from desktop.cli.arguments import Arguments, columns, one_of, text
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.progress import StatusLine
from desktop.common.messages import format_bytes
from desktop.common.reading import TOKENS_PER_PAGE
from desktop.fit.corrections import NO_CORRECTIONS
from desktop.fit.types import FitReport, Wish
from desktop.hardware.machine import Machine
from desktop.hardware.machine_file import read_machine
from desktop.library.catalog import TASKS, Task
from desktop.library.model import GUIDE_NAME
from desktop.services.catalog_words import languages_words, licence_words, released_words
from desktop.services.core import GUIDE_FILE, Core
from desktop.services.fit_model import fit
from desktop.services.recommend import Recommendation, recommend


def configure(arguments: Arguments) -> None:
    arguments.option("--task", value="|".join(TASKS), kind=one_of(*TASKS), default="chat")
    arguments.option("--language", value="de|en", kind=one_of("de", "en"))
    arguments.option("--machine", value="FILE", kind=text)
    arguments.switch("--refresh")
    arguments.switch("--json")


def run(given: Namespace, front: Front) -> int:
    described = None if given.machine is None else read_machine(Path(given.machine))
    task = cast(Task, given.task)
    language = given.language or front.messages.language
    with open_house(front) as core, StatusLine(front) as status:
        problem = _refresh(core, front, status) if given.refresh else ""
        status.show(front.text("cli.recommend.looking"))
        ask = _Question(core, described, task, language)
        found = ask.recommended()
        if given.refresh and found:
            status.show(front.text("cli.recommend.headers"))
            if core.network.catalog.fetch_headers(tuple(item.file for item in found)):
                found = ask.recommended()
        guide = None if found else _guide(core, ask.machine)
    if problem:
        front.note(front.text("cli.note", text=problem))
    if front.as_json:
        documents = [_document(item, front) for item in found]
        front.document(documents or ([] if guide is None else [_guide_document(guide, front)]))
        return 0
    if not found:
        front.say(front.text("cli.recommend.nothing" if guide else "cli.recommend.too_small"))
    for place, item in enumerate(found):
        if place:
            front.say()
        _say(item, front)
    if found:
        front.say()
        front.say(front.text("recommend.basis"))
    return 0


def _refresh(core: Core, front: Front, status: StatusLine) -> str:
    """Ask the Hub; what to tell afterwards. Raises NetworkError."""

    def tell(done: int, total: int) -> None:
        status.show(front.text("cli.recommend.refreshing", done=done, total=total))

    result = core.network.catalog.refresh(on_progress=tell)
    if not result.failed:
        return ""
    if not result.answered:
        raise result.failed[0][1]
    return front.text("cli.recommend.refresh_partly", count=len(result.failed))


class _Question:
    """What is asked, so that it can be asked again when more is known."""

    def __init__(self, core: Core, described: Machine | None, task: Task, language: str) -> None:
        self._core = core
        self._task = task
        self._language = language
        self._is_here = described is None
        self.machine = described or core.machine_service.machine()

    def recommended(self) -> tuple[Recommendation, ...]:
        updates = self._core.network.catalog
        history = self._core.history
        return recommend(
            self.machine,
            self._task,
            self._language,
            catalog=updates.catalog(),
            headers=updates.header,
            corrections=history.corrections(self.machine) if self._is_here else NO_CORRECTIONS,
        )


def _guide(core: Core, machine: Machine) -> FitReport | None:
    """How the built-in guide does; None where even that is too large."""
    path = core.library.get(GUIDE_NAME).path
    report = fit(path, machine, Wish(), this_machine=False, try_out=False)
    return None if report.verdict == "too_large" else report


def _say(item: Recommendation, front: Front) -> None:
    model, language = item.model, front.messages.language
    label = front.text(f"recommend.label.{item.label}")
    front.say(f"{label}: {model.name} ({item.file.quantization})")
    front.say("  " + front.text(item.reason_key, **item.reason_params))
    rows = [
        (front.text("cli.recommend.speed"), _speed(item, front)),
        (front.text("cli.recommend.size"), format_bytes(item.disk_bytes, language)),
        (front.text("cli.recommend.licence"), licence_words(model.licence, front.messages)),
        (front.text("cli.recommend.languages"), languages_words(model.languages, front.messages)),
        (front.text("cli.recommend.released"), released_words(model, front.messages)),
        (front.text("cli.recommend.reference"), item.file.reference),
    ]
    for line in columns(rows):
        front.say(line)
    for remark in _remarks(item, front):
        front.say("  " + remark)


def _document(item: Recommendation, front: Front) -> Mapping[str, object]:
    model, file, report = item.model, item.file, item.report
    return {
        "label": item.label,
        "model": model.name,
        "id": model.id,
        "repo": file.repo,
        "file": file.name,
        "reference": file.reference,
        "quantization": file.quantization,
        "file_bytes": file.file_bytes,
        "file_bytes_exact": file.exact,
        "disk_bytes": item.disk_bytes,
        "projector": None if item.projector is None else item.projector.reference,
        "sha256": file.sha256 or None,
        "licence": model.licence.id or "unknown",
        "office_use": model.licence.office,
        "licence_words": licence_words(model.licence, front.messages),
        "languages": list(model.languages.codes) if model.languages else [],
        "languages_words": languages_words(model.languages, front.messages),
        "german": model.german,
        "released": model.released,
        "released_exact": model.released_exact,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters,
        "verdict": report.verdict,
        "tokens_per_s": round(item.tokens_per_s, 2),
        "prompt_tokens_per_s": report.speed.to_json()["prompt_tokens_per_s"],
        "basis": report.speed.basis,
        "context": report.plan.context,
        "memory_bytes": report.total_bytes,
        "reason": front.text(item.reason_key, **item.reason_params),
        "notes": _remarks(item, front),
        "sources": [*model.sources, *([file.source] if file.source else [])],
    }


def _guide_document(report: FitReport, front: Front) -> Mapping[str, object]:
    return {
        "label": "guide",
        "model": GUIDE_NAME,
        "repo": "",
        "file": Path(GUIDE_FILE).name,
        "file_bytes": report.model.file_bytes,
        "disk_bytes": 0,
        "licence": "mit",
        "office_use": "yes",
        "verdict": report.verdict,
        "tokens_per_s": report.speed.to_json()["tokens_per_s"],
        "reason": front.text("recommend.reason.guide"),
    }


def _speed(item: Recommendation, front: Front) -> str:
    if "embedding" in item.model.tasks:
        return front.text("cli.recommend.reads", tokens_per_s=item.tokens_per_s)
    page_s = TOKENS_PER_PAGE / max(item.tokens_per_s, 0.01)
    return front.text("cli.recommend.speed_words", tokens_per_s=item.tokens_per_s, page_s=page_s)


def _remarks(item: Recommendation, front: Front) -> list[str]:
    return [front.text(f"recommend.note.{note.kind}", **note.params) for note in item.remarks]
