"""`hausgeist tune`: the documented fields, a described machine, Ctrl+C, words for a person."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.cancel import CancelToken
from desktop.engine.trial import TrialResult, TrialSize, run_trial
from desktop.fit.types import Plan
from desktop.services.tune_report import TuneTools
from tests.cli.running import Cli

SHORT = TrialSize(prompt_tokens=32, gen_tokens=2, measure_s=0.02)
GIB = 1 << 30


@pytest.fixture(autouse=True)
def _short_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    tools = functools.partial(TuneTools, size=SHORT)
    monkeypatch.setattr("desktop.services.wiring.TuneTools", tools)


def test_json_has_the_documented_fields(cli: Cli, tiny_model: Path) -> None:
    done = cli("tune", str(tiny_model), "--ctx", "1k", "--json")
    assert (done.code, done.err) == (0, "")
    found = done.json
    assert set(found) >= {"chosen", "trials", "seconds"}
    assert found["chosen"]["context"] == 1024
    assert found["seconds"] > 0
    for trial in found["trials"]:
        assert set(trial) >= {"plan", "ok", "tokens_per_s", "peak_bytes", "error"}
        assert trial["ok"]
        assert trial["tokens_per_s"] > 0
        assert trial["peak_bytes"] > 0
        assert trial["error"] is None
        assert trial["basis"] == "measured"


def test_what_was_found_is_used_and_told_by_the_next_run(
    cli: Cli, tiny_model: Path, hausgeist_home: Path
) -> None:
    chosen = cli("tune", str(tiny_model), "--json").json["chosen"]
    kept = json.loads((hausgeist_home / "data" / "tuned.json").read_bytes())
    assert [entry["plan"] for entry in kept["plans"].values()] == [chosen]
    told = cli("fit", str(tiny_model), "--json").json
    assert told["plan"] == chosen
    assert told["speed"]["basis"] == "measured"
    other = cli("fit", str(tiny_model), "--ctx", "512", "--json").json
    assert other["speed"]["basis"] == "predicted"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "From now on the model is opened"), ("de", "von nun an so")]
)
def test_for_a_person(cli: Cli, tiny_model: Path, language: str, words: str) -> None:
    done = cli("tune", str(tiny_model), "--ubatch", "64", "--threads", "1", language=language)
    assert done.code == 0
    assert words in done.out


def test_the_guide_is_not_said_to_be_opened_otherwise(cli: Cli) -> None:
    """It is opened in one way always, whatever tuning finds."""
    done = cli("tune", "guide")
    assert done.code == 0
    assert "From now on" not in done.out
    assert "always in the same way" in done.out


@pytest.mark.parametrize(("language", "words"), [("en", "not tried"), ("de", "nicht ausprobiert")])
def test_a_described_machine_is_told_apart(
    cli: Cli, tmp_path: Path, tiny_model: Path, language: str, words: str
) -> None:
    gpu = {"name": "A card", "vendor": "nvidia", "backend": "cuda", "total_bytes": 8 * GIB}
    document: dict[str, Any] = {"memory": {"total_bytes": 16 * GIB}, "gpus": [gpu]}
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(document))
    arguments = ("tune", str(tiny_model), "--gpu-layers", "3", "--machine", str(machine))
    done = cli(*arguments, language=language)
    assert done.code == 0, done.err
    assert words in done.out
    found = cli(*arguments, "--json").json
    assert found["chosen"]["gpu_layers"] == 3
    assert {trial["basis"] for trial in found["trials"]} == {"predicted"}


def test_a_machine_file_with_nonsense_is_refused(
    cli: Cli, tmp_path: Path, tiny_model: Path
) -> None:
    machine = tmp_path / "machine.json"
    machine.write_text('{"memory": {"total_bytes": -5}}')
    done = cli("tune", str(tiny_model), "--machine", str(machine), "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == "bad_machine"


def test_a_model_that_needs_more_than_there_is_is_refused(
    cli: Cli, tmp_path: Path, tiny_model: Path
) -> None:
    machine = tmp_path / "machine.json"
    machine.write_text('{"memory": {"total_bytes": 4194304, "available_bytes": 0}}')
    done = cli("tune", str(tiny_model), "--machine", str(machine), "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] in ("larger_than_memory", "context_larger_than_memory")


def test_stopping_keeps_the_best_so_far(
    cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second trial meets a Ctrl+C, as the terminal's own would reach it."""
    tried: list[Plan] = []

    def trial(path: Path, plan: Plan, **more: Any) -> TrialResult:
        cancel: CancelToken = more["cancel"]
        tried.append(plan)
        if len(tried) == 1:
            return TrialResult(ok=False, kind="out_of_memory", detail="no")
        result = run_trial(path, plan, **more)
        cancel.cancel()
        return result

    tools = functools.partial(TuneTools, run_trial=trial, size=SHORT)
    monkeypatch.setattr("desktop.services.wiring.TuneTools", tools)
    found = cli("tune", str(tiny_model), "--json").json
    assert [trial["ok"] for trial in found["trials"]] == [False, True]
    assert found["trials"][0]["error"] == "probe_out_of_memory"
    assert found["chosen"] == found["trials"][1]["plan"]


def test_what_is_no_model_is_refused(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "letter.gguf"
    path.write_bytes(b"Dear reader")
    assert cli("tune", str(path), "--json").json["error"]["kind"] == "not_gguf"
    assert cli("tune").code == 2
