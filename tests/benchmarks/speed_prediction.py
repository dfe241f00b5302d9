"""Predicted against measured speed of random models in real shapes and quantizations.

`python tests/benchmarks/speed_prediction.py [--threads N] [--only TEXT]` measures this machine's
kernels as the app does, then each model: reading 512 tokens (pp) and generating behind them (tg).
Prints a table on standard error and one JSON line. The best of several rounds counts on both
sides; `--each` measures the kernels anew before every model, and on a busy machine
`--processor-time` counts one thread's own time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.engine.batch import Batch
from desktop.engine.kernels import CPU, MEASURING_S, measure_kernels
from desktop.engine.model import Context, Model
from desktop.fit.candidates import automatic_threads
from desktop.fit.memory import Footprint
from desktop.fit.speed import TYPICAL_TOKENS, SpeedModel
from desktop.fit.types import Plan, Speed
from desktop.gguf.reader import read_header
from desktop.hardware.detect import detect
from desktop.hardware.machine import Machine
from desktop.hardware.speeds import DeviceSpeed
from desktop.services.machine_speed import better
from tests.benchmarks.speed_models import CASES, Case, written

Clock = Callable[[], float]

_GENERATED = 12
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    measured: Speed
    predicted: Speed
    without: Speed

    @property
    def errors(self) -> tuple[float, float]:
        """Predicted over measured, less one: prompt, generation."""
        return _error(self.predicted, self.measured)


def _error(predicted: Speed, measured: Speed) -> tuple[float, float]:
    pairs = (
        (predicted.prompt_tokens_per_s, measured.prompt_tokens_per_s),
        (predicted.tokens_per_s, measured.tokens_per_s),
    )
    prompt, generation = (float(one or 0) / float(other or 1) - 1 for one, other in pairs)
    return prompt, generation


def plan_with(threads: int, kv_type: str) -> Plan:
    return Plan.from_json(
        {
            "gpu_layers": 0,
            "context": 2048,
            "kv_type": kv_type,
            "parallel": 1,
            "flash_attention": True,
            "expert_layers_on_cpu": 0,
            "ubatch": 512,
            "threads": threads,
            "use_mmap": False,
        }
    )


def measured_speed(path: Path, plan: Plan, clock: Clock) -> Speed:
    with Model(path, plan) as model, model.open_context(plan) as context:
        batch = Batch(model.llama.lib, TYPICAL_TOKENS)
        prompts = [_read_s(model, context, batch, clock) for _ in range(4)][1:]
        generated = [_write_s(model, context, batch, clock) for _ in range(_ROUNDS + 1)][1:]
    return Speed(TYPICAL_TOKENS / min(prompts), _GENERATED / min(generated), "measured")


def _read_s(model: Model, context: Context, batch: Batch, clock: Clock) -> float:
    lib = model.llama.lib
    lib.llama_memory_clear(context.memory, True)  # noqa: FBT003
    batch.clear()
    batch.add([(n * 37 + 11) % 5000 for n in range(TYPICAL_TOKENS)], 0, 0, output=True)
    return _timed(lambda: _decode(model, context, batch), clock)


def _write_s(model: Model, context: Context, batch: Batch, clock: Clock) -> float:
    lib = model.llama.lib
    lib.llama_memory_seq_rm(context.memory, 0, TYPICAL_TOKENS, -1)

    def write() -> None:
        for place in range(_GENERATED):
            batch.clear()
            batch.add_one((place * 71) % 5000, TYPICAL_TOKENS + place, 0)
            _decode(model, context, batch)

    return _timed(write, clock)


def _decode(model: Model, context: Context, batch: Batch) -> None:
    code = model.llama.lib.llama_decode(context.handle, batch.seal())
    if code != 0:
        raise RuntimeError(f"llama_decode: {code}")
    model.llama.lib.llama_get_logits_ith(context.handle, -1)


def _timed(work: Callable[[], None], clock: Clock) -> float:
    started_s = clock()
    work()
    return clock() - started_s


def measured_kernels(machine: Machine, threads: int, *, in_own_time: bool) -> DeviceSpeed:
    """The best of three measurements, as the app keeps it over days."""
    best: DeviceSpeed | None = None
    for _ in range(3):
        started_s = time.perf_counter()
        (found,) = measure_kernels(
            threads,
            30.0,
            (CPU,),
            cache_bytes=machine.cpu.l3_bytes,
            in_processor_time=in_own_time,
            seconds=10.0 if in_own_time else MEASURING_S,
        )
        taken_s = time.perf_counter() - started_s
        kinds = len(found.kernels)
        print(f"{kinds} kernels in {taken_s:.2f} s, steady: {found.steady}", file=sys.stderr)
        best = better(best, found)
    assert best is not None
    return best


def look_at(case: Case, machine: Machine, plan: Plan, clock: Clock) -> Row:
    path = written(case)
    footprint = Footprint(read_header(path))
    bare = Machine(machine.memory, machine.cpu)
    return Row(
        f"{case.name} {case.mix}",
        measured_speed(path, plan, clock),
        SpeedModel(footprint, machine).predict(plan, (), {}),
        SpeedModel(footprint, bare).predict(plan, (), {}),
    )


def recorded(machine: Machine, speed: DeviceSpeed, rows: Sequence[Row]) -> dict[str, object]:
    """What a test needs to predict the same models again."""
    return {
        "machine": Machine(machine.memory, machine.cpu, speeds=(speed,)).to_json(),
        "measured": {
            row.name: [row.measured.prompt_tokens_per_s, row.measured.tokens_per_s] for row in rows
        },
    }


def summary(rows: Sequence[Row]) -> dict[str, object]:
    def median(errors: Sequence[tuple[float, float]], place: int) -> float:
        return round(statistics.median(abs(pair[place]) for pair in errors), 3)

    errors = [row.errors for row in rows]
    tables = [_error(row.without, row.measured) for row in rows]
    return {
        "models": len(rows),
        "prompt_median_error": median(errors, 0),
        "generation_median_error": median(errors, 1),
        "prompt_worst_error": round(max(abs(pair[0]) for pair in errors), 3),
        "generation_worst_error": round(max(abs(pair[1]) for pair in errors), 3),
        "by_tables_prompt_median_error": median(tables, 0),
        "by_tables_generation_median_error": median(tables, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--kv-type", default="f16")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--record", type=Path, help="for tests/fit/data/speeds.json")
    options = parser.parse_args(arguments)
    machine = detect(disk_path=Path(os.curdir))
    threads = options.threads or automatic_threads(machine.cpu)
    clock: Clock = time.perf_counter
    if options.processor_time:
        threads, clock = 1, time.process_time
    plan = plan_with(threads, options.kv_type)
    rows: list[Row] = []
    speeds: tuple[DeviceSpeed, ...] = ()
    cases = [case for case in CASES if options.only in f"{case.name} {case.mix}"]
    for case in cases:
        if options.each or not speeds:
            speeds = (measured_kernels(machine, threads, in_own_time=options.processor_time),)
        row = look_at(case, Machine(machine.memory, machine.cpu, speeds=speeds), plan, clock)
        rows.append(row)
        if options.record:
            options.record.write_text(json.dumps(recorded(machine, speeds[0], rows), indent=1))
        prompt, generation = row.errors
        print(
            f"{row.name:26} pp {row.measured.prompt_tokens_per_s:7.1f}"
            f" predicted {row.predicted.prompt_tokens_per_s:7.1f} ({prompt:+.0%})"
            f"   tg {row.measured.tokens_per_s:6.1f}"
            f" predicted {row.predicted.tokens_per_s:6.1f} ({generation:+.0%})"
            f"   by tables {row.without.prompt_tokens_per_s:.0f} {row.without.tokens_per_s:.1f}",
            file=sys.stderr,
        )
    print(json.dumps(summary(rows)))


if __name__ == "__main__":
    main()
