"""Ctrl+C and SIGTERM close the window as its button does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.ui.quit_signals import QuitSignals

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import sys
from PySide6.QtCore import QTimer
from desktop import app
seen = app.MainWindow.closeEvent
def told(self, event):
    print("closed", flush=True)
    seen(self, event)
app.MainWindow.closeEvent = told
shown = app.Desk.open
def opened(self, files):
    self.session.ready.connect(lambda: print("up", flush=True))
    shown(self, files)
app.Desk.open = opened
sys.exit(app.main([]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_closes_the_window(tmp_path: Path, number: signal.Signals) -> None:
    env = {
        **os.environ,
        "HAUSGEIST_HOME": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert out == "closed\n"
    assert running.returncode == 0
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_signals_are_given_back(qtbot: QtBot) -> None:
    before = signal.getsignal(signal.SIGTERM)
    asked: list[int] = []
    signals = QuitSignals(lambda: asked.append(1))
    os.kill(os.getpid(), signal.SIGTERM)
    qtbot.waitUntil(lambda: asked == [1], timeout=5000)
    signals.release()
    assert signal.getsignal(signal.SIGTERM) is before
