"""`hausgeist fit org/repo:QUANT`: the answer for a model that is not here yet."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common.ledger import Ledger
from tests.cli.running import ROOT, Cli, child, command, environment
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Content
from tests.tiny_models import write_tiny_model

REPO = "maker/Tiny-GGUF"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubStandIn]:
    """A Hub with one real model, whole and with its weights a hole."""
    whole = write_tiny_model(tmp_path / "tiny.gguf").read_bytes()
    with HubStandIn() as stand_in:
        stand_in.add(REPO, {"Tiny-Q8_0.gguf": Content(whole, len(whole)), "README.md": b"#"})
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        monkeypatch.setenv("HAUSGEIST_OFFLINE", "0")
        yield stand_in


def test_the_same_answer_as_for_the_file(hub: HubStandIn, cli: Cli, tmp_path: Path) -> None:
    """Also the compute buffer, which llama.cpp's dry run gives for a header alone."""
    remote = cli("fit", f"{REPO}:Q8_0", "--json").json
    local = cli("fit", str(tmp_path / "tiny.gguf"), "--json").json
    for key in ("plan", "verdict", "model"):
        assert remote[key] == local[key]
    assert remote["method"] == local["method"] == "dry_run"
    same = ("device", "weights_bytes", "context_bytes", "compute_bytes", "total_bytes")
    for here, there in zip(local["memory"], remote["memory"], strict=True):
        assert {key: here[key] for key in same} == {key: there[key] for key in same}


def test_the_second_time_without_the_network(
    hub: HubStandIn, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cli("fit", f"{REPO}:Q8_0", "--json").json
    hub.forget()
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "1")
    again = cli("fit", f"{REPO}:Q8_0", "--json").json
    assert again["memory"][0]["weights_bytes"] == first["memory"][0]["weights_bytes"]
    assert hub.seen == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_offline(cli: Cli, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "1")
    done = cli("fit", f"{REPO}:Q8_0", "--json", language=language)
    assert done.code == 1
    assert done.json["error"]["kind"] == "offline_environment"
    assert "offline" in done.json["error"]["message"]
    assert hub.seen == []


def test_the_offline_switch(cli: Cli, hub: HubStandIn, hausgeist_home: Path) -> None:
    settings = hausgeist_home / "data" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"offline": true}')
    assert cli("fit", f"{REPO}:Q8_0", "--json").json["error"]["kind"] == "offline_setting"
    assert hub.seen == []


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        (f"{REPO}:Q2_K", "hub_no_quant"),
        (f"{REPO}:Other.gguf", "hub_no_file"),
        ("maker/Nothing:Q4_0", "hub_no_repo"),
        (f"{REPO}@nowhere:Q8_0", "hub_no_revision"),
        ("https://example.org/model.gguf", "bad_hub_ref"),
        ("hf.co/nonsense", "bad_hub_ref"),
    ],
)
def test_what_is_not_there(
    cli: Cli, hub: HubStandIn, reference: str, kind: str, language: str
) -> None:
    done = cli("fit", reference, language=language)
    assert done.code in (1, 2)
    assert done.out == ""
    assert "internal" not in done.err
    assert cli("fit", reference, "--json").json["error"]["kind"] == kind


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_hub_that_serves_web_pages(cli: Cli, hub: HubStandIn, language: str) -> None:
    hub.fail("api", "page")
    done = cli("fit", f"{REPO}:Q8_0", language=language)
    assert done.code == 1
    assert "127.0.0.1" in done.err
    assert "WLAN" in done.err if language == "de" else "Wi-Fi" in done.err


@pytest.mark.parametrize("value", ["not an address", "ftp://x", "http://", "http://u:p@x"])
def test_an_endpoint_that_is_none(cli: Cli, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", value)
    assert cli("fit", f"{REPO}:Q8_0", "--json").json["error"]["kind"] == "bad_endpoint"


@pytest.mark.skipif(os.name == "nt", reason="no colons in names there")
def test_a_file_here_wins_over_the_hub(
    cli: Cli, hub: HubStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maker").mkdir()
    (tmp_path / "maker" / "Tiny-GGUF:Q8_0").write_bytes(tiny_model.read_bytes())
    assert cli("fit", f"{REPO}:Q8_0").code == 0
    assert hub.seen == []


def test_on_a_described_machine(cli: Cli, hub: HubStandIn, tmp_path: Path) -> None:
    machine = tmp_path / "machine.json"
    machine.write_text('{"memory": {"total_bytes": 8000000000}}')
    done = cli("fit", f"{REPO}:Q8_0", "--machine", str(machine), "--json")
    assert done.json["verdict"] == "cpu"


def test_the_vision_part_is_not_forgotten(cli: Cli, hub: HubStandIn, tmp_path: Path) -> None:
    whole = write_tiny_model(tmp_path / "again.gguf").read_bytes()
    hub.add("maker/Seeing", {"Seeing-Q8_0.gguf": whole, "mmproj-F16.gguf": whole})
    done = cli("fit", "maker/Seeing:Q8_0")
    assert "--mmproj maker/Seeing:mmproj-F16.gguf" in done.out
    document = cli("fit", "maker/Seeing:Q8_0", "--json").json
    assert document["beside"] == [
        {"kind": "projector", "model": "maker/Seeing:mmproj-F16.gguf", "file_bytes": len(whole)}
    ]
    assert "--mmproj" not in cli("fit", str(tmp_path / "again.gguf")).out


def test_run_says_what_to_do(cli: Cli, hub: HubStandIn) -> None:
    done = cli("run", f"{REPO}:Q8_0", "-p", "x")
    assert done.code == 2
    assert f"hausgeist fit {REPO}:Q8_0" in done.err
    assert hub.seen == []


def test_as_a_users_shell_does_it(hub: HubStandIn, hausgeist_home: Path) -> None:
    env = environment(hausgeist_home, HF_ENDPOINT=hub.endpoint, HAUSGEIST_OFFLINE="0")
    done = child(hausgeist_home, "fit", f"{REPO}:Q8_0", "--json", env=env)
    assert done.code == 0, done.err
    assert done.json["verdict"] in ("cpu", "gpu", "partly_gpu")
    assert (hausgeist_home / "data" / "connections.jsonl").is_file()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("parts", [1, 3])
def test_ctrl_c_while_the_hub_keeps_silent(
    hub: HubStandIn, hausgeist_home: Path, parts: int
) -> None:
    names = [f"M-Q8_0-{n + 1:05d}-of-{parts:05d}.gguf" for n in range(parts)]
    hub.add(REPO, {name: b"GGUF" + bytes(1000) for name in names})
    hub.fail("cdn", "silent")
    env = environment(hausgeist_home, HF_ENDPOINT=hub.endpoint, HAUSGEIST_OFFLINE="0")
    line = [*command("fit", f"{REPO}:Q8_0")]
    with subprocess.Popen(
        line, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert hub.wait_for("cdn")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)  # a request would wait for 15
    assert (process.returncode, out, err.strip()) == (130, "", "")
    ledger = Ledger(hausgeist_home / "data" / "connections.jsonl").entries()
    outcomes = {line.outcome for line in ledger}
    assert "cancelled" in outcomes
    assert "unfinished" not in outcomes
