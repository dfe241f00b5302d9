"""`hausgeist doctor`, as a person and as a script call it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from desktop.services.history import History
from tests.cli.running import Cli
from tests.services.past import LAPTOP, answer, end, held, load_record

SECRET = "Mein Passwort ist Sommerregen"


def test_the_documented_parts(cli: Cli) -> None:
    done = cli("doctor", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json.keys() >= {"hardware", "engine", "versions", "paths", "errors", "ledger"}
    assert done.json["engine"]["version"]
    assert done.json["broken"] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Nothing has left this computer", "No model has been opened yet")),
        ("de", ("Nichts hat diesen Computer verlassen", "Noch wurde kein Modell geöffnet")),
    ],
)
def test_for_a_person(cli: Cli, language: str, words: tuple[str, ...]) -> None:
    done = cli("doctor", language=language)
    assert (done.code, done.err) == (0, "")
    assert all(word in done.out for word in words)


def test_no_word_of_a_chat_is_in_it(cli: Cli, tiny_model: Path) -> None:
    run = cli("run", str(tiny_model), "-p", SECRET, "--max-tokens", "20", "--threads", "1")
    assert run.code == 0
    document = cli("doctor", "--json")
    assert document.json["history"]["sessions"][0]["answers"] == 1
    for text in (document.out, cli("doctor").out):
        assert "Sommerregen" not in text


def test_the_history_in_words(cli: Cli, hausgeist_home: Path) -> None:
    data = hausgeist_home / "data"
    data.mkdir(parents=True)
    history = History(data / "history.jsonl")
    for record in (load_record(1, actual=(held(),)), answer(1, generation=8.0), end(1)):
        history.add(record)
    history.failed_load(LAPTOP, "CUDA0", 6_000_000_000, kind="probe_out_of_memory", model="big")
    done = cli("doctor")
    assert "“big” could not be loaded into CUDA0, although 5.6 GB should have fitted" in done.out
    assert "a model" in done.out
    assert "main memory: 4.6 GB predicted, 4.6 GB used (right)" in done.out
    assert "10.0 tokens/s predicted, 8.0 measured (25 % too much)" in done.out


def test_the_last_errors_are_named(cli: Cli, hausgeist_home: Path) -> None:
    logs = hausgeist_home / "data" / "logs"
    logs.mkdir(parents=True)
    line = "2026-11-20 10:00:00,123 ERROR hausgeist.engine: the driver fell over\n"
    (logs / "hausgeist.log").write_text(line)
    assert "the driver fell over" in cli("doctor").out


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("history.jsonl", b"\x00\xff" * 100),
        ("connections.jsonl", b"[[[[\n{}\n"),
        ("running.json", b'{"crashes": 7}'),
        ("settings.json", b'{"language": 5}'),
        ("library.db", b"no database at all"),
        ("tuned.json", b"{"),
    ],
)
def test_damaged_files_stop_nothing(
    cli: Cli, hausgeist_home: Path, file: str, content: bytes
) -> None:
    data = hausgeist_home / "data"
    data.mkdir(parents=True)
    (data / file).write_bytes(content)
    done = cli("doctor", "--json")
    assert done.code == 0
    json.loads(done.out)


@pytest.mark.skipif(os.name == "nt", reason="permissions mean another thing there")
def test_a_home_that_is_a_file(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HAUSGEIST_HOME", str(tmp_path / "file" / "home"))
    done = cli("doctor", "--json")
    assert done.code == 0
    assert done.json["problems"]


def test_fit_tells_what_was_measured_before(cli: Cli, endless_model: Path) -> None:
    before = cli("fit", str(endless_model), "--json").json["speed"]
    assert before["basis"] == "predicted"
    assert cli("run", str(endless_model), "-p", "Hallo", "--max-tokens", "40").code == 0
    after = cli("fit", str(endless_model), "--json").json["speed"]
    assert after["basis"] == "measured"
    history = cli("doctor", "--json").json["history"]["sessions"][-1]
    assert after["tokens_per_s"] == pytest.approx(history["tokens_per_s"]["actual"], abs=0.01)
    assert "measured" in cli("fit", str(endless_model)).out
