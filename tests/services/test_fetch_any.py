"""One hand for the Hub and for an organisation's sources; jobs are made where they run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from desktop.common.errors import CancelledError, NetworkError, UsageError
from desktop.common.settings import SettingsStore
from desktop.hub.door import Door
from desktop.library.library import Library
from desktop.services.downloads import Downloads
from desktop.services.downloads_line import Job
from desktop.services.fetch_any import AnyFetcher, LateJob
from desktop.services.fetch_model import FetchedModel, ModelFetcher
from desktop.services.folder_index import write_folder_index
from desktop.services.sources import Sources
from tests.hub.conftest import House, hub, make_house  # noqa: F401  (fixtures)
from tests.tiny_models import write_tiny_model


class StubJob:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def run(self) -> FetchedModel:
        self.calls.append("run")
        raise CancelledError

    def stop(self) -> None:
        self.calls.append("stop")

    def cancel(self) -> None:
        self.calls.append("cancel")


def test_stopped_before_it_was_made() -> None:
    stub = StubJob()
    late = LateJob(lambda: stub)
    late.stop()
    with pytest.raises(CancelledError):
        late.run()
    assert stub.calls == []


def test_cancelled_while_it_is_made() -> None:
    stub, begun, go = StubJob(), threading.Event(), threading.Event()

    def make() -> Job:
        begun.set()
        assert go.wait(20)
        return stub

    late = LateJob(make)
    ended: list[bool] = []

    def work() -> None:
        with pytest.raises(CancelledError):
            late.run()
        ended.append(True)

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(20)
    late.cancel()
    go.set()
    worker.join(20)
    assert (ended, stub.calls) == ([True], ["cancel"])


def test_stopped_while_it_runs() -> None:
    stub = StubJob()
    late = LateJob(lambda: stub)
    with pytest.raises(CancelledError):
        late.run()
    late.stop()
    late.cancel()
    assert stub.calls == ["run", "stop", "cancel"]


@pytest.fixture
def house(make_house: object) -> House:  # noqa: F811
    made = make_house()  # type: ignore[operator]
    return cast("House", made)


@pytest.fixture
def office(tmp_path: Path, tiny_model: Path, house: House) -> Iterator[tuple[AnyFetcher, Sources]]:
    library = Library.in_memory(tiny_model)
    settings = SettingsStore(tmp_path / "settings.json")
    door: Door = house.door
    sources = Sources(door, settings, library, tmp_path / "cache", lambda: tmp_path / "models")
    fetcher = ModelFetcher(house.client, house.cache, library, tmp_path / "models")
    yield AnyFetcher(fetcher, sources, settings), sources
    library.close()


def test_keys(office: tuple[AnyFetcher, Sources]) -> None:
    fetcher, _ = office
    assert fetcher.key("https://huggingface.co/a/b-GGUF:Q4_K_M") == "a/b-GGUF:Q4_K_M"
    assert fetcher.key("source:abcd/Name") == "source:abcd/Name"
    with pytest.raises(UsageError):
        fetcher.key("neither")


def test_a_share_behind_the_offline_switch(
    office: tuple[AnyFetcher, Sources], tmp_path: Path
) -> None:
    fetcher, sources = office
    share = tmp_path / "share"
    share.mkdir()
    write_tiny_model(share / "Office.gguf")
    write_folder_index(share, title="Office")
    sources.add(str(share))
    (offered,) = sources.search()
    assert not fetcher.needs_network(offered.reference)
    assert fetcher.needs_network("a/b-GGUF:Q4_K_M")
    assert fetcher.needs_network("source:nobody/Name")

    def offline() -> None:
        raise NetworkError("offline_setting")

    done = threading.Event()
    queue = Downloads(fetcher, tmp_path / "downloads.json", require_online=offline)
    queue.subscribe(lambda entries: done.set() if entries and entries[0].is_ended else None)
    queue.start()
    queue.add(offered.reference, name="Office")
    assert done.wait(30), queue.all()
    (entry,) = queue.all()
    queue.close()
    assert (entry.state, entry.is_verified, entry.error) == ("done", True, None)
    assert entry.model is not None
    assert entry.model.path.is_relative_to(tmp_path / "models")


def test_a_source_that_is_gone_is_an_error_of_its_download(
    office: tuple[AnyFetcher, Sources], tmp_path: Path
) -> None:
    fetcher, _ = office
    ended = threading.Event()
    queue = Downloads(fetcher, tmp_path / "downloads.json")
    queue.subscribe(lambda entries: ended.set() if entries and entries[0].is_ended else None)
    queue.start()
    queue.add("source:0123/Nothing")
    assert ended.wait(30)
    (entry,) = queue.all()
    queue.close()
    assert entry.error is not None
    assert (entry.state, entry.error.kind) == ("failed", "no_source_model")
