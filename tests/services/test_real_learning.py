"""Learning with llama.cpp itself: what was predicted for a tiny model and what it took."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Wish
from desktop.hardware.machine import Cpu, Gpu, Machine
from desktop.services.fit_model import fit
from desktop.services.history_records import CloseRecord, LoadRecord, SpeedRecord
from desktop.services.history_summary import compared
from desktop.services.open_progress import OpenedModel
from desktop.services.wiring import Services, build
from tests.tiny_models import SPECIALS, Array, vocabulary, write_tiny_model

WISH = Wish(context=1024, threads=1)
GREEDY = Sampling(temperature=0.0)


@pytest.fixture
def services(hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    # A tiny model stands in for one that is worth learning from.
    monkeypatch.setattr("desktop.services.lessons.LEAST_FILE_BYTES", 0)
    monkeypatch.setattr("desktop.services.history_summary.LEAST_FILE_BYTES", 0)
    built = build({"HAUSGEIST_HOME": str(hausgeist_home)})
    yield built
    built.close()


@pytest.fixture(scope="session")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that never thinks of ending its answer."""

    def never_end(weights: dict[str, Array]) -> None:
        first = vocabulary(0).index(SPECIALS[0])
        weights["output.weight"][first : first + len(SPECIALS)] = 0.0

    folder = tmp_path_factory.mktemp("talkative")
    return write_tiny_model(folder / "talkative.gguf", change=never_end)


def opened_anew(services: Services, ref: str, wish: Wish) -> OpenedModel:
    """Loaded once more, though it may be loaded still."""
    opened = services.opener.open(ref, wish, fresh=True)
    assert isinstance(opened, OpenedModel)
    return opened


def use(services: Services, model: Path, wish: Wish = WISH) -> OpenedModel:
    """Open, answer once, close."""
    opened = opened_anew(services, str(model), wish)
    stream = opened.engine.submit(
        Request("1", "eins zwei drei " * 30, 40, sampling=GREEDY, ignore_eos=True)
    )
    assert stream.collect(60.0)[1] is not None
    opened.engine.close()
    assert services.opener.let_go(str(model))
    return opened


def test_predicted_and_actual_stand_side_by_side(services: Services, talkative: Path) -> None:
    use(services, talkative)
    load, speed, close = services.history.entries()
    assert isinstance(load, LoadRecord)
    assert isinstance(speed, SpeedRecord)
    assert isinstance(close, CloseRecord)
    (predicted,), (actual,) = load.predicted, load.actual
    assert predicted.context_bytes == actual.context_bytes
    if sys.platform == "linux":  # elsewhere the log rounds
        assert predicted.weights_bytes == actual.weights_bytes
        assert predicted.total_bytes == pytest.approx(actual.total_bytes, rel=0.015)
    assert close.actual[0].total_bytes >= actual.total_bytes
    assert close.peak_bytes["CPU"] > 0
    assert speed.rates.tokens_per_s
    assert speed.rates.prompt_tokens_per_s
    (session,) = services.history.sessions()
    assert compared(session).generation.actual == speed.rates.tokens_per_s


def test_what_one_model_taught_corrects_the_prediction_of_another(
    services: Services, talkative: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How fast this was on busy cores nobody knows: but the correction goes all the way to it."""
    monkeypatch.setattr("desktop.services.lessons.LEAST_TELLING_BYTES", 1)
    for _ in range(3):
        use(services, talkative)
    machine = services.machine_service.machine()
    corrections = services.history.corrections(machine)
    measured = [compared(found).generation.actual for found in services.history.sessions()]
    expected = services.history.sessions()[0].load.expected.rates.tokens_per_s
    assert expected is not None
    ratio = statistics.median(speed for speed in measured if speed is not None) / expected
    factor = corrections.generation["CPU"]
    assert math.log(factor) == pytest.approx(math.log(ratio) / 1.5, abs=0.01)
    other = write_tiny_model(tmp_path / "other.gguf", seed=11)
    raw = fit(other, machine, WISH, try_out=False).speed.tokens_per_s
    told = fit(other, machine, WISH, try_out=False, corrections=corrections).speed.tokens_per_s
    assert raw is not None
    assert told is not None
    assert told == pytest.approx(raw * factor, rel=0.05)


def test_the_same_model_is_told_as_measured(services: Services, talkative: Path) -> None:
    first = use(services, talkative)
    entry = services.library.add(talkative)
    again = opened_anew(services, entry.name, WISH)
    again.engine.close()
    assert again.report.plan == first.report.plan
    assert again.report.speed.basis == "measured"
    listed = services.models_service.fit_of(entry, services.machine_service.machine(), WISH)
    assert listed is not None
    assert listed.speed.basis == "measured"


def test_an_open_model_is_counted_as_room_for_the_next(services: Services, talkative: Path) -> None:
    machine = services.machine_service.machine()
    entry = services.library.add(talkative)
    opened = services.opener.open(entry.name, WISH)
    held = services.held.by_device(machine)["CPU"]
    during = services.models_service.fit_of(entry, machine, WISH)
    opened.engine.close()
    assert services.held.by_device(machine)["CPU"] == held  # kept for the next who wants it
    services.opener.let_go(entry.name)
    after = services.models_service.fit_of(entry, machine, WISH)
    assert during is not None
    assert after is not None
    assert held > 0
    assert (during.memory[0].ours_bytes, after.memory[0].ours_bytes) == (held, 0)


def test_a_card_that_the_engine_cannot_reach(
    services: Services, talkative: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """llama.cpp itself says that there is no such device; the model opens all the same."""
    here = services.machine_service.machine()
    ghost = Gpu("RTX 9090", "nvidia", "cuda", 24 << 30, 23 << 30, device="CUDA0")
    haunted = Machine(here.memory, Cpu(logical_cores=2), gpus=(ghost,), engine=here.engine)
    monkeypatch.setattr(services.machine_service, "machine", lambda refresh=False: haunted)
    monkeypatch.setattr(services.machine_service, "current", lambda: haunted)
    opened = opened_anew(services, str(talkative), Wish(context=512, gpu_layers=99, threads=1))
    assert [step.kind for step in opened.steps] == ["device_gone"]
    assert opened.report.plan.gpu_layers == 0
    assert opened.report.verdict == "cpu"
    opened.engine.close()
