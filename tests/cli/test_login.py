"""`hausgeist login` and `logout`: the token comes by standard input and lies where it is safe."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.hub.stand_in import HubStandIn

TOKEN = b"hf_good\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        stand_in.token = "hf_good"
        monkeypatch.setenv("HAUSGEIST_OFFLINE", "0")
        monkeypatch.setenv("HF_ENDPOINT", stand_in.endpoint)
        monkeypatch.setattr("desktop.hub.account.system_keyring", lambda: None)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        yield stand_in


def give(piped: io.BytesIO, token: bytes) -> None:
    piped.seek(0)
    piped.truncate()
    piped.write(token)
    piped.seek(0)


def test_in_and_out(cli: Cli, hub: HubStandIn, piped: io.BytesIO, hausgeist_home: Path) -> None:
    assert cli("login", "--status", "--json").json["signed_in"] is False
    give(piped, TOKEN)
    done = cli("login")
    assert done.code == 0
    assert "tester" in done.out
    assert "only you can read" in done.out
    assert "hf_good" not in done.out + done.err
    assert (hausgeist_home / "data" / "hub-token").read_text() == "hf_good"
    status = cli("login", "--status", "--json").json
    assert (status["signed_in"], status["place"], status["user"]) == (True, "file", "tester")
    assert cli("logout", "--json").json["signed_in"] is False
    assert not (hausgeist_home / "data" / "hub-token").exists()


def test_the_token_is_used_from_then_on(cli: Cli, hub: HubStandIn, piped: io.BytesIO) -> None:
    give(piped, TOKEN)
    cli("login")
    hub.forget()
    cli("search", "anything", "--json")
    assert {seen.authorization for seen in hub.seen} == {"Bearer hf_good"}


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("token", "kind", "code"),
    [(b"", "no_new_token", 2), (b"a b", "bad_new_token", 2), (b"hf_no", "hub_token_refused", 1)],
)
def test_tokens_that_are_none(
    cli: Cli, hub: HubStandIn, piped: io.BytesIO, token: bytes, kind: str, code: int, language: str
) -> None:
    give(piped, token)
    done = cli("login", "--json", language=language)
    assert (done.code, done.json["error"]["kind"]) == (code, kind)
    assert cli("login", "--status", "--json").json["signed_in"] is False


def test_a_token_of_the_environment(
    cli: Cli, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, piped: io.BytesIO
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    assert cli("login", "--status", "--json").json["place"] == "environment"
    give(piped, TOKEN)
    assert cli("login", "--json").json["error"]["kind"] == "token_in_environment"
    assert cli("logout", "--json").json["error"]["kind"] == "token_in_environment"
    assert "HF_TOKEN" in cli("login", "--status").out
