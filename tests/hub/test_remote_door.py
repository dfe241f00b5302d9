"""The door to servers that their user named: the switch, the ledger, whom it trusts."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.common.errors import NetworkError
from desktop.common.ledger import Ledger
from desktop.hub.answer import Purpose
from desktop.hub.door import Door
from desktop.hub.exchange import Ask, Exchange, Head, Outcome, Trust
from desktop.hub.policy import NetworkPolicy, origin_of
from desktop.hub.remote_door import RemoteDoor
from tests.certificates import make_certificate, secured_by
from tests.hub.raw_server import Conversation, forwards, ok, raw_server

WHY = Purpose("remote_engine", "Office")
USUAL = Trust()
WAIT_S = 20.0


class House:
    def __init__(self, folder: Path, **env: str) -> None:
        self.switched_off: list[bool] = []
        self.ledger = Ledger(folder / "ledger.jsonl")
        policy = NetworkPolicy(env, lambda: bool(self.switched_off))
        self.door = RemoteDoor(Door(policy, self.ledger), self.ledger)

    def fetch(self, url: str, trust: Trust = USUAL, body: bytes | None = b"{}") -> bytes:
        return self.door.fetch(url, WHY, trust, body=body, timeout_s=WAIT_S).body

    def kind(self, url: str, trust: Trust = USUAL) -> str:
        with pytest.raises(NetworkError) as found:
            self.fetch(url, trust)
        return found.value.kind


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_an_exchange_and_its_line(house: House) -> None:
    with raw_server(reads(ok(b"hello"))) as server:
        url = f"http://127.0.0.1:{server.port}/v1/chat"
        answer = house.door.fetch(
            url, WHY, USUAL, body=b'{"a": 1}', headers={"Authorization": "Bearer k"}, timeout_s=9
        )
    assert (answer.status, answer.body) == (200, b"hello")
    head = server.heads[0].lower()
    assert head.startswith(b"post /v1/chat http/1.1\r\n")
    assert b"authorization: bearer k\r\n" in head
    assert b"content-type: application/json\r\n" in head
    (line,) = house.ledger.entries()
    assert (line.purpose, line.subject, line.outcome, line.status) == (
        "remote_engine",
        "Office",
        "ok",
        200,
    )
    assert (line.sent_bytes, line.received_bytes) == (8, 5)
    assert "Bearer" not in house.ledger.path.read_text()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_offline_leaves_this_machine(tmp_path: Path, host: str) -> None:
    house = House(tmp_path, HAUSGEIST_OFFLINE="1")
    with raw_server(reads(ok(b"here"))) as server:
        assert house.fetch(f"http://{host}:{server.port}/") == b"here"
    assert house.kind("http://192.168.1.5:1234/") == "offline_environment"
    assert house.kind("https://llm.example.org/") == "offline_environment"
    assert len(house.ledger.entries()) == 1  # what was not sent is no connection


def test_the_switch_is_asked_every_time(house: House) -> None:
    house.switched_off.append(True)
    assert house.kind("http://10.0.0.1/") == "offline_setting"
    assert house.kind("http://nowhere.invalid/") == "offline_setting"
    assert house.ledger.entries() == ()


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:8080/", True),
        ("http://localhost:1234/v1", True),
        ("http://localhost.example.org/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://192.168.0.2/", False),
        ("http://0.0.0.0/", False),
    ],
)
def test_what_is_on_this_machine(url: str, is_here: bool) -> None:
    origin = origin_of(url)
    assert origin is not None
    assert origin.is_loopback is is_here


def test_no_proxy_for_this_machine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is meant for this machine must not leave it through a proxy."""
    with raw_server(forwards) as proxy, raw_server(reads(ok(b"here"))) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert house.fetch(f"http://127.0.0.1:{server.port}/") == b"here"
        assert proxy.heads == []


