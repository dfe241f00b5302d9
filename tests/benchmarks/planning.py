"""How long one plan takes, by kind of model and machine; prints one JSON line.

`warm_ms`: the header has been planned before (another machine, another wish); `cold_ms`: never;
`advised_ms`: with the alternatives. Processor time, the best of several.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.fit.planner import plan
from desktop.fit.types import Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from tests.fit.architectures import MODELS
from tests.fit.machines import desktop, laptop, unified

_REPEATS = 15
_MACHINES = {
    "laptop": laptop(),
    "laptop_too_small": laptop(4, 2),
    "card_12_gb": desktop(12),
    "card_6_gb": desktop(6),
    "card_4_gb": desktop(4),
    "two_cards_4_gb": desktop(4, 4),
    "mac_16_gb": unified(),
}
_MODELS = ("llama", "qwen3", "qwen3moe", "gemma3", "deepseek2", "gpt-oss")


def _best_ms(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return round(best * 1000, 2)


def _times(header: ModelHeader) -> dict[str, dict[str, float]]:
    times = {}
    for name, machine in _MACHINES.items():
        plan(machine, header, Wish())
        times[name] = {
            "warm_ms": _best_ms(lambda m=machine: plan(m, header, Wish(), advise=False)),  # type: ignore[misc]
            # A copy is another header to every cache.
            "cold_ms": _best_ms(lambda m=machine: plan(m, replace(header), Wish(), advise=False)),  # type: ignore[misc]
            "advised_ms": _best_ms(lambda m=machine: plan(m, header, Wish())),  # type: ignore[misc]
        }
    return times


def main() -> None:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in _MODELS:
            path = MODELS[name]().write(Path(folder) / f"{name}.gguf", with_data=False)
            header = replace(read_header(path, allow_missing_data=True), complete=True)
            found[name] = _times(header)
    warm = [row["warm_ms"] for rows in found.values() for row in rows.values()]
    cold = [row["cold_ms"] for rows in found.values() for row in rows.values()]
    summary = {"warm_mean_ms": sum(warm) / len(warm), "cold_mean_ms": sum(cold) / len(cold)}
    summary |= {"warm_worst_ms": max(warm), "cold_worst_ms": max(cold)}
    rounded = {name: round(value, 2) for name, value in summary.items()}
    print(json.dumps({"benchmark": "planning", **rounded, "models": found}))


if __name__ == "__main__":
    main()
