"""What was measured here: a line a model and setting, from the history."""

from __future__ import annotations

from dataclasses import replace

from desktop.services.history_records import FailureRecord, Rates, Record
from desktop.services.measured_here import measured_here
from tests.services.past import GIB, MIB, answer, end, held, load_record, plan_of

FAILURE = FailureRecord(5000.0, "machine", "CUDA0", GIB, 2 * GIB, "out_of_memory")


def test_nothing_measured_yet() -> None:
    found = measured_here(())
    assert found.rows == ()
    assert found.accuracy is None


def test_predicted_beside_measured_the_newest_first() -> None:
    records: list[Record] = [
        load_record(1, model="old", actual=(held(),), told=Rates(None, 9.5)),
        answer(1, generation=9.1),
        end(1),
        load_record(2, model="new"),
        FAILURE,
    ]
    found = measured_here(records)
    assert [row.name for row in found.rows] == ["new", "old"]
    old = found.rows[1]
    assert (old.generation.predicted, old.generation.actual) == (9.5, 9.1)
    assert old.memory.actual == held().total_bytes
    assert found.rows[0].generation.actual is None
    assert found.failures == 1
    assert found.accuracy is not None
    assert found.accuracy.loads == 2


def test_one_line_for_each_setting_and_answers_are_not_lost() -> None:
    records: list[Record] = [
        load_record(1),
        answer(1, generation=9.0),
        load_record(2, plan=plan_of(gpu_layers=20)),
        load_record(3),  # opened again, and closed without an answer
    ]
    found = measured_here(records)
    assert [row.plan.gpu_layers for row in found.rows] == [0, 20]
    assert found.rows[0].generation.actual == 9.0


def test_small_models_and_old_lines_are_left_out() -> None:
    records = [load_record(n, model=f"model {n}") for n in range(20)]
    records.append(load_record(99, model="guide", file_bytes=8 * MIB))
    found = measured_here(records, most=3)
    assert [row.name for row in found.rows] == ["model 19", "model 18", "model 17"]


def test_a_changed_plan_is_another_setting() -> None:
    faster = replace(plan_of(), threads=plan_of().threads + 2)
    assert len(measured_here([load_record(1), load_record(2, plan=faster)]).rows) == 2
