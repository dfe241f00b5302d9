"""Predictions against what a real machine did: its kernels and a dozen models, recorded once.

The record is made by `tests/benchmarks/speed_prediction.py --record`; nothing is measured here.
"""

from __future__ import annotations

import json
import statistics
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from desktop.fit.memory import Footprint
from desktop.fit.speed import SpeedModel
from desktop.fit.types import Speed
from desktop.hardware.machine import Machine, machine_from_json
from tests.benchmarks.speed_models import CASES, Case, header_of
from tests.benchmarks.speed_prediction import plan_with

RECORD = Path(__file__).parent / "data" / "speeds.json"


@cache
def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORD.read_text())
    return found


def predicted(case: Case, machine: Machine) -> Speed:
    threads = machine.speeds[0].threads if machine.speeds else 1
    footprint = Footprint(header_of(case))
    return SpeedModel(footprint, machine).predict(plan_with(threads, "f16"), (), {})


def errors(machine: Machine) -> list[tuple[float, float]]:
    """Predicted over measured less one, prompt and generation."""
    found = []
    for case in CASES:
        measured = record()["measured"].get(f"{case.name} {case.mix}")
        if measured is None:
            continue
        speed = predicted(case, machine)
        assert speed.prompt_tokens_per_s
        assert speed.tokens_per_s
        prompt, generation = measured
        found.append((speed.prompt_tokens_per_s / prompt - 1, speed.tokens_per_s / generation - 1))
    return found


@pytest.mark.parametrize("place", [0, 1], ids=["prompt", "generation"])
def test_within_a_fifth(place: int) -> None:
    found = [abs(pair[place]) for pair in errors(machine_from_json(record()["machine"]))]
    assert len(found) >= 8
    assert statistics.median(found) <= 0.2
    assert sum(error <= 0.2 for error in found) >= 0.75 * len(found)
    assert max(found) <= 0.6


@pytest.mark.parametrize("place", [0, 1], ids=["prompt", "generation"])
def test_where_nothing_was_measured_the_tables_are_of_the_right_size(place: int) -> None:
    described = record()["machine"]
    machine = machine_from_json({**described, "speeds": []})
    found = [abs(pair[place]) for pair in errors(machine)]
    assert statistics.median(found) <= 0.4
