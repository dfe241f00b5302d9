"""How long the list of results takes: 10,000 rows joined, drawn and scrolled through.

    python tests/benchmarks/browse_rows.py

Prints one JSON line; milliseconds of the window's thread. A frame is 16 ms.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QCoreApplication

from desktop.app import make_application
from desktop.common.messages import Messages
from desktop.common.paths import Paths
from desktop.common.settings import Settings, SettingsStore
from desktop.ui.bridge import Bridge
from desktop.ui.browse.browsing import Browsing
from desktop.ui.browse.results import Results
from desktop.ui.look import Look
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.session import Session
from tests.ui.browse.stand_ins import found
from tests.ui.stand_ins import MACHINE

ROWS = 10_000
PAGE = 30
STEPS = 200


def main() -> int:
    with TemporaryDirectory() as folder:
        app = make_application()
        look = Look(app, "light")
        bridge = Bridge()
        paths = Paths.from_environment({"HAUSGEIST_HOME": folder})
        store = SettingsStore(paths.settings_file)
        session = Session(bridge, paths, store, Settings(), Messages("de"))
        shelf = Shelf(session, ModelSession(session), 1000)
        shelf.judge_for(MACHINE)
        browsing = Browsing(session)
        results = Results(look, session, browsing, shelf)
        results.resize(1100, 700)
        finder = browsing.finder
        results.show()
        QCoreApplication.processEvents()
        joined = []
        for first in range(0, ROWS, PAGE):
            rows = [found(n) for n in range(first, min(first + PAGE, ROWS))]
            before = time.perf_counter()
            finder.rows.extend(rows)
            finder.grew.emit(first, first + len(rows) - 1)
            finder.changed.emit()
            QCoreApplication.processEvents()
            joined.append(1000 * (time.perf_counter() - before))
        bar = results.list.verticalScrollBar()
        drawn = []
        for step in range(STEPS):
            before = time.perf_counter()
            bar.setValue(bar.maximum() * step // STEPS)
            results.list.viewport().repaint()
            drawn.append(1000 * (time.perf_counter() - before))
        figures = {
            "rows": results.rows.rowCount(),
            "page_joined_ms": round(median(joined), 2),
            "page_joined_max_ms": round(max(joined), 2),
            "frame_ms": round(median(drawn), 2),
            "frame_p99_ms": round(sorted(drawn)[int(0.99 * len(drawn))], 2),
        }
        print(json.dumps(figures))
        bridge.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
