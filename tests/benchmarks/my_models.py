"""The list of models with thousands of rows: what each thing that one does costs the window.

    python tests/benchmarks/my_models.py [--models 2000] [--repeat 5]

Milliseconds of the window's thread, the median and the worst of all repetitions; a frame has 16.
"""

# ruff: noqa: E402  (the platform must be set before the imports)
from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QScrollArea

from desktop.app import Desk, make_application
from desktop.fit.types import FitReport, Wish
from desktop.hardware.machine import Machine
from desktop.library.library import Library
from desktop.library.model import LibraryModel
from desktop.services.models import ModelsService
from desktop.services.start import begin
from desktop.ui.instance import Instance
from desktop.ui.mine.entries import EntryWords
from desktop.ui.mine.section import MyModels
from desktop.ui.mine.table_model import Column
from desktop.ui.models.page import ModelsPage
from desktop.ui.rail import MODELS
from tests.tiny_models import write_tiny_model
from tests.ui.mine.conftest import made
from tests.ui.stand_ins import MACHINE, ScriptedEngine, ScriptedOpener, make_services, report

Models = list[LibraryModel]


class ManyModels(ModelsService):
    """Lists made-up models; each fits."""

    def __init__(self, library: Library, count: int) -> None:
        super().__init__(library, lambda: Path("/models"))
        now = time.time()
        self._many = [
            made(
                f"Model {number * 7919 % count:05}",
                number % 40 + 0.5,
                last_used_at=now - number * 3600.0 if number % 3 else None,
                abilities=(("vision", "tools"), ("reasoning",), ())[number % 3],
            )
            for number in range(count)
        ]

    def list(self) -> Models:
        return [*super().list(), *self._many]

    def fit_of(self, model: LibraryModel, _machine: Machine, _wish: Wish) -> FitReport | None:
        return report(model.name, speed=model.file_bytes / 1e9)


def settle(milliseconds: int = 200) -> None:
    """Let the window do what it has to do."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def timed(run: Callable[[], object], repeat: int) -> dict[str, float]:
    """Median and worst of `repeat` runs, in milliseconds."""
    found = []
    for _ in range(repeat):
        began = time.perf_counter()
        run()
        found.append(1000 * (time.perf_counter() - began))
    return {"median_ms": round(statistics.median(found), 2), "worst_ms": round(max(found), 2)}


def measure(desk: Desk, mine: MyModels, count: int, repeat: int) -> dict[str, object]:
    """All that one does with the list."""
    shelf, view, table = desk.house.shelf, mine.view, mine.table
    area = view.parentWidget()
    while area is not None and not isinstance(area, QScrollArea):
        area = area.parentWidget()
    assert isinstance(area, QScrollArea)
    bar = area.verticalScrollBar()
    words = EntryWords(desk.session.messages, date.today())
    turn = {"n": 0}

    def scroll() -> None:
        turn["n"] += 1
        bar.setValue(bar.minimum() + turn["n"] * 97 % max(1, bar.maximum()))
        desk.window.repaint()

    def one_verdict() -> None:
        turn["n"] += 1
        name = table.rows[count // 2].model.name
        shelf.reports[name] = report(name, speed=float(turn["n"]))
        mine.refresh()

    def sort() -> None:
        turn["n"] += 1
        column = (Column.NAME, Column.SIZE, Column.HERE, Column.USED)[turn["n"] % 4]
        view.order_by(column)
        desk.window.repaint()

    def search() -> None:
        turn["n"] += 1
        mine.search.setText(str(turn["n"] % 10))
        desk.window.repaint()

    scroll()
    found: dict[str, object] = {
        "rows": table.rowCount(),
        "scroll_and_paint": timed(scroll, repeat * 20),
        "one_verdict": timed(one_verdict, repeat),
        "sort": timed(sort, repeat),
        "search": timed(search, repeat),
    }
    model = shelf.models[1]
    found["words_of_a_row_us"] = round(
        1000
        * timed(
            lambda: words.entry(model, report(model.name), is_judged=True, in_use=False),
            repeat * 100,
        )["median_ms"],
        1,
    )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {"HAUSGEIST_HOME": folder}
        start = begin(env)
        app = make_application()
        guide = write_tiny_model(Path(folder) / "tiny.gguf")
        opener = ScriptedOpener(lambda name: ScriptedEngine(name, 4096))
        services = make_services(env, guide, opener)
        many = ManyModels(services.library, options.models)
        services = replace(services, models_service=many)
        desk = Desk(app, start, env, Instance(start.paths.data_dir, env), lambda _env: services)
        desk.open([])
        desk.window.resize(1180, 780)
        settle(1000)
        began = time.perf_counter()
        desk.window.show_place(MODELS)
        page = desk.window.page(MODELS)
        assert isinstance(page, ModelsPage)
        desk.window.repaint()
        shown_ms = 1000 * (time.perf_counter() - began)
        desk.house.shelf.judge_for(MACHINE)
        settle(3000)
        result = measure(desk, page.mine, options.models, options.repeat)
        desk.window.close()
        desk.close()
    print(json.dumps({"place_shown_ms": round(shown_ms, 1), **result}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
