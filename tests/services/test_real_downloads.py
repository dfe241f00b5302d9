"""The queue with real transfers from a Hub on loopback: paused, killed, cancelled, broken off."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.common.locks import claim
from desktop.common.settings import SettingsStore
from desktop.common.storage import free_bytes
from desktop.hub.transfer.part_file import unfinished_path
from desktop.hub.transfer.transfer import TransferOptions
from desktop.library.library import Library
from desktop.services.downloads import Downloads
from desktop.services.downloads_entry import Download
from desktop.services.fetch_any import AnyFetcher
from desktop.services.fetch_model import ModelFetcher
from desktop.services.sources import Sources
from desktop.services.wiring import build
from tests.cli.running import ROOT
from tests.hub.conftest import House, hub, make_house  # noqa: F401  (fixtures)
from tests.hub.models import split_files
from tests.hub.stand_in import HubStandIn
from tests.tiny_models import write_tiny_model

QUICK = TransferOptions(stall_s=0.4, patience_s=1.5)
TIMEOUT_S = 30.0
SMALL, LARGE = "maker/Small-GGUF:Q8_0", "maker/Large-GGUF:Q4_K_M"
LARGE_BYTES = 24 << 20


class Shop:
    """A queue on a Hub of our own."""

    def __init__(self, hub: HubStandIn, house: House, library: Library, home: Path) -> None:  # noqa: F811
        self.hub = hub
        self.house = house
        self.library = library
        self.home = home
        self.models = home / "models"
        self.free: Callable[[Path], int] = free_bytes
        self.news = threading.Condition()
        self.opened: list[Downloads] = []
        self.most: dict[str, int] = {}

    def queue(self, **more: Any) -> Downloads:
        fetcher = ModelFetcher(
            self.house.client, self.house.cache, self.library, self.models,
            free=lambda path: self.free(path),
        )  # fmt: skip
        settings = SettingsStore(self.home / "settings.json")
        sources = Sources(
            self.house.door, settings, self.library, self.home / "cache", lambda: self.models
        )
        made = Downloads(
            AnyFetcher(fetcher, sources, settings),
            self.home / "downloads.json",
            require_online=self.house.door.policy.require_online,
            kept_files=lambda: [model.path for model in self.library.list()],
            options=QUICK,
            free=lambda path: self.free(path),
            **more,
        )
        self.opened.append(made)
        made.subscribe(self._heard)
        made.start()
        return made

    def until(self, queue: Downloads, id: str, wanted: Callable[[Download], bool]) -> Download:
        def found() -> list[Download]:
            return [entry for entry in queue.all() if entry.id == id and wanted(entry)]

        with self.news:
            assert self.news.wait_for(found, TIMEOUT_S), queue.all()
        return found()[0]

    def files(self) -> list[str]:
        return sorted(str(p.relative_to(self.models)) for p in self.models.rglob("*"))

    def _heard(self, queue: tuple[Download, ...]) -> None:
        with self.news:
            for entry in queue:
                self.most[entry.id] = max(self.most.get(entry.id, 0), entry.bytes)
            self.news.notify_all()


@pytest.fixture
def shop(
    hub: HubStandIn,  # noqa: F811
    make_house: Callable[..., House],  # noqa: F811
    tmp_path: Path,
    tiny_model: Path,
) -> Iterator[Shop]:
    whole = write_tiny_model(tmp_path / "tiny.gguf").read_bytes()
    hub.add("maker/Small-GGUF", {"Small-Q8_0.gguf": whole})
    hub.add("maker/Large-GGUF", {"Large-Q4_K_M.gguf": whole + os.urandom(LARGE_BYTES)})
    library = Library.in_memory(tiny_model)
    made = Shop(hub, make_house(), library, tmp_path)
    made.models.mkdir()
    yield made
    hub.bytes_per_s = 0
    for queue in made.opened:
        queue.close()
    library.close()


def begun(entry: Download) -> bool:
    return entry.state == "running" and entry.bytes > 2 << 20


def ended(entry: Download) -> bool:
    return entry.is_ended


def test_two_models(shop: Shop) -> None:
    queue = shop.queue()
    first, second = queue.add(SMALL), queue.add(LARGE)
    done = shop.until(queue, first.id, ended)
    assert (done.state, done.name, done.is_verified) == ("done", "Small Q8_0", True)
    assert done.model is not None
    assert shop.library.get(done.model.name).path == Path(done.files[-1])
    assert shop.until(queue, second.id, ended).bytes_per_s == 0
    queue.close()
    assert not (shop.home / "downloads.json").exists()  # nothing is left to do at the next start


def test_paused_and_gone_on_where_it_was(shop: Shop) -> None:
    shop.hub.bytes_per_s = 3e6
    queue = shop.queue()
    id = queue.add(LARGE).id
    shop.until(queue, id, begun)
    queue.pause(id)
    at = shop.until(queue, id, lambda entry: entry.state == "paused").bytes
    assert at >= 2 << 20
    shop.hub.bytes_per_s = 0
    shop.hub.forget()
    queue.resume(id)
    assert shop.until(queue, id, ended).state == "done"
    assert shop.hub.sent_bytes <= LARGE_BYTES - at + (3 << 20)


def test_another_start_goes_on_where_the_first_was(shop: Shop) -> None:
    shop.hub.bytes_per_s = 3e6
    queue = shop.queue()
    id = queue.add(LARGE).id
    at = shop.until(queue, id, begun).bytes
    queue.close()
    shop.hub.bytes_per_s = 0
    shop.hub.forget()
    later = shop.queue()
    assert shop.until(later, id, ended).state == "done"
    assert shop.hub.sent_bytes <= LARGE_BYTES - at + (3 << 20)


def test_cancelled_while_it_runs(shop: Shop) -> None:
    shop.hub.bytes_per_s = 3e6
    queue = shop.queue()
    id = queue.add(LARGE).id
    shop.until(queue, id, begun)
    queue.cancel(id)
    assert queue.all() == ()
    queue.close()
    assert shop.files() == []


def test_cancelled_while_it_is_paused(shop: Shop) -> None:
    shop.hub.bytes_per_s = 3e6
    queue = shop.queue()
    id = queue.add(LARGE).id
    shop.until(queue, id, begun)
    queue.pause(id)
    queue.close()
    assert any(name.endswith(".download") for name in shop.files())
    later = shop.queue()
    later.cancel(id)
    later.close()
    assert shop.files() == []


def test_cancelled_between_its_parts(shop: Shop, tmp_path: Path) -> None:
    """Parts that are complete already are worth nothing without the others."""
    folder = tmp_path / "parts"
    folder.mkdir()
    parts = split_files(folder)
    shop.hub.add("maker/Split-GGUF", {**parts, "mmproj-F16.gguf": os.urandom(5000)})
    shop.hub.fail("cdn", "silent", path="mmproj")
    queue = shop.queue()
    id = queue.add("maker/Split-GGUF:Q4_K_M").id
    shop.until(queue, id, lambda entry: entry.bytes > 0 and entry.state != "done")
    assert shop.hub.wait_for("cdn")
    shop.until(queue, id, lambda entry: sum(".gguf" in f for f in shop.files()) >= 2)
    queue.cancel(id)
    queue.close()
    assert shop.files() == []


def test_what_is_in_the_library_stays_when_its_update_is_cancelled(shop: Shop) -> None:
    queue = shop.queue()
    shop.until(queue, queue.add(SMALL).id, ended)
    old = Path(queue.all()[0].files[-1]).read_bytes()
    queue.forget(queue.all()[0].id)
    shop.hub.add("maker/Small-GGUF", {"Small-Q8_0.gguf": old + os.urandom(LARGE_BYTES)})
    shop.hub.bytes_per_s = 3e6
    id = queue.add(SMALL).id
    shop.until(queue, id, begun)
    queue.cancel(id)
    queue.close()
    left = [name for name in shop.files() if not name.startswith(".")]
    assert any(name.endswith("Small-Q8_0.gguf") for name in left)
    assert not any("download" in name for name in left)
    assert (shop.models / "maker" / "Small-GGUF" / "Small-Q8_0.gguf").read_bytes() == old


def test_the_line_breaks_and_comes_back(shop: Shop) -> None:
    fault = shop.hub.fail("cdn", "hangup")
    silent = shop.hub.fail("api", "hangup")
    queue = shop.queue()
    id = queue.add(SMALL).id
    entry = shop.until(
        queue, id, lambda entry: entry.state == "offline" and entry.error is not None
    )
    assert entry.error is not None
    assert entry.error.kind in ("connection_cut", "connection_failed")
    fault.times = silent.times = 0
    queue.wake()
    assert shop.until(queue, id, ended).state == "done"


def test_the_switch_is_turned_off_while_it_runs(shop: Shop) -> None:
    shop.hub.bytes_per_s = 3e6
    queue = shop.queue()
    id = queue.add(LARGE).id
    shop.until(queue, id, begun)
    shop.house.switched_off.append(True)
    queue.wake()
    shop.until(queue, id, lambda entry: entry.state == "offline")
    shop.hub.forget()
    shop.house.switched_off.clear()
    shop.hub.bytes_per_s = 0
    assert shop.until(queue, id, ended).state == "done"


def test_a_disk_that_fills_up_and_is_emptied(shop: Shop) -> None:
    shop.free = lambda _: 1 << 20
    queue = shop.queue()
    id = queue.add(LARGE).id
    entry = shop.until(queue, id, lambda entry: entry.error is not None)
    assert (entry.state, entry.error and entry.error.kind) == ("waiting", "no_room_for_download")
    small = queue.add(SMALL).id
    shop.until(queue, small, ended)  # which needs less than there is
    shop.free = free_bytes
    queue.wake()
    assert shop.until(queue, id, ended).state == "done"


def test_limited_together(shop: Shop) -> None:
    queue = shop.queue(at_once=2)
    queue.set_limit(4e6)
    first, second = queue.add(LARGE).id, queue.add(SMALL).id
    shop.until(queue, second, ended)
    entry = shop.until(queue, first, lambda entry: entry.bytes_per_s > 0 and entry.bytes > 2 << 20)
    assert entry.bytes_per_s < 8e6
    queue.set_limit(None)
    assert shop.until(queue, first, ended).state == "done"


def test_progress_comes_four_times_a_second(shop: Shop) -> None:
    shop.hub.bytes_per_s = 3e6
    queue = shop.queue()
    id = queue.add(LARGE).id
    heard: list[int] = []
    queue.subscribe(lambda entries: heard.append(entries[0].bytes))
    shop.until(queue, id, ended)
    assert len(set(heard)) >= 3


@pytest.mark.parametrize(
    ("reference", "kind"),
    [("maker/None-GGUF:Q8_0", "hub_no_repo"), ("maker/Small-GGUF:Q2_K", "hub_no_quant")],
)
def test_what_is_not_there(shop: Shop, reference: str, kind: str) -> None:
    queue = shop.queue()
    entry = shop.until(queue, queue.add(reference).id, ended)
    assert entry.error is not None
    assert (entry.state, entry.error.kind) == ("failed", kind)


def test_another_process_fetches_the_same_file(shop: Shop) -> None:
    place = shop.models / "maker" / "Small-GGUF" / "Small-Q8_0.gguf"
    unfinished = unfinished_path(place)
    lock = claim(unfinished.with_name(unfinished.name + ".lock"))
    assert lock is not None
    queue = shop.queue()
    id = queue.add(SMALL).id
    entry = shop.until(queue, id, lambda one: one.error is not None)
    assert (entry.state, entry.error and entry.error.kind) == ("waiting", "download_busy")
    lock.close()
    queue.wake()
    assert shop.until(queue, id, ended).state == "done"


_CHILD = """
import os, sys, threading
from desktop.services.wiring import build
services = build(os.environ)
queue = services.downloads
queue.subscribe(lambda entries: print(entries[0].bytes, flush=True))
queue.start()
queue.add(sys.argv[1])
threading.Event().wait(60)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_and_gone_on_at_the_next_start(shop: Shop, tmp_path: Path) -> None:
    """The house as it is put together for the window, ended without a word."""
    shop.hub.bytes_per_s = 3e6
    env = {"HAUSGEIST_HOME": str(tmp_path / "home"), "HF_ENDPOINT": shop.hub.endpoint}
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, LARGE],
        cwd=ROOT,
        env=os.environ | env | {"HAUSGEIST_OFFLINE": "0"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    reached = next(int(line) for line in child.stdout if int(line) > 4 << 20)
    child.kill()
    child.communicate(timeout=30)
    shop.hub.bytes_per_s = 0
    shop.hub.forget()
    services = build(env)
    queue = services.downloads
    arrived = threading.Event()
    queue.subscribe(lambda all: arrived.set() if all and all[0].is_ended else None)
    queue.start()
    try:
        (entry,) = queue.all()
        assert entry.total_bytes > LARGE_BYTES  # known without asking
        assert arrived.wait(60), queue.all()
        (entry,) = queue.all()
        assert (entry.state, entry.is_verified) == ("done", True)
        assert shop.hub.sent_bytes <= LARGE_BYTES - reached + (6 << 20)
        assert entry.model is not None
        assert services.library.get(entry.model.name).file_bytes == entry.total_bytes
    finally:
        services.close()
