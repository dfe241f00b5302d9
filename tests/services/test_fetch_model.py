"""From a name to a model in the library: whole, split, seeing, changed, unlisted, no model."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import CancelledError, HausgeistError, StorageError, UsageError
from desktop.gguf.header import ModelHeader
from desktop.hub.transfer.transfer import TransferOptions, TransferProgress
from desktop.library.library import Library
from desktop.services.fetch_model import FetchJob, ModelFetcher
from desktop.services.fetch_wish import FetchWish
from tests.hub.conftest import House, hub, make_house  # noqa: F401  (fixtures)
from tests.hub.models import split_files
from tests.hub.stand_in import HubStandIn
from tests.tiny_models import write_tiny_model

REPO = "maker/Tiny-GGUF"
QUICK = TransferOptions(stall_s=0.4, patience_s=1.5)


@dataclass
class Shop:
    """The fetching service with a Hub on loopback."""

    hub: HubStandIn
    house: House
    library: Library
    models_dir: Path
    whole: bytes
    progress: list[TransferProgress] = field(default_factory=list)
    headers: list[ModelHeader] = field(default_factory=list)
    room: int = 1 << 40

    def job(self, text: str, **more: Any) -> FetchJob:
        fetcher = ModelFetcher(
            self.house.client,
            self.house.cache,
            self.library,
            self.models_dir,
            free=lambda _: self.room,
        )
        settings: dict[str, Any] = {"options": QUICK, "on_progress": self.progress.append} | more
        return fetcher.job(text, FetchWish(on_header=self.headers.append, **settings))

    def kind(self, text: str) -> str:
        with pytest.raises(HausgeistError) as failure:
            self.job(text).run()
        return failure.value.kind


@pytest.fixture
def shop(
    hub: HubStandIn,  # noqa: F811
    make_house: Callable[..., House],  # noqa: F811
    tmp_path: Path,
    tiny_model: Path,
) -> Iterator[Shop]:
    whole = write_tiny_model(tmp_path / "tiny.gguf").read_bytes()
    library = Library.in_memory(tiny_model)
    hub.add(REPO, {"Tiny-Q8_0.gguf": whole, "README.md": b"#"})
    yield Shop(hub, make_house(), library, tmp_path / "models", whole)
    library.close()


def test_a_model(shop: Shop) -> None:
    found = shop.job(f"{REPO}:Q8_0").run()
    assert found.model is not None
    assert found.path == shop.models_dir / "maker" / "Tiny-GGUF" / "Tiny-Q8_0.gguf"
    assert found.sha256 == hashlib.sha256(shop.whole).hexdigest()
    assert found.is_verified
    kept = shop.library.get(found.model.name)
    assert kept.source == "copy"
    assert kept.origin is not None
    assert (kept.origin.kind, kept.origin.where, kept.origin.file, kept.origin.is_verified) == (
        "hub",
        REPO,
        "Tiny-Q8_0.gguf",
        True,
    )
    assert shop.library.hashes(kept.name) == (found.sha256,)
    assert [header.name for header in shop.headers]
    assert shop.progress[-1].done_bytes == shop.progress[-1].total_bytes == len(shop.whole)


def test_all_parts_and_the_first_one_last(shop: Shop, tmp_path: Path) -> None:
    parts = split_files(folder(tmp_path / "parts"))
    shop.hub.add(REPO, parts)
    seen: list[set[str]] = []
    place = shop.models_dir / "maker" / "Tiny-GGUF" / "Q4"

    def look(_: TransferProgress) -> None:
        seen.append({path.name for path in place.glob("*.gguf")})

    found = shop.job(f"{REPO}:Q4_K_M", on_progress=look).run()
    first = "Model-Q4_K_M-00001-of-00003.gguf"
    assert found.path.name == first
    assert len(found.files) == 3
    assert found.model is not None
    assert found.model.file_bytes == sum(part.size for part in parts.values())
    wanted = tuple(parts[name].sha256 for name in sorted(parts))
    assert shop.library.hashes(found.model.name) == wanted
    assert all(first not in names for names in seen if len(names) < 3)


def test_what_lets_it_see_comes_along(shop: Shop) -> None:
    eyes = os.urandom(5000)
    files = {"Tiny-Q8_0.gguf": shop.whole, "mmproj-F32.gguf": eyes * 2, "mmproj-F16.gguf": eyes}
    shop.hub.add(REPO, files)
    found = shop.job(f"{REPO}:Q8_0").run()
    assert {path.name for path in found.files} == {"mmproj-F16.gguf", "Tiny-Q8_0.gguf"}
    assert (found.path.parent / "mmproj-F16.gguf").read_bytes() == eyes
    assert found.model is not None
    assert found.model.projector == found.path.parent / "mmproj-F16.gguf"
    assert shop.progress[-1].total_bytes == len(shop.whole) + len(eyes)
    alone = shop.job(f"{REPO}:Q8_0", with_projector=False).run()
    assert alone.files == (found.path,)


def test_replaced_on_the_hub_meanwhile(shop: Shop) -> None:
    """The listing was asked before; then another commit came, and the old one is gone."""
    newer = shop.whole[:-64] + bytes(64)
    shop.hub.fail("resolve", "hold", times=1, on_hit=lambda: None)
    fault = shop.hub.faults[-1]

    def replace() -> None:
        shop.hub.add(REPO, {"Tiny-Q8_0.gguf": newer})
        fault.gate.set()

    fault.on_hit = replace
    found = shop.job(f"{REPO}:Q8_0").run()
    assert found.path.read_bytes() == newer
    assert found.commit == shop.hub.repos[REPO].commit


def test_an_update(shop: Shop) -> None:
    first = shop.job(f"{REPO}:Q8_0").run()
    newer = shop.whole[:-64] + bytes(64)
    shop.hub.add(REPO, {"Tiny-Q8_0.gguf": newer})
    second = shop.job(f"{REPO}:Q8_0").run()
    assert second.path == first.path
    assert second.path.read_bytes() == newer
    assert second.model is not None
    assert first.model is not None
    assert second.model.name == first.model.name


def test_a_file_that_lies_there_already_is_checked_not_fetched(shop: Shop) -> None:
    place = shop.models_dir / "maker" / "Tiny-GGUF" / "Tiny-Q8_0.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(shop.whole)
    found = shop.job(f"{REPO}:Q8_0").run()
    assert found.received_bytes == 0
    assert {seen.role for seen in shop.hub.requests()} == {"api"}


def test_a_damaged_file_is_fetched_anew(shop: Shop) -> None:
    place = shop.models_dir / "maker" / "Tiny-GGUF" / "Tiny-Q8_0.gguf"
    place.parent.mkdir(parents=True)
    place.write_bytes(shop.whole[:-1] + b"!")
    found = shop.job(f"{REPO}:Q8_0").run()
    assert found.path.read_bytes() == shop.whole


def test_a_mirror_that_lists_no_sizes(shop: Shop) -> None:
    shop.hub.repos[REPO].without_sizes = True
    found = shop.job(f"{REPO}:Q8_0").run()
    assert found.path.read_bytes() == shop.whole
    assert found.is_verified  # it says the hash when it hands out the file


def test_a_mirror_without_listings(shop: Shop) -> None:
    shop.hub.fail("api", "status", status=404)
    found = shop.job(f"{REPO}:Tiny-Q8_0.gguf").run()
    assert found.path.read_bytes() == shop.whole


def test_a_hub_that_fell_silent(shop: Shop) -> None:
    """Its listing is known from before; the error comes soon all the same."""
    shop.job(f"{REPO}:Q8_0").run().path.unlink()
    shop.house.door._stall_s = 0.3
    shop.hub.fail("api", "silent")
    shop.hub.fail("resolve", "silent")
    assert shop.kind(f"{REPO}:Q8_0") == "connection_timeout"
    assert len(shop.hub.requests("resolve")) <= 20


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_listing_that_fails_at_first(shop: Shop, status: int) -> None:
    shop.hub.fail("api", "status", status=status, times=3, headers={"Retry-After": "1"})
    assert shop.job(f"{REPO}:Q8_0").run().model is not None


def test_what_arrives_as_sent_but_is_no_model(shop: Shop) -> None:
    shop.hub.add(REPO, {"Tiny-Q8_0.gguf": os.urandom(100_000)})
    found = shop.job(f"{REPO}:Q8_0").run()
    assert found.is_verified
    assert found.model is None
    assert found.problem is not None
    assert found.problem.kind == "not_gguf"


def test_errors(shop: Shop) -> None:
    assert shop.kind(f"{REPO}:Q2_K") == "hub_no_quant"
    assert shop.kind("maker/None:Q8_0") == "hub_no_repo"
    with pytest.raises(UsageError, match="bad_hub_ref"):
        shop.job("no reference")
    shop.house.switched_off.append(True)
    assert shop.kind(f"{REPO}:Q8_0") == "offline_setting"


def test_no_room_for_all_of_it(shop: Shop, tmp_path: Path) -> None:
    """Said before the first of several files."""
    parts = split_files(folder(tmp_path / "parts"))
    shop.hub.add(REPO, parts)
    shop.room = max(part.size for part in parts.values()) + 1000
    with pytest.raises(StorageError, match="no_room_for_download"):
        shop.job(f"{REPO}:Q4_K_M").run()
    assert shop.hub.requests("cdn") == []


def folder(path: Path) -> Path:
    path.mkdir()
    return path


@contextlib.contextmanager
def hanging(shop: Shop) -> Iterator[FetchJob]:
    """A job whose connection hangs; at the end it must have been stopped."""
    shop.hub.fail("cdn", "stall", after=1000)
    job = shop.job(f"{REPO}:Q8_0", options=TransferOptions(stall_s=20))
    errors: list[HausgeistError] = []

    def work() -> None:
        try:
            job.run()
        except CancelledError as error:
            errors.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert shop.hub.wait_for("cdn")
    yield job
    worker.join(30)
    assert len(errors) == 1


def test_stopped_and_gone_on(shop: Shop) -> None:
    with hanging(shop) as job:
        job.pause()
        job.resume()
        job.stop()
    shop.hub.faults.clear()
    assert shop.job(f"{REPO}:Q8_0").run().model is not None


def test_cancelled_leaves_nothing(shop: Shop) -> None:
    with hanging(shop) as job:
        job.cancel()
    assert [path for path in shop.models_dir.rglob("*") if path.is_file()] == []
