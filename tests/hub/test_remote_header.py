"""A model's header over the network: exact, small, and each byte once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.gguf.reader import read_header
from desktop.hub.refs import parse_ref
from desktop.hub.remote_header import fetch_header
from tests.gguf_files import LlamaShape
from tests.hub.conftest import House
from tests.hub.models import REPO, SHAPE, fetch, kind_of, model_file, split_files
from tests.hub.stand_in import HubStandIn


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


@pytest.mark.parametrize(
    "more", [{"without_sizes": True}, {"without_cdn": True}, {"without_commit": True}]
)
def test_other_ways_to_answer(hub: HubStandIn, house: House, more: dict[str, bool]) -> None:
    content = model_file(LlamaShape(vocab=400_000, layers=4))
    hub.add(REPO, {"Model-Q4_K_M.gguf": content}, **more)
    found = fetch(house, f"{REPO}:Q4_K_M")
    assert found.header.file_bytes == content.size
    assert found.fetched_bytes < len(content.head) + (4 << 20)
    hub.forget()
    assert fetch(house, f"{REPO}:Q4_K_M").fetched_bytes == 0
    assert hub.seen == []


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


def test_a_gated_model_with_a_token(hub: HubStandIn, make_house: Callable[..., House]) -> None:
    hub.add(REPO, {"Model-Q4_K_M.gguf": model_file()}, gated="auto")
    hub.token = "hf_good"
    assert kind_of(make_house(), f"{REPO}:Q4_K_M") == "hub_gated"
    assert kind_of(make_house(HF_TOKEN="hf_bad"), f"{REPO}:Q4_K_M") == "hub_token_refused"
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
