"""The hash that follows: of what was offered, of what is read back, and of what was put right."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.hub.transfer import hashing
from desktop.hub.transfer.hashing import FollowingHash
from desktop.hub.transfer.journal import Identity
from desktop.hub.transfer.part_file import PartFile
from desktop.hub.transfer.rounds import FillRound

PIECE = 64 << 10
DATA = random.Random(9).randbytes(24 * PIECE)
WANTED = hashlib.sha256(DATA).hexdigest()
SOON_S = 20.0


class Watched(PartFile):
    """Counts what is read back."""

    read_bytes = 0

    def read(self, offset: int, n: int) -> bytes:
        self.read_bytes += n
        return super().read(offset, n)


@pytest.fixture
def part(tmp_path: Path) -> Watched:
    found = Watched.open(tmp_path / "m.gguf", Identity("r", "m.gguf", "c", len(DATA), WANTED))
    assert isinstance(found, Watched)
    return found


def _pieces() -> list[int]:
    return list(range(0, len(DATA), PIECE))


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON_S
    while not done():
        assert time.monotonic() < end


def _digest(hashed: FollowingHash) -> str:
    while hashed._step():
        pass
    found = hashed.digest()
    assert found is not None
    return found


def test_what_was_offered_is_not_read_again(part: Watched) -> None:
    hashed = FollowingHash(part)
    fill = FillRound(part, hashed)
    for at in _pieces():
        fill.store(at, DATA[at : at + PIECE])
    assert _digest(hashed) == WANTED
    assert part.read_bytes == 0
    assert not hashed._offered
    assert hashed._offered_bytes == 0
    part.discard()


def test_pieces_out_of_order_and_more_than_is_kept(
    part: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_OFFERED_BYTES", 3 * PIECE)
    hashed = FollowingHash(part)
    fill = FillRound(part, hashed)
    order = _pieces()
    random.Random(2).shuffle(order)
    for at in order:
        fill.store(at, DATA[at : at + PIECE])
        assert sum(map(len, hashed._offered.values())) == hashed._offered_bytes <= 3 * PIECE
        hashed._step()
    assert _digest(hashed) == WANTED
    part.discard()


def test_what_is_offered_counts_only_as_far_as_it_was_written(part: Watched) -> None:
    """An offer without its bytes on the disk (the write failed) is never hashed."""
    hashed = FollowingHash(part)
    hashed.offer(0, b"x" * PIECE)
    assert not hashed._step()
    FillRound(part, hashed).store(0, DATA[:PIECE])
    hashed.rewind(0)
    for at in _pieces()[1:]:
        part.write(at, DATA[at : at + PIECE])
    assert _digest(hashed) == WANTED
    part.discard()


def test_bytes_that_come_behind_the_hash_are_hashed_again(part: Watched) -> None:
    """A straggler overwrites what another connection had brought: the disk's bytes count."""
    hashed = FollowingHash(part)
    fill = FillRound(part, hashed)
    wrong = bytes(PIECE)
    fill.store(0, wrong)
    while hashed._step():
        pass
    assert hashed.position == PIECE
    fill.store(0, DATA[:PIECE])
    for at in _pieces()[1:]:
        fill.store(at, DATA[at : at + PIECE])
    assert _digest(hashed) == WANTED
    part.discard()


def test_an_offer_of_bytes_that_were_doubted_meanwhile_is_replaced(part: Watched) -> None:
    """One connection writes, another's doubt comes before the first has offered: the offer that
    came too late hid the right bytes, and a good file was called wrong."""
    hashed = FollowingHash(part)
    fill = FillRound(part, hashed)
    wrong = bytes(2 * PIECE)
    part.write(PIECE, wrong)
    part.distrust(0, 3 * PIECE)
    hashed.rewind(0)
    hashed.offer(PIECE, wrong)
    for at in _pieces():
        fill.store(at, DATA[at : at + PIECE])
    assert _digest(hashed) == WANTED
    part.discard()


def test_while_it_runs(part: Watched) -> None:
    hashed = FollowingHash(part)
    fill = FillRound(part, hashed)
    hashed.start()
    try:
        for at in _pieces():
            fill.store(at, DATA[at : at + PIECE])
            if at == 8 * PIECE:  # doubted and brought once more
                part.distrust(4 * PIECE, 6 * PIECE)
                hashed.rewind(4 * PIECE)
                fill.store(4 * PIECE, DATA[4 * PIECE : 6 * PIECE])
        _until(lambda: hashed.digest() is not None)
        assert hashed.digest() == WANTED
    finally:
        hashed.close()
        part.discard()
