"""The door: whether it may open, to whom, with what bounds; and what is written down."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from inspect import isfunction
from pathlib import Path

import httpcore2
import pytest

import desktop.hub.http  # noqa: F401  (sets how much is read at once)
from desktop.common.errors import CancelledError, HausgeistError, NetworkError
from desktop.common.ledger import Ledger
from desktop.hub.answer import Answer, Bounds, Purpose
from desktop.hub.door import Door
from desktop.hub.policy import NetworkPolicy
from tests.hub.conftest import House
from tests.hub.raw_server import forwards, ok, raw_server, says
from tests.hub.stand_in import HubStandIn

WHY = Purpose("hub_listing", "maker/model")
LOOPBACK = Path(__file__).parent / "data" / "loopback.pem"
MakeHouse = Callable[..., House]


def failure(house: House, url: str, **more: float) -> NetworkError:
    with pytest.raises(NetworkError) as found:
        house.door.get(url, WHY, **more)  # type: ignore[arg-type]
    return found.value


def at(port: int, path: str = "/") -> str:
    return f"http://127.0.0.1:{port}{path}"


def test_an_answer_and_its_line(house: House) -> None:
    with raw_server(says(ok(b"hello", "X-Name: Value"))) as server:
        answer = house.door.get(at(server.port), WHY)
    assert (answer.status, answer.body, answer.headers["x-name"]) == (200, b"hello", "Value")
    (line,) = house.ledger.entries()
    assert (line.purpose, line.subject, line.outcome, line.status, line.received_bytes) == (
        "hub_listing",
        "maker/model",
        "ok",
        200,
        5,
    )
    assert line.host == f"127.0.0.1:{server.port}"
    head = server.heads[0].lower()
    assert b"user-agent: hausgeist\r\n" in head
    assert b"authorization" not in head
    assert b"cookie" not in head


@pytest.mark.parametrize("name", ["HAUSGEIST_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_by_the_environment(make_house: MakeHouse, hub: HubStandIn, name: str) -> None:
    for value in ("1", "true", "yes", "anything"):
        house = make_house(**{name: value})
        assert failure(house, hub.endpoint).kind == "offline_environment"
    assert hub.seen == []
    for value in ("", "0", "no"):
        make_house(**{name: value}).door.get(hub.endpoint, WHY)
    assert len(hub.seen) == 3


def test_the_offline_switch_is_asked_every_time(house: House, hub: HubStandIn) -> None:
    house.door.get(hub.endpoint, WHY)
    house.switched_off.append(True)
    assert failure(house, hub.endpoint).kind == "offline_setting"
    house.switched_off.clear()
    house.door.get(hub.endpoint, WHY)
    assert len(hub.seen) == 2
    assert len(house.ledger.entries()) == 2  # what was not sent is no connection


def test_the_switch_turned_between_two_hosts(house: House, hub: HubStandIn) -> None:
    """A redirection is a connection of its own."""

    def turn_off(connection: socket.socket, head: bytes) -> None:
        house.switched_off.append(True)
        target = hub.endpoint.encode()
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\n")
        connection.sendall(b"Content-Length: 0\r\n\r\n")

    with raw_server(turn_off) as server:
        assert failure(house, at(server.port)).kind == "offline_setting"
    assert hub.seen == []


def test_the_token_goes_to_the_hub_alone(make_house: MakeHouse, hub: HubStandIn) -> None:
    house = make_house(HF_TOKEN="hf_secret")
    hub.add("maker/model", {"a.bin": b"x" * 100})
    url = f"{hub.endpoint}/maker/model/resolve/main/a.bin"
    answer = house.door.get(url, WHY)
    assert answer.body == b"x" * 100
    assert [seen.authorization for seen in hub.requests("resolve")] == ["Bearer hf_secret"]
    assert [seen.authorization for seen in hub.requests("cdn")] == [""]
    assert "hf_secret" not in house.ledger.path.read_text()
    house.door.get(f"{hub.cdn_endpoint}/elsewhere", WHY)
    assert [seen.authorization for seen in hub.requests("cdn")] == ["", ""]


@pytest.mark.parametrize("token", ["hf a", "hf\nX-Evil: 1", "hf_ü"])
def test_a_token_that_is_none(make_house: MakeHouse, hub: HubStandIn, token: str) -> None:
    house = make_house(HF_TOKEN=token)
    with pytest.raises(HausgeistError, match="bad_token"):
        house.door.get(hub.endpoint, WHY)
    assert hub.seen == []


def test_redirections(house: House, hub: HubStandIn) -> None:
    hub.add("maker/model", {"a.bin": b"x"})
    answer = house.door.get(f"{hub.endpoint}/maker/model/resolve/main/a.bin", WHY)
    assert answer.url.startswith(hub.cdn_endpoint)
    assert answer.header("x-linked-size") == "1"
    assert [line.status for line in house.ledger.entries()] == [302, 200]
    hosts = {line.host for line in house.ledger.entries()}
    assert len(hosts) == 2


def test_redirections_without_end(house: House, hub: HubStandIn) -> None:
    hub.fail("api", "redirect", body=f"{hub.endpoint}/api/again".encode())
    assert failure(house, f"{hub.endpoint}/api/x").kind == "too_many_redirects"
    assert len(hub.seen) == 6


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "gopher://x", "javascript:1", "http://[", "http://x:99999999/"]
)
def test_redirections_to_nowhere(house: House, hub: HubStandIn, target: str) -> None:
    hub.fail("api", "redirect", body=target.encode())
    assert failure(house, f"{hub.endpoint}/api/x").kind == "bad_redirect"
    assert len(hub.seen) == 1


def test_never_from_a_protected_connection_to_an_open_one(house: House) -> None:
    class Sends:
        def send(self, url: str, headers: Mapping[str, str], bounds: Bounds) -> Answer:
            assert url.startswith("https")
            return Answer(url, 302, {"location": "http://example.org/"}, b"")

        def close(self) -> None: ...

    door = Door(house.door.policy, house.ledger, transport=Sends)
    with pytest.raises(NetworkError, match="bad_redirect"):
        door.get("https://example.org/", WHY)


def test_refused(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = failure(house, at(port))
    assert found.kind == "connection_refused"
    assert found.params["host"] == f"127.0.0.1:{port}"
    assert [line.outcome for line in house.ledger.entries()] == ["connection_refused"]


def test_a_name_that_nobody_knows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    found = failure(house, "https://hub.invalid/x")
    assert (found.kind, found.params["host"]) == ("host_unknown", "hub.invalid")


def test_looking_up_a_name_has_no_end(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """getaddrinfo knows no time limit; some resolvers take 30 seconds."""
    released = threading.Event()

    def slow(*_: object, **__: object) -> None:
        released.wait(60)
        raise socket.gaierror(-2, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    house = make_house(stall_s=0.3)
    started = time.monotonic()
    assert failure(house, "https://hub.invalid/").kind == "connection_timeout"
    assert time.monotonic() - started < 10
    released.set()


def test_a_host_that_says_nothing(make_house: MakeHouse, hub: HubStandIn) -> None:
    hub.fail("api", "silent")
    found = failure(make_house(stall_s=0.3), f"{hub.endpoint}/api/x")
    assert found.kind == "connection_timeout"
    assert isinstance(found.params["timeout_s"], float)


def test_a_host_that_drips(make_house: MakeHouse) -> None:
    """A byte now and then resets every time limit but the whole one."""
    server_done = threading.Event()

    def drip(connection: socket.socket, head: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not server_done.wait(0.05):
            connection.sendall(b"x")

    house = make_house(stall_s=0.4)
    with raw_server(drip) as server:
        assert failure(house, at(server.port)).kind == "connection_timeout"
        server_done.set()
    (line,) = house.ledger.entries()
    assert line.outcome == "connection_timeout"
    assert line.received_bytes > 0


def test_somebody_wants_to_stop(house: House, hub: HubStandIn) -> None:
    hub.fail("api", "silent")
    asked: list[bool] = []

    def is_cancelled() -> bool:
        asked.append(True)
        return len(asked) > 1

    with pytest.raises(CancelledError):
        house.door.get(f"{hub.endpoint}/api/x", WHY, is_cancelled=is_cancelled)
    assert [line.outcome for line in house.ledger.entries()] == ["cancelled"]


def test_more_than_was_asked_for(house: House) -> None:
    with raw_server(says(ok(b"x" * 100_000))) as server:
        found = failure(house, at(server.port), max_bytes=50_000)
        assert (found.kind, found.params["limit_bytes"]) == ("answer_too_large", 50_000)
        answer = house.door.get(at(server.port), WHY, enough_bytes=10_000)
    assert (len(answer.body), answer.is_cut) == (10_000, True)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", "connection_cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "connection_cut"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "connection_cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "connection_cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab", "connection_cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "connection_cut"),
        (ok(b"\x1f\x8b\x08", "Content-Encoding: gzip"), "bad_answer"),
        (b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n", "proxy_needs_login"),
        (b"HTTP/1.1 511 No\r\nContent-Length: 0\r\n\r\n", "portal"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", "connection_cut"),
    ],
)
def test_answers_that_are_none(house: House, said: bytes, kind: str) -> None:
    with raw_server(says(said)) as server:
        assert failure(house, at(server.port)).kind == kind


def test_a_refusal_may_be_compressed(house: House) -> None:
    said = ok(b"\x1f\x8b\x08", "Content-Encoding: gzip").replace(b"200 OK", b"503 Busy")
    with raw_server(says(said)) as server:
        assert house.door.get(at(server.port), WHY).status == 503


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "", "https://[::1", "huggingface.co/x"])
def test_addresses_that_are_none(house: House, url: str) -> None:
    assert failure(house, url).kind == "bad_address"
    assert house.ledger.entries() == ()


def secured(connection: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOOPBACK)
    return context.wrap_socket(connection, server_side=True)


def test_a_certificate_that_nobody_vouches_for(house: House) -> None:
    with raw_server(says(ok(b"secret")), secured) as server:
        found = failure(house, f"https://127.0.0.1:{server.port}/")
    assert found.kind == "tls_untrusted"


def test_a_company_vouches_by_ssl_cert_file(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(LOOPBACK))
    house = make_house()
    with raw_server(says(ok(b"secret")), secured) as server:
        answer = house.door.get(f"https://127.0.0.1:{server.port}/", WHY)
    assert answer.body == b"secret"


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_certificate_file_that_is_none(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    found = failure(make_house(), "https://127.0.0.1:1/")
    assert (found.kind, found.params["path"]) == ("cert_file_unreadable", str(path))


def test_no_protection_where_it_is_expected(house: House) -> None:
    def speaks_first(connection: socket.socket) -> socket.socket:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return connection

    with raw_server(says(b""), speaks_first) as server:
        assert failure(house, f"https://127.0.0.1:{server.port}/").kind == "tls_failed"


@pytest.fixture
def through_proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Loopback is reached through the proxy, too, as far as these tests go."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    def use(address: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("HTTPS_PROXY", address)

    return use


def test_through_a_proxy(
    make_house: MakeHouse, hub: HubStandIn, through_proxy: Callable[[str], None]
) -> None:
    with raw_server(forwards) as proxy:
        through_proxy(f"http://us%65r:pass@127.0.0.1:{proxy.port}")
        house = make_house()
        hub.add("maker/model", {"a.bin": b"x" * 1000})
        answer = house.door.get(f"{hub.endpoint}/api/models/maker/model", WHY)
        house.door.close()
    assert answer.status == 200
    assert len(proxy.heads) == 1
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.heads[0]
    assert "pass" not in house.ledger.path.read_text()


def test_not_through_the_proxy_where_no_proxy_says_so(
    make_house: MakeHouse,
    hub: HubStandIn,
    through_proxy: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with raw_server(forwards) as proxy:
        through_proxy(f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
        make_house().door.get(hub.endpoint, WHY)
        assert proxy.heads == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "proxy_needs_login"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "proxy_refused"),
    ],
)
def test_a_proxy_that_does_not_let_through(
    make_house: MakeHouse, through_proxy: Callable[[str], None], said: bytes, kind: str
) -> None:
    with raw_server(says(said)) as proxy:
        through_proxy(f"http://user:pass@127.0.0.1:{proxy.port}")
        found = failure(make_house(), "https://hub.invalid/")
    assert (found.kind, found.params["proxy"]) == (kind, f"127.0.0.1:{proxy.port}")


def test_a_proxy_that_is_not_there(
    make_house: MakeHouse, through_proxy: Callable[[str], None]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    through_proxy(f"http://user:pass@127.0.0.1:{port}")
    found = failure(make_house(), "https://hub.invalid/")
    assert (found.kind, found.params["proxy"]) == ("proxy_unreachable", f"127.0.0.1:{port}")


@pytest.mark.parametrize("address", ["socks5://127.0.0.1:1", "socks4://x:1", "quic://x:1"])
def test_a_proxy_that_cannot_be_used(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    assert failure(make_house(), "https://hub.invalid/").kind == "proxy_unusable"


def test_many_threads_one_door(house: House, hub: HubStandIn) -> None:
    hub.add("maker/model", {f"{n}.bin": bytes([n]) * 1000 for n in range(20)})
    found: dict[int, bytes] = {}

    def fetch(n: int) -> None:
        url = f"{hub.endpoint}/maker/model/resolve/main/{n}.bin"
        found[n] = house.door.get(url, WHY).body

    threads = [threading.Thread(target=fetch, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {n: bytes([n]) * 1000 for n in range(20)}
    assert len(house.ledger.entries()) == 40


def test_large_reads_are_still_heard_of() -> None:
    """Half the cost of a download; a newer version may call it otherwise."""
    assert httpcore2.HTTP11Connection.READ_NUM_BYTES == 512 << 10
    readers = vars(httpcore2.HTTP11Connection).values()
    names = {name for reader in readers if isfunction(reader) for name in reader.__code__.co_names}
    assert "READ_NUM_BYTES" in names


def test_the_systems_certificates_instead_of_a_variables(
    tmp_path: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chosen while the app runs; a file of one's own counts beside them."""
    broken = tmp_path / "broken.pem"
    broken.write_bytes(b"no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(broken))
    env = {"HF_ENDPOINT": hub.endpoint, "SSL_CERT_FILE": str(broken)}
    chosen = [""]
    policy = NetworkPolicy(env, lambda: False, None, lambda: chosen[0])
    door = Door(policy, Ledger(tmp_path / "ledger.jsonl"))
    with raw_server(says(ok(b"secret")), secured) as server:
        url = f"https://127.0.0.1:{server.port}/"

        def kind() -> str:
            with pytest.raises(HausgeistError) as caught:
                door.get(url, WHY)
            return caught.value.kind

        assert (policy.has_own_certificates, policy.certificate_store) == (True, "SSL_CERT_FILE")
        assert kind() == "cert_file_unreadable"
        chosen[0] = "system"
        assert (policy.has_own_certificates, kind()) == (False, "tls_untrusted")
        chosen[0] = str(LOOPBACK)
        assert door.get(url, WHY).body == b"secret"
        chosen[0] = str(broken)
        assert kind() == "cert_file_unreadable"
    door.close()
