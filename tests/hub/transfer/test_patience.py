"""How long is waited for what, with a clock that only this test moves."""

from __future__ import annotations

import pytest

from desktop.common.errors import HubError, NetworkError, StorageError
from desktop.hub.transfer.patience import PATIENCE_S, Patience

CUT = NetworkError("connection_cut", host="h")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def waits(patience: Patience, clock: Clock, error: NetworkError) -> list[float]:
    """The pauses until it is given up; each is waited for."""
    pauses: list[float] = []
    while (pause_s := patience.pause_s(error, len(pauses) + 1)) is not None:
        pauses.append(pause_s)
        clock.now += max(pause_s, 0.1)
    return pauses


def test_at_once_then_ever_later_and_never_for_good() -> None:
    clock = Clock()
    pauses = waits(Patience(clock=clock), clock, CUT)
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert PATIENCE_S <= clock.now <= PATIENCE_S + 3


def test_progress_begins_anew() -> None:
    clock = Clock()
    patience = Patience(clock=clock)
    clock.now = PATIENCE_S + 1
    assert patience.pause_s(CUT, 1) is None
    patience.progressed()
    assert patience.pause_s(CUT, 1) == 0


def test_a_break_that_the_hub_asks_for_is_kept() -> None:
    clock = Clock()
    patience = Patience(clock=clock)
    busy = HubError("hub_busy", wait_s=60.0)
    assert patience.pause_s(busy, 1) == 60
    clock.now = 60
    assert patience.pause_s(CUT, 1) is not None  # and there is patience left after it


def test_an_hour_is_not_waited_for() -> None:
    clock = Clock()
    pauses = waits(Patience(clock=clock), clock, HubError("hub_busy", wait_s=3600.0))
    assert 1 <= len(pauses) <= 6
    assert clock.now < 30


def test_short_breaks_for_good_end_too() -> None:
    clock = Clock()
    waits(Patience(clock=clock), clock, HubError("hub_busy", wait_s=1.0))
    assert clock.now < 30


@pytest.mark.parametrize(
    "error",
    [
        HubError("hub_gated", repo="r"),
        HubError("hub_changed", repo="r", file="f"),
        NetworkError("offline_setting"),
        NetworkError("tls_untrusted", host="h"),
        StorageError("disk_full", path="p"),
    ],
    ids=lambda error: error.kind,
)
def test_some_things_do_not_pass(error: NetworkError) -> None:
    assert Patience().pause_s(error, 1) is None
