"""Starts that find something wrong: a damaged database, a home that cannot be written, no UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import Desk, build_services, main
from desktop.common.errors import StorageError
from desktop.services.crash_marker import CrashRecord
from desktop.services.start import begin
from desktop.ui.instance import Instance
from tests.ordinary_user import ordinary_user
from tests.ui.conftest import Driven
from tests.ui.stand_ins import PLAN

ROOT = Path(__file__).resolve().parents[2]

Open = Callable[[Path], Desk]


@pytest.fixture
def open_real(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    """A window on the real wiring, below the given home."""
    desks: list[Desk] = []

    def make(home: Path) -> Desk:
        env = {"HAUSGEIST_HOME": str(home), "LANG": "en_US.UTF-8"}
        start = begin(env)
        instance = Instance(start.paths.data_dir, env)
        assert instance.is_first()
        desk = Desk(qapp, start, env, instance, build_services)
        desks.append(desk)
        desk.open([])
        qtbot.waitUntil(lambda: desk.house.chats.loaded, timeout=30000)
        return desk

    yield make
    for desk in desks:
        desk.window.close()
        desk.close()
        desk.window.deleteLater()


def test_damaged_database_is_kept_aside_and_told(tmp_path: Path, open_real: Open) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "chats.db").write_bytes(b"this was a database once" * 300)
    desk = open_real(tmp_path)
    kept = list(data.glob("chats.db.damaged-*"))
    assert len(kept) == 1
    assert any(str(kept[0]) in text for text in desk.window.banners.texts)
    assert desk.session.services is not None
    desk.session.services.store.create_chat(title="It goes on")


def test_broken_settings_are_kept_aside_and_told(tmp_path: Path, open_real: Open) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "settings.json").write_text("{not json")
    desk = open_real(tmp_path)
    kept = list(data.glob("settings.json.broken-*"))
    assert len(kept) == 1
    assert any(str(kept[0]) in text for text in desk.window.banners.texts)


def test_home_that_cannot_be_written_still_opens_a_window(
    tmp_path: Path, open_real: Open, qtbot: QtBot
) -> None:
    home = tmp_path / "home"
    home.write_text("a file where the folder should be")
    desk = open_real(home)
    assert len(desk.window.banners.texts) == 1
    services = desk.session.services
    assert services is not None
    services.store.create_chat(title="In memory")
    desk.house.chats.reload()
    qtbot.waitUntil(lambda: len(desk.house.chats.chats) == 1, timeout=5000)


def test_read_only_home_is_told_in_words(tmp_path: Path, qtbot: QtBot, open_real: Open) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with ordinary_user():
        home.chmod(0o500)
        try:
            env = {"HAUSGEIST_HOME": str(home)}
            services = build_services(env)
        finally:
            home.chmod(0o700)
    kinds = [problem.kind for problem in services.problems]
    services.close()
    assert "read_only_home" in kinds
    desk = open_real(tmp_path / "other")
    desk._tell_problem(services.problems[0])
    qtbot.waitUntil(lambda: bool(desk.window.banners.texts), timeout=5000)
    assert str(home) in desk.window.banners.texts[0]


def test_crash_of_the_last_run_is_told(open_window: Callable[..., Driven]) -> None:
    crashes = (
        CrashRecord("loading", Path("/models/Big.gguf"), PLAN, 0.0),
        CrashRecord("generating", Path("/models/Small.gguf"), PLAN, 0.0),
    )
    driven = open_window(change=lambda services: replace(services, crashes=crashes))
    driven.until(lambda: len(driven.window.banners.texts) == 2)
    assert "“Big”" in driven.window.banners.texts[0]
    assert "--" not in "".join(driven.window.banners.texts)


START = """
import json, os, sys
from PySide6.QtCore import QTimer
from desktop import app
from desktop.services.start import begin
from desktop.ui.instance import Instance
start = begin(os.environ)
application = app.make_application()
instance = Instance(start.paths.data_dir, os.environ)
assert instance.is_first()
desk = app.Desk(application, start, os.environ, instance)
found = []
def loaded():
    found.extend(chat.title for chat in desk.house.chats.chats)
    for place in ("models", "machine", "settings"):
        desk.window.show_place(place)
    desk.window.close()
    application.quit()
desk.house.chats.changed.connect(loaded)
desk.session.ready.connect(lambda: desk.session.services.store.create_chat(title="Grüße"))
QTimer.singleShot(30000, application.quit)
desk.open([])
application.exec()
desk.close()
print(json.dumps({"titles": found, "language": desk.session.language}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locales")
def test_locale_without_utf8(tmp_path: Path) -> None:
    home = tmp_path / "Häuser"
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))},
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "HAUSGEIST_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": str(ROOT),
    }
    script = tmp_path / "start.py"
    script.write_text(START, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], env=env, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    found = json.loads(done.stdout)
    assert found["language"] == "en"
    assert (home / "data" / "chats.db").exists()


def test_start_without_a_home_is_a_sentence_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_home(_env: object) -> None:
        raise StorageError("no_home")

    monkeypatch.setattr("desktop.app.begin", no_home)
    assert main([]) == 1
    told = capsys.readouterr().err
    assert told.strip()
    assert "Traceback" not in told
