"""Which file of a model is worth having on a machine, and how much the model is worth there."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import HausgeistError
from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.planner import plan
from desktop.fit.quality import (
    GOOD_LOSS_NATS,
    effective_parameters,
    quantization_loss,
    text_loss,
)
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader, TensorInfo
from desktop.hardware.machine import Machine
from desktop.library.catalog import CatalogFile, CatalogModel, Task

MIN_CONTEXT_TOKENS = 4_096
"""About ten pages: less is no conversation."""

MIN_PROMPT_TOKENS_PER_S = 20.0
"""A page is read in 20 seconds."""

DISK_MARGIN_BYTES = 2 << 30
"""Stays free on the disk beside a new model."""

BYTE_PRICE_NATS = 0.025
"""What a doubling in bytes must bring: a quarter of what a model of twice the size would."""

_EASY_TOKENS_PER_S = 20.0
_SLOW_PRICE_NATS = 0.04  # a halving of the speed, below what is easy
_GERMAN_NATS = 0.10  # as much as twice the parameters
_SPECIALIST_NATS = 0.10
_NO_LICENCE_NATS = 0.05  # nobody can tell whether it may be used at work
_TYPES_DIFFER = 1.3  # so much faster some types are read than others, size for size
_UNKNOWN_LOSS_NATS = 1.0  # nobody has measured it: behind all others

Headers = Callable[[CatalogFile], ModelHeader | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """A model in one file on one machine; `worth` in nats, more is better, to be compared only.

    `projector` is the file that makes it see; `disk_bytes` counts both.
    """

    model: CatalogModel
    file: CatalogFile
    projector: CatalogFile | None
    report: FitReport
    worth: float

    @property
    def tokens_per_s(self) -> float:
        """How fast it writes; for a model that embeds, how fast it reads. 0.0 if not known."""
        speed = self.report.speed
        embeds = "embedding" in self.model.tasks
        return (speed.prompt_tokens_per_s if embeds else speed.tokens_per_s) or 0.0

    @property
    def disk_bytes(self) -> int:
        return self.file.file_bytes + (self.projector.file_bytes if self.projector else 0)


class Chooser:
    """Judges the catalogue's models for one machine, task and language."""

    def __init__(
        self,
        machine: Machine,
        task: Task,
        language: str,
        *,
        corrections: Corrections = NO_CORRECTIONS,
        ours: Mapping[str, int] | None = None,
        headers: Headers | None = None,
        judged: dict[tuple[str, str], Choice | None] | None = None,
    ) -> None:
        """`headers` knows the real headers of files that somebody looked at before; `judged` are
        choices of before, by model and file, to be used and added to."""
        self._machine = machine
        self._task = task
        self._language = language
        self._corrections = corrections
        self._ours = dict(ours or {})
        self._headers = headers or _no_header
        self._good: dict[str, list[CatalogFile]] = {}
        self._judged = {} if judged is None else judged
        self._usable_bytes = _at_most_bytes(machine) + sum(self._ours.values())
        disk = machine.disk
        self._disk_bytes = None if disk is None else max(0, disk.free_bytes - DISK_MARGIN_BYTES)

    def capability(self, model: CatalogModel) -> float:
        """What the model is worth for the task before quantization and speed, in nats."""
        year = None if model.released is None else _year(model.released)
        size = effective_parameters(model.parameters, model.active_parameters, year)
        worth = -text_loss(size)
        if self._language == "de" and model.german:
            worth += _GERMAN_NATS
        if self._task == "code" and model.specialist:
            worth += _SPECIALIST_NATS
        if not model.licence.id:
            worth -= _NO_LICENCE_NATS
        return worth

    def ability(self, model: CatalogModel, file: CatalogFile) -> float:
        """How capable `file` is by itself, in nats: no preference for a language or a licence."""
        year = None if model.released is None else _year(model.released)
        size = effective_parameters(model.parameters, model.active_parameters, year)
        loss = _loss(model, file)
        return -text_loss(size) - (_UNKNOWN_LOSS_NATS if loss is None else loss)

    def quality(self, model: CatalogModel, file: CatalogFile) -> float:
        """What is left of the capability in `file`, in nats; speed and size do not count."""
        loss = _loss(model, file)
        return self.capability(model) - (_UNKNOWN_LOSS_NATS if loss is None else loss)

    def bound(self, model: CatalogModel) -> float:
        """More than this no file of the model is worth here."""
        files = self._good_files(model)
        if not files or not self._can_be_fast(model, files):
            return -math.inf
        return self.capability(model) + _file_worth(model, files[0])

    def _can_be_fast(self, model: CatalogModel, files: list[CatalogFile]) -> bool:
        """Whether main memory can be read fast enough, where there is nothing else: cheap."""
        bandwidth = self._machine.cpu.memory_bandwidth_bytes_per_s
        if self._task == "embedding" or self._machine.gpus or not bandwidth:
            return True
        share = model.active_parameters / max(1, model.parameters)
        least_bytes = share * min(file.file_bytes for file in files)
        return bandwidth >= least_bytes * COMFORTABLE_TOKENS_PER_S

    def best(self, model: CatalogModel) -> Choice | None:
        """The file that is worth most here; None where no good one runs well."""
        chosen: Choice | None = None
        for bound, file in self._promising(model):
            if chosen is not None and bound <= chosen.worth:
                break
            found = self.judged(model, file)
            if (
                found is not None
                and runs_well(found, self._task)
                and (chosen is None or found.worth > chosen.worth)
            ):
                chosen = found
        return chosen

    def _promising(self, model: CatalogModel) -> list[tuple[float, CatalogFile]]:
        """Good files with the most that each can be worth, the highest first.

        The smallest one is planned for; from it follows about how fast the others can be at most,
        and where it is too large or far too slow there is no need to look at them.
        """
        files = self._good_files(model)
        if not files or not self._can_be_fast(model, files):
            return []
        smallest = min(files, key=lambda file: file.file_bytes)
        found = self.judged(model, smallest)
        if found is None or found.report.verdict == "too_large":
            return []
        promising = []
        for file in files:
            larger = file.file_bytes / max(1, smallest.file_bytes)
            at_most = found.tokens_per_s / larger * _TYPES_DIFFER
            if at_most >= COMFORTABLE_TOKENS_PER_S:
                bound = self.capability(model) + _file_worth(model, file) - _slowness(at_most)
                promising.append((bound, file))
        return sorted(promising, key=lambda entry: -entry[0])

    def squeezed(self, model: CatalogModel) -> CatalogFile | None:
        """The file that costs too much quality but would run well, of a model whose good files
        are all too large; None for every other model.
        """
        if any(self._fits(model, file) for file in self._good_files(model)):
            return None  # it is too slow, not too large
        poor = [file for file in model.files if not _is_good(model, file)]
        for file in sorted(poor, key=lambda file: -_file_worth(model, file)):
            if self._may_fit(file.file_bytes, file.file_bytes):
                found = self.judged(model, file)
                if found is not None and runs_well(found, self._task):
                    return file
        return None

    def _fits(self, model: CatalogModel, file: CatalogFile) -> bool:
        found = self.judged(model, file)
        return found is not None and found.report.verdict != "too_large"

    def judged(self, model: CatalogModel, file: CatalogFile) -> Choice | None:
        """How `file` does on the machine; None where that cannot be said."""
        key = (model.id, file.reference)
        if key not in self._judged:
            self._judged[key] = self._judge(model, file)
        return self._judged[key]

    def _judge(self, model: CatalogModel, file: CatalogFile) -> Choice | None:
        projector = self._projector(model, file) if self._task == "vision" else None
        header = self._headers(file) or model.header(file)
        if header is None or (self._task == "vision" and projector is None):
            return None
        companions = NO_COMPANIONS
        if projector is not None:
            companions = Companions(
                projector=projector_header(projector.name, projector.file_bytes)
            )
        try:
            report = plan(
                self._machine,
                header,
                Wish(),
                corrections=self._corrections,
                companions=companions,
                ours=self._ours,
                advise=False,
            )
        except HausgeistError:
            return None  # a shape that fit refuses is not recommended
        report = replace(report, model=replace(report.model, quantization=file.quantization))
        choice = Choice(model, file, projector, report, 0.0)
        worth = self.capability(model) + _file_worth(model, file)
        return replace(choice, worth=worth - _slowness(choice.tokens_per_s))

    def _good_files(self, model: CatalogModel) -> list[CatalogFile]:
        """Files worth a plan, the best first; one a quantization, a stated size before a guess."""
        if model.id in self._good:
            return self._good[model.id]
        best: dict[str, CatalogFile] = {}
        for file in model.files:
            known = best.get(file.quantization)
            if known is None or (file.exact and not known.exact):
                best[file.quantization] = file
        good = [
            file
            for file in best.values()
            if _is_good(model, file) and self._may_fit(file.file_bytes, self._to_fetch(model, file))
        ]
        good.sort(key=lambda file: (-_file_worth(model, file), file.name))
        self._good[model.id] = good
        return good

    def _to_fetch(self, model: CatalogModel, file: CatalogFile) -> int:
        projector = self._projector(model, file) if self._task == "vision" else None
        return file.file_bytes + (projector.file_bytes if projector else 0)

    def _may_fit(self, file_bytes: int, fetched_bytes: int) -> bool:
        """Whether memory and disk could hold it: cheap, before anything is planned."""
        on_disk = self._disk_bytes is None or fetched_bytes <= self._disk_bytes
        return on_disk and file_bytes <= self._usable_bytes

    def _projector(self, model: CatalogModel, file: CatalogFile) -> CatalogFile | None:
        """The smallest one, from the same repository where it has one."""
        found = sorted(model.projectors, key=lambda p: (p.repo != file.repo, p.file_bytes))
        return found[0] if found else None