def test_other_computers_are_asked_as_the_system_is_set_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(reads(ok(b"from the proxy"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert house.fetch("http://192.168.77.1:9/v1") == b"from the proxy"
        assert proxy.heads[0].startswith(b"POST http://192.168.77.1:9/v1 ")


def test_a_redirect_is_not_followed(house: House) -> None:
    with raw_server(reads(ok(b"not for you"))) as other:
        moved = b"HTTP/1.1 307 No\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
        with raw_server(reads(moved % other.port)) as server:
            url = f"http://127.0.0.1:{server.port}/"
            answer = house.door.fetch(url, WHY, USUAL, body=b"{}", timeout_s=9)
    assert answer.status == 307
    assert other.heads == []


def test_the_hubs_token_stays_home(tmp_path: Path) -> None:
    with raw_server(reads(ok(b"{}"))) as server:
        url = f"http://127.0.0.1:{server.port}"
        house = House(tmp_path, HF_TOKEN="hf_secret", HF_ENDPOINT=url)
        house.fetch(f"{url}/v1/models", body=None)
    assert b"hf_secret" not in server.heads[0]
    assert server.heads[0].startswith(b"GET ")


def test_an_unknown_certificate(house: House, tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    with raw_server(reads(ok(b"secret")), secured_by(file)) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert house.kind(url) == "server_untrusted"
        assert server.heads == []  # nothing was sent
        assert house.fetch(url, Trust(ca_file=str(file))) == b"secret"
        shown = house.door.look(url, Purpose("remote_certificate"))
    assert shown.certificate == ssl.PEM_cert_to_DER_cert(_first(file))


def test_a_certificate_file_that_is_none(house: House, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("no certificate")
    assert house.kind("https://127.0.0.1:1/", Trust(ca_file=str(nothing))) == "cert_file_unreadable"


def reads(answer: bytes) -> Conversation:
    """Takes the body of a request before it answers, as servers do."""

    def talk(connection: socket.socket, head: bytes) -> None:
        found = re.search(rb"content-length: (\d+)", head.lower())
        left = (int(found[1]) if found else 0) - len(head.partition(b"\r\n\r\n")[2])
        while left > 0:
            left -= len(connection.recv(left))
        connection.sendall(answer)

    return talk


def _first(file: Path) -> str:
    text = file.read_text()
    return text[: text.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("ends_days", [30, -2])
def test_this_one_certificate(house: House, tmp_path: Path, ends_days: int) -> None:
    """Pinned: believed whatever its name and its dates, and no other."""
    file = make_certificate(tmp_path, begins_days=-9, ends_days=ends_days)
    pinned = Trust(certificate=_first(file))
    with raw_server(reads(ok(b"secret")), secured_by(file)) as server:
        assert house.fetch(f"https://localhost:{server.port}/", pinned) == b"secret"
    other = make_certificate(tmp_path, issuer="Somebody Else")
    with raw_server(reads(ok(b"secret")), secured_by(other)) as server:
        assert house.kind(f"https://127.0.0.1:{server.port}/", pinned) == "other_certificate"
        assert server.heads == []


def test_a_broken_pin(house: House) -> None:
    broken = Trust(certificate="-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n")
    assert house.kind("https://127.0.0.1:1/", broken) == "other_certificate"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "connection_cut"),
        (b"nonsense\r\n\r\n", "connection_cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "connection_cut"),
        (b"HTTP/1.1 407 Proxy\r\nContent-Length: 0\r\n\r\n", "proxy_needs_login"),
        (b"HTTP/1.1 511 Login\r\nContent-Length: 0\r\n\r\n", "portal"),
        (ok(b"x", "Content-Encoding: gzip"), "bad_answer"),
    ],
)
def test_faults(house: House, answer: bytes, kind: str) -> None:
    with raw_server(reads(answer)) as server:
        assert house.kind(f"http://127.0.0.1:{server.port}/") == kind
    (line,) = house.ledger.entries()
    assert line.outcome == kind


def test_nobody_there(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert house.kind(f"http://127.0.0.1:{port}/") == "connection_refused"
    assert house.kind("no address") == "bad_address"


def test_a_name_that_is_looked_up_for_ever(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def slow(*_: object, **__: object) -> None:
        released.wait(60)
        raise socket.gaierror(-2, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with (
        house.door.begin("http://slow.invalid/", WHY, USUAL, connect_s=0.2) as exchange,
        pytest.raises(NetworkError, match="connection_timeout"),
    ):
        exchange.get(WAIT_S)
    assert time.monotonic() - started < 10
    released.set()
    (line,) = house.ledger.entries()
    assert (line.outcome, line.sent_bytes) == ("connection_timeout", 0)


def test_more_than_was_asked_for(house: House) -> None:
    with raw_server(reads(ok(b"x" * 100_000))) as server:
        url = f"http://127.0.0.1:{server.port}/"
        with pytest.raises(NetworkError, match="answer_too_large"):
            house.door.fetch(url, WHY, USUAL, timeout_s=9, max_bytes=5_000)


class Script:
    """A carrier that does what a test says."""

    def __init__(self, work: Callable[[Exchange], None]) -> None:
        self._work = work

    def carry(self, ask: Ask, exchange: Exchange) -> None:
        self._work(exchange)


def test_a_reader_that_is_slow() -> None:
    """What nobody reads makes the server wait, not this computer's memory grow."""
    handed: list[int] = []

    def pours(exchange: Exchange) -> None:
        exchange.asking()
        exchange.hand(Head(200, {}))
        for number in range(100):
            if not exchange.hand(b"x" * (1 << 20)):
                return
            handed.append(number)

    outcomes: list[Outcome] = []
    exchange = Exchange(Ask("http://x/", "x"), Script(pours), outcomes.append)
    assert isinstance(exchange.get(WAIT_S), Head)
    for _ in range(50):
        assert exchange.get(WAIT_S)
    assert len(handed) < 70
    exchange.close()
    exchange.close()
    (outcome,) = outcomes
    assert (outcome.outcome, outcome.status) == ("cancelled", 200)


def test_waking_a_reader() -> None:
    stop = threading.Event()
    exchange = Exchange(
        Ask("http://x/", "x", connect_s=60), Script(lambda _: _until(stop)), _ignore
    )
    threading.Timer(0.05, exchange.wake).start()
    started = time.monotonic()
    assert exchange.get(30.0) is None
    assert time.monotonic() - started < 10
    stop.set()


def _until(stop: threading.Event) -> None:
    stop.wait()


def _ignore(_outcome: Outcome) -> None:
    """Not looked at."""


def test_a_carrier_with_a_fault() -> None:
    def breaks(exchange: Exchange) -> None:
        raise RuntimeError("oh")

    exchange = Exchange(Ask("http://x/", "x"), Script(breaks), _ignore)
    with pytest.raises(NetworkError, match="connection_failed"):
        exchange.get(WAIT_S)


def test_the_fingerprint_that_people_compare(tmp_path: Path) -> None:
    from desktop.services.certificate_words import certificate_words

    der = ssl.PEM_cert_to_DER_cert(_first(make_certificate(tmp_path)))
    words = certificate_words(der, "host")
    assert words.fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert "Inspecting Firewall" in words.issuer
    with pytest.raises(NetworkError, match="tls_failed"):
        certificate_words(b"nonsense", "host")
