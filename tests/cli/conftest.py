"""What the tests of the command line stand on: quick, and on this very machine."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.paths import Paths
from desktop.hardware.machine import Machine
from desktop.services.machine import MachineService
from tests.cli.running import Cli
from tests.tiny_models import SPECIALS, Array, vocabulary, write_tiny_model


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(capsys, monkeypatch)


@pytest.fixture(scope="session")
def endless_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that never thinks of ending its answer, for tests that interrupt it."""

    def never_end(weights: dict[str, Array]) -> None:
        first = vocabulary(0).index(SPECIALS[0])
        weights["output.weight"][first : first + len(SPECIALS)] = 0.0

    folder = tmp_path_factory.mktemp("endless")
    return write_tiny_model(folder / "endless.gguf", change=never_end)


@pytest.fixture(autouse=True)
def _guide(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    """The tiny model stands in for the guide: small, and its answers need no minding."""
    monkeypatch.setattr("desktop.services.core.guide_path", lambda: tiny_model)


@pytest.fixture(scope="session")
def this_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """This machine, looked at once for all tests (a new home would measure its memory anew).

    Planned with one core: two threads that wait for each other crawl beside other work.
    """
    home = str(tmp_path_factory.mktemp("machine"))
    found = MachineService(Paths.from_environment({"HAUSGEIST_HOME": home})).machine()
    one_core = replace(
        found.cpu, physical_cores=1, logical_cores=1, performance_cores=0, usable_cores=1
    )
    return replace(found, cpu=one_core)


@pytest.fixture(autouse=True)
def _looked_at_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, this_machine: Machine
) -> None:
    if "looks_anew" not in request.fixturenames:
        monkeypatch.setattr(MachineService, "_look_around", lambda _self, **_: this_machine)


@pytest.fixture
def looks_anew() -> None:
    """For the tests that mean the looking itself."""


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Standard input that is no terminal; write into it before the command runs."""
    content = io.BytesIO()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(content, encoding="utf-8"))
    return content
