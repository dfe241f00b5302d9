"""Which records of a history count for a machine, and what they come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.fit.types import Speed
from desktop.hardware.machine import Machine
from desktop.hardware.speeds import DeviceSpeed, KernelSpeed
from desktop.services.history_records import Expected, FailureRecord, LoadRecord, Rates, Record
from desktop.services.lessons import corrections_from, measured_from
from desktop.services.machine_key import machine_key
from tests.services.past import (
    GIB,
    GPU,
    LAPTOP,
    MIB,
    WITH_GPU,
    answer,
    end,
    held,
    load_record,
    plan_of,
)

NOW = 10_000.0
SPEEDS = (DeviceSpeed("CPU", 4, (KernelSpeed("Q4_K", 1e10, 1e11),), 1e-4),)


def generation(records: list[Record], machine: Machine = LAPTOP) -> dict[str, float]:
    return dict(corrections_from(records, machine, NOW).generation)


def test_slower_than_predicted_is_learned() -> None:
    records: list[Record] = [
        load_record(1),
        answer(1, generation=5.0, prompt=200.0),
        answer(1, generation=5.0),
    ]
    found = corrections_from(records, LAPTOP, NOW)
    assert 0.5 < found.generation["CPU"] < 0.7
    assert 1.5 < found.prompt["CPU"] < 2.0


def test_a_tiny_model_says_nothing_of_the_others() -> None:
    """One of half a megabyte, used once, made all recommendations go away."""
    load = load_record(1)
    answers: list[Record] = [answer(1, generation=5.0), answer(1, generation=5.0)]
    assert generation([load, *answers])
    rows = tuple(replace(row, weights_bytes=450_000) for row in load.predicted)
    assert generation([replace(load, predicted=rows), *answers]) == {}


def test_a_long_chat_is_compared_with_the_prediction_for_its_length() -> None:
    """A small model with a full cache is half as fast, as was predicted: nothing to correct."""
    expected = Expected(Rates(100.0, 10.0), 512, Rates(50.0, 5.0), 4096)
    full = replace(answer(1, generation=5.0, prompt=50.0), written_tokens=0, read_tokens=0)
    records: list[Record] = [
        load_record(1, expected=expected),
        replace(full, context_tokens=4096),
    ]
    found = corrections_from(records, LAPTOP, NOW)
    assert found.generation["CPU"] == pytest.approx(1.0)
    assert found.prompt["CPU"] == pytest.approx(1.0)
    speed = measured_from(records, LAPTOP, "content of a model", plan_of())
    assert speed is not None
    assert speed.prompt_tokens_per_s == pytest.approx(100.0)
    assert speed.tokens_per_s == pytest.approx(10.0)


def test_between_an_empty_and_a_full_context_the_time_grows_in_a_line() -> None:
    expected = Expected(Rates(None, 10.0), 512, Rates(None, 5.0), 4608)
    assert expected.at(0) == expected.at(512) == Rates(None, 10.0)
    assert expected.at(2560).tokens_per_s == pytest.approx(1 / 0.15)
    assert expected.at(4608) == expected.at(99_999) == Rates(None, 5.0)
    short = Expected(Rates(7.0, 10.0), 512, Rates(7.0, 10.0), 512)
    assert short.at(300) == Rates(7.0, 10.0)


def test_what_was_told_is_not_taken_for_the_prediction() -> None:
    """Else a correction that is right would be learned away again, and come back, and go."""
    told = Rates(50.0, 5.0)
    records: list[Record] = [load_record(1, told=told), answer(1, generation=5.0)]
    assert generation(records)["CPU"] < 0.7


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(LAPTOP, cpu=replace(LAPTOP.cpu, name="Another processor")),
        replace(LAPTOP, memory=replace(LAPTOP.memory, total_bytes=32 * GIB)),
        replace(LAPTOP, on_battery=True),
        replace(LAPTOP, engine=None),
        replace(LAPTOP, speeds=SPEEDS),
        WITH_GPU,
    ],
    ids=["processor", "memory", "battery", "engine", "better predictions", "graphics"],
)
def test_what_was_measured_otherwise_does_not_count(elsewhere: Machine) -> None:
    records: list[Record] = [load_record(1), answer(1, generation=5.0)]
    assert generation(records) != {}
    assert generation(records, elsewhere) == {}


def test_free_memory_and_other_details_do_not_make_another_machine() -> None:
    now = replace(LAPTOP, memory=replace(LAPTOP.memory, available_bytes=1 * GIB))
    assert machine_key(now) == machine_key(LAPTOP)
    records: list[Record] = [load_record(1), answer(1, generation=5.0)]
    assert generation(records, now) != {}


def test_another_driver_begins_anew_but_keeps_the_margin() -> None:
    newer = replace(WITH_GPU, gpus=(replace(GPU, driver="590.0"),))
    plan = plan_of(gpu_layers=33, device="CUDA0")
    failure = FailureRecord(
        1.0, machine_key(WITH_GPU), "CUDA0", 6 * GIB, 7 * GIB, "probe_out_of_memory"
    )
    rows = (held("CPU", weights=64 * MIB), held("CUDA0"))
    records: list[Record] = [
        load_record(1, machine=WITH_GPU, plan=plan, predicted=rows),
        answer(1, generation=5.0),
        failure,
    ]
    assert set(generation(records, WITH_GPU)) == {"CUDA0"}
    found = corrections_from(records, newer, NOW)
    assert found.generation == {}
    assert found.margin_bytes["CUDA0"] > 0


def test_a_small_model_tells_nothing_of_the_machine() -> None:
    """The guide is 3 MB: its speed is that of starting threads."""
    records: list[Record] = [
        load_record(1, file_bytes=3_000_000, grown={"CPU": 9 * GIB}),
        answer(1, generation=1.0),
    ]
    found = corrections_from(records, LAPTOP, NOW)
    assert (found.generation, found.margin_bytes) == ({}, {})


def test_a_long_chat_with_one_model_does_not_outvote_the_others() -> None:
    records: list[Record] = [load_record(n, model=f"model {n}") for n in range(1, 6)]
    for number in range(2, 6):
        records.append(answer(number, generation=10.0))
    records += [answer(1, generation=3.0)] * 500
    assert generation(records)["CPU"] == pytest.approx(1.0)


def test_a_split_model_is_both_devices_work_and_a_whole_one_is_its_own() -> None:
    split = (held("CPU", weights=2 * GIB), held("CUDA0", weights=2 * GIB))
    records: list[Record] = [
        load_record(1, machine=WITH_GPU, plan=plan_of(gpu_layers=16), predicted=split),
        answer(1, generation=5.0),
    ]
    found = generation(records, WITH_GPU)
    assert found["CPU"] == found["CUDA0"]


def test_memory_beyond_the_prediction_becomes_a_margin() -> None:
    more = held(compute=428 * MIB)
    records: list[Record] = [load_record(1, actual=(more,)), end(1)]
    assert corrections_from(records, LAPTOP, NOW).margin_bytes == {"CPU": 300 * MIB}


def test_growth_at_run_time_counts() -> None:
    """One compute buffer grew from 625 to 679 MiB while it worked."""
    exact = held()
    grown = held(compute=182 * MIB)
    records: list[Record] = [load_record(1, actual=(exact,)), end(1, actual=(grown,))]
    assert corrections_from(records, LAPTOP, NOW).margin_bytes == {"CPU": 54 * MIB}


def test_what_the_process_grew_counts_unless_the_file_is_mapped() -> None:
    grown = held().total_bytes + 200 * MIB
    for use_mmap, expected in ((False, {"CPU": 200 * MIB}), (True, {})):
        record = load_record(1, plan=plan_of(use_mmap=use_mmap), actual=(held(),))
        records: list[Record] = [record, end(1, peak={"CPU": grown})]
        assert corrections_from(records, LAPTOP, NOW).margin_bytes == expected


def test_memory_that_is_shared_is_not_taken_for_the_processors_growth() -> None:
    """On Apple silicon the process grows by what lies on the graphics device, too."""
    apple = replace(GPU, vendor="apple", backend="metal", unified=True, device="MTL0")
    mac = replace(LAPTOP, gpus=(apple,))
    rows = (held("CPU", weights=64 * MIB), held("MTL0"))
    record = load_record(
        1,
        machine=mac,
        plan=plan_of(gpu_layers=33, device="MTL0"),
        predicted=rows,
        actual=(rows[0], held("MTL0", compute=228 * MIB)),
        grown={"CPU": 6 * GIB, "MTL0": 7 * GIB},
    )
    assert corrections_from([record], mac, NOW).margin_bytes == {"MTL0": 100 * MIB}


def test_a_driver_is_not_counted_twice() -> None:
    predicted = replace(held("CUDA0"), driver_bytes=400 * MIB)
    plan = plan_of(gpu_layers=33, device="CUDA0")
    record = load_record(
        1,
        machine=WITH_GPU,
        plan=plan,
        predicted=(predicted,),
        actual=(held("CUDA0"),),
        grown={"CUDA0": held("CUDA0").total_bytes + 450 * MIB},
    )
    assert corrections_from([record], WITH_GPU, NOW).margin_bytes == {"CUDA0": 50 * MIB}


def failed(at: float = 1.0, machine: Machine = WITH_GPU) -> FailureRecord:
    return FailureRecord(at, machine_key(machine), "CUDA0", 4 * GIB, 5 * GIB, "probe_out_of_memory")


def on_gpu(number: int, weights: int) -> LoadRecord:
    plan = plan_of(gpu_layers=33, device="CUDA0")
    rows = (held("CUDA0", weights=weights),)
    return load_record(number, machine=WITH_GPU, plan=plan, predicted=rows, actual=rows)


def test_loads_as_large_as_the_failed_one_win_back_its_margin() -> None:
    def margin(*loads: LoadRecord) -> int:
        records: list[Record] = [failed(), *loads]
        return corrections_from(records, WITH_GPU, NOW).margin_bytes.get("CUDA0", 0)

    alone = margin()
    assert margin(on_gpu(1, 256 * MIB)) == alone
    assert margin(on_gpu(1, 3 * GIB)) < alone
    assert margin(on_gpu(1, 4 * GIB)) < margin(on_gpu(1, 3 * GIB))
    before: list[Record] = [on_gpu(1, 4 * GIB), failed()]
    assert corrections_from(before, WITH_GPU, NOW).margin_bytes["CUDA0"] == alone


def test_old_failures_are_forgotten() -> None:
    year = 365 * 86400.0
    assert corrections_from([failed()], WITH_GPU, 1.0 + year).margin_bytes == {}


def test_measured_speed_is_that_models_own() -> None:
    plan = plan_of()
    records: list[Record] = [
        load_record(1),
        load_record(2, model="another"),
        answer(1, generation=8.0, prompt=90.0),
        answer(1, generation=9.0),
        answer(1, generation=7.0),
        answer(2, generation=33.0),
    ]
    found = measured_from(records, LAPTOP, "content of a model", plan)
    assert found == Speed(90.0, 8.0, "measured")
    longer = replace(plan, context=32768)
    assert measured_from(records, LAPTOP, "content of a model", longer) == found
    for other in (replace(plan, threads=1), replace(plan, kv_type="q8_0"), plan_of(gpu_layers=5)):
        assert measured_from(records, LAPTOP, "content of a model", other) is None
    assert measured_from(records, LAPTOP, "", plan) is None
    assert measured_from(records, WITH_GPU, "content of a model", plan) is None


def test_measured_speed_survives_a_new_version_of_the_predictions() -> None:
    old = replace(load_record(1).conditions, app="0.0.1", speeds=False)
    records: list[Record] = [replace(load_record(1), conditions=old), answer(1, generation=8.0)]
    now = replace(LAPTOP, speeds=SPEEDS)
    assert generation(records, now) == {}
    found = measured_from(records, now, "content of a model", plan_of())
    assert found is not None
    assert found.tokens_per_s == 8.0


def test_one_prompt_alone_is_no_speed() -> None:
    records: list[Record] = [load_record(1), answer(1, generation=None, prompt=90.0)]
    assert measured_from(records, LAPTOP, "content of a model", plan_of()) is None
