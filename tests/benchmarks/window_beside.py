"""Generation while the window shows it, over the same generation with no window at work.

    python tests/benchmarks/window_beside.py [--threads 1] [--rounds 5] [--seconds 4]

Prints one JSON line: the median ratio of steps a second, the rounds turn about. The window is the
whole app, offscreen; its answer streams into the transcript as it does for a person.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app import Desk, make_application
from desktop.engine.events import Text
from desktop.engine.local import LocalEngine, load
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan
from desktop.services.start import begin
from desktop.ui.instance import Instance
from tests.benchmarks.big_model import big_model
from tests.tiny_models import write_tiny_model
from tests.ui.machine.scenes import GAMING
from tests.ui.stand_ins import ScriptedEngine, ScriptedOpener, make_services


class Rate:
    """Steps of the engine's batcher and the seconds between the first and the last of a span."""

    def __init__(self, engine: LocalEngine) -> None:
        loaded = engine._worker._loaded
        assert loaded is not None
        self._step = loaded.batcher.step
        self.steps = 0
        loaded.batcher.step = self._counted  # type: ignore[method-assign]

    def _counted(self) -> Any:
        self.steps += 1
        return self._step()


def open_engine(path: Path, threads: int) -> LocalEngine:
    return load(
        path,
        Plan(
            gpu_layers=0,
            context=8192,
            kv_type="f16",
            parallel=2,
            flash_attention=True,
            expert_layers_on_cpu=0,
            ubatch=512,
            threads=threads,
            use_mmap=True,
        ),
    )


def alone(engine: LocalEngine, rate: Rate, seconds: float, number: int) -> float:
    """Steps a second with a reader in a thread, while the window's thread sleeps."""
    sampling = Sampling(seed=number)
    request = Request(f"alone {number}", "Hallo", sampling=sampling, ignore_eos=True)
    stream = engine.submit(request)
    reader = threading.Thread(target=stream.collect)
    while not isinstance(stream.get(), Text):
        pass
    reader.start()
    before, began = rate.steps, time.perf_counter()
    time.sleep(seconds)
    found = (rate.steps - before) / (time.perf_counter() - began)
    stream.cancel()
    reader.join()
    return found


def beside(desk: Desk, rate: Rate, seconds: float) -> float:
    """Steps a second while an answer streams into the window."""
    edit = desk.window.chats.composer.edit
    QTest.keyClicks(edit, "Hallo")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    talk = desk.house.conversation
    until(lambda: (running := talk.running()) is not None and bool(running.text))
    before, began = rate.steps, time.perf_counter()
    loop = QEventLoop()
    QTimer.singleShot(int(1000 * seconds), loop.quit)
    loop.exec()
    found = (rate.steps - before) / (time.perf_counter() - began)
    talk.stop()
    until(lambda: talk.running() is None)
    return found


def until(condition: Callable[[], bool]) -> None:
    """Let the window work until it is so."""
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        QApplication.processEvents()
        time.sleep(0.005)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args(arguments)
    engine = open_engine(options.model or big_model(), options.threads)
    rate = Rate(engine)
    with tempfile.TemporaryDirectory() as folder:
        env = {"HAUSGEIST_HOME": folder}
        start = begin(env)
        app = make_application()
        opener = ScriptedOpener(lambda _: cast("ScriptedEngine", engine))
        guide = write_tiny_model(Path(folder) / "tiny.gguf")
        services = make_services(env, guide, opener, machine=GAMING)
        desk = Desk(app, start, env, Instance(start.paths.data_dir, env), lambda _env: services)
        desk.open([])
        desk.window.resize(1180, 860)
        until(lambda: desk.house.watch.machine is not None)
        beside(desk, rate, 1.0)
        alone(engine, rate, 1.0, 0)
        ratios, speeds = [], []
        for number in range(1, options.rounds + 1):
            shown = beside(desk, rate, options.seconds)
            bare = alone(engine, rate, options.seconds, number)
            ratios.append(shown / bare)
            speeds.append(bare)
        desk.window.close()
        desk.close()
        QApplication.processEvents()
    engine.close()
    print(
        json.dumps(
            {
                "ratio": round(statistics.median(ratios), 4),
                "ratios": [round(one, 3) for one in ratios],
                "tokens_per_s": round(statistics.median(speeds), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
