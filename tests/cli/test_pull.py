"""`hausgeist pull`: JSON lines as promised, Ctrl+C and kill lose nothing, the library knows it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.hub.transfer.pace import RateLimit
from desktop.services.folder_index import write_folder_index
from tests.cli.running import ROOT, TIMEOUT_S, Cli, command, environment
from tests.hub.stand_in import HubStandIn
from tests.tiny_models import write_tiny_model

REPO = "maker/Tiny-GGUF"
LARGE = os.urandom(1 << 20) * 48

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubStandIn]:
    whole = write_tiny_model(tmp_path / "tiny.gguf").read_bytes()
    with HubStandIn() as stand_in:
        stand_in.add(REPO, {"Tiny-Q8_0.gguf": whole, "README.md": b"#"})
        stand_in.add("maker/Large-GGUF", {"Large-Q4_K_M.gguf": LARGE})
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        monkeypatch.setenv("HAUSGEIST_OFFLINE", "0")
        yield stand_in


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def started(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("pull", *arguments),
        cwd=ROOT,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_pulled_and_known(hub: HubStandIn, cli: Cli, hausgeist_home: Path, tmp_path: Path) -> None:
    done = cli("pull", f"{REPO}:Q8_0", "--json")
    assert done.code == 0, done.err
    last = lines(done.out)[-1]
    wanted = (tmp_path / "tiny.gguf").read_bytes()
    assert last["event"] == "done"
    assert last["sha256"] == hashlib.sha256(wanted).hexdigest()
    place = hausgeist_home / "models" / "maker" / "Tiny-GGUF" / "Tiny-Q8_0.gguf"
    assert Path(last["path"]) == place
    assert place.read_bytes() == wanted
    for line in lines(done.out)[:-1]:
        assert line["event"] == "progress"
        assert 0 <= line["bytes"] <= line["total_bytes"] == len(wanted)
        assert line["bytes_per_s"] >= 0
    listed = cli("list", "--json").json
    assert last["model"] in json.dumps(listed)


def test_run_and_fit_find_it_without_the_network(
    hub: HubStandIn, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("pull", f"{REPO}:Q8_0")
    hub.forget()
    monkeypatch.setenv("HAUSGEIST_OFFLINE", "1")
    for ref in (f"{REPO}:Q8_0", f"{REPO}:Tiny-Q8_0.gguf", f"hf.co/{REPO}:q8_0"):
        assert cli("fit", ref, "--json").code == 0
    done = cli("run", f"{REPO}:Q8_0", "-p", "x", "--max-tokens", "2", "--threads", "1", "--json")
    assert done.code == 0, done.out
    assert cli("run", f"{REPO}:Q4_K_M", "-p", "x", "--json").json["error"]["kind"] == "hub_not_yet"
    assert hub.seen == []


def test_the_second_time_nothing_is_fetched(hub: HubStandIn, cli: Cli) -> None:
    cli("pull", f"{REPO}:Q8_0")
    hub.forget()
    done = cli("pull", f"{REPO}:Q8_0")
    assert done.code == 0
    assert "already" in done.out
    assert {seen.role for seen in hub.requests()} == {"api"}


def test_removed_with_its_file(hub: HubStandIn, cli: Cli, hausgeist_home: Path) -> None:
    """What was fetched is the app's own."""
    name = lines(cli("pull", f"{REPO}:Q8_0", "--json").out)[-1]["model"]
    assert cli("remove", name, "--json").json["deleted"] is True
    assert not list(hausgeist_home.rglob("models/**/*.gguf"))


def test_an_error_is_a_line(hub: HubStandIn, cli: Cli) -> None:
    done = cli("pull", f"{REPO}:Q2_K", "--json")
    assert done.code == 1
    (line,) = lines(done.out)
    assert (line["event"], line["kind"]) == ("error", "hub_no_quant")
    assert "Q8_0" in line["message"]


def test_the_fit_is_told(hub: HubStandIn, cli: Cli) -> None:
    """In words, beside the result."""
    done = cli("pull", f"{REPO}:Q8_0")
    assert done.code == 0
    assert "Fits well: needs" in done.err
    assert "is here and verified" in done.out


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_lost(hub: HubStandIn, hausgeist_home: Path, number: int) -> None:
    hub.bytes_per_s = 30e6
    child = started(hausgeist_home, "maker/Large-GGUF:Q4_K_M", "--json")
    assert child.stdout is not None
    for text in child.stdout:
        if json.loads(text)["bytes"] > 16 << 20:
            break
    child.send_signal(number)
    out, err = child.communicate(timeout=TIMEOUT_S)
    assert "Traceback" not in err
    if number == signal.SIGINT:
        last = lines(out)[-1]
        assert (last["event"], last["kind"]) == ("error", "cancelled")
    hub.bytes_per_s = 0
    again = started(hausgeist_home, "maker/Large-GGUF:Q4_K_M", "--json")
    out, err = again.communicate(timeout=TIMEOUT_S)
    last = lines(out)[-1]
    assert last["event"] == "done", (out, err)
    assert Path(last["path"]).read_bytes() == LARGE
    assert last["received_bytes"] <= len(LARGE) - (12 << 20)
    assert [
        path.name for path in Path(last["path"]).parent.iterdir() if path.suffix != ".json"
    ] == ["Large-Q4_K_M.gguf"]


def settings(home: Path, **values: object) -> None:
    path = home / "data" / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def test_the_settings_hold_where_nothing_else_is_said(
    hub: HubStandIn, cli: Cli, hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[float] = []

    def limit(bytes_per_s: float) -> RateLimit:
        limits.append(bytes_per_s)
        return RateLimit(bytes_per_s)

    monkeypatch.setattr("desktop.cli.pull.RateLimit", limit)
    settings(hausgeist_home, download_limit_bytes_per_s=3_000_000)
    assert cli("pull", f"{REPO}:Q8_0").code == 0
    assert cli("pull", f"{REPO}:Q8_0", "--limit", "0").code == 0
    assert cli("pull", f"{REPO}:Q8_0", "--limit", "0.5").code == 0
    assert limits == [3_000_000, 0, 500_000]


def test_into_the_folder_that_was_chosen(
    hub: HubStandIn, cli: Cli, hausgeist_home: Path, tmp_path: Path
) -> None:
    drive = tmp_path / "drive ü"
    drive.mkdir()
    settings(hausgeist_home, models_folder=str(drive))
    last = lines(cli("pull", f"{REPO}:Q8_0", "--json").out)[-1]
    assert Path(last["path"]) == drive / "maker" / "Tiny-GGUF" / "Tiny-Q8_0.gguf"


def test_from_an_organisations_share(cli: Cli, hausgeist_home: Path, tmp_path: Path) -> None:
    """No internet is needed for that."""
    share = tmp_path / "share"
    share.mkdir()
    write_tiny_model(share / "Office.gguf")
    write_folder_index(share, title="Office")
    settings(hausgeist_home, offline=True)
    added = cli("sources", "--add", str(share), "--json").json["sources"][0]
    (model,) = added["models"]
    last = lines(cli("pull", model["reference"], "--json").out)[-1]
    assert (last["event"], last["verified"]) == ("done", True), last
    assert Path(last["path"]).read_bytes() == (share / "Office.gguf").read_bytes()
    missing = model["reference"].partition("/")[0] + "/nothing"
    (line,) = lines(cli("pull", missing, "--json").out)
    assert (line["event"], line["kind"]) == ("error", "no_source_model")
