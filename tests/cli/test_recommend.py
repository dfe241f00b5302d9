"""`hausgeist recommend`: what scripts and people get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.hardware.machine import Machine
from desktop.library.catalog import shipped_catalog
from desktop.services.machine import MachineService
from tests.cli.running import Cli
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Content

LAPTOP = {
    "memory": {"total_bytes": 16 * 2**30, "available_bytes": 11 * 2**30},
    "cpu": {
        "physical_cores": 6,
        "features": ["avx2"],
        "memory_bandwidth_bytes_per_s": 45_000_000_000,
    },
    "disk": {"path": "/models", "free_bytes": 200_000_000_000},
}
DOCUMENTED = {"model", "repo", "file", "file_bytes", "licence", "verdict", "tokens_per_s", "reason"}


def machine_file(tmp_path: Path, document: object) -> str:
    path = tmp_path / "machine.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("HAUSGEIST_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    with HubStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def laptop(tmp_path: Path) -> str:
    return machine_file(tmp_path, LAPTOP)


@pytest.mark.parametrize("task", ["chat", "code", "vision", "embedding"])
def test_json_has_the_documented_fields(cli: Cli, laptop: str, task: str) -> None:
    done = cli("recommend", "--machine", laptop, "--task", task, "--json")
    assert (done.code, done.err) == (0, "")
    found: list[dict[str, Any]] = done.json
    assert found
    for item in found:
        assert item.keys() >= DOCUMENTED
        assert item["repo"].count("/") == 1
        assert item["file"].endswith(".gguf")
        assert item["file_bytes"] > 0
        assert item["tokens_per_s"] >= 5
        assert item["verdict"] in ("gpu", "partly_gpu", "cpu")
        assert item["licence"]
        assert item["office_use"] in ("yes", "conditions", "no", "unknown")
        assert item["reason"].endswith(".")
        assert item["sources"]
    assert found[0]["label"] == "best"


def test_language_decides(cli: Cli, laptop: str) -> None:
    german = cli("recommend", "--machine", laptop, "--language", "de", "--json").json
    assert german[0]["german"] is True
    assert any("German" in note for note in german[0]["notes"])


def test_this_computer_needs_no_file(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, this_machine: Machine
) -> None:
    asked: list[Machine] = []

    def look(_service: MachineService) -> Machine:
        asked.append(this_machine)
        return this_machine

    monkeypatch.setattr(MachineService, "_look_around", look)
    done = cli("recommend", "--json")
    assert done.code == 0
    assert isinstance(done.json, list)
    assert asked


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Best:", "Licence", "office use", "tokens a second")),
        ("de", ("Am besten:", "Lizenz", "Büronutzung", "Tokens in der Sekunde")),
    ],
)
def test_for_a_person(cli: Cli, laptop: str, language: str, words: tuple[str, ...]) -> None:
    done = cli("recommend", "--machine", laptop, language=language)
    assert (done.code, done.err) == (0, "")
    assert all(word in done.out for word in words)
    assert "{" not in done.out


def test_embedding_models_read_and_do_not_write(cli: Cli, laptop: str) -> None:
    done = cli("recommend", "--machine", laptop, "--task", "embedding")
    assert "reads about" in done.out


def test_the_guide_where_nothing_runs_well(cli: Cli, tmp_path: Path) -> None:
    small = machine_file(tmp_path, {"memory": {"total_bytes": 2**30, "available_bytes": 3 * 2**27}})
    (guide,) = cli("recommend", "--machine", small, "--json").json
    assert guide["label"] == "guide"
    assert guide.keys() >= DOCUMENTED
    assert "guide" in cli("recommend", "--machine", small).out


def test_a_machine_without_memory_gets_a_sentence(cli: Cli, tmp_path: Path) -> None:
    none = machine_file(tmp_path, {"memory": {"total_bytes": 2**30, "available_bytes": 0}})
    assert cli("recommend", "--machine", none, "--json").json == []
    assert "too little free memory" in cli("recommend", "--machine", none).out


@pytest.mark.parametrize(
    "document",
    [[], {"memory": {}}, {"memory": {"total_bytes": -5}}, {"memory": {"total_bytes": "much"}}],
)
def test_nonsense_machines_are_told(cli: Cli, tmp_path: Path, document: object) -> None:
    done = cli("recommend", "--machine", machine_file(tmp_path, document), "--json")
    assert done.code == 1
    assert done.json["error"]["message"]
    assert "Traceback" not in done.out + done.err


@pytest.mark.parametrize(
    "arguments",
    [("--task", "poetry"), ("--language", "fr"), ("--tsak", "chat"), ("model.gguf",)],
)
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("recommend", *arguments)
    assert done.code == 2
    assert done.err


def test_news_from_the_hub(
    cli: Cli, laptop: str, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    for repo in sorted({f.repo for m in shipped_catalog().models for f in m.files}):
        hub.add(repo, {"gemma-4-E4B-it-Q4_K_M.gguf": Content(b"GGUF", 4_900_000_123)})
    done = cli("recommend", "--machine", laptop, "--language", "de", "--refresh", "--json")
    assert done.code == 0
    found = {item["id"]: item for item in done.json}
    assert found["gemma-4-e4b"]["file_bytes"] == 4_900_000_123
    assert found["gemma-4-e4b"]["file_bytes_exact"]
    asked = len(hub.requests())
    again = cli("recommend", "--machine", laptop, "--language", "de", "--json")
    assert [item["file"] for item in again.json] == [item["file"] for item in done.json]
    assert len(hub.requests()) == asked


def test_a_hub_that_knows_nothing_is_told(
    cli: Cli, laptop: str, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    done = cli("recommend", "--machine", laptop, "--refresh", "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == "hub_no_repo"


def test_offline_asks_nobody(
    cli: Cli, laptop: str, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "1")
    done = cli("recommend", "--machine", laptop, "--refresh", "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == "offline_environment"
    assert hub.requests() == []
    assert cli("recommend", "--machine", laptop, "--json").code == 0
