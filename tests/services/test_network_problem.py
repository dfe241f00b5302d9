"""What is the matter with the network, in words, and the text for the IT department."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from desktop.common.errors import HausgeistError, HubError, NetworkError, UsageError
from desktop.common.ledger import Ledger
from desktop.common.messages import LANGUAGES, Messages
from desktop.common.wording import Language
from desktop.hub.answer import Purpose
from desktop.hub.door import Door
from desktop.hub.policy import NetworkPolicy
from desktop.services.network_findings import NO_FINDINGS, Findings, look_closer
from desktop.services.network_problem import NetworkProblem, ProblemKind, explain
from desktop.services.network_report import without_secrets
from tests.certificates import make_certificate, secured_by
from tests.hub.raw_server import raw_server

HOST = "huggingface.co"
KINDS: list[tuple[HausgeistError, ProblemKind]] = [
    (NetworkError("offline_environment", name="HAUSGEIST_OFFLINE"), "offline"),
    (NetworkError("offline_setting"), "offline"),
    (NetworkError("host_unknown", host=HOST), "name_resolution"),
    (NetworkError("proxy_needs_login", proxy="proxy:3128"), "proxy_login"),
    (NetworkError("proxy_unreachable", proxy="proxy:3128", host=HOST), "proxy"),
    (NetworkError("proxy_refused", proxy="proxy:3128", host=HOST), "proxy"),
    (NetworkError("proxy_unusable"), "proxy"),
    (NetworkError("tls_untrusted", host=HOST, detail="self-signed certificate"), "certificate"),
    (NetworkError("tls_untrusted", host=HOST, detail="certificate is not yet valid"), "clock"),
    (NetworkError("tls_untrusted", host=HOST, detail="certificate has expired"), "certificate"),
    (NetworkError("cert_file_unreadable", path="/x"), "certificate"),
    (NetworkError("portal", host=HOST), "portal"),
    (HubError("hub_busy", wait_s=90.0), "rate_limit"),
    (HubError("hub_down", host=HOST, status=503), "hub_down"),
    (HubError("hub_bad_list"), "hub_down"),
    (HubError("hub_bad_answer", repo="x"), "hub_down"),
    (NetworkError("answer_too_large", host=HOST, limit_bytes=1), "hub_down"),
    (NetworkError("connection_timeout", host=HOST, timeout_s=15.0), "timeout"),
    (NetworkError("connection_refused", host=HOST), "blocked"),
    (NetworkError("connection_cut", host=HOST), "blocked"),
    (NetworkError("tls_failed", host=HOST), "blocked"),
    (NetworkError("connection_failed", host=HOST, detail="[Errno 101] Network is unreachable"),
     "no_network"),
    (NetworkError("connection_failed", host=HOST, detail="[WinError 10051] ..."), "no_network"),
    (HubError("hub_no_repo", repo="x/y"), "other"),
    (HubError("hub_no_search", host=HOST), "other"),
    (UsageError("bad_endpoint", value="not an address"), "other"),
]  # fmt: skip


def policy(**env: str) -> NetworkPolicy:
    return NetworkPolicy(env, lambda: False)


def explained(
    error: HausgeistError, language: Language = "en", findings: Findings = NO_FINDINGS, **env: str
) -> NetworkProblem:
    return explain(error, policy(**env), Messages(language), findings=findings)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("error", "kind"), KINDS)
def test_each_failure_has_its_words(
    error: HausgeistError, kind: ProblemKind, language: Language
) -> None:
    found = explained(error, language)
    assert found.kind == kind
    messages = Messages(language)
    headline = messages.text(found.headline_key, **found.params)
    advice = messages.text(found.advice_key, **found.params)
    assert headline
    assert len(advice) > 30
    assert "{" not in headline + advice
    assert headline in found.report
    assert found.can_retry == (kind != "offline")


def test_the_pause_that_the_hub_wants() -> None:
    found = explained(HubError("hub_busy", wait_s=90.0))
    assert found.retry_after_s == 90
    assert "access token" in Messages("en").text(found.advice_key, **found.params)
    signed_in = explained(HubError("hub_busy", wait_s=90.0), HF_TOKEN="hf_x")
    assert "of your own" not in Messages("en").text(signed_in.advice_key, **signed_in.params)
    assert explained(NetworkError("host_unknown", host=HOST)).retry_after_s is None


def test_when_the_systems_certificates_may_help() -> None:
    untrusted = NetworkError("tls_untrusted", host=HOST, detail="self-signed")
    assert not explained(untrusted).can_use_system_certificates
    assert explained(untrusted, SSL_CERT_FILE="/x.pem").can_use_system_certificates
    unreadable = NetworkError("cert_file_unreadable", path="/x.pem")
    assert explained(unreadable, SSL_CERT_DIR="/x").can_use_system_certificates
    chosen = NetworkPolicy({"SSL_CERT_FILE": "/x"}, lambda: False, None, lambda: "system")
    assert not explain(untrusted, chosen, Messages("en")).can_use_system_certificates
    busy = HubError("hub_busy", wait_s=1.0)
    assert not explained(busy, SSL_CERT_FILE="/x.pem").can_use_system_certificates


def test_a_clock_that_is_off() -> None:
    expired = NetworkError("tls_untrusted", host=HOST, detail="certificate has expired")
    assert explained(expired, findings=Findings(skew_s=200_000.0)).kind == "clock"
    assert explained(expired, findings=Findings(skew_s=20.0)).kind == "certificate"
    before_it_was_built = explain(
        NetworkError("tls_untrusted", host=HOST), policy(), Messages("en"), clock=lambda: 1e9
    )
    assert before_it_was_built.kind == "clock"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_it_department_reads(language: Language) -> None:
    findings = Findings(
        proxy="proxy.company.example:3128",
        issuer="Inspecting Firewall (Company Ltd)",
        subject="huggingface.co",
        not_before="2026-01-01",
        not_after="2027-01-01",
        fingerprint="AB:CD",
        skew_s=12.0,
    )
    error = NetworkError("tls_untrusted", host=HOST, detail="unable to get local issuer")
    report = explained(error, language, findings).report
    for expected in (
        "huggingface.co:443", "*.hf.co:443", "proxy.company.example:3128", "Inspecting Firewall",
        "AB:CD", "2027-01-01", "tls_untrusted", "unable to get local issuer", "+12 s", "HTTPS",
        "Range", "UTC",
    ):  # fmt: skip
        assert expected in report
    mirror = explained(error, language, HF_ENDPOINT="https://mirror.company.example:8443").report
    assert "mirror.company.example:8443" in mirror
    assert "huggingface.co:443" not in mirror


def test_no_secret_and_no_name_stands_in_a_report() -> None:
    error = NetworkError(
        "proxy_refused",
        proxy="proxy:1",
        host=HOST,
        detail="http://anna:geheim@proxy:1 hf_abcdefgh Bearer hf_zzzz /home/anna/x C:\\Users\\anna",
    )
    report = explained(error, HF_TOKEN="hf_supersecret").report
    for secret in ("anna", "geheim", "hf_abcdefgh", "hf_zzzz", "supersecret"):
        assert secret not in report
    assert without_secrets("a\nb" * 1000).count("\n") == 0


@pytest.fixture
def make_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Door]]:
    doors: list[Door] = []
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def make(endpoint: str, *, is_off: bool = False, stall_s: float = 5.0) -> Door:
        found = NetworkPolicy({"HF_ENDPOINT": endpoint}, lambda: is_off)
        doors.append(Door(found, Ledger(tmp_path / "ledger.jsonl"), stall_s=stall_s))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


def dated(skew_s: float) -> Callable[[socket.socket, bytes], None]:
    """Answers a moment that lies `skew_s` before now."""

    def talk(connection: socket.socket, head: bytes) -> None:
        date = formatdate(time.time() - skew_s, usegmt=True)
        connection.sendall(f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())

    return talk


def caught(door: Door) -> HausgeistError:
    with pytest.raises(HausgeistError) as failure:
        door.get(door.policy.endpoint, Purpose("hub_search"))
    return failure.value


def test_who_reads_along(make_door: Callable[..., Door], tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with raw_server(dated(0), secured_by(certificate)) as server:
        door = make_door(f"https://127.0.0.1:{server.port}")
        error = caught(door)
        findings = look_closer(error, door)
        assert server.heads[0].startswith(b"HEAD / ")
        assert b"uthorization" not in server.heads[0]
    assert findings.issuer == "Inspecting Firewall (Company Ltd)"
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", findings.fingerprint)
    assert findings.skew_s == pytest.approx(0, abs=5)
    found = explain(error, door.policy, Messages("en"), findings=findings)
    assert found.kind == "certificate"
    assert "Inspecting Firewall" in Messages("en").text(found.headline_key, **found.params)
    assert "Inspecting Firewall" in found.report
    assert [line.purpose for line in Ledger(tmp_path / "ledger.jsonl").entries()] == [
        "hub_search",
        "network_look",
    ]


def test_a_certificate_of_tomorrow(make_door: Callable[..., Door], tmp_path: Path) -> None:
    """As a computer whose battery is empty sees all of them."""
    certificate = make_certificate(tmp_path, begins_days=10)
    with raw_server(dated(-10 * 86_400), secured_by(certificate)) as server:
        door = make_door(f"https://127.0.0.1:{server.port}")
        error = caught(door)
        findings = look_closer(error, door)
    assert findings.skew_s == pytest.approx(-10 * 86_400, abs=10)
    not_yet = NetworkError("tls_untrusted", host=HOST, detail="certificate is not yet valid")
    found = explain(not_yet, door.policy, Messages("de"), findings=findings)
    assert found.kind == "clock"
    assert "Uhr" in found.report


def test_nothing_is_looked_at_offline(make_door: Callable[..., Door], tmp_path: Path) -> None:
    door = make_door("https://127.0.0.1:9", is_off=True)
    assert look_closer(NetworkError("tls_untrusted", host="x"), door) == NO_FINDINGS
    assert Ledger(tmp_path / "ledger.jsonl").entries() == ()


def test_nothing_answers(make_door: Callable[..., Door]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    door = make_door(f"https://127.0.0.1:{port}")
    assert look_closer(NetworkError("tls_untrusted", host="x"), door) == NO_FINDINGS
    assert look_closer(NetworkError("host_unknown", host="x"), door) == NO_FINDINGS


def test_the_proxy_is_named_without_its_password(
    make_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:geheim@proxy.company.example:3128")
    found = look_closer(NetworkError("host_unknown", host=HOST), make_door(f"https://{HOST}"))
    assert found.proxy == "proxy.company.example:3128"


def test_a_host_that_is_silent_is_left_alone_after_a_while(
    make_door: Callable[..., Door],
) -> None:
    def wait(_connection: socket.socket, _head: bytes) -> None:
        server.closing.wait(20)

    with raw_server(wait) as server:
        door = make_door(f"http://127.0.0.1:{server.port}", stall_s=0.3)
        started = time.monotonic()
        assert look_closer(NetworkError("portal", host="x"), door) == NO_FINDINGS
        assert time.monotonic() - started < 3
