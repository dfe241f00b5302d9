"""An organisation's own sources: found, searched offline, fetched whole, refused where unsigned."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, HausgeistError
from desktop.common.ledger import Ledger
from desktop.common.settings import SettingsStore
from desktop.hub.door import Door
from desktop.hub.policy import NetworkPolicy
from desktop.hub.transfer.transfer import TransferOptions, TransferProgress
from desktop.library.library import Library
from desktop.library.packs.arrival import STAGING
from desktop.library.packs.minisign import new_key, write_keys
from desktop.services.fetch_wish import FetchWish, FoundModel
from desktop.services.folder_index import write_folder_index
from desktop.services.sources import Sources, is_source_reference
from tests.gguf_files import LlamaShape, write_gguf
from tests.hub.plain_server import PlainServer
from tests.library.packs.packing import files_below, hash_of

SHAPE = LlamaShape()
QUICK = TransferOptions(stall_s=0.5, patience_s=2.0)


@dataclass
class Office:
    """A share with models, a web server with the same files, and a laptop."""

    share: Path
    home: Path
    server: PlainServer
    library: Library
    settings: SettingsStore
    env: dict[str, str] = field(default_factory=dict)
    doors: list[Door] = field(default_factory=list)

    @property
    def sources(self) -> Sources:
        ledger = Ledger(self.home / "connections.jsonl")
        policy = NetworkPolicy(self.env, self.settings.is_offline)
        self.doors.append(Door(policy, ledger, stall_s=2.0))
        return Sources(
            self.doors[-1],
            self.settings,
            self.library,
            self.home / "cache",
            lambda: self.home / "models",
        )

    def offer(self, name: str, place: str = "", **more: object) -> Path:
        path = self.share / place / f"{name}.gguf"
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = SHAPE.metadata(general__name=name, **more)
        return write_gguf(path, metadata, SHAPE.tensors())

    def publish(self) -> None:
        self.server.files = files_below(self.share)

    def addresses(self) -> tuple[str, str]:
        return self.server.address, str(self.share)

    def pin(self, *keys: str) -> None:
        self.settings.save(replace(self.settings.load(), trusted_keys=keys))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    share, home = tmp_path / "Freigabe ü", tmp_path / "home"
    share.mkdir()
    home.mkdir()
    guide = SHAPE.write(tmp_path / "guide.gguf", general__name="Guide")
    library = Library.open(home / "library.db", guide)
    with PlainServer() as server:
        made = Office(share, home, server, library, SettingsStore(home / "settings.json"))
        made.offer("Qwen3-4B", "Qwen", general__license="apache-2.0")
        made.offer("Phi mit Leerzeichen", "phi")
        write_folder_index(share, title="Büro")
        made.publish()
        yield made
        for door in made.doors:
            door.close()
    library.close()


def kind_of(work: Callable[[], object]) -> str:
    with pytest.raises(HausgeistError) as caught:
        work()
    return caught.value.kind


@pytest.mark.parametrize("which", [0, 1], ids=["web", "share"])
def test_found_searched_fetched(office: Office, which: int) -> None:
    sources = office.sources
    added = sources.add(office.addresses()[which])
    assert (added.name, added.models, added.problem) == ("Büro", 2, None)
    assert office.settings.load().sources == (added.address,)
    (found,) = sources.search("qwen Q4_K büro")
    assert found.licence.name == "Apache 2.0"
    assert found.licence.office == "yes"
    assert is_source_reference(found.reference)
    assert not found.is_here
    assert sources.header(found).architecture == "llama"

    progress: list[TransferProgress] = []
    told: list[FoundModel] = []
    fetched = sources.job(
        found.reference,
        FetchWish(options=QUICK, on_progress=progress.append, on_found=told.append),
    ).run()
    assert fetched.problem is None
    assert fetched.is_verified
    assert fetched.sha256 == hash_of(fetched.path) == hash_of(office.share / "Qwen/Qwen3-4B.gguf")
    assert told[0].total_bytes == fetched.file_bytes
    assert told[0].files[-1] == fetched.path
    assert progress[-1].done_bytes == progress[-1].total_bytes
    model = office.library.get("Qwen3-4B-Q4_K_M")
    assert model.path == office.home / "models" / "Qwen" / "Qwen3-4B.gguf"
    assert model.origin is not None
    assert (model.origin.where, model.origin.is_verified) == ("Büro", True)
    assert [one.is_here for one in sources.search("qwen")] == [True]
    again = sources.job(found.reference, FetchWish(options=QUICK)).run()
    assert again.received_bytes == 0


def test_what_was_seen_is_there_without_the_server(office: Office) -> None:
    office.sources.add(office.server.address)
    office.server.status = 503
    sources = office.sources
    assert [one.name for one in sources.search()] == [
        "Qwen3-4B-Q4_K_M",
        "Phi-mit-Leerzeichen-Q4_K_M",
    ]
    (source,) = sources.refresh()
    assert source.problem is not None
    assert source.problem.kind == "source_down"
    assert source.models == 2
    office.server.status = None
    assert sources.refresh()[0].problem is None


def test_the_token_for_the_hub_goes_nowhere_else(office: Office) -> None:
    office.env["HF_TOKEN"] = "hf_secret"
    sources = office.sources
    sources.add(office.server.address)
    sources.job(sources.search("qwen")[0].reference, FetchWish(options=QUICK)).run()
    assert office.server.tokens == []


def test_offline_means_offline(office: Office) -> None:
    office.env["HAUSGEIST_OFFLINE"] = "1"
    assert kind_of(lambda: office.sources.add(office.server.address)) == "offline_environment"
    assert office.sources.add(str(office.share)).models == 2
    assert sum(office.server.requests.values()) == 0


def test_a_dropped_line_costs_little(office: Office) -> None:
    office.server.cut_after_bytes = 200_000
    sources = office.sources
    sources.add(office.server.address)
    fetched = sources.job(sources.search("qwen")[0].reference, FetchWish(options=QUICK)).run()
    assert fetched.problem is None
    assert fetched.received_bytes <= fetched.file_bytes + (1 << 20)


def test_a_file_that_is_not_what_the_index_says(office: Office) -> None:
    sources = office.sources
    for address in office.addresses():
        sources.add(address)
    path = office.share / "Qwen" / "Qwen3-4B.gguf"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    office.publish()
    for model, kind in zip(
        sources.search("qwen"), ("source_wrong_content", "pack_wrong_hash"), strict=True
    ):
        job = sources.job(model.reference, FetchWish(options=QUICK))
        assert kind_of(job.run) == kind
    assert [one.name for one in office.library.list()] == ["guide"]
    assert not list((office.home / "models").rglob("*.gguf"))


def test_a_missing_file_is_said(office: Office) -> None:
    sources = office.sources
    for address in office.addresses():
        sources.add(address)
    (office.share / "Qwen" / "Qwen3-4B.gguf").unlink()
    office.publish()
    kinds = [
        kind_of(sources.job(model.reference, FetchWish(options=QUICK)).run)
        for model in sources.search("qwen")
    ]
    assert kinds == ["source_no_file", "source_changed"]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("", "bad_source"),
        ("ftp://x/y", "bad_source"),
        ("https://user:pass@host/", "bad_source"),
        ("https://host/?a=b", "bad_source"),
        ("https://", "bad_source"),
    ],
)
def test_what_can_be_no_source(office: Office, address: str, kind: str) -> None:
    assert kind_of(lambda: office.sources.add(address)) == kind
    assert office.settings.load().sources == ()


def test_no_index_there(office: Office, tmp_path: Path) -> None:
    office.server.files = {}
    assert kind_of(lambda: office.sources.add(office.server.address)) == "source_no_index"
    (tmp_path / "empty").mkdir()
    assert kind_of(lambda: office.sources.add(str(tmp_path / "empty"))) == "source_no_index"
    office.server.files = {"index.json": b"<html>"}
    assert kind_of(lambda: office.sources.add(office.server.address)) == "source_portal"
    office.server.files = {"index.json": b"{}"}
    assert kind_of(lambda: office.sources.add(office.server.address)) == "pack_not_one"
    office.server.files = {"index.json": b" " * (17 << 20)}
    assert kind_of(lambda: office.sources.add(office.server.address)) == "answer_too_large"
    assert office.settings.load().sources == ()


def test_pinned_keys_bind_sources_too(office: Office, tmp_path: Path) -> None:
    key = new_key()
    write_keys(key, tmp_path / "key")
    sources = office.sources
    for address in office.addresses():
        sources.add(address)
    office.pin(key.public.text)
    assert sources.search() == ()
    problems = [one.problem.kind for one in sources.refresh() if one.problem]
    assert problems == ["pack_unsigned", "pack_unsigned"]
    write_folder_index(office.share, sign_with=tmp_path / "key")
    office.publish()
    assert [one.is_trusted for one in sources.refresh()] == [True, True]
    assert len(sources.search()) == 4
    office.pin(new_key().public.text)
    assert sources.search() == ()


def test_forgotten_with_what_was_kept(office: Office) -> None:
    sources = office.sources
    added = sources.add(office.server.address)
    sources.remove(added.id)
    assert office.settings.load().sources == ()
    assert sources.sources() == ()
    assert not list((office.home / "cache").rglob("index.json"))
    assert kind_of(lambda: sources.remove(added.address)) == "no_such_source"
    assert kind_of(lambda: sources.job(f"source:{added.id}/Qwen3-4B")) == "no_source_model"


def test_stopped_off_a_share_it_goes_on_later_and_cancelled_it_is_gone(office: Office) -> None:
    sources = office.sources
    sources.add(str(office.share))
    reference = sources.search("qwen")[0].reference
    job = sources.job(reference)
    job.stop()
    with pytest.raises(CancelledError):
        job.run()
    job = sources.job(reference)
    job.cancel()
    with pytest.raises(CancelledError):
        job.run()
    assert not (office.home / "models" / STAGING).exists()
    assert sources.job(reference).run().model is not None


def test_paused_off_a_share_it_waits(office: Office) -> None:
    sources = office.sources
    sources.add(str(office.share))
    states: list[str] = []
    paused = threading.Event()

    def see(progress: TransferProgress) -> None:
        states.append(progress.state)
        if progress.state == "paused":
            paused.set()

    job = sources.job(sources.search("qwen")[0].reference, FetchWish(on_progress=see))
    job.pause()
    done: list[object] = []
    thread = threading.Thread(target=lambda: done.append(job.run()))
    thread.start()
    assert not done
    job.resume()
    thread.join(10)
    assert done


def test_an_index_keeps_what_people_wrote_into_it(office: Office) -> None:
    index = office.share / "index.json"
    text = index.read_text(encoding="utf-8")
    index.write_text(text.replace('"about": ""', '"about": "Für Briefe"', 1), encoding="utf-8")
    office.offer("Neu")
    written = write_folder_index(office.share)
    abouts = {model.name: model.about for model in written.models}
    assert "Für Briefe" in abouts.values()
    assert len(abouts) == 3
    office.sources.add(str(office.share))
    assert len(office.sources.search("briefe")) == 1


def test_what_cannot_be_listed_does_not_stop_the_rest(office: Office) -> None:
    (office.share / "broken.gguf").write_bytes(b"GGUF")
    office.offer("a" * 190)
    office.offer("zu lang", "b" * 210)
    written = write_folder_index(office.share)
    assert sorted(path.name for path, _ in written.failed) == ["broken.gguf", "zu lang.gguf"]
    assert len(written.models) == 3


def test_a_file_that_was_hashed_is_not_read_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder_index(office.share)

    def fail(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("desktop.library.packs.making.sha256_of", fail)
    assert len(write_folder_index(office.share).models) == 2
