"""Models in a process of their own and over other machines' memory, as a person types it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.engine import pipe
from desktop.engine.llama import llama
from desktop.hardware.machine import Device
from desktop.services.pool import Pool
from tests.cli.running import TIMEOUT_S, Cli, command, environment
from tests.rpc_servers import rpc_server
from tests.tiny_models import write_tiny_model

_SAME = ("-p", "Hallo", "--max-tokens", "8", "--temperature", "0", "--json")


def test_the_answer_is_the_same_in_a_process_of_its_own(cli: Cli, tiny_model: Path) -> None:
    here = cli("run", str(tiny_model), *_SAME)
    apart = cli("run", str(tiny_model), *_SAME, "--isolated")
    assert (apart.code, apart.err) == (0, "")
    assert apart.json["text"] == here.json["text"]


def test_it_is_measured_like_any_other(cli: Cli, tiny_model: Path) -> None:
    few = ("--prompt", "16", "--gen", "4", "--repeat", "1", "--json")
    done = cli("bench", str(tiny_model), *few, "--isolated")
    assert done.code == 0
    assert done.json["tokens_per_s"] > 0


@pytest.mark.parametrize("command_name", ["run", "bench", "fit", "tune"])
def test_what_is_no_address_is_wrong_usage(cli: Cli, tiny_model: Path, command_name: str) -> None:
    more = ("-p", "x") if command_name == "run" else ()
    done = cli(command_name, str(tiny_model), *more, "--pool", "http://x", "--json")
    assert (done.code, done.json["error"]["kind"]) == (2, "bad_pool_server")


@pytest.fixture
def silent() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_computer_that_is_off_is_told_and_done_without(
    cli: Cli, tmp_path: Path, silent: str, language: str, looks_anew: None
) -> None:
    model = write_tiny_model(tmp_path / "own.gguf", seed=7)
    arguments = ("run", str(model), *_SAME, "--pool", silent)
    done = cli(*arguments, language=language)
    assert done.code == 0
    assert done.json["text"]
    assert silent in done.err
    assert len(done.err.splitlines()) == 2  # that, and how safe the connection is


def test_a_fit_tells_it_too(cli: Cli, tiny_model: Path, silent: str, looks_anew: None) -> None:
    done = cli("fit", str(tiny_model), "--pool", silent, "--json")
    assert done.code == 0
    assert silent in done.err


@pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)
def test_a_plan_over_another_computer(cli: Cli, tiny_model: Path, looks_anew: None) -> None:
    with rpc_server() as server:
        pool = ("--pool", server, "--gpu-layers", "2", "--json")
        done = cli("fit", str(tiny_model), *pool)
        assert done.code == 0
        assert done.json["plan"]["device"] == "RPC0"
        assert {row["device"] for row in done.json["memory"]} == {"CPU", "RPC0"}
        done = cli("doctor", "--json")
        assert done.json["pool"] == []  # it is no setting
        purposes = {(line["purpose"], line["host"]) for line in done.json["ledger"]}
        assert ("pool", server) in purposes


def _children(process: subprocess.Popen[str], words: str) -> list[psutil.Process]:
    found = psutil.Process(process.pid).children(recursive=True)
    return [child for child in found if words in child.cmdline()]


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_model_that_dies_is_a_sentence_and_smaller_the_next_time(
    endless_model: Path, hausgeist_home: Path
) -> None:
    env = environment(hausgeist_home)
    asked = command("run", str(endless_model), "-p", "Hallo", "--ctx", "4096", "--isolated")
    with subprocess.Popen(
        asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        (engine,) = _children(process, "engine")
        os.kill(engine.pid, signal.SIGKILL)
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1
    assert "memory ran out" in err
    assert "Traceback" not in err
    again = subprocess.run(
        command("run", str(endless_model), *_SAME, "--ctx", "4096"),
        capture_output=True,
        text=True,
        env=env,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert again.returncode == 0
    assert "one size smaller" in again.stderr


def test_the_settings_ask_for_it(
    cli: Cli, tiny_model: Path, hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)})
    paths.ensure()
    SettingsStore(paths.settings_file).update(isolate=True)
    started: list[str] = []

    class Watched(pipe.PipedChild):
        def __init__(self, job: str, *more: object) -> None:
            started.append(job)
            super().__init__(job, *more)  # type: ignore[arg-type]

    monkeypatch.setattr("desktop.engine.isolated.PipedChild", Watched)
    assert cli("run", str(tiny_model), *_SAME).code == 0
    assert started == ["engine"]


def test_other_computers_are_no_graphics_cards(
    cli: Cli, hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch, looks_anew: None
) -> None:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(hausgeist_home)})
    paths.ensure()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = f"127.0.0.1:{listener.getsockname()[1]}"
        SettingsStore(paths.settings_file).update(pool_servers=(server,))
        lent = Device("RPC0", "x", "gpu", 8 << 30, 6 << 30)
        monkeypatch.setattr(Pool.__init__, "__kwdefaults__", {"ask": lambda *_asked: (lent,)})
        told = cli("hardware")
        document = cli("hardware", "--json").json
    assert f"{server}, 8 GB, 6 GB" in told.out
    assert [gpu["name"] for gpu in document["gpus"] if gpu["backend"] == "rpc"] == [server]
