"""What a computer, this one or another, would run: recommended models and one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from desktop.common.errors import HausgeistError
from desktop.fit.planner import plan
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.services.other_machines import Step, Suggestion, steps_up
from desktop.services.recommend import Recommendation, recommend

Recommend = Callable[[Machine, str], Sequence[Recommendation]]


@dataclass(frozen=True, slots=True)
class Advice:
    """`steps` begin with the computer as it is; `mine` are one's own models on it."""

    machine: Machine
    recommended: tuple[Recommendation, ...]
    mine: tuple[tuple[LibraryModel, FitReport], ...]
    steps: tuple[Step, ...]


class MachineAdviser:
    """Plans the whole catalogue and the library for each step: seconds, so not in the window's
    thread. Raises StorageError where the catalogue is missing."""

    def __init__(self, library: Library, recommended: Recommend | None = None) -> None:
        self._library = library
        self._recommend = recommended or _by_catalogue

    def advise(
        self, machine: Machine, language: str, wanted: Callable[[], bool] = lambda: True
    ) -> Iterator[Advice]:
        """For a computer as it is described: first as it is, then with one step more each time.

        What is in use on this computer does not count there. Ends early, between two plans of
        the catalogue, when it is `wanted` no longer.
        """
        headers = self._headers()
        if not wanted():
            return

        def mine(there: Machine) -> list[Suggestion]:
            reports = [(model, _report(header, there)) for model, header in headers]
            return [_suggestion(model.name, report) for model, report in reports if report]

        first = tuple(self._recommend(machine, language))

        def picked(there: Machine) -> tuple[Suggestion | None, Suggestion | None]:
            found = first if there is machine else self._recommend(there, language)
            return _labelled(found, "best"), _labelled(found, "fast")

        reports = [(model, _report(header, machine)) for model, header in headers]
        own = tuple((model, report) for model, report in reports if report is not None)
        found: tuple[Step, ...] = ()
        for step in steps_up(machine, picked, mine):
            found = (*found, step)
            yield Advice(machine, first, own, found)
            if not wanted():
                return

    def _headers(self) -> list[tuple[LibraryModel, ModelHeader]]:
        """One's own models, without the guide, which runs anywhere."""
        found: list[tuple[LibraryModel, ModelHeader]] = []
        for model in self._library.list():
            if model.problem or model.source == "built_in":
                continue
            try:
                found.append((model, read_header(model.path, allow_missing_data=True)))
            except HausgeistError:
                continue  # the place "Models" says what is wrong with it
        return found


def _by_catalogue(machine: Machine, language: str) -> Sequence[Recommendation]:
    return recommend(machine, "chat", language)


def _report(header: ModelHeader, machine: Machine) -> FitReport | None:
    try:
        return plan(machine, header, Wish(), advise=False)
    except HausgeistError:
        return None  # such as a header that llama.cpp would not survive


def _suggestion(name: str, report: FitReport) -> Suggestion:
    return Suggestion(
        name,
        report.model.file_bytes,
        report.model.parameters,
        report.speed.tokens_per_s,
        report.verdict,
    )


def _labelled(recommended: Sequence[Recommendation], label: str) -> Suggestion | None:
    for found in recommended:
        if found.label == label:
            return Suggestion(
                found.model.name,
                found.disk_bytes,
                found.model.parameters,
                found.tokens_per_s,
                found.report.verdict,
            )
    return None
