"""Other machines' memory: who may be asked, what is noted, what it becomes part of."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import EngineError, NetworkError, UsageError
from desktop.common.ledger import Ledger
from desktop.common.messages import LANGUAGES, Messages
from desktop.common.settings import Settings
from desktop.engine.llama import llama
from desktop.fit.devices import rooms
from desktop.hardware.machine import Device, Machine, Memory, machine_from_json
from desktop.hub import reach
from desktop.services.machine import best_gpu
from desktop.services.pool import DEFAULT_PORT, MOST_SERVERS, Pool, checked_address
from desktop.services.pool_engine import PooledEngine
from tests.rpc_servers import rpc_server
from tests.services.fake_engine import FakeEngine

GIB = 1 << 30


class Policy:
    offline = False

    def require_online(self) -> None:
        if self.offline:
            raise NetworkError("offline_setting")


class House:
    """A pool with settings, a switch and a ledger that the test turns and reads."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings()
        self.policy = Policy()
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.asked: list[str] = []
        self.answers: Callable[[str], tuple[Device, ...]] = lambda _server: (
            Device("RPC0", "other", "gpu", 8 * GIB, 6 * GIB),
        )
        self.pool = Pool(lambda: self.settings, self.policy, self.ledger, ask=self._ask)

    def _ask(self, server: str, _timeout_s: float) -> tuple[Device, ...]:
        self.asked.append(server)
        return self.answers(server)

    def outcomes(self) -> list[tuple[str, str, str]]:
        return [(one.purpose, one.host, one.outcome) for one in self.ledger.entries(100)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def listening() -> str:
    """An address where somebody takes connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    _KEPT.append(listener)
    return address


_KEPT: list[socket.socket] = []


@pytest.fixture(autouse=True)
def _closed() -> object:
    yield
    while _KEPT:
        _KEPT.pop().close()


def test_addresses_as_people_write_them() -> None:
    assert checked_address(" 192.168.1.20:1234 ") == "192.168.1.20:1234"
    assert checked_address("desk.local") == f"desk.local:{DEFAULT_PORT}"


@pytest.mark.parametrize(
    "text", ["", ":", "a:0", "a:65536", "a:b", "http://a:1", "a b", "-a:1", "[::1]:1", "a" * 300]
)
def test_what_is_no_address_is_said(house: House, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        house.pool.use([text])
    assert caught.value.kind == "bad_pool_server"
    for language in LANGUAGES:
        assert Messages(language).error(caught.value)


def test_so_many_servers_are_too_many(house: House) -> None:
    with pytest.raises(UsageError) as caught:
        house.pool.use([f"10.0.0.{n}" for n in range(MOST_SERVERS + 1)])
    assert caught.value.kind == "too_many_pool_servers"


def test_a_server_becomes_a_device_of_this_machine(house: House, listening: str) -> None:
    house.settings = replace(house.settings, pool_servers=(listening, "no address"))
    machine = house.pool.look().added_to(Machine(Memory(8 * GIB, 4 * GIB)))
    (gpu,) = machine.gpus
    assert (gpu.name, gpu.device, gpu.backend) == (listening, "RPC0", "rpc")
    assert (gpu.total_bytes, gpu.free_bytes) == (8 * GIB, 6 * GIB)
    assert machine.pool_servers == (listening,)
    assert machine.notes == ()
    assert [room.device for room in rooms(machine).gpus] == ["RPC0"]
    assert best_gpu(machine) is None  # nobody has a graphics card for it
    assert machine_from_json(machine.to_json()).gpus == machine.gpus
    assert house.outcomes() == [("pool", listening, "ok")]


def test_devices_are_counted_over_all_servers(house: House, listening: str) -> None:
    second = socket.create_server(("127.0.0.1", 0))
    _KEPT.append(second)
    other = f"127.0.0.1:{second.getsockname()[1]}"
    device = Device("RPC0", "x", "gpu", GIB, GIB)
    house.answers = lambda server: (device, device) if server == listening else (device,)
    house.pool.use([listening, other, listening])
    machine = house.pool.look().added_to(Machine(Memory(GIB)))
    assert [(gpu.name, gpu.device) for gpu in machine.gpus] == [
        (listening, "RPC0"),
        (listening, "RPC1"),
        (other, "RPC2"),
    ]
    assert machine.pool_servers == (listening, other)


def test_nobody_there_is_a_note_and_costs_the_others_nothing(house: House, listening: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        silent = f"127.0.0.1:{taken.getsockname()[1]}"
        house.pool.use([silent, listening])
        machine = house.pool.look().added_to(Machine(Memory(GIB)))
    assert machine.pool_servers == (listening,)
    assert [note.kind for note in machine.notes] == ["pool_silent"]
    assert house.asked == [listening]  # llama.cpp never saw the silent one
    assert ("pool", silent, "pool_server_silent") in house.outcomes()


def test_offline_leaves_this_machines_own_servers(house: House, listening: str) -> None:
    house.policy.offline = True
    house.pool.use([listening, "10.1.2.3:50052"])
    found = house.pool.look()
    assert [one.error and one.error.kind for one in found.servers] == [None, "offline_setting"]
    assert [note.kind for note in found.added_to(Machine(Memory(1))).notes] == ["pool_offline"]
    assert [host for _, host, _ in house.outcomes()] == [listening]
    with pytest.raises(NetworkError):
        house.pool.begin(["10.1.2.3:50052"])


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "224.0.0.1", "0.0.0.0"])
def test_the_internet_is_no_place_for_it(house: House, address: str) -> None:
    house.pool.use([f"{address}:1"])
    (found,) = house.pool.look().servers
    assert found.error is not None
    assert found.error.kind == "pool_server_public"
    assert house.outcomes() == []


def test_somebody_may_insist(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "knock", lambda *_where: None)
    house.pool.use(["8.8.8.8:1"], anywhere=True)
    assert house.pool.look().servers[0].error is None


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True),
        ("192.168.0.3", True),
        ("10.9.8.7", True),
        ("172.20.1.1", True),
        ("169.254.1.1", True),
        ("100.64.0.9", True),  # networks such as Tailscale's
        ("93.184.216.34", False),
    ],
)
def test_ones_own_networks(address: str, private: bool) -> None:
    assert reach.is_private(address) is private


def test_a_name_that_nobody_knows(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_asked: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    house.pool.use(["desk.invalid"])
    (found,) = house.pool.look().servers
    assert found.error is not None
    assert found.error.kind == "pool_server_silent"


def test_a_server_that_kills_its_client_is_a_note(house: House, listening: str) -> None:
    def dies(server: str) -> tuple[Device, ...]:
        raise EngineError("pool_server_unusable", server=server)

    house.answers = dies
    house.pool.use([listening])
    found = house.pool.look()
    (note,) = found.added_to(Machine(Memory(1))).notes
    assert note.kind == "pool_unusable"
    for language in LANGUAGES:
        assert listening in Messages(language).text(f"notes.{note.kind}", **dict(note.params))
    assert found.servers[0].to_json()["problem"] == "pool_server_unusable"


def test_an_open_model_is_a_line_until_it_is_closed(house: House) -> None:
    lines = house.pool.begin(["127.0.0.1:1", "127.0.0.1:2"], "model")
    engine = PooledEngine(FakeEngine(), house.pool, lines)
    assert [outcome for _, _, outcome in house.outcomes()] == ["unfinished", "unfinished"]
    engine.close()
    engine.close()
    assert [outcome for _, _, outcome in house.outcomes()] == ["ok", "ok"]


@pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)
def test_a_real_server(tmp_path: Path) -> None:
    pool = Pool(Settings, Policy(), Ledger(tmp_path / "ledger.jsonl"))
    with rpc_server() as server:
        pool.use([server])
        machine = pool.look().added_to(Machine(Memory(GIB)))
    assert machine.pool_servers == (server,)
    assert machine.gpus[0].total_bytes > 0
