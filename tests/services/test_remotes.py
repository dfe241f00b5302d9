"""Model servers that a person names: added after a look, kept without keys, opened, forgotten."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import HausgeistError, StorageError
from desktop.common.ledger import Ledger
from desktop.engine.cancel import CancelToken
from desktop.engine.chat import Chat, Message
from desktop.engine.remote.link import Patience
from desktop.engine.request import Request
from desktop.hub.door import Door
from desktop.hub.keyring import SERVICE
from desktop.hub.policy import NetworkPolicy
from desktop.hub.remote_door import RemoteDoor
from desktop.hub.server_keys import ServerKeys
from desktop.services.open_progress import OpenProgress
from desktop.services.remote_file import RemoteFile, RemoteServer
from desktop.services.remote_ref import RemoteRef, is_server_name, parse_remote
from desktop.services.remotes import NewServer, Remotes
from tests.certificates import make_certificate, secured_by
from tests.engine.model_server import ModelServer, Talk, model_server, refuses, says

KEY = "sk-very-secret"
WAIT_S = 20.0


class Ring:
    """A keyring in memory; `locked` makes it wait."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = False

    def get_password(self, service: str, username: str) -> str | None:
        self._require()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._require()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._require()
        del self.kept[service, username]

    def _require(self) -> None:
        if self.broken:
            raise RuntimeError("locked")


