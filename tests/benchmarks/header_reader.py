"""How long and how much memory the header of a model with a 128k vocabulary takes.

Writes a model of Llama 3.1 8B's shape with its tokenizer's sizes: 128,256 tokens, 280,147 merges,
scores and types. Each figure comes from a process of its own, so that peaks are peaks.

    python tests/benchmarks/header_reader.py [--repeat 7]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.gguf_files import F32, I32, STRING, Array, LlamaShape, write_gguf  # noqa: E402

VOCABULARY = 128_256
MERGES = 280_147
LIMIT_MS, LIMIT_BYTES = 80.0, 30_000_000

_CHILD = """
import json, sys, time
import psutil
sys.path.insert(0, sys.argv[1])
from desktop.gguf.reader import read_header
process = psutil.Process()
before = process.memory_info().rss
peak_before = getattr(process.memory_info(), "peak_wset", 0)
if sys.platform != "win32":
    import resource
    unit = 1 if sys.platform == "darwin" else 1024
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
begin, begin_cpu = time.perf_counter(), time.process_time()
header = read_header(sys.argv[2], allow_missing_data=True)
seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
after = process.memory_info().rss
if sys.platform == "win32":
    peak = process.memory_info().peak_wset
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
assert header.vocab_size == 128_256
print(json.dumps([seconds * 1000, cpu * 1000, after - before, peak - peak_before]))
"""


def write_model(path: Path) -> None:
    choose = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyzäöüß "
    tokens = [
        "".join(choose.choices(letters, k=max(1, round(choose.gauss(7, 3)))))
        for _ in range(VOCABULARY)
    ]
    merges = [f"{choose.choice(tokens)} {choose.choice(tokens)}" for _ in range(MERGES)]
    shape = LlamaShape(32, 4096, 32, 8, 14_336, vocab=1)
    tokenizer = {
        "tokenizer.ggml.tokens": Array(STRING, tokens),
        "tokenizer.ggml.merges": Array(STRING, merges),
        "tokenizer.ggml.token_type": Array(I32, [1] * VOCABULARY),
        "tokenizer.ggml.scores": Array(F32, [0.0] * VOCABULARY),
    }
    write_gguf(path, shape.metadata() | tokenizer, shape.tensors(), with_data=False)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.write is not None:
        write_model(given.write)
        return
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.gguf"
        # In a process of its own: a child's peak on Linux begins at its parent's size.
        subprocess.run([sys.executable, __file__, "--write", str(model)], check=True)
        command = [sys.executable, "-c", _CHILD, str(ROOT), str(model)]
        runs = [
            json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            for _ in range(given.repeat)
        ]
    milliseconds, cpu, growth, peak = zip(*runs, strict=True)
    figures = {
        "vocabulary": VOCABULARY,
        "merges": MERGES,
        "median_ms": round(statistics.median(milliseconds), 1),
        "median_cpu_ms": round(statistics.median(cpu), 1),
        "worst_ms": round(max(milliseconds), 1),
        "rss_growth_bytes": max(growth),
        "peak_growth_bytes": max(peak),
        "limit_ms": LIMIT_MS,
        "limit_bytes": LIMIT_BYTES,
        "ok": statistics.median(milliseconds) <= LIMIT_MS and max(peak) <= LIMIT_BYTES,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