def _no_header(_file: CatalogFile) -> ModelHeader | None:
    return None


def _at_most_bytes(machine: Machine) -> int:
    """More than this no plan can place: what is free, on all devices together."""
    memory = machine.memory
    main = memory.total_bytes if memory.available_bytes is None else memory.available_bytes
    cards = (gpu for gpu in machine.gpus if not gpu.unified)
    return main + sum(
        gpu.total_bytes if gpu.free_bytes is None else gpu.free_bytes for gpu in cards
    )


def runs_well(choice: Choice, task: Task) -> bool:
    """Fits with its margin, writes as fast as people read, and has room for a conversation."""
    report = choice.report
    if report.verdict == "too_large":
        return False
    reads = report.speed.prompt_tokens_per_s or 0.0
    if task == "embedding":
        return reads >= MIN_PROMPT_TOKENS_PER_S
    return (
        (report.speed.tokens_per_s or 0.0) >= COMFORTABLE_TOKENS_PER_S
        and reads >= MIN_PROMPT_TOKENS_PER_S
        and report.plan.context >= MIN_CONTEXT_TOKENS
    )


def _is_good(model: CatalogModel, file: CatalogFile) -> bool:
    loss = _loss(model, file)
    return loss is not None and loss <= GOOD_LOSS_NATS


