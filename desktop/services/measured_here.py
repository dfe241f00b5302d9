"""What has been measured on this computer: one line a model and setting, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desktop.fit.types import Plan
from desktop.services.history_records import FailureRecord, Record, Session, sessions
from desktop.services.history_summary import Accuracy, Compared, accuracy, compared
from desktop.services.lessons import LEAST_FILE_BYTES

MOST = 8


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """A model under one plan; memory is bytes over all devices, speeds are tokens a second."""

    name: str
    quantization: str
    plan: Plan
    memory: Compared
    generation: Compared
    answers: int


@dataclass(frozen=True, slots=True)
class MeasuredHere:
    """`failures`: how often a load or a trial that should have fitted did not."""

    rows: tuple[MeasuredRow, ...] = ()
    accuracy: Accuracy | None = None
    failures: int = 0


def measured_here(records: Iterable[Record], most: int = MOST) -> MeasuredHere:
    """The newest `most` lines; what is known of one model and plan stands in its newest.

    Very small models (the guide) are left out: their speed says nothing about the computer.
    """
    known = tuple(records)
    found = [s for s in sessions(known) if s.load.model.file_bytes >= LEAST_FILE_BYTES]
    newest: dict[tuple[str, Plan], Session] = {}
    for session in found:
        key = (session.load.model.fingerprint, session.load.plan)
        before = newest.pop(key, None)
        # A session without an answer does not take away the speed of an earlier one.
        kept = session if session.answers or before is None else before
        newest[key] = kept
    rows = tuple(_row(session) for session in reversed(newest.values()))[:most]
    failures = sum(isinstance(record, FailureRecord) for record in known)
    return MeasuredHere(rows, accuracy(found) if found else None, failures)


def _row(session: Session) -> MeasuredRow:
    figures, model = compared(session), session.load.model
    return MeasuredRow(
        model.name,
        model.quantization,
        session.load.plan,
        figures.memory,
        figures.generation,
        figures.answers,
    )
