"""How long `hausgeist fit FILE` takes, from the shell's Enter to the prompt being back.

Models with the shapes and vocabularies of real ones, their weights holes, and the guide. Prints
one JSON line: seconds of whole processes, and processor time (its children's too), which says
more on a busy machine.

    python tests/benchmarks/fit_local.py [--repeat 7]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.remote_fit import CASES, files_of  # noqa: E402

LIMIT_S = 0.6


def once(model: str, env: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "desktop", "fit", model, "--json"]
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    seconds, after = time.perf_counter() - started, os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    return {"seconds": seconds, "cpu_s": spent, "method": json.loads(done.stdout)["method"]}


def measured(name: str, model: str, repeat: int, env: dict[str, str]) -> dict[str, Any]:
    once(model, env)  # caches of the disk and of the app
    runs = [once(model, env) for _ in range(repeat)]
    seconds = statistics.median(run["seconds"] for run in runs)
    return {
        "model": name,
        "seconds": round(seconds, 3),
        "best_s": round(min(run["seconds"] for run in runs), 3),
        "cpu_s": round(statistics.median(run["cpu_s"] for run in runs), 3),
        "method": runs[-1]["method"],
        "ok": seconds <= LIMIT_S,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=7)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"HAUSGEIST_HOME": str(Path(folder) / "home")}
        found = [measured("guide", "guide", repeat, env)]
        for case in CASES:
            paths = []
            for name, content in files_of(case).items():
                path = Path(folder) / name
                path.write_bytes(content.head)
                os.truncate(path, content.size)
                paths.append(path)
            found.append(measured(case.name, str(paths[0]), repeat, env))
            for path in paths:
                path.unlink()
    print(json.dumps({"limit_s": LIMIT_S, "models": found, "ok": all(one["ok"] for one in found)}))


if __name__ == "__main__":
    main()
