"""Who guesses, for whom, and what is learned from it: with made-up proposers."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.engine.guessing.drafter import Drafter
from desktop.engine.guessing.prompt_lookup import PromptLookup
from desktop.engine.guessing.proposer import NO_GUESS, Guess, Read, Writer
from desktop.engine.model import Context, Model

COPIED = [*range(1, 30), 99, *range(1, 20)]
NEW = [*range(100, 150)]


class _Ahead:
    """Guesses so many tokens as asked for, each taking `seconds` of a clock that it moves on."""

    def __init__(self, seconds: float = 0.001) -> None:
        self.now_s, self.seconds = 0.0, seconds
        self.begun: list[int] = []
        self.asked: list[tuple[int, int]] = []
        self.verdicts: list[tuple[int, int, int]] = []
        self.parts = 0
        self.closed = False

    def clock(self) -> float:
        return self.now_s

    @property
    def contexts(self) -> Sequence[tuple[Model, Context]]:
        return ()

    def begin(self, sequence: int, tokens: Sequence[int]) -> None:
        self.begun.append(sequence)

    def propose(self, writers: Sequence[Writer]) -> list[Guess]:
        self.asked += [(writer.sequence, writer.most) for writer in writers]
        self.now_s += self.seconds * max(writer.most for writer in writers)
        return [Guess([7] * writer.most) if writer.most else NO_GUESS for writer in writers]

    def judged(self, sequence: int, proposed: int, accepted: int) -> None:
        self.verdicts.append((sequence, proposed, accepted))

    def decoded(self, parts: Sequence[Read]) -> None:
        self.parts += len(parts)

    def forget(self, sequence: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def _drafter(ahead: _Ahead | None = None, **fields: int) -> Drafter:
    limits = {"limit": 8} | fields
    clock = ahead.clock if ahead is not None else lambda: 0.0
    drafter = Drafter(PromptLookup(1000), ahead, clock=clock, **limits)
    for tokens in (1, 2, 10):
        drafter.measured(tokens, 0.010)
    return drafter


def _writer(tokens: list[int], sequence: int = 0, most: int = 100, name: str = "") -> Writer:
    return Writer(sequence, name or f"request {sequence}", tokens[:-1], tokens[-1], most)


def test_what_was_said_before_is_looked_up() -> None:
    (found,) = _drafter().propose([_writer(COPIED)], 50, plain=1, reading=False)
    assert list(found) == [20, 21, 22, 23, 24, 25, 26, 27]


def test_where_nothing_is_known_nothing_is_guessed() -> None:
    assert _drafter().propose([_writer(NEW)], 50, plain=1, reading=False) == [()]


def test_what_cannot_be_looked_up_is_guessed_ahead() -> None:
    ahead = _Ahead()
    first, second = _drafter(ahead).propose(
        [_writer(COPIED), _writer(NEW, 1)], 50, plain=2, reading=False
    )
    assert list(first)[:2] == [20, 21]
    assert set(second) == {7}
    assert [sequence for sequence, _ in ahead.asked] == [1]


def test_the_limits_hold() -> None:
    ahead = _Ahead()
    for room, limit, each in ((3, 8, 8), (50, 2, 2), (50, 8, 1)):
        drafter = _drafter(ahead, limit=limit, sequence_limit=each)
        writers = [_writer(COPIED), _writer(NEW, 1)]
        found = drafter.propose(writers, room, plain=2, reading=True)
        assert 0 < sum(map(len, found)) <= min(room, limit)
        assert max(map(len, found)) <= each


def test_an_answer_that_must_end_is_not_guessed_beyond_its_end() -> None:
    found = _drafter().propose([_writer(COPIED, most=2)], 50, plain=1, reading=True)
    assert list(found[0]) == [20, 21]


def test_verdicts_reach_who_guessed() -> None:
    ahead = _Ahead()
    drafter = _drafter(ahead)
    drafter.propose([_writer(COPIED), _writer(NEW, 1)], 50, plain=2, reading=False)
    drafter.judged(0, 3, 3)
    drafter.judged(1, 2, 1)
    assert ahead.verdicts == [(1, 2, 1)]


def test_who_guesses_badly_is_asked_no_more() -> None:
    ahead = _Ahead(seconds=0.004)
    drafter = _drafter(ahead)
    text = list(NEW)
    asked = []
    for step in range(200):
        before = len(ahead.asked)
        (found,) = drafter.propose([_writer(text)], 50, plain=1, reading=False)
        asked.append(len(ahead.asked) > before)
        drafter.measured(1 + len(found), 0.010 + 0.001 * len(found))
        if found:
            drafter.judged(0, len(found), 0)
        text.append(200 + step)
    assert asked[1]
    assert sum(asked[100:]) <= 4


def test_another_answer_in_a_sequence_begins_anew() -> None:
    ahead = _Ahead()
    drafter = _drafter(ahead)
    drafter.propose([_writer(NEW, name="first")], 50, plain=1, reading=False)
    drafter.propose([_writer([*NEW, 3], name="first")], 50, plain=1, reading=False)
    assert ahead.begun == [0]
    drafter.propose([_writer(NEW, name="second")], 50, plain=1, reading=False)
    assert ahead.begun == [0, 0]


def test_who_follows_hears_of_every_step() -> None:
    ahead = _Ahead()
    drafter = _drafter(ahead)
    assert drafter.follows
    drafter.decoded([Read(0, [1, 2], 0, 0)])
    assert ahead.parts == 1
    assert not _drafter().follows


def test_closing_closes_who_guesses() -> None:
    ahead = _Ahead()
    _drafter(ahead).close()
    assert ahead.closed
