"""A Hub, a host or a file that misbehaves: a kind with a sentence, and nothing kept of it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from tests.gguf_files import LlamaShape
from tests.hub.conftest import House
from tests.hub.models import REPO, fetch, kind_of, model_file, split_files
from tests.hub.stand_in import HubStandIn
from tests.hub.stored import Content, Role


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
