"""The range reader against a file that is known: right bytes, each once, in any order."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.common.errors import HubError
from desktop.hub.answer import Answer, Purpose
from desktop.hub.client import HubClient
from desktop.hub.listing import HubFile
from desktop.hub.ranges import MAX_BLOCK_BYTES, HubRangeReader

CDN = "https://cdn.example/file"


@dataclass
class Host:
    """Hands out ranges of `data` as a Hub does; `knows_ranges` False: all from the start."""

    data: bytes
    knows_ranges: bool = True
    asked: list[tuple[int, int]] = field(default_factory=list)

    def file_url(self, repo: str, revision: str, file: str) -> str:
        return f"https://hub.example/{repo}/resolve/{revision}/{file}"

    def bytes_at(
        self, url: str, offset: int, n: int, purpose: Purpose, repo: str, file: str, *_: object
    ) -> Answer:
        self.asked.append((offset, n))
        if not self.knows_ranges:
            body = self.data[: offset + n]
            headers = {"content-length": str(len(self.data))}
            return Answer(CDN, 200, headers, body, is_cut=len(body) < len(self.data))
        body = self.data[offset : offset + n]
        shown = f"bytes {offset}-{offset + len(body) - 1}/{len(self.data)}"
        return Answer(CDN, 206, {"content-range": shown, "etag": '"e"'}, body)


def reader(host: Host, size: int | None, first: int) -> HubRangeReader:
    client: HubClient = host  # type: ignore[assignment]
    return HubRangeReader(client, "a/b", "c", HubFile("f", size), first_bytes=first)


DATA = bytes(range(256)) * 400


@given(
    st.lists(st.tuples(st.integers(0, 110_000), st.integers(0, 40_000)), min_size=1, max_size=12),
    st.integers(1, 200_000),
    st.booleans(),
    st.booleans(),
)
def test_any_reads_in_any_order(
    reads: list[tuple[int, int]], first: int, knows_ranges: bool, is_listed: bool
) -> None:
    host = Host(DATA, knows_ranges)
    found = reader(host, len(DATA) if is_listed else None, first)
    for offset, n in reads:
        assert found.read(offset, n) == DATA[offset : offset + n]
    assert found.size_bytes == len(DATA)
    if knows_ranges:
        starts = [offset for offset, _ in host.asked]
        assert starts == [0, *(offset + n for offset, n in host.asked[:-1])]
        assert all(n <= max(first, MAX_BLOCK_BYTES) for _, n in host.asked)
    assert found.requests == len(host.asked)


def test_nothing_more_is_asked_for_what_is_there() -> None:
    host = Host(DATA)
    found = reader(host, len(DATA), len(DATA))
    found.read(0, 10)
    found.read(50_000, 10_000)
    found.read(len(DATA) - 5, 100)
    assert host.asked == [(0, len(DATA))]
    assert found.fetched_bytes == len(DATA)


def test_pieces_grow_while_the_line_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    class SlowHost(Host):
        def bytes_at(self, *arguments: object, **more: object) -> Answer:
            now[0] += 3.0
            return super().bytes_at(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("desktop.hub.ranges.time.monotonic", lambda: now[0])
    quick, slow = Host(DATA), SlowHost(DATA)
    for host in (quick, slow):
        found = reader(host, len(DATA), 1000)
        for at in range(0, 30_000, 500):
            found.read(at, 500)
    assert [n for _, n in quick.asked] == [1000, 2000, 4000, 8000, 16_000]
    assert {n for _, n in slow.asked} == {1000}


def test_a_file_smaller_than_the_first_piece() -> None:
    host = Host(b"GGUF")
    found = reader(host, None, 1000)
    assert found.read(0, 100) == b"GGUF"
    assert found.read(4, 100) == b""
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-range": "bytes 0-9/*"},
        {"content-range": "bytes 0-9/5"},
        {"content-range": "bytes 1-10/100"},
        {"content-range": "bytes 0-8/100"},
        {"content-range": "bytes 0-9/" + "9" * 30},
        {"content-range": "bytes -1-9/100"},
        {"content-range": "items 0-9/100"},
        {"content-range": "bytes 0-9/101"},
    ],
)
def test_ranges_that_make_no_sense(headers: dict[str, str]) -> None:
    class Liar(Host):
        def bytes_at(self, *arguments: object, **more: object) -> Answer:
            return Answer(CDN, 206, headers, b"0123456789")

    with pytest.raises(HubError, match="hub_inconsistent"):
        reader(Liar(b""), 100, 10).read(0, 10)


def test_a_body_that_is_shorter_than_its_range() -> None:
    class Short(Host):
        def bytes_at(self, *arguments: object, **more: object) -> Answer:
            return Answer(CDN, 206, {"content-range": "bytes 0-9/100"}, b"012345678")

    with pytest.raises(HubError, match="hub_inconsistent"):
        reader(Short(b""), 100, 10).read(0, 10)


def test_a_whole_file_without_a_size() -> None:
    class Vague(Host):
        def bytes_at(self, *arguments: object, **more: object) -> Answer:
            return Answer(CDN, 200, {}, b"0123456789", is_cut=True)

    with pytest.raises(HubError, match="hub_inconsistent"):
        reader(Vague(b""), None, 10).read(0, 10)
