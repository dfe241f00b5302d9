"""The ledger says everything that happened, however it ended."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from desktop.common.errors import StorageError
from desktop.common.ledger import Ledger
from tests.ordinary_user import read_only


def entries(path: Path) -> list[tuple[str, str, int]]:
    return [(e.host, e.outcome, e.received_bytes) for e in Ledger(path).entries()]


def test_a_connection_from_beginning_to_end(tmp_path: Path) -> None:
    path = tmp_path / "data" / "connections.jsonl"
    ledger = Ledger(path, clock=lambda: 1234.5)
    line = ledger.begin("hub_header", "example.org", "maker/model")
    assert entries(path) == [("example.org", "unfinished", 0)]
    ledger.end(line, "ok", status=206, received_bytes=524_288, seconds=0.25)
    (found,) = Ledger(path).entries()
    assert found.to_json() == {
        "time": 1234.5,
        "purpose": "hub_header",
        "host": "example.org",
        "subject": "maker/model",
        "outcome": "ok",
        "status": 206,
        "received_bytes": 524_288,
        "sent_bytes": 0,
        "seconds": 0.25,
    }


def test_the_newest_come_last(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl")
    for number in range(5):
        ledger.end(ledger.begin("x", f"host{number}"), "ok")
    assert [found.host for found in ledger.entries(2)] == ["host3", "host4"]
    assert len(ledger.entries(50)) == 5
    assert ledger.entries(0) == ()


def test_the_file_stays_small_and_keeps_the_newer(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    ledger = Ledger(path, max_file_bytes=10_000)
    for number in range(300):
        ledger.end(ledger.begin("x", f"host{number}"), "ok")
        assert path.stat().st_size <= 10_000 + 300
    found = [connection.host for connection in ledger.entries()]
    assert found[-1] == "host299"
    assert found == [f"host{n}" for n in range(300 - len(found), 300)]
    assert len(found) > 15


def test_damaged_lines_cost_themselves_only(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    ledger = Ledger(path)
    ledger.end(ledger.begin("x", "first"), "ok")
    junk = [b"\xff\xfe{", b"[]", b"7", b'{"id": []}', b'{"id": "a", "host": 1}', b"[" * 5000,
            b'{"id": "b", "started_at": 1e999, "purpose": "", "host": "h", "subject": ""}',
            b'{"id": "b", "outcome": "x", "status": 1e999}']  # fmt: skip
    with path.open("ab") as file:
        file.write(b"\n".join(junk))  # the last without its end, as after a power cut
    ledger.end(ledger.begin("x", "second"), "host_unknown")
    assert entries(path)[0] == ("first", "ok", 0)
    assert entries(path)[-1] == ("second", "host_unknown", 0)


def test_a_shortened_ledger_has_ends_without_beginnings(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    path.write_text('{"id": "gone", "outcome": "ok", "status": 200}\n')
    assert Ledger(path).entries() == ()


def test_what_cannot_be_written_is_still_shown(tmp_path: Path) -> None:
    """Below a regular file nothing can be made, not even by root."""
    (tmp_path / "file").write_text("in the way")
    ledger = Ledger(tmp_path / "file" / "l.jsonl")
    ledger.end(ledger.begin("x", "example.org"), "ok", received_bytes=7)
    assert [(e.host, e.received_bytes) for e in ledger.entries()] == [("example.org", 7)]


def test_a_ledger_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "l.jsonl").mkdir()
    with pytest.raises(StorageError):
        Ledger(tmp_path / "l.jsonl").entries()


def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with read_only(folder):
        ledger = Ledger(folder / "l.jsonl")
        ledger.end(ledger.begin("x", "example.org"), "ok")
        assert [found.outcome for found in ledger.entries()] == ["ok"]


def test_forgotten_when_its_user_wishes(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.end(ledger.begin("x", "example.org"), "ok")
    ledger.clear()
    assert ledger.entries() == ()


def _write_many(path: Path, name: str) -> None:
    ledger = Ledger(path, max_file_bytes=40_000)
    for number in range(60):
        ledger.end(ledger.begin("x", f"{name}{number}"), "ok")


def test_two_processes_write_one_ledger(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(path, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    for line in path.read_text().splitlines():
        json.loads(line)
    assert sorted(found.host for found in Ledger(path).entries()) == sorted(
        f"{name}{number}" for name in "ab" for number in range(60)
    )
