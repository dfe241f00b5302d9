"""How the tests are started."""

from __future__ import annotations

import os

import pytest
from bootstrap_steps import commands


@pytest.mark.parametrize(("cores", "count"), [(1, "1"), (2, "2"), (64, "4"), (None, "1")])
def test_as_many_workers_as_cores(
    cores: int | None, count: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert commands.workers(["tests/engine"]) == ["-n", count, "--dist", "worksteal"]


@pytest.mark.parametrize("given", ["-n0", "-n", "--numprocesses=3", "-p"])
def test_whoever_says_how_many_gets_that(given: str) -> None:
    assert commands.workers([given]) == []
