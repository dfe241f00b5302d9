"""The last tuning of every model is kept for people to read, and never stands in anybody's way."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.fit.planner import plan
from desktop.fit.types import Speed, Wish
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Cpu, Machine, Memory
from desktop.library.library import Library
from desktop.services.model_details import look_closely
from desktop.services.tune_records import TuneRecords
from desktop.services.tune_report import Trial, TuneReport
from tests.tiny_models import write_tiny_model

GIB = 2**30
MACHINE = Machine(Memory(8 * GIB, 6 * GIB), Cpu(logical_cores=2))


def tune_report(path: Path, tokens_per_s: float = 40.0) -> TuneReport:
    predicted = plan(MACHINE, read_header(path), Wish(), advise=False)
    speed = Speed(400.0, tokens_per_s, "measured")
    died = Trial(replace(predicted.plan, threads=2), ok=False, error="out_of_memory", seconds=1.5)
    ran = Trial(
        predicted.plan,
        ok=True,
        tokens_per_s=tokens_per_s,
        prompt_tokens_per_s=400.0,
        peak_bytes=1 << 20,
        seconds=2.0,
        busy=True,
    )
    return TuneReport(predicted.plan, speed, predicted, (died, ran), 3.5, "done")


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf")
    header, report = read_header(path), tune_report(path)
    TuneRecords(tmp_path / "t.json", now=lambda: 99.0).keep(header, MACHINE, report)
    found = TuneRecords(tmp_path / "t.json").of(header)
    assert found is not None
    assert (found.model, found.at, found.stopped) == (header.name, 99.0, "done")
    assert (found.chosen, found.speed, found.trials) == (
        report.chosen,
        report.speed,
        report.trials,
    )
    assert TuneRecords(tmp_path / "t.json").all() == (found,)
    other = read_header(write_tiny_model(tmp_path / "other.gguf", layers=1))
    assert TuneRecords(tmp_path / "t.json").of(other) is None


def test_the_last_one_counts_and_the_oldest_go(tmp_path: Path) -> None:
    records = TuneRecords(tmp_path / "t.json", most=2)
    paths = [write_tiny_model(tmp_path / f"{n}.gguf", layers=n) for n in (1, 2, 3)]
    for path in paths:
        records.keep(read_header(path), MACHINE, tune_report(path))
    records.keep(read_header(paths[1]), MACHINE, tune_report(paths[1], 77.0))
    assert [record.speed.tokens_per_s for record in records.all()] == [40.0, 77.0]
    assert records.of(read_header(paths[0])) is None


def test_a_report_without_trials_replaces_nothing(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf")
    records, report = TuneRecords(tmp_path / "t.json"), tune_report(path)
    records.keep(read_header(path), MACHINE, report)
    records.keep(read_header(path), MACHINE, replace(report, trials=(), seconds=0.0))
    assert records.all()[0].seconds == 3.5


@pytest.mark.parametrize(
    "damage",
    [
        {"trials": 7},
        {"trials": [{}]},
        {"at": "now"},
        {"at": 1e999},
        {"stopped": "never"},
        {"speed": None},
        {"chosen": {"gpu_layers": "many"}},
    ],
)
def test_nonsense_in_the_file_is_passed_over(damage: dict[str, object], tmp_path: Path) -> None:
    path, file = write_tiny_model(tmp_path / "m.gguf"), tmp_path / "t.json"
    records = TuneRecords(file)
    records.keep(read_header(path), MACHINE, tune_report(path))
    document = json.loads(file.read_text())
    (entry,) = document["models"].values()
    entry |= damage
    file.write_text(json.dumps(document))
    assert records.all() == ()
    assert records.of(read_header(path)) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1, "models": []}', "[" * 10_000])
def test_a_damaged_file_says_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(text)
    assert TuneRecords(tmp_path / "t.json").all() == ()


def test_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf")
    (tmp_path / "file").write_text("")
    TuneRecords(tmp_path / "file" / "t.json").keep(read_header(path), MACHINE, tune_report(path))


def test_the_close_up_of_a_model_shows_it(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf")
    records = TuneRecords(tmp_path / "t.json")
    records.keep(read_header(path), MACHINE, tune_report(path))
    library = Library.in_memory(path, tmp_path / "library.db")
    model = library.list()[0]
    library.close()
    seen = look_closely(model, MACHINE, records=records)
    assert seen.tuned is not None
    assert len(seen.tuned.trials) == 2
    assert look_closely(model, MACHINE).tuned is None
