"""What other programs take of the processor while one measures."""

from __future__ import annotations

import os
import time

import psutil
import pytest

from desktop.engine.others_load import OthersLoad


class _Times(tuple[float, ...]):
    """psutil's times: user, system, idle."""

    @property
    def idle(self) -> float:
        return self[2]


@pytest.mark.parametrize(
    ("busy_s", "own_s", "share"), [(4.0, 4.0, 0.0), (8.0, 4.0, 0.5), (2.0, 4.0, 0.0)]
)
def test_only_what_others_do_counts(
    monkeypatch: pytest.MonkeyPatch, busy_s: float, own_s: float, share: float
) -> None:
    clock, busy, own = 0.0, 0.0, 0.0
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(psutil, "cpu_times", lambda: _Times((busy, 0.0, 100.0)))
    monkeypatch.setattr(time, "process_time", lambda: own)
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    load = OthersLoad()
    clock, busy, own = 4.0, busy_s, own_s
    assert load.share() == pytest.approx(share)


def test_on_this_machine_it_is_a_share() -> None:
    load = OthersLoad()
    sum(number * number for number in range(200_000))
    assert 0.0 <= load.share() <= 1.0


def test_where_the_system_does_not_tell_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sandbox without /proc ended the trial."""

    def closed() -> _Times:
        raise FileNotFoundError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", closed)
    assert OthersLoad().share() == 0.0
