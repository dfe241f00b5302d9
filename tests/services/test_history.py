"""The history's file: kept, bounded, shared, and no reason for anything to stop."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import StorageError
from desktop.fit.corrections import NO_CORRECTIONS
from desktop.services import history as history_module
from desktop.services.history import History
from desktop.services.history_records import (
    FailureRecord,
    Rates,
    Record,
    from_json,
    to_json,
)
from tests.services.past import GIB, GPU, LAPTOP, WITH_GPU, answer, end, held, load_record, plan_of

_REFUSED = r"a (size|rate|number) of|[A-Z]\w+Error"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.jsonl"


def all_kinds() -> tuple[Record, ...]:
    split = replace(plan_of(gpu_layers=9), split=(("CUDA0", 5), ("CUDA1", 4)))
    return (
        load_record(machine=WITH_GPU, plan=split, actual=(held(),), grown={"CPU": 5, "CUDA0": 7}),
        answer(prompt=120.5),
        end(actual=(held(compute=999),), peak={"CPU": 12}),
        FailureRecord(7.0, "machine", "CUDA0", 5 * GIB, None, "out_of_memory", "a model"),
    )


def test_every_kind_comes_back_as_it_was(path: Path) -> None:
    written = History(path)
    for record in all_kinds():
        written.add(record)
    assert History(path).entries() == all_kinds() == written.entries()


def test_nothing_yet(path: Path) -> None:
    history = History(path)
    assert history.entries() == ()
    assert history.corrections(LAPTOP) is NO_CORRECTIONS
    assert history.measured(LAPTOP, "content of a model", plan_of()) is None
    assert not history.may_know("llama", 4 * GIB)
    assert not path.exists()


def test_a_model_is_known_by_kind_and_size(path: Path) -> None:
    history = History(path)
    history.add(load_record())
    assert history.may_know("llama", 4 * GIB)
    assert not history.may_know("llama", 4 * GIB + 1)
    assert not history.may_know("qwen3", 4 * GIB)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind": "load"}',
        b'{"kind": "speed", "load": 7}',
        b'{"kind": ["load"]}',
    ],
)
def test_damaged_lines_cost_themselves_alone(path: Path, bad: bytes) -> None:
    first, second = all_kinds()[:2]
    History(path).add(first)
    with path.open("ab") as file:
        file.write(bad + b"\n")
    History(path).add(second)
    assert History(path).entries() == (first, second)


def test_a_line_cut_by_a_power_failure_swallows_no_other(path: Path) -> None:
    first, second, third = all_kinds()[:3]
    History(path).add(first)
    History(path).add(second)
    path.write_bytes(path.read_bytes()[:-20])
    History(path).add(third)
    assert History(path).entries() == (first, third)


def test_what_a_later_version_writes_is_left_alone(path: Path) -> None:
    path.write_text('{"kind": "dream", "about": "sheep"}\n')
    History(path).add(answer())
    assert History(path).entries() == (answer(),)
    assert "sheep" in path.read_text()


def change(document: dict[str, object], where: str, value: object) -> dict[str, object]:
    """`document` with another value at "a.0.b"."""
    copy = json.loads(json.dumps(document))
    place = copy
    *inner, last = where.split(".")
    for name in inner:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return copy  # type: ignore[no-any-return]


@pytest.mark.parametrize("value", [None, "7", -1, 1 << 62, True, 1.5, [], {}, math.nan, math.inf])
@pytest.mark.parametrize(
    "where", ["predicted.0.weights_bytes", "model.file_bytes", "grown_bytes.CPU"]
)
def test_sizes_without_sense_are_refused(where: str, value: object) -> None:
    document = to_json(load_record(grown={"CPU": 1}))
    with pytest.raises(ValueError, match=_REFUSED):
        from_json(change(document, where, value))


@pytest.mark.parametrize("value", ["7", -1.0, 0, 1e300, True, [], {}, math.nan, math.inf])
def test_rates_without_sense_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=_REFUSED):
        from_json(change(to_json(load_record()), "expected.rates.tokens_per_s", value))
    with pytest.raises(ValueError, match=_REFUSED):
        from_json(change(to_json(answer()), "rates.tokens_per_s", value))


def test_the_file_stays_small(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MOST_BYTES", 5_000)
    history = History(path)
    for number in range(100):
        history.add(answer(number))
        assert path.stat().st_size <= 5_000
        assert len(history.entries()) >= min(number, 10)
    kept = History(path).entries()
    assert kept[-1] == answer(99)
    assert kept == tuple(answer(100 - len(kept) + n) for n in range(len(kept)))


def test_two_processes_write_one_history(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from desktop.services.history import History\n"
        "from tests.services.past import answer\n"
        "history = History(Path(sys.argv[1]))\n"
        "for number in range(40): history.add(answer(int(sys.argv[2]) + number))\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(path), start], cwd=ROOT)
        for start in ("100", "200")
    ]
    here = History(path)
    for number in range(40):
        here.add(answer(number))
    assert [child.wait(60) for child in children] == [0, 0]
    expected = {answer(start + n) for start in (0, 100, 200) for n in range(40)}
    assert set(here.entries()) == expected
    assert len(here.entries()) == 120


def test_two_threads_write_one_history(path: Path) -> None:
    history = History(path)

    def write(start: int) -> None:
        for number in range(30):
            history.add(answer(start + number))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(History(path).entries()) == 90


def test_a_disk_that_refuses_loses_nothing_while_it_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    history = History(tmp_path / "file" / "history.jsonl")
    for record in all_kinds():
        history.add(record)
    assert history.entries() == all_kinds()


def test_the_file_is_read_again_only_when_it_has_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(path)
    history.add(answer(1))
    history.entries()
    reads: list[object] = []
    read = history_module._records

    def counted(lines: list[bytes], path: Path) -> tuple[Record, ...]:
        reads.append(lines)
        return read(lines, path)

    monkeypatch.setattr(history_module, "_records", counted)
    for _ in range(5):
        assert history.entries() == (answer(1),)
    assert reads == []
    History(path).add(answer(2))
    assert history.entries() == (answer(1), answer(2))


def test_forgetting(path: Path) -> None:
    history = History(path)
    history.add(answer())
    history.forget()
    assert history.entries() == ()
    history.forget()
    path.mkdir()
    with pytest.raises(StorageError):
        history.forget()


def test_a_name_that_is_no_text(path: Path) -> None:
    """A file name that is no UTF-8 ended `run` when its load was written down."""
    record = load_record(model="a\udcff")
    History(path).add(record)
    assert History(path).entries() == (record,)


def test_a_failed_load_teaches_the_machine_it_was_on(path: Path) -> None:
    history = History(path, now=lambda: 5000.0)
    history.failed_load(
        WITH_GPU, "CUDA0", 6 * GIB, available_bytes=7 * GIB, kind="out_of_memory", model="big"
    )
    (failure,) = history.entries()
    assert isinstance(failure, FailureRecord)
    assert (failure.at, failure.device, failure.model) == (5000.0, "CUDA0", "big")
    assert history.corrections(WITH_GPU).margin_bytes["CUDA0"] > GIB // 2
    other = replace(WITH_GPU, gpus=(replace(GPU, name="another card"),))
    assert history.corrections(other).margin_bytes == {}


def test_sessions_are_put_together(path: Path) -> None:
    history = History(path)
    for record in (load_record(1), load_record(2), answer(2), answer(1), end(1), answer(2)):
        history.add(record)
    first, second = history.sessions()
    assert (first.load, first.answers, first.close) == (load_record(1), (answer(1),), end(1))
    assert (second.answers, second.close) == ((answer(2), answer(2)), None)


def test_rates_may_be_unknown() -> None:
    record = answer(generation=None)
    assert from_json(to_json(record)) == record
    assert record.rates == Rates()
