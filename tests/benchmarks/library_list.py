"""How fast the library opens, lists, finds and takes in; prints one JSON line (milliseconds)."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.library.library import Library
from tests.gguf_files import LlamaShape

MODELS = 200


def median_ms(work: Callable[[], object], repeat: int = 11) -> float:
    taken: list[float] = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 2)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        guide = LlamaShape().write(folder / "guide.gguf")
        paths = [
            LlamaShape(vocab=300 + number).write(folder / f"m{number}.gguf")
            for number in range(MODELS)
        ]
        library = Library.open(folder / "library.db", guide)
        started = time.perf_counter()
        for path in paths:
            library.add(path)
        add_ms = (time.perf_counter() - started) * 1000 / MODELS
        result = {
            "models": MODELS,
            "add_ms_each": round(add_ms, 2),
            "list_ms": median_ms(library.list),
            "find_ms": median_ms(lambda: library.find(paths[-1])),
            "find_unknown_ms": median_ms(lambda: library.find(guide.parent)),
            "open_ms": median_ms(lambda: Library.open(folder / "library.db", guide).close()),
        }
        library.close()
        print(json.dumps(result))


if __name__ == "__main__":
    main()
