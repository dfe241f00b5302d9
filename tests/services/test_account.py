"""Signing in at the Hub: whose token it is, and who gets to see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.common.errors import HausgeistError
from desktop.common.ledger import Ledger
from desktop.hub.account import TokenStore
from desktop.hub.door import Door
from desktop.hub.policy import NetworkPolicy
from desktop.services.account import Account
from tests.hub.stand_in import HubStandIn

TOKEN = "hf_good"


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        stand_in.token = TOKEN
        yield stand_in


@pytest.fixture
def make(tmp_path: Path, hub: HubStandIn) -> Iterator[Callable[..., Account]]:
    doors: list[Door] = []

    def make(is_off: bool = False, **env: str) -> Account:
        tokens = TokenStore(tmp_path, find_keyring=lambda: None)
        policy = NetworkPolicy({"HF_ENDPOINT": hub.endpoint} | env, lambda: is_off, tokens.token)
        doors.append(Door(policy, Ledger(tmp_path / "ledger.jsonl")))
        return Account(doors[-1], tokens)

    yield make
    for door in doors:
        door.close()


def kind(work: Callable[[], object]) -> str:
    with pytest.raises(HausgeistError) as caught:
        work()
    return caught.value.kind


def test_signing_in_and_out(make: Callable[..., Account], hub: HubStandIn, tmp_path: Path) -> None:
    account = make()
    assert not account.state().is_signed_in
    assert account.state().keeps_in == "file"
    state = account.sign_in(f"  {TOKEN}\n")
    assert (state.place, state.user, state.can_change) == ("file", "tester", True)
    assert make().state() == state
    (seen,) = hub.requests("api")
    assert seen.authorization == f"Bearer {TOKEN}"
    assert TOKEN not in (tmp_path / "ledger.jsonl").read_text()
    assert not account.sign_out().is_signed_in
    assert not make().state().is_signed_in


def test_a_token_that_the_hub_does_not_know_is_not_kept(
    make: Callable[..., Account], hub: HubStandIn
) -> None:
    account = make()
    account.sign_in(TOKEN)
    assert kind(lambda: account.sign_in("hf_wrong")) == "hub_token_refused"
    hub.fail("api", "status", status=403)
    assert kind(lambda: account.sign_in("hf_wrong")) == "hub_token_refused"
    hub.faults.clear()
    assert account.sign_in(TOKEN).user == "tester"


def test_a_new_token_is_tried_and_not_the_old_one(
    make: Callable[..., Account], hub: HubStandIn
) -> None:
    account = make()
    account.sign_in(TOKEN)
    hub.token = "hf_newer"
    account.sign_in("hf_newer")
    assert hub.requests("api")[-1].authorization == "Bearer hf_newer"


@pytest.mark.parametrize("token", ["", "   ", "two words", "hf_\u00fc", "x" * 5000])
def test_what_is_no_token_is_not_sent(
    make: Callable[..., Account], hub: HubStandIn, token: str
) -> None:
    assert kind(lambda: make().sign_in(token)) == "bad_new_token"
    assert hub.seen == []


def test_the_environment_wins(make: Callable[..., Account], hub: HubStandIn) -> None:
    make().sign_in(TOKEN)
    account = make(HF_TOKEN="hf_env")
    state = account.state()
    assert (state.place, state.can_change) == ("environment", False)
    assert kind(lambda: account.sign_in(TOKEN)) == "token_in_environment"
    assert kind(account.sign_out) == "token_in_environment"


def test_a_trial_ends_with_its_question(make: Callable[..., Account], hub: HubStandIn) -> None:
    account = make()
    hub.fail("api", "status", status=401)
    assert kind(lambda: account.sign_in("hf_wrong")) == "hub_token_refused"
    assert account._door.policy.token_for(hub.endpoint) is None


def test_a_redirection_does_not_take_the_token_along(
    make: Callable[..., Account], hub: HubStandIn
) -> None:
    hub.fail("api", "redirect", body=f"{hub.cdn_endpoint}/elsewhere".encode())
    kind(lambda: make().sign_in(TOKEN))
    assert [seen.authorization for seen in hub.requests("cdn")] == [""]


def test_a_mirror_that_knows_nobody(make: Callable[..., Account], hub: HubStandIn) -> None:
    hub.fail("api", "status", status=404)
    assert make().sign_in("hf_mirror").user == ""
    assert make().state().is_signed_in


def test_offline_nothing_is_asked_or_kept(make: Callable[..., Account], hub: HubStandIn) -> None:
    assert kind(lambda: make(is_off=True).sign_in(TOKEN)) == "offline_setting"
    assert not make().state().is_signed_in
    assert hub.seen == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"[" * 100_000])
def test_nonsense(make: Callable[..., Account], hub: HubStandIn, body: bytes) -> None:
    hub.fail("api", "json", body=body)
    assert kind(lambda: make().sign_in(TOKEN)) == "hub_bad_list"


@pytest.mark.parametrize("name", [b"3", b'["x"]', b'"\\u202eevil"', b"null"])
def test_a_name_that_is_none(make: Callable[..., Account], hub: HubStandIn, name: bytes) -> None:
    hub.fail("api", "json", body=b'{"name": ' + name + b"}")
    assert make().sign_in(TOKEN).user == ""


def test_the_place_where_tokens_are_made(make: Callable[..., Account], hub: HubStandIn) -> None:
    assert make().tokens_page == f"{hub.endpoint}/settings/tokens"
