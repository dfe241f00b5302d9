"""A file on the stand-in and a transfer of it, with little patience."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.transfer import Transfer, TransferOptions, TransferProgress
from tests.hub.conftest import House
from tests.hub.stand_in import HubStandIn
from tests.hub.transfer.faults import FILE, FULL_BYTES, REPO

SIZE = 6 << 20
SCALE = SIZE / FULL_BYTES
DATA = random.Random(4).randbytes(SIZE)
QUICK = TransferOptions(stall_s=0.4, patience_s=1.5)


@dataclass
class Bench:
    """What a test of transfers needs."""

    hub: HubStandIn
    house: House
    place: Path
    progress: list[TransferProgress] = field(default_factory=list)

    def identity(self) -> Identity:
        repo = self.hub.repos[REPO]
        found = repo.files[FILE]
        return Identity(REPO, FILE, repo.commit, found.size, found.sha256)

    def transfer(self, **more: object) -> Transfer:
        settings = {"options": QUICK, "on_progress": self.progress.append} | more
        return Transfer(self.house.client, self.identity(), self.place, **settings)  # type: ignore[arg-type]


@pytest.fixture
def bench(hub: HubStandIn, make_house: Callable[..., House], tmp_path: Path) -> Bench:
    hub.add(REPO, {FILE: DATA})
    return Bench(hub, make_house(), tmp_path / "models" / FILE)
