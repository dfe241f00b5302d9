"""What the history teaches: predicted against actual before and after it, on real loads.

`python tests/benchmarks/learning.py [--models 8] [--rounds 1]` prints one JSON line. Random models
of real shapes are opened by the app's own opener in a fresh home, answer once, and are closed;
each is predicted with what the ones before it have taught, and without.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Wish
from desktop.services.fit_model import fit
from desktop.services.history_summary import compared
from desktop.services.open_model import ModelOpener
from desktop.services.probe_memory import ProbeMemory
from desktop.services.recording import Recorder
from desktop.services.wiring import Services, build
from tests.benchmarks.speed_models import CASES, Case, written

GREEDY = Sampling(temperature=0.0)
WISH = Wish(context=4096)
_LARGE = ("llama-1b", "moe-32x8", "gemma")  # minutes each on two busy cores


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hausgeist-learning-") as home:
        os.environ["HAUSGEIST_HOME"] = home
        services = build({"HAUSGEIST_HOME": home, "HAUSGEIST_OFFLINE": "1"})
        try:
            cases = [case for case in CASES if not case.name.startswith(_LARGE)][: given.models]
            rows = [_row(services, case) for _ in range(given.rounds) for case in cases]
            print(json.dumps({**_summary(rows), **_costs(services), "rows": rows}))
        finally:
            services.close()


def _row(services: Services, case: Case) -> dict[str, Any]:
    path = written(case)
    machine = services.machine_service.machine()
    learned = services.history.corrections(machine)
    raw = fit(path, machine, WISH, try_out=False).speed
    told = fit(path, machine, WISH, try_out=False, corrections=learned).speed
    opened = _opener(services).open(str(path), WISH)
    for number in range(2):
        text = f"{number} " + "one two three four " * 15
        request = Request(str(number), text, 32, sampling=GREEDY, ignore_eos=True)
        opened.engine.submit(request).collect(120.0)
    opened.engine.close()
    figures = compared(services.history.sessions()[-1])
    row = {
        "model": f"{case.name} {case.mix}",
        "memory_predicted_bytes": figures.memory.predicted,
        "memory_error": _rounded(figures.memory.error),
        "grown_beyond_bytes": _beyond(figures.devices[0].peak_bytes, figures.memory.predicted),
        "tokens_per_s": _rounded(figures.generation.actual),
        "told_at_opening": _rounded(figures.generation.predicted),
        "raw_error": _error(raw.tokens_per_s, figures.generation.actual),
        "learned_error": _error(told.tokens_per_s, figures.generation.actual),
        "raw_prompt_error": _error(raw.prompt_tokens_per_s, figures.prompt.actual),
        "learned_prompt_error": _error(told.prompt_tokens_per_s, figures.prompt.actual),
    }
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def _opener(services: Services) -> ModelOpener:
    """The app's, without tuning: here the predictions are what is looked at."""
    return ModelOpener(
        services.library,
        services.machine_service,
        services.crash_marker,
        ProbeMemory(services.paths.cache_dir / "probed.json"),
        Recorder(services.history, services.held),
    )


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The first model has nothing to learn from, so it is left out of both medians."""
    keys = ("raw_error", "learned_error", "raw_prompt_error", "learned_prompt_error")
    found: dict[str, Any] = {
        f"median_{key}": _rounded(
            statistics.median(abs(row[key]) for row in rows[1:] if row[key] is not None)
        )
        for key in keys
    }
    errors = [abs(row["memory_error"]) for row in rows if row["memory_error"] is not None]
    found["median_memory_error"] = _rounded(statistics.median(errors))
    found["worst_memory_error"] = _rounded(max(errors))
    return found


def _costs(services: Services) -> dict[str, float]:
    """What writing a record and asking for corrections take, in milliseconds."""
    record = services.history.entries()[-1]
    started = time.perf_counter()
    for _ in range(100):
        services.history.add(record)
    added = time.perf_counter() - started
    machine = services.machine_service.machine()
    started = time.perf_counter()
    services.history.corrections(machine)
    return {
        "add_ms": round(added * 10, 3),
        "corrections_ms": round((time.perf_counter() - started) * 1000, 3),
    }


def _error(predicted: float | None, actual: float | None) -> float | None:
    return _rounded(predicted / actual - 1) if predicted and actual else None


def _beyond(peak_bytes: int | None, predicted: float | None) -> float | None:
    return None if peak_bytes is None or predicted is None else peak_bytes - predicted


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main(sys.argv[1:])
