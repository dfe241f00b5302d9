"""How far memory from a header is off llama.cpp's own figures, by architecture and component.

    python tests/benchmarks/memory_error.py            against the recorded dry runs
    python tests/benchmarks/memory_error.py --table    a line for each architecture besides
    python tests/benchmarks/memory_error.py --record   ask the installed llama.cpp anew first

Prints one JSON line. Errors are in per cent of the whole; negative is too little.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.engine.dry_run import DryRun, DryRuns
from desktop.fit.compute import estimated_compute
from desktop.fit.memory import Footprint
from desktop.fit.overheads import output_bytes
from desktop.fit.repack import rearranged_types
from desktop.fit.rule_of_thumb import rule_of_thumb_bytes
from desktop.hardware.cpu import complete
from desktop.hardware.machine import Cpu
from tests.fit.real_shapes import DATA, Run, Shape, features, made_up_shapes, shapes

EVERY = json.loads((DATA.parent / "every_architecture.json").read_text("utf-8"))
NOT_BY_ITSELF = {
    "clip": "a vision part: libmtmd says what it takes",
    "dflash": "drafts inside another model's context",
    "eagle3": "drafts inside another model's context",
    "gemma4-assistant": "drafts inside another model's context",
    "gptj": "named, but this llama.cpp has no graph for it",
    "graniteswitch": "formula from its source, no model at hand to hold it against",
    "plm": "formula as DeepSeek's, its tiny model does not open",
    "pockettts": "speech, opened by nothing here",
    "rwkv6qwen2": "formula as RWKV 6, its tiny model does not open",
}
"""Architectures without a recorded context, and why."""
HALF_GIB = 1 << 29


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--table", action="store_true")
    options.add_argument("--record", action="store_true")
    given = options.parse_args()
    if given.record:
        _record()
    errors = [error for shape in shapes().values() for error in _errors(shape)]
    if given.table:
        _print_table(errors)
    document = {
        "shapes": len(shapes()),
        "architectures_with_real_shapes": len({shape.architecture for shape in shapes().values()}),
        "architectures_with_context_to_the_byte": len(EVERY["architectures"]),
        "architectures_without": NOT_BY_ITSELF,
        "runs": len(errors),
        "percent": _percent(errors),
        "made_up_shapes": len(made_up_shapes()),
        "percent_of_made_up_shapes": _percent(
            [error for shape in made_up_shapes().values() for error in _errors(shape)]
        ),
    }
    print(json.dumps(document))


def _percent(errors: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: _summary([error[name] for error in errors])
        for name in ("weights", "context", "compute", "total", "rule_of_thumb", "file_plain_kv")
    }


def _errors(shape: Shape) -> list[dict[str, Any]]:
    header = shape.header()
    footprint = Footprint(header, rearranged_types(features()))
    found = []
    for run in shape.runs:
        guessed = _guessed(footprint, run)
        output = output_bytes(header, run.plan)
        truth = [sum(side[part] for side in run.sides.values()) for part in range(3)]
        whole = sum(truth) + output
        plain = header.file_bytes + _plain_context(footprint, run) + HALF_GIB
        found.append(
            {
                "architecture": shape.architecture,
                "weights": 100 * (guessed[0] - truth[0]) / whole,
                "context": 100 * (guessed[1] - truth[1]) / whole,
                "compute": 100 * (guessed[2] - truth[2]) / whole,
                "total": 100 * (sum(guessed) - sum(truth)) / whole,
                "rule_of_thumb": 100 * (rule_of_thumb_bytes(header) / whole - 1),
                "file_plain_kv": 100 * (plain / whole - 1),
            }
        )
    return found


def _guessed(footprint: Footprint, run: Run) -> list[int]:
    plan = run.plan
    placed = footprint.place(plan, run.shares).values()
    devices = tuple(share.device for share in run.shares)
    return [
        sum(part.weights_bytes for part in placed),
        sum(part.context_bytes for part in placed),
        sum(estimated_compute(footprint, plan, devices).values()),
    ]


def _plain_context(footprint: Footprint, run: Run) -> int:
    """Every layer with all its heads over the whole context, f16: what many tools add."""
    header = footprint.header
    heads = header.head_count or 1
    head = header.arch_integer("attention.key_length") or header.embedding_length // heads
    return 2 * 2 * header.block_count * run.plan.context * head * header.head_count_kv


def _summary(percents: list[float]) -> dict[str, float]:
    sizes = sorted(abs(percent) for percent in percents)
    return {
        "median": round(statistics.median(sizes), 3),
        "worst": round(sizes[-1], 2),
        "lowest": round(min(percents), 2),
        "highest": round(max(percents), 2),
    }


def _print_table(errors: list[dict[str, Any]]) -> None:
    by_architecture: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for error in errors:
        by_architecture[error["architecture"]].append(error)
    print(
        f"{'architecture':18}{'runs':>5}{'weights':>9}{'context':>9}{'compute':>9}"
        f"{'total: median':>15}{'lowest':>8}{'highest':>8}{'rule of thumb':>15}",
        file=sys.stderr,
    )
    for name, rows in sorted(by_architecture.items()):
        worst = {
            part: max((row[part] for row in rows), key=abs)
            for part in ("weights", "context", "compute")
        }
        totals = [row["total"] for row in rows]
        rule = statistics.median(row["rule_of_thumb"] for row in rows)
        print(
            f"{name:18}{len(rows):5}{worst['weights']:9.3f}{worst['context']:9.3f}"
            f"{worst['compute']:9.2f}{statistics.median(map(abs, totals)):15.3f}"
            f"{min(totals):8.2f}{max(totals):8.2f}{rule:15.1f}",
            file=sys.stderr,
        )


def _record() -> None:
    """Write what the installed llama.cpp says now of the processor's runs into the data.

    Runs with layers elsewhere are kept as they are: they need a second device.
    """
    document = json.loads(DATA.read_text("utf-8"))
    document["features"] = sorted(set(complete(Cpu()).features) & {"avx2", "avx512f"})
    with tempfile.TemporaryDirectory() as folder, DryRuns(timeout_s=120) as ask:
        for name, shape in shapes().items():
            path = shape.write(Path(folder) / "m.gguf")
            for run, written in zip(shape.runs, document["models"][name]["runs"], strict=True):
                if not run.plan.gpu_layers:
                    written["cpu"] = _sums(ask(path, run.plan))
            path.unlink()
    DATA.write_text(_written(document), "utf-8")
    shapes.cache_clear()
    features.cache_clear()


def _sums(found: DryRun) -> list[int]:
    devices = found.devices.values()
    return [
        sum(buffers.weights_bytes or 0 for buffers in devices),
        sum(buffers.context_bytes or 0 for buffers in devices),
        sum(buffers.compute_bytes for buffers in devices),
    ]


def _written(document: dict[str, Any]) -> str:
    """A tensor and a run a line, so that changes can be read."""
    models = []
    for name, model in document["models"].items():
        lists = {key: model[key] for key in ("tensors", "runs")}
        rest = {key: value for key, value in model.items() if key not in lists}
        lines = ",\n".join(
            f'"{key}": [\n' + ",\n".join(map(json.dumps, items)) + "]"
            for key, items in lists.items()
        )
        models.append(f"{json.dumps(name)}: {json.dumps(rest)[:-1]},\n{lines}}}")
    head = ",\n".join(f'"{key}": {json.dumps(document[key])}' for key in ("source", "features"))
    return "{" + head + ',\n"models": {\n' + ",\n".join(models) + "\n}}\n"


if __name__ == "__main__":
    main()
