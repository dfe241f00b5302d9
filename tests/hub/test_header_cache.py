"""What was fetched once is known, offline too, until there is something newer."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.gguf_files import LlamaShape
from tests.hub.conftest import House
from tests.hub.models import REPO, SHAPE, fetch, kind_of, model_file
from tests.hub.stand_in import HubStandIn


def test_the_next_quantization_takes_one_piece(hub: HubStandIn, house: House) -> None:
    """All carry the same vocabulary, so the second header's length is known."""
    shape = LlamaShape(vocab=200_000, layers=4)
    files = {f"Model-{t}.gguf": model_file(shape.with_(type=t)) for t in ("Q4_0", "Q8_0")}
    hub.add(REPO, files)
    fetch(house, f"{REPO}:Q4_0")
    hub.forget()
    second = fetch(house, f"{REPO}:Q8_0")
    assert len(hub.requests("cdn")) == 1
    assert hub.requests("api") == []
    assert second.fetched_bytes < len(files["Model-Q8_0.gguf"].head) + 70_000


def test_the_second_time_there_is_no_traffic(
    hub: HubStandIn, house: House, make_house: Callable[..., House]
) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    first = fetch(house, f"{REPO}:Q4_K_M")
    hub.forget()
    for again in (house, make_house(), make_house(HAUSGEIST_OFFLINE="1")):
        found = fetch(again, f"{REPO}:Q4_K_M")
        assert found.header.tensors == first.header.tensors
        assert found.fetched_bytes == 0
    assert hub.seen == []


def test_offline_and_never_seen(hub: HubStandIn, make_house: Callable[..., House]) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    offline = make_house(HAUSGEIST_OFFLINE="1")
    assert kind_of(offline, f"{REPO}:Q4_K_M") == "offline_environment"
    fetch(make_house(), f"{REPO}:Q4_K_M")
    assert kind_of(offline, f"{REPO}:Q8_0") == "hub_no_quant"
    hub.forget()
    assert kind_of(offline, "maker/Other:Q8_0") == "offline_environment"
    assert hub.seen == []


def test_a_new_commit_is_seen_a_day_later(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    old = fetch(house, f"{REPO}:Q4_K_M")
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file(SHAPE.with_(layers=5))})
    house.now[0] += 23 * 3600
    assert fetch(house, f"{REPO}:Q4_K_M").commit == old.commit
    house.now[0] += 2 * 3600
    new = fetch(house, f"{REPO}:Q4_K_M")
    assert new.commit != old.commit
    assert new.header.block_count == 5
    assert old.header.paths[0].exists()


def test_the_same_commit_a_day_later_costs_a_listing(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    fetch(house, f"{REPO}:Q4_K_M")
    hub.forget()
    house.now[0] += 100_000
    assert fetch(house, f"{REPO}:Q4_K_M").fetched_bytes == 0
    assert [seen.role for seen in hub.seen] == ["api"]


def test_a_clock_that_was_set_back(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    fetch(house, f"{REPO}:Q4_K_M")
    hub.forget()
    house.now[0] -= 1_000_000
    fetch(house, f"{REPO}:Q4_K_M")
    assert len(hub.requests("api")) == 1


def test_a_hub_that_is_down_is_answered_from_what_was_known(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    known = fetch(house, f"{REPO}:Q4_K_M")
    house.now[0] += 100_000
    for kind, more in (("status", {"status": 503}), ("page", {}), ("json", {"body": b"{"})):
        fault = hub.fail("api", kind, **more)
        assert fetch(house, f"{REPO}:Q4_K_M").commit == known.commit
        hub.faults.remove(fault)
    hub.fail("api", "status", status=404)
    assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_no_repo"


def test_a_file_that_was_added_today(hub: HubStandIn, house: House) -> None:
    """A listing of this morning does not know it: ask again before saying that it is not there."""
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    fetch(house, f"{REPO}:Q4_K_M")
    files = {
        "Model-Q4_K_M.gguf": model_file(),
        "Model-Q8_0.gguf": model_file(SHAPE.with_(tied=True)),
    }
    hub.add(REPO, files)
    assert fetch(house, f"{REPO}:Q8_0").group.path == "Model-Q8_0.gguf"
    hub.forget()
    assert kind_of(house, f"{REPO}:Q2_K") == "hub_no_quant"
    assert len(hub.requests("api")) == 1


def test_a_commit_never_changes(hub: HubStandIn, house: House) -> None:
    commit = hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()}).commit
    fetch(house, f"{REPO}@{commit}:Q4_K_M")
    house.now[0] += 1e9
    hub.forget()
    assert fetch(house, f"{REPO}@{commit}:Q4_K_M").commit == commit
    assert hub.seen == []


def test_a_disk_that_takes_nothing(hub: HubStandIn, house: House) -> None:
    """Without a cache the answer is the same, and the next one costs as much."""
    root = house.ledger.path.parent / "headers"
    root.write_text("in the way")
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    for _ in range(2):
        found = fetch(house, f"{REPO}:Q4_K_M")
        assert found.header.block_count == 4
        assert found.fetched_bytes > 0


def test_a_header_that_was_damaged_on_the_disk(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    path = fetch(house, f"{REPO}:Q4_K_M").header.paths[0]
    whole = path.read_bytes()
    for damaged in (b"", b"x" * 100, whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        found = fetch(house, f"{REPO}:Q4_K_M")
        assert found.fetched_bytes > 0
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[", b'{"format": 1, "repo": "../x"}', b"\xff", b"[" * 100_000]
)
def test_a_listing_that_was_damaged_on_the_disk(
    hub: HubStandIn, house: House, content: bytes
) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    fetch(house, f"{REPO}:Q4_K_M")
    (path,) = (house.ledger.path.parent / "headers").rglob("listing-*.json")
    path.write_bytes(content)
    hub.forget()
    assert fetch(house, f"{REPO}:Q4_K_M").fetched_bytes == 0
    assert len(hub.requests("api")) == 1


def test_what_was_fetched_longest_ago_goes_first(hub: HubStandIn, house: House) -> None:
    found = []
    for number in range(3):
        repo = f"maker/Model-{number}"
        hub.add(repo, {"Model-Q4_K_M.gguf": model_file()})
        found.append(fetch(house, f"{repo}:Q4_K_M"))
        os.utime(found[-1].header.paths[0].parent, (number, number))
    size = found[0].header.paths[0].stat().st_size
    house.cache.tidy(found[0].listing, max_bytes=2 * size)
    kept = [model.header.paths[0].exists() for model in found]
    assert kept == [True, False, True]
