"""What a support person gets: everything, whatever is broken, and no word of a chat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import MachineError
from desktop.common.logs import get_logger, start_log, stop_log
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Machine
from desktop.services.core import Core, build_core
from desktop.services.doctor import Diagnosis, examine
from desktop.services.history_records import Rates
from desktop.services.history_summary import accuracy, compared
from desktop.services.log_tail import last_errors
from desktop.services.start import begin
from desktop.services.tune_records import TUNE_RECORDS_FILE, TuneRecords
from tests.services.fake_engine import plan
from tests.services.past import GIB, LAPTOP, MIB, answer, end, held, load_record
from tests.services.test_tune_records import tune_report
from tests.tiny_models import write_tiny_model

PARTS = {
    "system", "versions", "hardware", "engine", "paths", "settings", "problems", "errors",
    "ledger", "history", "crashes", "models", "broken", "network", "tuning", "pool", "servers",
}  # fmt: skip


@pytest.fixture
def core(hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    built = build_core(begin({"HAUSGEIST_HOME": str(hausgeist_home), "LANG": "en_US.UTF-8"}))
    monkeypatch.setattr(built.machine_service, "machine", lambda: LAPTOP)
    yield built
    built.close()


def document(core: Core, found: Diagnosis | None = None) -> Any:
    """As the command prints it, through JSON."""
    diagnosis = found or examine(core)
    return json.loads(json.dumps(diagnosis.to_json(core.messages.error), allow_nan=False))


def test_the_last_tunings_are_told(core: Core, tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf")
    records = TuneRecords(core.paths.data_dir / TUNE_RECORDS_FILE, now=lambda: 12.0)
    records.keep(read_header(path), LAPTOP, tune_report(path))
    (told,) = document(core)["tuning"]
    assert (told["model"], told["at"], told["stopped"]) == (read_header(path).name, 12.0, "done")
    assert [trial["error"] for trial in told["trials"]] == ["out_of_memory", None]


def test_a_fresh_installation(core: Core) -> None:
    found = document(core)
    assert set(found) == PARTS
    assert found["broken"] == found["problems"] == found["errors"] == found["crashes"] == []
    assert found["hardware"]["memory"]["total_bytes"] == 16 * GIB
    assert found["engine"]["version"] == "0.3.36"
    assert found["versions"]["llama-cpp-python"]
    assert found["versions"]["python"].startswith("3.")
    assert found["paths"]["data"]["exists"]
    assert found["paths"]["data"]["free_bytes"] > 0
    assert found["settings"]["offline"] is False
    assert [model["name"] for model in found["models"]] == ["guide"]
    assert found["history"]["sessions"] == []
    assert found["ledger"] == []


def test_other_computers_are_looked_at(core: Core) -> None:
    core.settings_store.update(pool_servers=("127.0.0.1:9", "8.8.8.8:50052"))
    silent, public = document(core)["pool"]
    assert silent["server"] == "127.0.0.1:9"
    assert silent["problem"] == "pool_server_silent"
    assert public["problem"] == "pool_server_public"
    assert [line["outcome"] for line in document(core)["ledger"]] == ["pool_server_silent"]


def test_the_models_folder_is_the_chosen_one(core: Core, tmp_path: Path) -> None:
    """It was always the app's own."""
    assert document(core)["paths"]["models"]["path"] == str(core.paths.models_dir)
    chosen = tmp_path / "drive" / "models"
    core.places.choose_main(chosen)
    told = document(core)["paths"]["models"]
    assert told["path"] == str(chosen)
    assert told["exists"]
    assert told["free_bytes"] > 0
    chosen.rmdir()
    gone = document(core)["paths"]["models"]
    assert gone == {"path": str(chosen), "exists": False, "free_bytes": None}


def test_a_history_is_told_predicted_against_actual(core: Core) -> None:
    core.history.add(load_record(1, actual=(held(compute=200 * MIB),), grown={"CPU": 5 * GIB}))
    core.history.add(answer(1, generation=8.0, prompt=50.0))
    core.history.add(end(1, actual=(held(compute=228 * MIB),), peak={"CPU": 6 * GIB}))
    history = document(core)["history"]
    (session,) = history["sessions"]
    (row,) = session["memory"]
    assert row["weights_bytes"] == {"predicted": 4 * GIB, "actual": 4 * GIB, "error": 0.0}
    assert row["compute_bytes"]["actual"] == 228 * MIB  # the larger one, at the end
    assert row["compute_bytes"]["error"] == pytest.approx(128 / 228 - 1, abs=1e-4)
    assert row["peak_bytes"] == 6 * GIB
    assert session["tokens_per_s"] == {
        "predicted": 10.0, "actual": 8.0, "error": 0.25, "without_corrections": 10.0,
    }  # fmt: skip
    assert history["accuracy"]["generation"] == 0.25
    assert history["corrections"]["generation"]["CPU"] < 1
    assert history["corrections"]["margin_bytes"]["CPU"] > GIB


