"""Whether the line is paid by volume: asked seldom, never waited for, unknown where nobody says."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from desktop.hub import metered, metered_windows
from desktop.hub.metered import MeteredWatch


@pytest.mark.parametrize(
    ("said", "expected"),
    [("u 1\n", True), ("u 3\n", True), ("u 2\n", False), ("u 4", False), ("u 0", None), ("", None)],
)
def test_network_manager(said: str, expected: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 0, said)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(subprocess, "run", run)
    assert metered.is_metered() is expected


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("busctl", 2)])
def test_nobody_to_ask(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(subprocess, "run", run)
    assert metered.is_metered() is None


def test_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert metered.is_metered() is None
    assert metered_windows.is_metered() in (None, True, False)


def test_asked_seldom_and_in_its_own_thread() -> None:
    answers = [True, False]
    asked: list[str] = []
    done = threading.Event()
    now = [0.0]

    def ask() -> bool:
        asked.append(threading.current_thread().name)
        if len(asked) == 2:
            done.set()
        return answers[len(asked) - 1]

    watch = MeteredWatch(ask, lambda: now[0])
    assert watch()
    now[0] = 9.0
    assert watch()
    assert len(asked) == 1
    now[0] = 11.0
    watch()
    assert done.wait(10)
    assert asked[1] == "metered"
    while watch():  # the thread sets it right after
        pass
    assert len(asked) == 2
