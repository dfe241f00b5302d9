"""The thread that makes vectors of pictures: once, in order, and not for those who have gone."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Iterator

import pytest

from desktop.common.errors import EngineError, RequestError
from desktop.engine.media.encoder import ChunkEncoding, Encoder, Wanted
from desktop.engine.media.mtmd import Encoded, Piece, Split

SOON_S = 30.0
PIECES = (Piece(0, tokens=(1,)), Piece(1, kind="image", cells=4), Piece(2, kind="image", cells=4))


class FakeMtmd:
    """Makes 16 bytes a piece, when `go` lets it; `made` says what."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None
        self.decoded: list[bytes] = []

    def encode(self, split: Split, piece: Piece) -> Encoded:
        assert split.handle
        assert self.go.wait(SOON_S)
        if self.error is not None:
            raise self.error
        self.made.append(piece.number)
        return Encoded((ctypes.c_float * 4)(), 4, 1, ([0] * 4,), ([1] * 4,))

    def wanted(self, key: bytes, pieces: tuple[Piece, ...] = PIECES) -> Wanted:
        def decode() -> Split:
            self.decoded.append(key)
            return Split(FakeLib(), 1, pieces)

        return Wanted(key, decode, PIECES)


class FakeLib:
    def mtmd_input_chunks_free(self, handle: int) -> None:
        assert handle == 1


@pytest.fixture
def mtmd() -> FakeMtmd:
    return FakeMtmd()


@pytest.fixture
def encoder(mtmd: FakeMtmd) -> Iterator[Encoder]:
    made = Encoder(mtmd, cache_bytes=64)  # type: ignore[arg-type]
    yield made
    mtmd.go.set()
    made.close()


def test_pieces_of_a_file_are_made_of_one_decoding(encoder: Encoder, mtmd: FakeMtmd) -> None:
    mtmd.go.clear()
    wanted = mtmd.wanted(b"a")
    chunks = [ChunkEncoding(encoder, wanted, piece) for piece in PIECES[1:]]
    for chunk in chunks:
        chunk.begin()
        chunk.begin()
        assert not chunk.ready
    mtmd.go.set()
    assert all(chunk.wait(SOON_S) for chunk in chunks)
    assert mtmd.made == [1, 2]
    assert mtmd.decoded == [b"a"]
    assert all(chunk.encoded.cells == 4 and chunk.error is None for chunk in chunks)


def test_what_was_made_lately_is_not_made_again(encoder: Encoder, mtmd: FakeMtmd) -> None:
    for key in (b"a", b"a", b"b", b"c", b"d", b"e", b"a"):
        chunk = ChunkEncoding(encoder, mtmd.wanted(key), PIECES[1])
        chunk.begin()
        assert chunk.wait(SOON_S)
    # Four of sixteen bytes are kept.
    assert mtmd.decoded == [b"a", b"b", b"c", b"d", b"e", b"a"]


def test_what_is_let_go_can_be_had_again(encoder: Encoder, mtmd: FakeMtmd) -> None:
    chunk = ChunkEncoding(encoder, mtmd.wanted(b"a"), PIECES[1])
    chunk.begin()
    assert chunk.wait(SOON_S)
    chunk.release()
    assert not chunk.ready
    chunk.begin()
    assert chunk.wait(SOON_S)
    assert mtmd.decoded == [b"a"]


def test_nothing_is_made_for_those_who_have_gone(encoder: Encoder, mtmd: FakeMtmd) -> None:
    mtmd.go.clear()
    first = ChunkEncoding(encoder, mtmd.wanted(b"a"), PIECES[1])
    gone = ChunkEncoding(encoder, mtmd.wanted(b"b"), PIECES[1])
    last = ChunkEncoding(encoder, mtmd.wanted(b"c"), PIECES[1])
    for chunk in (first, gone, last):
        chunk.begin()
    del gone, chunk
    gc.collect()
    mtmd.go.set()
    assert last.wait(SOON_S)
    assert mtmd.decoded == [b"a", b"c"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineError("media_failed"), "media_failed"),
        (RequestError("bad_media"), "bad_media"),
        (ZeroDivisionError("none of ours"), "media_failed"),
    ],
)
def test_an_error_is_told_to_whoever_waits_and_the_next_one_is_made(
    error: Exception, kind: str, encoder: Encoder, mtmd: FakeMtmd
) -> None:
    mtmd.error = error
    chunk = ChunkEncoding(encoder, mtmd.wanted(b"a"), PIECES[1])
    chunk.begin()
    assert chunk.wait(SOON_S)
    assert chunk.error is not None
    assert chunk.error.kind == kind
    mtmd.error = None
    other = ChunkEncoding(encoder, mtmd.wanted(b"b"), PIECES[1])
    other.begin()
    assert other.wait(SOON_S)
    assert other.error is None


def test_whoever_waits_for_the_second_piece_learns_of_it_too(
    encoder: Encoder, mtmd: FakeMtmd
) -> None:
    mtmd.go.clear()
    mtmd.error = ZeroDivisionError("none of ours")
    wanted = mtmd.wanted(b"a")
    chunks = [ChunkEncoding(encoder, wanted, piece) for piece in PIECES[1:]]
    for chunk in chunks:
        chunk.begin()
    mtmd.go.set()
    assert all(chunk.wait(SOON_S) and chunk.error is not None for chunk in chunks)


def test_other_pieces_than_were_counted_are_an_error(encoder: Encoder, mtmd: FakeMtmd) -> None:
    """The prompt has room for what was counted."""
    chunk = ChunkEncoding(encoder, mtmd.wanted(b"a", PIECES[:2]), PIECES[1])
    chunk.begin()
    assert chunk.wait(SOON_S)
    assert chunk.error is not None
    assert chunk.error.kind == "media_failed"


def test_closing_ends_those_who_wait(mtmd: FakeMtmd) -> None:
    encoder = Encoder(mtmd)  # type: ignore[arg-type]
    mtmd.go.clear()
    chunks = [ChunkEncoding(encoder, mtmd.wanted(bytes([n])), PIECES[1]) for n in range(3)]
    for chunk in chunks:
        chunk.begin()
    threading.Timer(0.05, mtmd.go.set).start()
    encoder.close()
    assert all(chunk.ready for chunk in chunks)
    assert chunks[-1].error is not None
    assert chunks[-1].error.kind == "engine_closed"
    late = ChunkEncoding(encoder, mtmd.wanted(b"late"), PIECES[1])
    late.begin()
    assert late.ready