def test_the_way_out_without_secrets(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:geheim@proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    found = document(core)
    assert found["network"]["hub"] == "huggingface.co"
    assert found["network"]["proxy"] == "proxy.example:3128"
    assert found["network"]["token"] == "none"
    assert found["network"]["certificates"]
    assert "geheim" not in json.dumps(found)


def test_connections_crashes_and_failed_loads(core: Core, tmp_path: Path) -> None:
    ledger = core.network.ledger
    ledger.end(ledger.begin("hub_listing", "hub.example", "org/repo"), "ok", received_bytes=77)
    core.history.failed_load(LAPTOP, "CPU", 9 * GIB, available_bytes=8 * GIB, kind="probe_aborted")
    marker = core.paths.crash_marker
    marker.write_text(
        json.dumps(
            {
                "crashes": [
                    {
                        "activity": "loading",
                        "model_path": str(tmp_path / "big.gguf"),
                        "plan": plan().to_json(),
                        "started_at": 4e9,
                    }
                ]
            }
        )
    )
    found = document(core)
    (line,) = found["ledger"]
    assert (line["host"], line["subject"], line["received_bytes"]) == (
        "hub.example", "org/repo", 77,
    )  # fmt: skip
    assert [crash["model"] for crash in found["crashes"]] == ["big"]
    (failed,) = found["history"]["failed_loads"]
    assert (failed["kind"], failed["available_bytes"]) == ("probe_aborted", 8 * GIB)


@pytest.mark.parametrize("part", ["hardware", "history", "errors", "ledger", "crashes", "models"])
def test_a_broken_part_is_a_finding_and_hides_no_other(
    core: Core, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            def fail(*_: object, **__: object) -> None:
                raise OSError(5, "input/output error")

            return fail

    broken: Any = Broken()
    if part == "hardware":
        hurt = replace(core, machine_service=broken)
    elif part == "history":
        hurt = replace(core, history=broken)
    elif part == "crashes":
        hurt = replace(core, crash_marker=broken)
    elif part == "models":
        hurt = replace(core, library=broken)
    elif part == "ledger":
        core.paths.ledger_file.mkdir()
        hurt = core
    else:
        core.paths.log_file.mkdir(parents=True)
        hurt = core
    found = document(hurt)
    assert {finding["part"] for finding in found["broken"]} == {part}
    assert set(found) == PARTS
    assert all(finding["message"] for finding in found["broken"])
    assert found["versions"]["python"]


def test_a_machine_that_tells_nothing(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Machine:
        raise MachineError("memory_unknown")

    monkeypatch.setattr(core.machine_service, "machine", fail)
    found = document(core)
    assert found["hardware"] is None
    assert found["engine"] is None
    assert [finding["kind"] for finding in found["broken"]] == ["memory_unknown"]


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    core = build_core(begin({"HAUSGEIST_HOME": str(tmp_path / "file" / "home"), "LANG": "C"}))
    found = document(core)
    assert [problem["kind"] for problem in found["problems"]]
    assert not found["paths"]["data"]["exists"]
    core.close()


def test_the_last_errors_are_short_lines(tmp_path: Path) -> None:
    path = tmp_path / "hausgeist.log"
    handler = start_log(path)
    log = get_logger("engine")
    log.info("loaded")
    log.warning("load failed: %s", "llama.cpp said no")
    try:
        raise ValueError("first line\nsecond line of a secret")
    except ValueError:
        log.exception("unforeseen")
    log.error("x" * 5000)
    stop_log(handler)
    with path.open("ab") as file:
        file.write(b"\xff\xfe no line of ours\n\n2026-01-01 half a li")
    found = last_errors(path)
    assert [line.level for line in found] == ["WARNING", "ERROR", "ERROR"]
    assert {line.part for line in found} == {"hausgeist.engine"}
    assert found[0].text == "load failed: llama.cpp said no"
    assert found[1].text == "unforeseen"
    assert len(found[2].text) < 500


def test_errors_before_the_log_was_turned_over_are_found(tmp_path: Path) -> None:
    line = "2026-11-20 10:00:0{n},123 ERROR hausgeist.engine: number {n}\n"
    (tmp_path / "hausgeist.log.1").write_text("".join(line.format(n=n) for n in range(5)))
    (tmp_path / "hausgeist.log").write_text(line.format(n=5))
    found = last_errors(tmp_path / "hausgeist.log", most=3)
    assert [entry.text for entry in found] == ["number 3", "number 4", "number 5"]
    assert last_errors(tmp_path / "nothing" / "hausgeist.log") == ()


def test_accuracy_is_that_of_models_worth_measuring(core: Core) -> None:
    core.history.add(load_record(1, told=Rates(None, 20.0)))
    core.history.add(answer(1, generation=10.0))
    core.history.add(load_record(2, file_bytes=3_000_000, expected=Rates(1.0, 9999.0)))
    core.history.add(answer(2, generation=1.0))
    core.history.add(load_record(3))
    found = accuracy(core.history.sessions())
    assert (found.loads, found.generation, found.raw_generation) == (2, 1.0, 0.0)
    assert found.memory is None
    unknown = compared(core.history.sessions()[2])
    assert unknown.memory.error is None
    assert unknown.generation.error is None