def _loss(model: CatalogModel, file: CatalogFile) -> float | None:
    if file.quantization == model.native_quantization:
        return 0.0
    return quantization_loss(file.quantization)


def _file_worth(model: CatalogModel, file: CatalogFile) -> float:
    loss = _loss(model, file)
    return -(_UNKNOWN_LOSS_NATS if loss is None else loss) - BYTE_PRICE_NATS * math.log2(
        max(1, file.file_bytes)
    )


def _slowness(tokens_per_s: float) -> float:
    return _SLOW_PRICE_NATS * max(0.0, math.log2(_EASY_TOKENS_PER_S / max(tokens_per_s, 0.01)))


def _year(day: str) -> float:
    """ "2026-04-01" as 2026.25."""
    year, month, date = (int(part) for part in day.split("-"))
    return year + (month - 1) / 12 + (date - 1) / 365


def projector_header(name: str, file_bytes: int) -> ModelHeader:
    """A projector as far as fit looks at one: its weights."""
    weights = TensorInfo("v.weights", (file_bytes,), 24, "I8", 0, file_bytes)
    return ModelHeader(
        paths=(Path(name),),
        version=3,
        byte_order="little",
        metadata={"general.architecture": "clip"},
        tensors=(weights,),
        file_bytes=file_bytes,
        data_offset=0,
        alignment=32,
        complete=False,
    )


def in_order(chooser: Chooser, models: tuple[CatalogModel, ...]) -> Iterator[Choice]:
    """Each model in its best file, the one that is worth most first.

    Best-first search: a model is planned for only when what it could be worth comes up, so that
    whoever needs a few pays for little more than those.
    """
    waiting: list[tuple[float, int, Choice | None]] = [
        (-chooser.bound(model), number, None) for number, model in enumerate(models)
    ]
    heapq.heapify(waiting)
    while waiting:
        _, number, found = heapq.heappop(waiting)
        if found is not None:
            yield found
            continue
        found = chooser.best(models[number])
        if found is not None:
            heapq.heappush(waiting, (-found.worth, number, found))
