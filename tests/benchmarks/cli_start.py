"""How soon the command line answers: `python tests/benchmarks/cli_start.py [REPEATS]`.

Prints one JSON line: medians of wall and CPU seconds of whole processes. `run_guide` is one answer
of the built-in model from the shell's Enter to the prompt being back.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = {
    "help": ["--help"],
    "version": ["--version"],
    "list": ["list", "--json"],
    "fit_guide": ["fit", "guide", "--json"],
    "run_guide": ["run", "guide", "-p", "Was ist ein Modell?", "--seed", "1", "--json"],
}


def seconds(arguments: list[str], env: dict[str, str]) -> tuple[float, float]:
    before = time.perf_counter(), sum(os.times()[2:4])
    subprocess.run(
        [sys.executable, "-m", "desktop", *arguments],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - before[0], sum(os.times()[2:4]) - before[1]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {"HAUSGEIST_HOME": home}
        for name, arguments in COMMANDS.items():
            seconds(arguments, env)  # caches of the disk and of the app
            taken = [seconds(arguments, env) for _ in range(repeats)]
            figures[f"{name}_s"] = round(statistics.median(wall for wall, _ in taken), 3)
            figures[f"{name}_cpu_s"] = round(statistics.median(cpu for _, cpu in taken), 3)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
