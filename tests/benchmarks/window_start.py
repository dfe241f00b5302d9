"""How long from the start of the process to the first paint, and how much memory the window takes.

    python tests/benchmarks/window_start.py [--runs 10] [--cold 3]

Cold drops the page cache before each start where this user may (root on Linux). RSS is measured
when the services are wired and the window is idle (no model open), and again with the guide open.
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

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import json, os, sys, time
started = float(sys.argv[1])
from desktop import app
from desktop.services.start import begin
from desktop.ui.instance import Instance
imported = time.time()
from PySide6.QtCore import QTimer
start = begin(os.environ)
application = app.make_application()
instance = Instance(start.paths.data_dir, os.environ)
assert instance.is_first()
desk = app.Desk(application, start, os.environ, instance)
found = {"import_s": imported - started}

def painted():
    # After this turn of the loop: the picture is made, nothing of it is still to be drawn.
    QTimer.singleShot(0, at_once)

def at_once():
    found.setdefault("first_paint_s", time.time() - started)
    found.setdefault("first_paint_cpu_s", time.process_time())

def rss():
    import psutil
    return psutil.Process().memory_info().rss

def idle():
    found["rss_idle_bytes"] = rss()
    found["modules"] = len(sys.modules)
    found["llama_loaded"] = "llama_cpp" in sys.modules
    if "--guide" in sys.argv:
        desk.house.model.became_ready.connect(lambda: QTimer.singleShot(500, with_guide))
        desk.house.model.became_failed.connect(end)
        desk.house.model.wake()
    else:
        end()

def with_guide():
    found["rss_guide_bytes"] = rss()
    end()

def end():
    desk.window.close()
    application.quit()

desk.window.painted.connect(painted)
desk.session.ready.connect(lambda: found.setdefault("wired_s", time.time() - started))
desk.house.shelf.changed.connect(lambda: QTimer.singleShot(2500, idle) if "idle" not in found
    and desk.house.watch.machine is not None and not found.update(idle=True) else None)
QTimer.singleShot(20000, end)
desk.open([])
application.exec()
desk.close()
print(json.dumps(found))
"""


# The same start with nothing but Qt: what no program of this kind can be faster than.
BARE = """
import json, os, sys, time
started = float(sys.argv[1])
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel
application = QApplication([])
found = {}

class Window(QLabel):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, end)

def end():
    found.setdefault("first_paint_s", time.time() - started)
    found.setdefault("first_paint_cpu_s", time.process_time())
    application.quit()

window = Window("Hausgeist")
window.show()
application.exec()
print(json.dumps(found))
"""


def drop_caches() -> bool:
    """Empty the page cache; False where that is not allowed."""
    try:
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def run(home: str, *, cold: bool, guide: bool = False, code: str = CHILD) -> dict[str, float]:
    """One start; the times count from just before the process is made."""
    if cold and not drop_caches():
        return {}
    env = {
        **os.environ,
        "HAUSGEIST_HOME": home,
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        "PYTHONPATH": str(ROOT),
        # As installed: compiled once, whatever this shell says.
        "PYTHONPYCACHEPREFIX": str(Path(home) / "pycache"),
    }
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", code, str(time.time()), *(["--guide"] if guide else [])]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--cold", type=int, default=3)
    parser.add_argument("--guide", action="store_true", help="open the guide too, for its memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        run(home, cold=False)
        warm, bare = [], []
        for _ in range(options.runs):
            bare.append(run(home, cold=False, code=BARE))
            warm.append(run(home, cold=False, guide=options.guide))
        cold = [found for _ in range(options.cold) if (found := run(home, cold=True))]
    result = {
        "warm_first_paint_s": statistics.median(r["first_paint_s"] for r in warm),
        "warm_first_paint_best_s": min(r["first_paint_s"] for r in warm),
        "warm_first_paint_worst_s": max(r["first_paint_s"] for r in warm),
        "warm_first_paint_cpu_s": statistics.median(r["first_paint_cpu_s"] for r in warm),
        "bare_qt_first_paint_s": statistics.median(r["first_paint_s"] for r in bare),
        "bare_qt_first_paint_cpu_s": statistics.median(r["first_paint_cpu_s"] for r in bare),
        "cold_first_paint_s": statistics.median(r["first_paint_s"] for r in cold) if cold else None,
        "import_s": statistics.median(r["import_s"] for r in warm),
        "wired_s": statistics.median(r.get("wired_s", 0.0) for r in warm),
        "rss_idle_mb": max(r.get("rss_idle_bytes", 0) for r in warm) / 1e6,
        "rss_guide_mb": max(r.get("rss_guide_bytes", 0) for r in warm) / 1e6 or None,
        "llama_loaded_before_a_model": bool(warm[0].get("llama_loaded")),
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