class House:
    """A home with its servers; `ring` None: a system without a keyring."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ring: Ring | None = Ring()
        self.switched_off: list[bool] = []
        self.ledger = Ledger(folder / "ledger.jsonl")
        policy = NetworkPolicy({}, lambda: bool(self.switched_off))
        self._door = RemoteDoor(Door(policy, self.ledger), self.ledger)
        self.remotes = self.anew()

    def anew(self) -> Remotes:
        """As after a new start."""
        keys = ServerKeys(self.folder, find_keyring=lambda: self.ring, wait_s=2.0)
        return Remotes(RemoteFile(self.folder / "servers.json"), keys, self._door)

    @property
    def written(self) -> str:
        """All that lies on the disk, in the ledger, too."""
        return "".join(path.read_text() for path in self.folder.iterdir() if path.is_file())


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return House(tmp_path)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server(says("Hi")) as running:
        running.models = {"data": [{"id": "org/big", "owned_by": "vllm", "max_model_len": 9000}]}
        yield running


def kind_of(work: Callable[[], object]) -> str:
    with pytest.raises(HausgeistError) as found:
        work()
    return found.value.kind


def test_a_server_is_added_tried_opened_and_forgotten(house: House, server: ModelServer) -> None:
    report = house.remotes.add(NewServer("Office", server.address, key=KEY))
    assert report.seconds >= 0
    added = report.server
    assert (added.name, added.software, added.key_place) == ("Office", "vllm", "keyring")
    assert [(m.id, m.context_tokens) for m in added.models] == [("org/big", 9000)]
    assert not added.leaves_computer
    remotes = house.anew()
    assert remotes.servers() == (added,)
    told: list[OpenProgress] = []
    opened = remotes.open("remote:Office/org/big", on_progress=told.append)
    assert (opened.name, opened.server) == ("remote:Office/org/big", "Office")
    assert opened.engine.info.context_tokens == 9000
    assert told[0].stage == "checking"
    stream = opened.engine.submit(Request("1", chat=Chat((Message("user", "Hello"),))))
    assert stream.collect(WAIT_S)[0] == "Hi"
    assert all(one.headers.get("Authorization") == f"Bearer {KEY}" for one in server.asked)
    opened.engine.close()
    assert remotes.test("office").server.models == added.models
    assert KEY not in house.written
    assert remotes.remove("OFFICE").name == "Office"
    assert (remotes.servers(), house.ring and house.ring.kept) == ((), {})
    assert {line.purpose for line in house.ledger.entries()} == {"remote_models", "remote_engine"}


def test_a_system_without_a_keyring(house: House, server: ModelServer) -> None:
    house.ring = None
    assert house.remotes.keeps_keys_in() == "file"
    house.remotes.add(NewServer("Office", server.address, key=KEY))
    keys = house.folder / "server-keys"
    assert KEY in keys.read_text()
    if os.name == "posix":
        assert keys.stat().st_mode & 0o077 == 0
    assert KEY not in (house.folder / "servers.json").read_text()
    assert house.anew().test("Office").server.name == "Office"
    house.anew().remove("Office")
    assert not keys.exists()


def test_a_key_belongs_to_its_address(house: House, server: ModelServer) -> None:
    """Whoever changes the address in the file does not get the key sent there."""
    house.remotes.add(NewServer("Office", server.address, key=KEY))
    file = house.folder / "servers.json"
    with model_server() as other:
        file.write_text(file.read_text().replace(f":{server.port}/", f":{other.port}/"))
        assert kind_of(lambda: house.anew().test("Office")) == "server_key_lost"
        assert other.asked == []


def test_a_keyring_that_is_locked(house: House, server: ModelServer) -> None:
    assert house.ring is not None
    house.ring.broken = True
    new = NewServer("Office", server.address, key=KEY)
    assert kind_of(lambda: house.remotes.add(new)) == "keyring_locked"
    assert house.remotes.servers() == ()
    house.ring.broken = False
    house.remotes.add(new)
    house.ring.broken = True
    assert kind_of(lambda: house.anew().test("Office")) == "keyring_locked"
    assert house.remotes.test("Office").server.name == "Office"  # known since it was entered


def test_two_homes_have_two_keys(tmp_path: Path, server: ModelServer) -> None:
    ring = Ring()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        house = House(tmp_path / name)
        house.ring = ring
        house.remotes.add(NewServer("Office", server.address, key=f"key-of-{name}"))
    assert len(ring.kept) == 2
    assert {service for service, _user in ring.kept} == {SERVICE}


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        (NewServer("", "localhost:1"), "bad_remote_name"),
        (NewServer("a/b", "localhost:1"), "bad_remote_name"),
        (NewServer("x" * 41, "localhost:1"), "bad_remote_name"),
        (NewServer("Office", ""), "bad_remote_address"),
        (NewServer("Office", "ftp://x"), "bad_remote_address"),
        (NewServer("Office", "http://user:pass@host/"), "bad_remote_address"),
        (NewServer("Office", "http://host/?key=1"), "bad_remote_address"),
        (NewServer("Office", "localhost:1", key="a b"), "bad_server_key"),
        (NewServer("Office", "localhost:1", key="ü"), "bad_server_key"),
        (NewServer("Office", "localhost:1", ca_file="/nowhere.pem"), "no_ca_file"),
    ],
)
def test_what_cannot_be_a_server(house: House, new: NewServer, kind: str) -> None:
    assert kind_of(lambda: house.remotes.add(new)) == kind
    assert house.ledger.entries() == ()


def test_a_name_only_once(house: House, server: ModelServer) -> None:
    house.remotes.add(NewServer("Office", server.address))
    assert (
        kind_of(lambda: house.remotes.add(NewServer("OFFICE", server.address))) == "remote_exists"
    )
    assert kind_of(lambda: house.remotes.remove("other")) == "unknown_remote"
    assert kind_of(lambda: house.remotes.open("remote:other/x")) == "unknown_remote"


def test_a_server_that_is_off(house: House) -> None:
    new = NewServer("Office", "127.0.0.1:9", check=True)
    assert kind_of(lambda: house.remotes.add(new)) == "connection_refused"
    assert house.remotes.servers() == ()
    house.remotes.add(NewServer("Office", "127.0.0.1:9", check=False))
    assert house.remotes.server("Office").models == ()


def test_a_key_that_is_wrong(house: House, server: ModelServer) -> None:
    server.own["/v1/models"] = refuses(401, {"error": f"Incorrect key {KEY}"})
    with pytest.raises(HausgeistError) as found:
        house.remotes.add(NewServer("Office", server.address, key=KEY))
    assert found.value.kind == "remote_key_refused"
    assert KEY not in str(found.value)
    assert house.ring is not None
    assert house.ring.kept == {}


def test_offline_forbids_other_computers_alone(house: House, server: ModelServer) -> None:
    house.switched_off.append(True)
    assert house.remotes.add(NewServer("Here", server.address)).server.models
    new = NewServer("Away", "http://192.168.7.7:1234")
    assert kind_of(lambda: house.remotes.add(new)) == "offline_setting"


def test_an_own_certificate(house: House, tmp_path: Path) -> None:
    file = make_certificate(tmp_path)
    with model_server(says("Hi"), wrap=secured_by(file)) as server:
        assert kind_of(lambda: house.remotes.add(NewServer("A", server.address))) == (
            "server_untrusted"
        )
        shown = house.remotes.certificate(server.address)
        assert "Inspecting Firewall" in shown.subject
        wrong = NewServer("A", server.address, fingerprint="00:11")
        assert kind_of(lambda: house.remotes.add(wrong)) == "other_certificate"
        pinned = NewServer("A", server.address, fingerprint=shown.fingerprint.lower())
        house.remotes.add(pinned)
        house.remotes.add(NewServer("B", server.address, ca_file=str(file)))
    again = house.anew()
    other = make_certificate(tmp_path, issuer="Somebody Else")
    with model_server(says("Hi"), wrap=secured_by(other)) as server:
        path = house.folder / "servers.json"
        document = json.loads(path.read_text())
        for entry in document["servers"]:
            entry["address"] = f"{server.address}/v1"
        path.write_text(json.dumps(document))
        assert kind_of(lambda: again.test("A")) == "other_certificate"
        assert kind_of(lambda: again.test("B")) == "server_untrusted"


def test_no_certificate_without_tls(house: House, server: ModelServer) -> None:
    assert kind_of(lambda: house.remotes.certificate(server.address)) == "no_certificate"


def test_stopped_while_it_opens(house: House, server: ModelServer) -> None:
    house.remotes.add(NewServer("Office", server.address))
    token = CancelToken()
    token.cancel()
    assert kind_of(lambda: house.remotes.open("remote:Office", cancel=token)) == "cancelled"


def test_a_server_that_is_slow_to_answer_can_be_left(house: House) -> None:
    def silent(talk: Talk) -> None:
        talk.wait_until_gone()

    with model_server() as server:
        house.remotes.add(NewServer("Office", server.address))
        server.own["/v1/models"] = silent
        token = CancelToken()
        threading.Timer(0.1, token.cancel).start()
        started = time.monotonic()
        assert kind_of(lambda: house.remotes.open("remote:Office/x", cancel=token)) == "cancelled"
        assert time.monotonic() - started < 5.0


def test_a_server_that_was_added_anew_is_another_one(house: House, server: ModelServer) -> None:
    """What is kept open of the old one must not answer in its place."""
    house.remotes.add(NewServer("Office", server.address))
    before = house.remotes.key_of("remote:office/org/big")
    assert before == house.anew().key_of("remote:Office/org/big")
    assert before != house.remotes.key_of("remote:Office/other")
    house.remotes.remove("Office")
    with model_server() as other:
        house.remotes.add(NewServer("Office", other.address))
    assert house.remotes.key_of("remote:Office/org/big") != before
    assert kind_of(lambda: house.remotes.key_of("remote:gone/x")) == "unknown_remote"


def test_which_model_is_meant(house: House, server: ModelServer) -> None:
    house.remotes.add(NewServer("My Office", server.address))
    assert house.remotes.open("remote:My Office").name == "remote:My Office/org/big"
    assert kind_of(lambda: house.remotes.open("remote:My Office/x")) == "remote_no_model"


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("remote:a/b", RemoteRef("a", "b")),
        ("remote:a/org/b:7b", RemoteRef("a", "org/b:7b")),
        ("remote:a", RemoteRef("a")),
        ("remote:", RemoteRef("")),
        ("guide", None),
        ("org/repo:Q4_K_M", None),
        ("./remote:x", None),
    ],
)
def test_references(text: str, ref: RemoteRef | None) -> None:
    assert parse_remote(text) == ref


def test_names() -> None:
    for good in ("a", "Office 2", "büro-server_1.0+x"):
        assert is_server_name(good)
    for bad in ("", " a", "a ", "a/b", "a:b", "-a", "a\n", "a\x00b"):
        assert not is_server_name(bad)


# The file


def test_a_file_that_somebody_edited(tmp_path: Path) -> None:
    path = tmp_path / "servers.json"
    entries: list[Any] = [
        {"name": "Good", "address": "localhost:5", "patience": {"first_token_s": 5, "x": 1}},
        {"name": "Good", "address": "localhost:6"},
        {"name": "a/b", "address": "localhost:5"},
        {"name": "Bad", "address": 5},
        {"address": "localhost:5"},
        7,
        {
            "name": "Odd",
            "address": "h.example.org",
            "key_place": "moon",
            "models": [1, {"id": "m"}],
            "patience": {"between_s": -1, "connect_s": "x"},
            "certificate": 5,
        },
    ]
    path.write_text(json.dumps({"servers": entries, "more": 1}))
    good, odd = RemoteFile(path).load()
    assert (good.address, good.patience.first_token_s) == ("http://localhost:5/v1", 5.0)
    assert (odd.address, odd.key_place, odd.patience) == (
        "https://h.example.org/v1",
        "",
        Patience(),
    )
    assert [model.id for model in odd.models] == ["m"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"servers": 5}', "[" * 100_000])
def test_a_broken_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "servers.json"
    path.write_text(text)
    file = RemoteFile(path)
    assert file.load() == ()
    added = RemoteServer("New", "http://localhost:1/v1")
    file.change(lambda servers: (*servers, added))
    assert file.load() == (added,)


def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "servers.json").mkdir()
    with pytest.raises(StorageError):
        RemoteFile(tmp_path / "servers.json").change(lambda servers: servers)
