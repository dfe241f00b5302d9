"""What the live page costs: the window's thread a second, the sensors' thread a reading.

    python tests/benchmarks/live_page.py [--seconds 20]

Prints one JSON line; times are milliseconds of the thread's own processor time.
"""

# ruff: noqa: E402  (the platform and the path must be set before the imports)
from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtWidgets import QApplication

from desktop.app import Desk, make_application
from desktop.hardware.live_sensors import NativeSensors
from desktop.services.live import LiveReading
from desktop.services.machine import memory_now
from desktop.services.start import begin
from desktop.ui.instance import Instance
from desktop.ui.machine.page import MachinePage
from desktop.ui.rail import MACHINE
from tests.tiny_models import write_tiny_model
from tests.ui.machine.scenes import GAMING, busy
from tests.ui.stand_ins import ScriptedOpener, make_services


def sensors_ms(readings: int) -> list[float]:
    """Processor time of one reading of this computer's real sensors."""
    sensors = NativeSensors(Path(tempfile.gettempdir()), memory_now)
    found = []
    for _ in range(readings):
        began = time.thread_time()
        sensors.sample()
        found.append((time.thread_time() - began) * 1000)
    sensors.close()
    return found


def page_ms(seconds: int) -> list[float]:
    """Processor time of the window's thread for one reading: gauges, chart, reasons, painting."""
    found: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        env = {"HAUSGEIST_HOME": folder}
        start = begin(env)
        app = make_application()
        guide = write_tiny_model(Path(folder) / "tiny.gguf")
        services = make_services(env, guide, ScriptedOpener(), machine=GAMING)
        instance = Instance(start.paths.data_dir, env)
        desk = Desk(app, start, env, instance, lambda _env: services)
        desk.open([])
        desk.window.resize(1180, 1400)
        until(lambda: desk.house.watch.machine is not None)
        page = desk.window.page(MACHINE)
        assert isinstance(page, MachinePage)
        desk.window.show_place(MACHINE)
        until(lambda: page.here.cards)
        services.live.close()
        QApplication.processEvents()
        live = page.here.live
        for number in range(300 + seconds):
            began = time.thread_time()
            live._heard([LiveReading(busy(number), tokens_per_s=9.0, answering=True)])
            QApplication.processEvents()
            if number >= 300:
                found.append((time.thread_time() - began) * 1000)
        desk.window.close()
        desk.close()
        QApplication.processEvents()
    return found


def until(condition: object) -> None:
    """Let the window work until it is so."""
    assert callable(condition)
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        QApplication.processEvents()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    reading, page = sensors_ms(30), page_ms(options.seconds)
    print(
        json.dumps(
            {
                "sensors_median_ms": round(statistics.median(reading), 2),
                "page_median_ms": round(statistics.median(page), 2),
                "page_mean_ms": round(statistics.mean(page), 2),
                "page_worst_ms": round(max(page), 2),
                "gpus": [gpu.name for gpu in GAMING.gpus],
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
