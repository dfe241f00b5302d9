"""Does this model fit on this machine? The header's arithmetic, with llama.cpp's dry run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from desktop.common.errors import EngineError, ModelFileError
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes
from desktop.engine.dry_run import DryRun, DryRuns
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.memory import CPU, Footprint
from desktop.fit.planner import NOTHING_OURS, plan
from desktop.fit.repack import rearranged_types
from desktop.fit.types import FitReport, Plan, PlanWarning, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.hollow import write_hollow
from desktop.gguf.lean import LeanModel, can_be_lean, write_lean
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine

_SPARE_BYTES = 1 << 20

_log = get_logger("services")

DryRunner = Callable[[Path, Plan], DryRun]
"""Asks llama.cpp; a `DryRuns` that is already started answers soonest."""


def fit(
    model: Path | ModelHeader,
    machine: Machine,
    wish: Wish,
    *,
    this_machine: bool = True,
    try_out: bool = True,
    run: DryRunner | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    ours: Mapping[str, int] = NOTHING_OURS,
    companions: Companions = NO_COMPANIONS,
    advise: bool = True,
) -> FitReport:
    """Plan `model` on `machine`.

    With `this_machine` llama.cpp computes its buffers in a child process (`try_out` False: the
    header's arithmetic alone, in milliseconds); on a described machine it does so for the
    processor alone, because its graphics are not here to ask. A file whose tensor data is
    missing is answered too. `corrections` are what this machine's history taught, `ours` the
    bytes by device that closing our own models would free, `companions` what is opened beside
    the model. `advise` False leaves the alternatives out, which cost further plans.
    Raises ModelFileError, FitError.
    """
    if not try_out:
        return plan(
            machine, _header(model), wish, None, corrections, companions, ours=ours, advise=advise
        )
    started: AbstractContextManager[DryRunner] = nullcontext(run) if run else DryRuns()
    # The child starts while the header is read.
    with started as ask:
        header = _header(model)
        with _loadable(header, ask) as (path, run_on), _tried(companions, ask) as with_sizes:
            known = Footprint(header, rearranged_types(machine.cpu.features))
            asked = _DryRunCompute(path, run_on, known if this_machine else None)
            estimator = None if path is None else asked
            report = plan(
                machine,
                header,
                wish,
                estimator,
                corrections,
                with_sizes,
                ours=ours,
                advise=advise,
            )
    if not asked.refused:
        return report
    # The arithmetic knows more kinds of models than this engine can open.
    warning = PlanWarning("engine_refuses", {"name": report.model.name})
    return replace(report, warnings=(*report.warnings, warning))


def _header(model: Path | ModelHeader) -> ModelHeader:
    if isinstance(model, ModelHeader):
        return model
    return read_header(model, allow_missing_data=True)


@dataclass(slots=True)
class _DryRunCompute:
    """fit's `ComputeEstimator`: compute bytes a device, None where llama.cpp cannot be asked.

    `here` is the model's arithmetic for this machine, None for another one, whose graphics cannot
    be asked. `refused`: llama.cpp was asked and would not load the file.
    """

    path: Path | None
    run: DryRunner
    here: Footprint | None
    refused: bool = False

    def __call__(self, wanted: Plan) -> Mapping[str, int] | None:
        if self.path is None or (self.here is None and wanted.gpu_layers > 0):
            return None
        try:
            # Prediction heads have a context of their own, which is reckoned apart.
            found = self.run(self.path, replace(wanted, use_mmap=False, mtp=False))
        except EngineError as error:
            self.refused = self.refused or error.kind == "load_failed"
            _log.warning("no dry run: %s", error)
            return None
        compute = {name: buffers.compute_bytes for name, buffers in found.devices.items()}
        if wanted.gpu_layers == 0:
            compute[CPU] = compute.get(CPU, 0) + self._overlooked_bytes(wanted, found)
        return compute

    def _overlooked_bytes(self, wanted: Plan, found: DryRun) -> int:
        """What llama.cpp holds beyond the arithmetic: of a kind of model that is not known yet."""
        if self.here is None:
            return 0
        placed = self.here.place(replace(wanted, use_mmap=False))[CPU]
        held = 0
        for buffers in found.devices.values():
            if buffers.weights_bytes is None or buffers.context_bytes is None:
                return 0  # only Linux tells
            held += buffers.weights_bytes + buffers.context_bytes
        more = held - placed.weights_bytes - placed.context_bytes
        if abs(more) > _SPARE_BYTES:
            _log.warning("%+d bytes beyond the arithmetic", more)
        return max(0, more)


@contextmanager
def _tried(companions: Companions, ask: DryRunner) -> Iterator[Companions]:
    """With what the vision part's own library says it computes with, where it says so."""
    header = companions.projector
    if header is None or not isinstance(ask, DryRuns):
        yield companions
        return
    with _loadable(header, ask) as (path, _):
        yield (
            companions
            if path is None
            else replace(
                companions, projector_compute_bytes=_projector_compute_bytes(header, path, ask)
            )
        )


def _projector_compute_bytes(header: ModelHeader, path: Path, ask: DryRuns) -> int | None:
    try:
        sizes = ask.projector_bytes(path)
    except EngineError as error:
        _log.warning("no dry run of the projector: %s", error)
        return None
    return None if sizes is None else max(0, sum(sizes.values()) - header.tensor_bytes)


@contextmanager
def _loadable(header: ModelHeader, ask: DryRunner) -> Iterator[tuple[Path | None, DryRunner]]:
    """The file to ask llama.cpp about, and how: the model's own, or a copy of its header alone.

    A copy without its words is answered soonest; a file whose data is missing gets an empty tail
    of that size. None where that cannot be made, such as on a disk that stores empty space in full.
    """
    whole = header.paths[0] if header.complete else None
    lean = isinstance(ask, DryRuns) and can_be_lean(header)
    if whole is not None and not lean:
        yield whole, ask
        return
    try:
        temporary = tempfile.TemporaryDirectory(prefix="hausgeist-fit-")
    except OSError as error:  # a full disk, or nowhere to write
        _log.warning("no copy for a dry run: %s", error)
        yield whole, ask
        return
    with temporary as folder:
        copy = _lean(header, Path(folder)) if lean else None
        if copy is not None and isinstance(ask, DryRuns):
            yield copy.model, partial(ask, tokenizer=copy.tokenizer)
        else:
            yield whole or _hollow(header, Path(folder)), ask


def _lean(header: ModelHeader, folder: Path) -> LeanModel | None:
    try:
        return write_lean(header, folder)
    except (OSError, ModelFileError) as error:
        _log.warning("no dry run without words: %s", error)
        return None


def _hollow(header: ModelHeader, folder: Path) -> Path | None:
    try:
        if free_bytes(folder) < 2 * len(header.paths) * header.data_offset + _SPARE_BYTES:
            raise OSError("too little room for a copy of the header")
        return write_hollow(header, folder)
    except (OSError, ModelFileError) as error:
        _log.warning("no dry run for a partial file: %s", error)
        return None
