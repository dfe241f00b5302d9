"""A model's header over the network: exact, small, once, and never a lie believed."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import HausgeistError
from desktop.gguf.reader import read_header
from desktop.hub.refs import parse_ref
from desktop.hub.remote_header import RemoteModel, fetch_header
from tests.gguf_files import LlamaShape, header_bytes, write_split
from tests.hub.conftest import House
from tests.hub.stand_in import Content, HubStandIn, Role

REPO = "maker/Model-GGUF"
SHAPE = LlamaShape(vocab=3000, layers=4)


def model_file(shape: LlamaShape = SHAPE) -> Content:
    """A whole model of that shape, its weights zeros that nobody stores."""
    head = header_bytes(shape.metadata(), shape.tensors())
    data = sum(-(-tensor.nbytes // 32) * 32 for tensor in shape.tensors())
    return Content(head, len(head) + data)


def fake_gguf(data: bytes) -> Content:
    return Content(data, len(data))


def fetch(house: House, text: str) -> RemoteModel:
    return fetch_header(house.client, house.cache, parse_ref(text))


def kind_of(house: House, text: str) -> str:
    with pytest.raises(HausgeistError) as failure:
        fetch(house, text)
    return failure.value.kind


def test_the_header_is_the_one_of_the_whole_file(
    hub: HubStandIn, house: House, tmp_path: Path
) -> None:
    whole = SHAPE.write(tmp_path / "whole.gguf")
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file(), "README.md": b"#"})
    found = fetch(house, f"{REPO}:Q4_K_M")
    expected = read_header(whole)
    assert found.header.tensors == expected.tensors
    assert dict(found.header.metadata) == dict(expected.metadata)
    assert found.header.file_bytes == expected.file_bytes == whole.stat().st_size
    assert not found.header.complete
    assert found.header.paths[0].read_bytes() == whole.read_bytes()[: expected.data_offset]
    assert found.fetched_bytes == 512 << 10
    purposes = {(line.purpose, line.subject) for line in house.ledger.entries()}
    assert purposes == {("hub_listing", REPO), ("hub_header", REPO)}


def test_a_large_header_is_fetched_once_in_growing_pieces(hub: HubStandIn, house: House) -> None:
    content = model_file(LlamaShape(vocab=400_000, layers=4))
    assert 5_000_000 < len(content.head) < 7_000_000
    hub.add(REPO, {"Model-Q4_K_M.gguf": content})
    found = fetch(house, f"{REPO}:Q4_K_M")
    pieces = [tuple(map(int, seen.range[6:].split("-"))) for seen in hub.requests("cdn")]
    assert [start for start, _ in pieces] == [0, *(end + 1 for _, end in pieces[:-1])]
    assert [end + 1 - start for start, end in pieces] == [1 << n for n in (19, 20, 21, 22)]
    assert len(hub.requests("resolve")) == 1  # where it lies is asked once
    assert found.fetched_bytes < len(content.head) + (4 << 20)


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


def split_files(tmp_path: Path, parts: int = 3) -> dict[str, Content]:
    tensors = SHAPE.tensors()
    size = -(-len(tensors) // parts)
    first = write_split(
        tmp_path / "Model-Q4_K_M.gguf",
        SHAPE.metadata(),
        [tensors[n * size : (n + 1) * size] for n in range(parts)],
    )
    return {f"Q4/{path.name}": fake_gguf(path.read_bytes()) for path in first.parent.glob("*.gguf")}


def test_a_model_in_parts(hub: HubStandIn, house: House, tmp_path: Path) -> None:
    folder = tmp_path / "whole"
    folder.mkdir()
    hub.add(REPO, split_files(folder))
    found = fetch(house, f"{REPO}:Q4_K_M")
    expected = read_header(folder / "Model-Q4_K_M-00001-of-00003.gguf")
    assert found.header.tensors == expected.tensors
    assert found.header.file_bytes == expected.file_bytes
    assert [path.name for path in found.header.paths] == [path.name for path in expected.paths]
    assert all(path.is_file() for path in found.header.paths)
    hub.forget()
    assert fetch(house, f"{REPO}:Q4_K_M").header.tensors == expected.tensors
    assert hub.seen == []


def test_one_part_that_fails_stops_the_others(
    hub: HubStandIn, house: House, tmp_path: Path
) -> None:
    hub.add(REPO, split_files(tmp_path))
    hub.fail("resolve", "status", status=500, path="00003-of")
    hold = hub.fail("cdn", "silent", path="00002-of")
    assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_down"
    assert hold.times is None


def test_parts_that_do_not_belong_together(hub: HubStandIn, house: House, tmp_path: Path) -> None:
    files = split_files(tmp_path, 2)
    first, second = sorted(files)
    files[second] = files[first]
    hub.add(REPO, files)
    assert kind_of(house, f"{REPO}:Q4_K_M") == "malformed_gguf"


@pytest.mark.parametrize(
    ("role", "fault", "more", "kind"),
    [
        ("api", "page", {}, "portal"),
        ("api", "json", {"body": b"not json"}, "hub_bad_answer"),
        ("api", "json", {"body": b"[" * 100_000}, "hub_bad_answer"),
        ("api", "json", {"body": b'{"siblings": [1], "sha": 3}'}, "hub_bad_answer"),
        ("api", "json", {"body": b""}, "hub_bad_answer"),
        ("api", "json", {"body": b'"' + b"x" * (17 << 20) + b'"'}, "answer_too_large"),
        ("api", "status", {"status": 401}, "hub_no_repo"),
        ("api", "status", {"status": 403, "headers": {"X-Error-Code": "GatedRepo"}}, "hub_gated"),
        ("api", "status", {"status": 429, "headers": {"Retry-After": "300"}}, "hub_busy"),
        ("api", "status", {"status": 500}, "hub_down"),
        ("api", "status", {"status": 502, "body": b"<html>"}, "hub_down"),
        ("resolve", "page", {}, "portal"),
        ("resolve", "status", {"status": 404, "headers": {"X-Error-Code": "EntryNotFound"}},
         "hub_no_file"),
        ("resolve", "redirect", {"body": b"ftp://example.org/"}, "bad_redirect"),
        ("cdn", "page", {}, "portal"),
        ("cdn", "status", {"status": 403}, "hub_forbidden"),
        ("cdn", "status", {"status": 416}, "hub_inconsistent"),
        ("cdn", "status", {"status": 503}, "hub_down"),
        ("cdn", "cut", {"after": 1000}, "connection_cut"),
        ("cdn", "reset", {"after": 1000}, "connection_cut"),
        ("cdn", "wrong_range", {}, "hub_inconsistent"),
        ("cdn", "total", {"after": 1000}, "hub_inconsistent"),
        ("cdn", "total", {"after": 1 << 50}, "hub_inconsistent"),
        ("cdn", "shift", {"after": 1}, "not_gguf"),
    ],
)  # fmt: skip
def test_a_hub_that_misbehaves(
    hub: HubStandIn, house: House, role: Role, fault: str, more: dict[str, Any], kind: str
) -> None:
    """Whatever comes: a kind with a sentence, nothing kept of it, and well again afterwards."""
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    found = hub.fail(role, fault, **more)
    assert kind_of(house, f"{REPO}:Q4_K_M") == kind
    assert not list((house.ledger.path.parent / "headers").rglob("*.gguf"))
    hub.faults.remove(found)
    assert fetch(house, f"{REPO}:Q4_K_M").header.block_count == 4
    assert max(house.pauses, default=0) <= 3


@pytest.mark.parametrize(
    ("role", "fault", "more"),
    [
        ("api", "status", {"status": 503}),
        ("api", "status", {"status": 429, "headers": {"Retry-After": "2"}}),
        ("cdn", "cut", {"after": 1000}),
        ("cdn", "reset", {"after": 0}),
        ("cdn", "status", {"status": 502}),
        ("resolve", "status", {"status": 500}),
    ],
)
def test_a_fault_that_passes(
    hub: HubStandIn, house: House, role: Role, fault: str, more: dict[str, Any]
) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    hub.fail(role, fault, times=1, **more)
    assert fetch(house, f"{REPO}:Q4_K_M").header.block_count == 4
    assert len(house.pauses) == 1


def test_a_signed_address_that_expires_on_the_way(hub: HubStandIn, house: House) -> None:
    content = model_file(LlamaShape(vocab=400_000, layers=4))
    hub.add(REPO, {"Model-Q4_K_M.gguf": content})
    hub.expire_after_requests("cdn", 2)
    found = fetch(house, f"{REPO}:Q4_K_M")
    assert found.header.block_count == 4
    assert len(hub.requests("resolve")) == 2


def test_the_file_changes_on_the_way(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file(LlamaShape(vocab=400_000, layers=4))})
    hub.fail("cdn", "hold", times=1).gate.set()
    hub.fail("cdn", "etag")
    assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_inconsistent"


def test_a_host_that_knows_no_ranges(hub: HubStandIn, house: House) -> None:
    content = model_file(LlamaShape(vocab=400_000, layers=4))
    hub.add(REPO, {"Model-Q4_K_M.gguf": content})
    hub.fail("cdn", "no_ranges")
    found = fetch(house, f"{REPO}:Q4_K_M")
    assert found.header.block_count == 4
    assert found.header.paths[0].read_bytes() == content.head
    received = sum(line.received_bytes for line in house.ledger.entries())
    assert received < 4 * len(content.head)


@pytest.mark.parametrize("more", [{"without_sizes": True}, {"without_cdn": True}])
def test_other_ways_to_answer(hub: HubStandIn, house: House, more: dict[str, bool]) -> None:
    content = model_file(LlamaShape(vocab=400_000, layers=4))
    hub.add(REPO, {"Model-Q4_K_M.gguf": content}, **more)
    found = fetch(house, f"{REPO}:Q4_K_M")
    assert found.header.file_bytes == content.size
    assert found.fetched_bytes < len(content.head) + (4 << 20)


def test_a_mirror_without_listings(hub: HubStandIn, house: House, tmp_path: Path) -> None:
    hub.add(REPO, split_files(tmp_path))
    hub.fail("api", "status", status=404)
    first = "Q4/Model-Q4_K_M-00001-of-00003.gguf"
    found = fetch(house, f"{REPO}:{first}")
    assert found.commit == hub.repos[REPO].commit
    assert len(found.header.paths) == 3
    assert kind_of(house, f"{REPO}:Q4/Other.gguf") == "hub_no_file"
    assert kind_of(house, "maker/Other:a.gguf") == "hub_no_repo"
    hub.fail("resolve", "page")
    assert kind_of(house, "maker/Other:a.gguf") == "portal"


def test_a_file_of_40_gigabytes_costs_its_header(hub: HubStandIn, house: House) -> None:
    shape = LlamaShape(vocab=1000, layers=80, embedding=8192, heads=64, kv_heads=8,
                       feed_forward=28672)  # fmt: skip
    content = model_file(shape)
    assert content.size > 36e9
    hub.add(REPO, {"Model-Q4_K_M.gguf": content})
    found = fetch(house, f"{REPO}:Q4_K_M")
    assert found.header.file_bytes == content.size
    assert found.fetched_bytes <= 512 << 10


def test_a_size_that_is_a_lie(hub: HubStandIn, house: House) -> None:
    """The listing says another size than the file has: which of them is the model?"""
    content = model_file()
    for lie in (content.size - 1, content.size + 1, 0, 1 << 45):
        hub.add(REPO, {"Model-Q4_K_M.gguf": content}, listed_sizes={"Model-Q4_K_M.gguf": lie})
        assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_inconsistent"


def test_a_file_shorter_than_its_tensors(hub: HubStandIn, house: House) -> None:
    content = model_file()
    head = len(content.head)
    for size in (content.size - 40, head + 1, head - 5, head - 2000, 20):
        hub.add(REPO, {"Model-Q4_K_M.gguf": Content(content.head[:size], size)})
        house.now[0] += 100_000
        assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_file_incomplete"


def test_an_empty_file(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": b""})
    assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_file_incomplete"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "is_lfs_pointer"),
        (b"PK\x03\x04" + bytes(100), "is_archive"),
        (bytes(100), "is_blank"),
        (b"lmgg" + bytes(100), "old_ggml_format"),
        (b"GGUF" + b"\xff" * 100, "malformed_gguf"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1), "malformed_gguf"),
        (b"GGUF" + struct.pack("<IQQ", 99, 0, 0) + bytes(100), "unsupported_gguf_version"),
    ],
)
def test_a_file_that_is_no_model(hub: HubStandIn, house: House, body: bytes, kind: str) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": body})
    assert kind_of(house, f"{REPO}:Q4_K_M") == kind


def test_a_header_that_wants_all_of_a_large_file(hub: HubStandIn, house: House) -> None:
    """One string of 200 MB: no real header has it, and nobody should pay for it."""
    start = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"k"
    start += struct.pack("<IQ", 8, 200 << 20)
    hub.add(REPO, {"Model-Q4_K_M.gguf": Content(start, 1 << 40)})
    assert kind_of(house, f"{REPO}:Q4_K_M") == "hub_header_too_large"
    assert hub.sent_bytes < 4 << 20


def test_a_gated_model_with_a_token(hub: HubStandIn, make_house: Callable[..., House]) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()}, gated="auto")
    hub.token = "hf_good"
    assert kind_of(make_house(), f"{REPO}:Q4_K_M") == "hub_gated"
    assert kind_of(make_house(HF_TOKEN="hf_bad"), f"{REPO}:Q4_K_M") == "hub_gated"
    found = fetch(make_house(HF_TOKEN="hf_good"), f"{REPO}:Q4_K_M")
    assert found.header.block_count == 4
    assert {seen.authorization for seen in hub.requests("cdn")} == {""}


def test_companions_lie_beside_it(hub: HubStandIn, house: House) -> None:
    files = ["Model-Q4_K_M.gguf", "mmproj-F16.gguf", "Model-draft-Q8_0.gguf", "lora-x.gguf"]
    hub.add(REPO, {name: model_file() for name in files})
    found = fetch(house, f"{REPO}:Q4_K_M")
    assert [group.path for group in found.projectors] == ["mmproj-F16.gguf"]
    assert [group.path for group in found.drafts] == ["Model-draft-Q8_0.gguf"]
    assert [group.path for group in found.loras] == ["lora-x.gguf"]
    beside = fetch(house, f"{REPO}:mmproj-F16.gguf")
    assert beside.header.tensors == found.header.tensors


def test_progress_is_told(hub: HubStandIn, house: House) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file(LlamaShape(vocab=400_000, layers=4))})
    told: list[int] = []
    ref = parse_ref(f"{REPO}:Q4_K_M")
    fetch_header(house.client, house.cache, ref, on_progress=told.append)
    assert told == sorted(told)
    assert told[0] == 512 << 10
    assert len(told) == 4


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


def test_names_that_would_leave_the_folder_are_not_listed(hub: HubStandIn, house: House) -> None:
    files = {
        "../../evil-Q4_0.gguf": model_file(),
        "CON.gguf": model_file(),
        "a-Q8_0.gguf": model_file(),
    }
    hub.add(REPO, files)
    assert [group.path for group in fetch(house, REPO).listing.groups] == ["a-Q8_0.gguf"]


def test_ctrl_c_while_the_hub_says_nothing(
    hub: HubStandIn, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()})
    hub.fail("cdn", "silent")

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("desktop.hub.door._done", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(house, f"{REPO}:Q4_K_M")
    assert house.ledger.entries()[-1].outcome == "cancelled"
