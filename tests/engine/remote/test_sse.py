"""Server-sent events: however they are written and wherever the bytes are cut."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.engine.remote.sse import EventTooLongError, SseReader

ENDS = ("\n", "\r\n", "\r")


def read(body: bytes, cuts: list[int]) -> list[str]:
    """All events of a body that comes in pieces."""
    reader = SseReader()
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    found: list[str] = []
    for start, end in pairwise(places):
        found += reader.feed(body[start:end])
    return found + reader.finish()


DATA = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=20)


@given(
    events=st.lists(st.lists(DATA, min_size=1, max_size=3), max_size=6),
    noise=st.lists(
        st.sampled_from([": ping", "id: 7", "event: message", "retry: 5", ""]), max_size=6
    ),
    end=st.sampled_from(ENDS),
    space=st.booleans(),
    cuts=st.lists(st.integers(0, 10_000), max_size=12),
    mark=st.booleans(),
)
def test_the_same_events_however_they_come(
    events: list[list[str]],
    noise: list[str],
    end: str,
    space: bool,
    cuts: list[int],
    mark: bool,
) -> None:
    lines: list[str] = []
    for number, event in enumerate(events):
        if number < len(noise):
            lines += [noise[number], ""] if noise[number] else [""]
        lines += [f"data:{' ' if space else ''}{data}" for data in event]
        lines.append("")
    body = ("\ufeff" if mark else "") + "".join(line + end for line in lines)
    expected = [
        "\n".join(data if space else data.removeprefix(" ") for data in event) for event in events
    ]
    assert read(body.encode(), cuts) == expected


@given(
    documents=st.lists(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=6,
        ).map(lambda found: {"x": found}),
        min_size=1,
        max_size=4,
    ),
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
)
def test_bare_documents(documents: list[object], cuts: list[int]) -> None:
    """One a line, as some servers stream; or one of many lines, from those that do not."""
    body = "".join(json.dumps(one) + "\n" for one in documents).encode()
    assert [json.loads(one) for one in read(body, cuts)] == documents
    pretty = json.dumps(documents[0], indent=2).encode()
    assert [json.loads(one) for one in read(pretty, cuts)] == documents[:1]


@given(body=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_any_bytes(body: bytes, cuts: list[int]) -> None:
    assert read(body, cuts) == read(body, [])


@pytest.mark.parametrize("piece", [b"x" * 1000, b"data: " + b"x" * 990 + b"\n", b"data: x\r" * 100])
def test_an_event_without_end(piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.engine.remote.sse.MOST_EVENT_CHARACTERS", 10_000)
    with pytest.raises(EventTooLongError):
        _pour(SseReader(), piece)


def _pour(reader: SseReader, piece: bytes) -> None:
    for _ in range(1000):
        reader.feed(piece)


def test_many_short_lines_take_no_time() -> None:
    """Half a megabyte of line ends took minutes where each looked for the next of another kind."""
    reader = SseReader()
    assert reader.feed(b"\r" * 500_000) == []
    assert len(reader.feed(b"data: x\n\n" * 50_000)) == 50_000
