"""How long the library takes to know what lies in its folders: one JSON line.

    python tests/benchmarks/library_scan.py [--models 2000] [--files 100000]

Models are small, whole and all different, spread over folders as downloads are. `first_s` opens
them all; `cached_s` is what every later look costs (the goal: 2 s for 2,000), `list_s` the list
with a look at every file, `lost_index_s` the return from the second copy after the index is gone,
`quiet_round_s` a round of the watch in which nothing has changed, `crowd_s` a look through a
folder with many other files. `window_gap_s` is the longest that another thread waited for its turn
while the first look ran.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from desktop.common.paths import Paths
from desktop.common.settings import SettingsStore
from desktop.library.library import Library
from desktop.services.library_watch import LibraryWatch
from desktop.services.model_places import ModelPlaces
from tests.gguf_files import LlamaShape

_Found = TypeVar("_Found")

REPEATS = 7
A_FOLDER = 4


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--files", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), asked.models, asked.files)))


def measured(home: Path, models: int, files: int) -> dict[str, float | int]:
    paths = Paths.from_environment({"HAUSGEIST_HOME": str(home)})
    paths.ensure()
    places = ModelPlaces(paths, SettingsStore(paths.settings_file))
    write_models(paths.models_dir, models)
    guide = LlamaShape().write(home / "guide.gguf")
    library = Library.open(paths.library_database, guide, folders=places.folders)
    with Gap() as gap:
        first_s, found = timed(lambda: look(library, paths.models_dir))
    watch = LibraryWatch(library, places)
    watch.round()
    result = {
        "models": found,
        "first_s": first_s,
        "window_gap_s": gap.longest_s,
        "cached_s": best(lambda: look(library, paths.models_dir)),
        "list_s": best(library.list),
        "quiet_round_s": best(watch.round),
    }
    library.close()
    for file in paths.library_database.parent.glob(f"{paths.library_database.name}*"):
        file.unlink()
    result["lost_index_s"], library = timed(
        lambda: Library.open(paths.library_database, guide, folders=places.folders)
    )
    result["brought_back"] = len(library.list()) - 1
    crowd = home / "crowd"
    crowd.mkdir()
    for number in range(files):
        (crowd / f"{number}.{'txt' if number % 2 else 'gguf'}").touch()
    result["crowd_files"] = files
    result["crowd_first_s"], _ = timed(lambda: look(library, crowd))
    result["crowd_s"] = best(lambda: look(library, crowd))
    library.close()
    return {name: round(value, 4) for name, value in result.items()}


def write_models(folder: Path, count: int) -> None:
    for number in range(count):
        place = folder / f"org{number // 100}" / f"repo{number // A_FOLDER}"
        place.mkdir(parents=True, exist_ok=True)
        LlamaShape(vocab=300 + number).write(
            place / f"model-{number}.gguf", general__name=f"Model {number}"
        )


def look(library: Library, folder: Path) -> int:
    return library.look_through(folder, is_ours=True).models


def timed(work: Callable[[], _Found]) -> tuple[float, _Found]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def best(work: Callable[[], object]) -> float:
    """The median of some runs: the machine may be busy."""
    return statistics.median(timed(work)[0] for _ in range(REPEATS))


class Gap:
    """Another thread that wants a turn every millisecond, as the window's does at 60 Hz."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Gap:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        last = time.perf_counter()
        while not self._done.wait(0.001):
            now = time.perf_counter()
            self.longest_s, last = max(self.longest_s, now - last), now


if __name__ == "__main__":
    main()
