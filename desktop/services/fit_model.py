"""Does this model fit on this machine? The header's arithmetic, with llama.cpp's dry run."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from desktop.common.errors import EngineError
from desktop.common.logs import get_logger
from desktop.common.storage import free_bytes
from desktop.engine.dry_run import DryRun, dry_run
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.planner import NOTHING_OURS, plan
from desktop.fit.types import FitReport, Plan, PlanWarning, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine

DRY_RUN_TIMEOUT_S = 20.0

_log = get_logger("services")

DryRunner = Callable[[Path, Plan], DryRun]


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
) -> FitReport:
    """Plan `model` on `machine`.

    With `this_machine` llama.cpp computes its buffers in a child process (`try_out` False: the
    header's arithmetic alone, in milliseconds); on a described machine it does so for the
    processor alone, because its graphics are not here to ask. A file whose tensor data is
    missing is answered too. `corrections` are what this machine's history taught, `ours` the
    bytes by device that closing our own models would free. Raises ModelFileError, FitError.
    """
    header = (
        model if isinstance(model, ModelHeader) else read_header(model, allow_missing_data=True)
    )
    if not try_out:
        return plan(machine, header, wish, None, corrections, ours=ours)
    with _loadable(header) as path:
        if path is None:
            return plan(machine, header, wish, None, corrections, ours=ours)
        asked = _DryRunCompute(path, run or _dry_run, cpu_only=not this_machine)
        report = plan(machine, header, wish, asked, corrections, ours=ours)
    if not asked.refused:
        return report
    # The arithmetic knows more kinds of models than this engine can open.
    warning = PlanWarning("engine_refuses", {"name": report.model.name})
    return replace(report, warnings=(*report.warnings, warning))


def _dry_run(path: Path, wanted: Plan) -> DryRun:
    return dry_run(path, wanted, timeout_s=DRY_RUN_TIMEOUT_S)


@dataclass(slots=True)
class _DryRunCompute:
    """fit's `ComputeEstimator`: compute bytes a device, None where llama.cpp cannot be asked.

    `refused`: llama.cpp was asked and would not load the file.
    """

    path: Path
    run: DryRunner
    cpu_only: bool
    refused: bool = False

    def __call__(self, wanted: Plan) -> Mapping[str, int] | None:
        if self.cpu_only and wanted.gpu_layers > 0:
            return None
        try:
            found = self.run(self.path, replace(wanted, use_mmap=False))
        except EngineError as error:
            self.refused = self.refused or error.kind == "load_failed"
            _log.warning("no dry run: %s", error)
            return None
        return {name: buffers.compute_bytes for name, buffers in found.devices.items()}


@contextmanager
def _loadable(header: ModelHeader) -> Iterator[Path | None]:
    """The model's file; where its data is missing, the header with an empty tail of that size.

    None where that cannot be made: a split model, or a disk that stores empty tails in full.
    """
    if header.complete:
        yield header.paths[0]
        return
    if header.is_split or os.name == "nt":
        yield None
        return
    try:
        temporary = tempfile.TemporaryDirectory(prefix="hausgeist-fit-")
    except OSError as error:  # a full disk, or nowhere to write
        _log.warning("no dry run for a partial file: %s", error)
        yield None
        return
    with temporary as folder:
        copy = Path(folder) / "header.gguf"
        try:
            if free_bytes(copy.parent) < 2 * header.data_offset + (1 << 20):
                raise OSError("too little room for a copy of the header")
            with header.paths[0].open("rb") as source, copy.open("wb") as target:
                target.write(source.read(header.data_offset))
                target.truncate(header.file_bytes)
        except OSError as error:
            _log.warning("no dry run for a partial file: %s", error)
            yield None
            return
        yield copy
