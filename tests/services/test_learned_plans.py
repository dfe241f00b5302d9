"""What was learned shows in the next plan: more room where it was missing, speeds as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.fit.planner import plan
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine
from desktop.services.history import History
from desktop.services.history_records import HeldBytes, LoadRecord, Rates
from tests.fit.machines import desktop, laptop
from tests.gguf_files import LlamaShape
from tests.services.past import answer, load_record

GIB = 1 << 30
WISH = Wish(context=8192, kv_type="f16")


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> ModelHeader:
    """Llama 3.1 8B's shape in Q4_K_M: 4.7 GB."""
    shape = LlamaShape(32, 4096, 32, 8, 14_336, vocab=128_256, context=131_072)
    path = shape.write(tmp_path_factory.mktemp("8b") / "m.gguf", with_data=False)
    return replace(read_header(path, allow_missing_data=True), complete=True)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history.jsonl", now=lambda: 10_000.0)


def planned(machine: Machine, header: ModelHeader, history: History) -> FitReport:
    return plan(machine, header, WISH, corrections=history.corrections(machine))


def on_card(report: FitReport) -> int:
    return next((row.total_bytes for row in report.memory if row.device == "CUDA0"), 0)


def test_a_card_that_held_less_than_it_claimed_is_given_less(
    header: ModelHeader, history: History
) -> None:
    machine = desktop(8)
    before = planned(machine, header, history)
    assert before.verdict == "gpu"
    (row,) = (row for row in before.memory if row.device == "CUDA0")
    history.failed_load(
        machine,
        "CUDA0",
        row.total_bytes,
        available_bytes=row.available_bytes,
        kind="probe_out_of_memory",
    )
    after = planned(machine, header, history)
    assert on_card(after) < on_card(before)
    assert after.plan != before.plan
    margin = next(row.margin_bytes for row in after.memory if row.device == "CUDA0")
    assert margin > row.margin_bytes


def test_failures_do_not_repeat_for_ever(header: ModelHeader, history: History) -> None:
    """The card really gives 4 GiB, whatever it claims: a few failures find that out."""
    machine, real_bytes, failed = desktop(8), 4 * GIB, 0
    while on_card(report := planned(machine, header, history)) > real_bytes:
        failed += 1
        assert failed < 7
        (row,) = (row for row in report.memory if row.device == "CUDA0")
        history.failed_load(
            machine,
            "CUDA0",
            row.total_bytes,
            available_bytes=row.available_bytes,
            kind="probe_out_of_memory",
        )
    assert failed > 1
    assert report.verdict != "too_large"


def test_a_model_that_dies_of_something_else_costs_the_others_little(
    header: ModelHeader, history: History
) -> None:
    machine = desktop(8)
    before = planned(machine, header, history)
    for layers in (33, 22, 14, 9) * 5:
        size = layers * 150_000_000
        history.failed_load(
            machine, "CUDA0", size, available_bytes=7 * GIB, kind="probe_aborted", model="odd"
        )
    margin = history.corrections(machine).margin_bytes["CUDA0"]
    assert margin < GIB // 2
    assert planned(machine, header, history).plan.gpu_layers >= before.plan.gpu_layers - 3


def loaded(report: FitReport, machine: Machine, number: int) -> LoadRecord:
    rows = tuple(map(HeldBytes.predicted, report.memory))
    speed = Rates.of(report.speed)
    return load_record(
        number, machine=machine, plan=report.plan, predicted=rows, expected=speed, told=speed
    )


def test_a_slow_computer_is_told_as_such(header: ModelHeader, history: History) -> None:
    machine = laptop()
    before = planned(machine, header, history)
    assert before.speed.tokens_per_s is not None
    real = before.speed.tokens_per_s / 2
    for number in range(3):
        history.add(loaded(before, machine, number))
        history.add(answer(number, generation=real))
    after = planned(machine, header, history).speed.tokens_per_s
    assert after is not None
    assert real < after < 0.7 * before.speed.tokens_per_s
    other, fresh = laptop(32), History(Path("nothing there"))
    assert planned(other, header, history).speed == planned(other, header, fresh).speed


def test_what_loads_took_more_is_kept_free(header: ModelHeader, history: History) -> None:
    machine = laptop()
    report = planned(machine, header, history)
    for number in range(3):
        record = loaded(report, machine, number)
        rows = tuple(replace(row, compute_bytes=row.compute_bytes + GIB) for row in record.actual)
        grown = {"CPU": record.predicted[0].total_bytes + GIB}
        history.add(replace(record, actual=rows, grown_bytes=grown))
    after = planned(machine, header, history)
    assert after.memory[0].margin_bytes == report.memory[0].margin_bytes + GIB
