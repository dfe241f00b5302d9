"""`hausgeist search`: found on the Hub, looked into, and the catalogue where there is no Hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from desktop.services.folder_index import write_folder_index
from tests.cli.running import Cli
from tests.gguf_files import LlamaShape
from tests.hub.shelf_of_repos import CODER, EMBED, GEMMA, LOCKED, QWEN, fill
from tests.hub.stand_in import HubStandIn
from tests.services.hub_family import REPO, family

NAME = "Office-Model-Q4_K_M"
FIELDS = {
    "repo", "author", "name", "downloads", "likes", "updated", "licence", "gated", "parameters",
    "languages", "task",
}  # fmt: skip
FILE_FIELDS = {"file", "quantization", "file_bytes", "verdict", "tokens_per_s", "recommended"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        fill(stand_in)
        monkeypatch.setenv("HAUSGEIST_OFFLINE", "0")
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        for name in ("HF_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield stand_in
    set_client_factory(default_client_factory)


def repos(cli: Cli, *arguments: str) -> list[str]:
    done = cli("search", *arguments, "--json")
    assert done.code == 0, done.err
    return [entry["repo"] for entry in done.json]


def test_a_host_that_leads_in_a_circle(cli: Cli, hub: HubStandIn) -> None:
    hub.next_page = f'<{hub.endpoint}/api/models?cursor=MA==&n={{n}}>; rel="next"'
    assert QWEN in repos(cli, "maker", "--limit", "200")
    assert len(hub.requests()) < 10


def test_what_is_found_as_json(cli: Cli, hub: HubStandIn) -> None:
    done = cli("search", "qwen", "--json")
    assert done.code == 0
    (entry,) = done.json
    assert entry.keys() >= FIELDS
    assert entry["repo"] == QWEN
    assert entry["licence"] == "apache-2.0"
    assert entry["languages"] == ["en", "de"]
    assert entry["updated"] == "2026-02-03T04:05:06Z"
    assert entry["gated"] is False
    assert entry["source"] == "hub"
    assert "files" not in entry
    assert done.err == ""
    assert len(hub.requests()) == 1


def test_conditions(cli: Cli, hub: HubStandIn) -> None:
    assert set(repos(cli, "--sort", "downloads")) == {QWEN, GEMMA, CODER, EMBED, LOCKED}
    assert repos(cli, "--sort", "likes", "--limit", "1") == [GEMMA]
    assert repos(cli, "--task", "code") == [CODER]
    assert repos(cli, "--language", "DE") == [QWEN]
    assert repos(cli, "--licence", "gemma") == [GEMMA]
    assert set(repos(cli, "--max-size", "4,5GB")) == {GEMMA, EMBED}
    assert set(repos(cli, "--max-size", "400 MB")) == {EMBED}
    assert repos(cli, "--author", "giant", "gemma") == [GEMMA]
    assert set(repos(cli, "--licence", "office")) == {QWEN, GEMMA, CODER, EMBED, LOCKED}
    assert repos(cli, "nothing", "like", "that") == []


def test_more_than_one_page(cli: Cli, hub: HubStandIn) -> None:
    for number in range(70):
        hub.add(f"many/Model-{number:02}-GGUF", {}, info={"tags": ["gguf"], "downloads": 1})
    assert len(repos(cli, "--author", "many", "--limit", "65")) == 65
    assert len(hub.requests("api")) == 3


def test_one_repository_with_its_files(cli: Cli, hub: HubStandIn) -> None:
    hub.add(REPO, family("Q4_K_M", "Q8_0") | {"mmproj-F16.gguf": b"x"})
    (entry,) = cli("search", REPO, "--json").json
    assert [file["quantization"] for file in entry["files"]] == ["Q4_K_M", "Q8_0"]
    for file in entry["files"]:
        assert file.keys() >= FILE_FIELDS
        assert file["verdict"] in ("gpu", "partly_gpu", "cpu", "too_large")
        assert file["basis"] == "header"
        assert file["here"] is False
    assert entry["projectors"] == [f"{REPO}:mmproj-F16.gguf"]


def test_files_of_all_that_was_found(cli: Cli, hub: HubStandIn) -> None:
    hub.add(REPO, family("Q4_K_M"), info={"tags": ["gguf", "conversational"]})
    entries = cli("search", "maker", "--files", "--json").json
    by_repo = {entry["repo"]: entry["files"] for entry in entries}
    assert by_repo[REPO][0]["verdict"]
    assert by_repo[QWEN][0]["problem"]  # no model at all, and that is said


@pytest.mark.parametrize("language", ["en", "de"])
def test_for_a_person(cli: Cli, hub: HubStandIn, language: str) -> None:
    hub.add(REPO, family("Q4_K_M"), info={"tags": ["gguf"], "likes": 1, "downloads": 1234})
    done = cli("search", "giant", "--sort", "likes", language=language)
    assert GEMMA in done.out
    assert "Gemma" in done.out
    assert ("auf Anfrage zustimmen" if language == "de" else "say yes on request") in done.out
    done = cli("search", REPO, language=language)
    assert "Q4_K_M" in done.out
    assert ("1.234" if language == "de" else "1,234") in done.out
    done = cli("search", "nothing like that", language=language)
    assert done.code == 0
    assert done.out.strip()


@pytest.mark.parametrize("language", ["en", "de"])
def test_offline_the_catalogue_answers(
    cli: Cli, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "1")
    done = cli("search", "qwen3", "--json", language=language)
    assert done.code == 0
    assert all("qwen3" in entry["repo"].lower() for entry in done.json)
    assert {entry["source"] for entry in done.json} == {"catalogue"}
    assert "HAUSGEIST_OFFLINE" in done.err
    assert cli("search", "no such model", "--json").json["error"]["kind"] == "offline_environment"
    assert cli("search", "no such model").code == 1
    (entry,) = cli("search", "Qwen/Qwen3-8B-GGUF", "--json").json
    assert entry["files"][0]["verdict"]
    assert entry["source"] == "catalogue"
    assert hub.seen == []


def test_a_dead_line_is_tried_once(cli: Cli, hub: HubStandIn) -> None:
    """Where it takes 15 s to find out, nobody waits twice."""
    hub.fail("api", "page")
    done = cli("search", "maker/qwen3-like", "--json")
    assert done.json["error"]["kind"] == "portal"
    assert len(hub.requests("api")) == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_failure_explained(cli: Cli, hub: HubStandIn, language: str) -> None:
    hub.fail("api", "status", status=429, headers={"Retry-After": "120"})
    done = cli("search", "qwen3", "--explain", language=language)
    assert done.code == 0
    assert ("Pause" if language == "de" else "pause") in done.err
    assert "hub_busy" in done.err
    assert hub.endpoint.removeprefix("http://") in done.err
    assert done.out.count("Qwen") > 1
    hub.faults.clear()
    done = cli("search", "--explain", language=language)
    assert done.code == 0
    assert "hub_busy" not in done.err


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ([], "missing_argument"),
        (["x", "--max-size", "much"], "not_a_size"),
        (["x", "--max-size", "0"], "not_a_size"),
        (["x", "--sort", "size"], "not_a_choice"),
        (["x", "--limit", "0"], "out_of_range"),
        (["x", "--task", "sing"], "not_a_choice"),
    ],
)
def test_wrong_usage(cli: Cli, hub: HubStandIn, arguments: list[str], kind: str) -> None:
    done = cli("search", *arguments, "--json")
    assert done.code == 2
    assert done.json["error"]["kind"] == kind
    assert hub.seen == []


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 200_000, b'{"error": 1}'])
def test_nonsense_from_the_hub(cli: Cli, hub: HubStandIn, body: bytes) -> None:
    hub.fail("api", "json", body=body)
    done = cli("search", "zzz-not-in-the-catalogue", "--json")
    assert done.code == 1
    assert done.json["error"]["kind"] == "hub_bad_list"


@pytest.fixture
def share(tmp_path: Path, hausgeist_home: Path) -> Path:
    """A shared folder of models that the settings name as a source."""
    folder = tmp_path / "share"
    folder.mkdir()
    shape = LlamaShape()
    file = folder / "Office-Model-Q4_K_M.gguf"
    shape.write(file, general__name="Office Model", general__license="mit")
    write_folder_index(folder, title="Our company")
    settings = hausgeist_home / "data" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"sources": [str(folder)]}))
    return folder


def test_an_organisations_own_models_come_first(cli: Cli, hub: HubStandIn, share: Path) -> None:
    hub.add("maker/Office-GGUF", {}, info={"tags": ["gguf"]})
    own, other = cli("search", "office", "--json").json
    assert own.keys() >= FIELDS
    assert (own["source"], own["name"], own["licence"]) == ("Our company", NAME, "mit")
    assert own["repo"].startswith("source:")
    assert other["repo"] == "maker/Office-GGUF"
    assert "Our company" in cli("search", "office").out
    assert repos(cli, "office", "--licence", "apache-2.0") == []
    assert len(repos(cli, "office", "--licence", "office")) == 1


def test_an_organisations_own_models_are_found_offline(
    cli: Cli, share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "1")
    done = cli("search", "office", "--json")
    assert done.code == 0
    assert [entry["name"] for entry in done.json] == [NAME]
