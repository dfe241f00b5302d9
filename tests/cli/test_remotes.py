"""`hausgeist remotes`, and the models of servers at the terminal."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.services.remote_file import RemoteServer
from tests.certificates import make_certificate, secured_by
from tests.cli.running import Cli
from tests.engine.model_server import ModelServer, events, model_server, refuses, says

USAGE = {"prompt_tokens": 7, "completion_tokens": 2}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server(says("Hello ", "there", usage=USAGE)) as running:
        running.models = {"data": [{"id": "big", "context_length": 9000}, {"id": "my-embedding"}]}
        yield running


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.hub.server_keys.system_keyring", lambda: None)
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_added_shown_tested_removed(cli: Cli, server: ModelServer) -> None:
    assert "no servers yet" in cli("remotes").out
    added = cli("remotes", "add", "office", server.address)
    assert added.code == 0, added.err
    assert "runs on this computer" in added.out
    assert 'hausgeist run "remote:office/big"' in added.out
    shown = cli("remotes", "--json").json
    (one,) = shown["servers"]
    assert (one["name"], one["address"]) == ("office", f"{server.address}/v1")
    assert (one["leaves_computer"], one["key"], one["certificate"]) == (False, None, None)
    assert one["models"][0] == {
        "model": "remote:office/big",
        "id": "big",
        "kind": "chat",
        "context_tokens": 9000,
    }
    assert one["models"][1]["kind"] == "embedding"
    assert cli("remotes", "test", "office", "--json").json["seconds"] >= 0
    assert cli("remotes", "remove", "office", "--json").json == {"removed": "office"}
    assert cli("remotes", "--json").json == {"servers": []}


def test_a_key_from_the_standard_input(
    cli: Cli, server: ModelServer, monkeypatch: pytest.MonkeyPatch, hausgeist_home: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-secret\n"))
    added = cli("remotes", "add", "office", server.address, "--with-key", "--json").json
    assert added["key"] == "file"
    assert server.asked[-1].headers["Authorization"] == "Bearer sk-secret"
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    failed = cli("remotes", "add", "other", server.address, "--with-key", "--json")
    assert (failed.code, json.loads(failed.out)["error"]["kind"]) == (2, "no_server_key")
    log = hausgeist_home / "data" / "logs" / "hausgeist.log"
    assert "sk-secret" not in log.read_text()
    assert "sk-secret" not in (hausgeist_home / "data" / "connections.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("nonsense",), "not_a_choice"),
        (("add",), "missing_argument"),
        (("add", "x"), "missing_argument"),
        (("remove",), "missing_argument"),
        (("test", "x", "y"), "unexpected_argument"),
        (("list", "x"), "unexpected_argument"),
        (("test", "x"), "unknown_remote"),
        (("add", "a/b", "localhost"), "bad_remote_name"),
        (("add", "a", "ftp://x"), "bad_remote_address"),
        (("add", "a", "h", "--token-timeout", "0"), "out_of_range"),
        (("add", "a", "h", "--ca", "/nowhere"), "no_ca_file"),
    ],
)
def test_wrong_usage(cli: Cli, arguments: tuple[str, ...], kind: str) -> None:
    failed = cli("remotes", *arguments, "--json")
    assert failed.code == 2
    assert json.loads(failed.out)["error"]["kind"] == kind


def test_a_server_with_an_own_certificate(cli: Cli, tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    with model_server(wrap=secured_by(file)) as server:
        failed = cli("remotes", "add", "office", server.address)
        assert failed.code == 1
        assert "SHA-256" in failed.err
        print_of = failed.err.split("SHA-256:")[1].split()[0]
        added = cli(
            "remotes", "add", "office", server.address, "--fingerprint", print_of, "--json"
        ).json
        assert added["certificate"] == "pinned"
        added = cli("remotes", "add", "other", server.address, "--ca", str(file), "--json").json
        assert added["certificate"] == "file"


def test_a_server_that_is_off(cli: Cli) -> None:
    failed = cli("remotes", "add", "office", "127.0.0.1:9", "--json")
    assert (failed.code, json.loads(failed.out)["error"]["kind"]) == (1, "connection_refused")
    timeout = ("--first-token-timeout", "7,5")
    added = cli("remotes", "add", "office", "127.0.0.1:9", "--unchecked", *timeout, "--json").json
    assert added["timeouts"]["first_token_s"] == 7.5
    assert added["models"] == []


def test_an_answer_from_a_server(cli: Cli, server: ModelServer) -> None:
    cli("remotes", "add", "office", server.address)
    found = cli(
        "run", "remote:office/big", "-p", "Hi", "--max-tokens", "5", "--seed", "3", "--json"
    ).json
    assert (found["text"], found["model"]) == ("Hello there", "remote:office/big")
    assert (found["prompt_tokens"], found["completion_tokens"]) == (7, 2)
    assert found["finish_reason"] == "stop"
    asked = server.posted()[-1].document
    assert (asked["max_tokens"], asked["seed"]) == (5, 3)
    spoken = cli("run", "remote:office/big", "-p", "Hi", "--system", "Be kind")
    assert spoken.out.strip() == "Hello there"
    assert server.posted()[-1].document["messages"][0] == {"role": "system", "content": "Be kind"}


def test_a_failure_of_a_server(cli: Cli, server: ModelServer) -> None:
    cli("remotes", "add", "office", server.address)
    server.answers.clear()
    server.answers.append(refuses(400, {"error": {"message": "the cat says no"}}))
    failed = cli("run", "remote:office/big", "-p", "Hi")
    assert failed.code == 1
    assert "the cat says no" in failed.err
    assert "“office”" in failed.err


@pytest.mark.parametrize("command", ["fit", "verify", "tune", "quantize"])
def test_what_needs_a_file(cli: Cli, command: str) -> None:
    failed = cli(command, "remote:office/big", "--json")
    assert failed.code == 2
    assert json.loads(failed.out)["error"]["kind"] == "remote_has_no_file"


@pytest.mark.parametrize("language", ["en", "de"])
def test_words_leave_the_computer_knowingly(
    cli: Cli, server: ModelServer, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """A server elsewhere is named before the first word goes there."""
    cli("remotes", "add", "office", server.address)
    told = {"en": "is sent to", "de": "gesendet"}[language]
    assert told not in cli("run", "remote:office/big", "-p", "Hi", language=language).err
    monkeypatch.setattr(RemoteServer, "leaves_computer", True)
    spoken = cli("run", "remote:office/big", "-p", "Hi", language=language)
    assert told in spoken.err
    assert "office" in spoken.err


def test_a_support_person_sees_servers_without_their_keys(
    cli: Cli, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-secret\n"))
    cli("remotes", "add", "office", server.address, "--with-key")
    found = cli("doctor", "--json")
    (one,) = found.json["servers"]
    assert (one["name"], one["key"]) == ("office", "file")
    assert "sk-secret" not in found.out
    assert "office" in cli("doctor").out


def test_how_fast_a_server_is(cli: Cli, server: ModelServer) -> None:
    cli("remotes", "add", "office", server.address)
    text = {"choices": [{"text": "word ", "index": 0}]}
    end = {"choices": [{"text": "", "index": 0, "finish_reason": "length"}], "usage": USAGE}
    server.answers.clear()
    server.answers.append(events(text, text, end))
    few = ("--prompt", "32", "--gen", "8", "--repeat", "2", "--json")
    found = cli("bench", "remote:office/big", *few).json
    assert found["model"] == "remote:office/big"
    assert found["plan"] is None
    assert found["prompt_tokens_per_s"] > 0
    server.answers.clear()
    server.answers.append(events(text, text, {**end, "usage": None}))
    uncounted = cli("bench", "remote:office/big", *few).json
    assert uncounted["prompt_tokens_per_s"] is None  # never guessed
