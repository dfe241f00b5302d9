"""How long it takes to find what other programs keep here.

    python tests/benchmarks/stores.py [MODELS]

Half of the models in Ollama's store, half in LM Studio's, each with a vocabulary of 32,000 words.
Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.library.library import Library
from desktop.services.import_stores import StoreImporter
from tests.gguf_files import LlamaShape
from tests.library.stores.building import OllamaStore


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        _build(home, count)
        library = Library.in_memory(folder / "no-guide.gguf")
        importer = StoreImporter(
            library, lambda: folder / "models", {}, home=home, root=folder / "root"
        )
        began_s = time.perf_counter()
        found = importer.found()
        found_s = time.perf_counter() - began_s
        models = [model for store in found for model in store.new]
        began_s = time.perf_counter()
        results = importer.take_in(models)
        taken_s = time.perf_counter() - began_s
        began_s = time.perf_counter()
        again = importer.found()
        document = {
            "models": len(models),
            "found_s": round(found_s, 2),
            "taken": sum(result.model is not None for result in results),
            "taken_s": round(taken_s, 2),
            "again_s": round(time.perf_counter() - began_s, 2),
            "here": sum(len(store.here) for store in again),
        }
        library.close()
    print(json.dumps(document))


def _build(home: Path, count: int) -> None:
    home.mkdir()
    source = LlamaShape(vocab=32_000, layers=32).write(home / "m.gguf").read_bytes()
    ollama = OllamaStore(home / ".ollama" / "models")
    lmstudio = home / ".lmstudio" / "models"
    for number in range(count // 2):
        own = source[:-8] + number.to_bytes(8, "little")
        ollama.model(f"library/m{number}/latest", own)
        place = lmstudio / f"org{number % 10}" / f"repo{number}"
        place.mkdir(parents=True)
        (place / "model.gguf").write_bytes(source[:-8] + os.urandom(8))


if __name__ == "__main__":
    main()
