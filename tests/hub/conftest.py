"""A Hub on loopback, a door to it, and a clock and pauses that take no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop.common.ledger import Ledger
from desktop.hub.client import HubClient
from desktop.hub.door import Door
from desktop.hub.header_cache import HeaderCache
from desktop.hub.policy import NetworkPolicy
from tests.hub.stand_in import HubStandIn


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        yield stand_in


@dataclass
class House:
    """The parts between a reference and the network, put together as the app does."""

    env: dict[str, str]
    ledger: Ledger
    door: Door
    client: HubClient
    cache: HeaderCache
    switched_off: list[bool] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    now: list[float] = field(default_factory=lambda: [1_000_000.0])


@pytest.fixture
def make_house(
    tmp_path: Path, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., House]]:
    doors: list[Door] = []
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def make(stall_s: float = 15.0, **env: str) -> House:
        switched_off: list[bool] = []
        pauses: list[float] = []
        now = [1_000_000.0]
        found = {"HF_ENDPOINT": hub.endpoint} | env
        ledger = Ledger(tmp_path / "ledger.jsonl")
        door = Door(NetworkPolicy(found, lambda: bool(switched_off)), ledger, stall_s=stall_s)
        doors.append(door)
        client = HubClient(door, pause=pauses.append)
        cache = HeaderCache(tmp_path / "headers", clock=lambda: now[0])
        return House(found, ledger, door, client, cache, switched_off, pauses, now)

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()
