"""One model of the library looked at closely: what it takes, what else would do, its licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.types import FitReport, Wish
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine
from desktop.library.catalog import Licence, shipped_catalog
from desktop.library.model import LibraryModel
from desktop.services.fit_model import fit
from desktop.services.tune_records import TuneRecord, TuneRecords


@dataclass(frozen=True, slots=True)
class ModelCloseUp:
    """`report` None while the machine is not known; `tuned` is what tuning tried last."""

    report: FitReport | None
    licence: Licence
    context_tokens: int
    tuned: TuneRecord | None = None


def look_closely(
    model: LibraryModel,
    machine: Machine | None,
    *,
    corrections: Corrections = NO_CORRECTIONS,
    ours: Mapping[str, int] | None = None,
    records: TuneRecords | None = None,
) -> ModelCloseUp:
    """Read the model's header and plan for `machine`, with alternatives.

    Raises ModelFileError where the file has become unreadable, UnsafeModelError.
    """
    header = read_header(model.path, allow_missing_data=True)
    report = None
    if machine is not None:
        report = fit(
            model.path, machine, Wish(), try_out=False, corrections=corrections, ours=ours or {}
        )
    licence = shipped_catalog().licence(header.licence)
    tuned = None if records is None else records.of(header)
    return ModelCloseUp(report, licence, header.context_length, tuned)
