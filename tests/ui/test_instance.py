"""Two starts at once: the second raises the first's window and hands over its files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtNetwork import QLocalServer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.ui.instance import Instance
from desktop.ui.parts.banner import BannerBox
from desktop.ui.parts.button import Button
from tests.ui.conftest import Driven

SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktop.ui.instance import Instance
from desktop.ui.parts.banner import BannerBox
from desktop.ui.parts.button import Button
app = QCoreApplication([])
instance = Instance(Path(sys.argv[1]), {"XDG_ACTIVATION_TOKEN": "token-1"})
first = instance.is_first()
print("first" if first else instance.call_first([Path(p) for p in sys.argv[2:]], 5000))
"""

CRASHED = """
import os, sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktop.ui.instance import Instance
from desktop.ui.parts.banner import BannerBox
from desktop.ui.parts.button import Button
app = QCoreApplication([])
instance = Instance(Path(sys.argv[1]), {})
assert instance.is_first() and instance.listen()
print("up", flush=True)
os._exit(9)
"""


def start_second(
    data_dir: Path, *files: str, code: str = SECOND, out: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", code, str(data_dir), *files]
    return subprocess.Popen(command, env=env, stdout=out, text=True)


def accept(driven: Driven, name: str) -> None:
    """Press the button of the banner that offers the import of `name`."""
    (banner,) = driven.window.banners.banners
    assert name in banner.text
    (box,) = driven.window.banners.findChildren(BannerBox)
    QTest.mouseClick(box.findChildren(Button)[0], Qt.MouseButton.LeftButton)
    driven.until(lambda: len(driven.desk.house.shelf.models) == 2)
    assert driven.window.banners.texts == []


def test_second_start_hands_over_and_goes(qtbot: QtBot, tmp_path: Path) -> None:
    first = Instance(tmp_path, {})
    assert first.is_first()
    assert first.listen()
    with qtbot.waitSignal(first.called, timeout=20000) as heard:
        second = start_second(tmp_path, "/models/ä b.gguf", out=subprocess.PIPE)
    assert heard.args == [[Path("/models/ä b.gguf")], "token-1"]
    qtbot.waitUntil(lambda: second.poll() is not None, timeout=10000)
    assert second.communicate()[0].strip() == "True"
    first.close()


@pytest.mark.qt_log_ignore("does not support raise")
def test_window_comes_forward_and_offers_the_file(
    driven: Driven, tmp_path: Path, tiny_model: Path
) -> None:
    model = tmp_path / "given.gguf"
    data = bytearray(tiny_model.read_bytes())
    data[-1] ^= 2
    model.write_bytes(data)
    driven.window.showMinimized()
    second = start_second(driven.services.paths.data_dir, str(model))
    driven.until(lambda: not driven.window.isMinimized())
    driven.until(lambda: driven.window.banners.banners)
    accept(driven, "given.gguf")
    assert second.wait(10) == 0


def test_lock_and_socket_of_a_crash_are_taken_over(qtbot: QtBot, tmp_path: Path) -> None:
    crashed = start_second(tmp_path, code=CRASHED)
    assert crashed.wait(20) == 9
    instance = Instance(tmp_path, {})
    assert instance.is_first()
    assert instance.listen()
    with qtbot.waitSignal(instance.called, timeout=20000):
        later = start_second(tmp_path)
    qtbot.waitUntil(lambda: later.poll() is not None, timeout=10000)
    instance.close()


def test_mute_first_is_not_waited_for_forever(qtbot: QtBot, tmp_path: Path) -> None:
    first = Instance(tmp_path, {})
    assert first.is_first()  # it never listens
    assert not Instance(tmp_path, {}).call_first([], answer_ms=300)
    first.close()


def test_other_home_is_another_instance(tmp_path: Path) -> None:
    one, two = Instance(tmp_path / "a", {}), Instance(tmp_path / "b", {})
    assert one.key != two.key
    assert one.is_first()
    assert two.is_first()
    one.close()
    two.close()


@pytest.mark.parametrize("line", [b"\n", b"[]\n", b'{"files": 3}\n', b"\xff\xfe\n", b"x" * 70000])
def test_nonsense_only_raises_the_window(qtbot: QtBot, tmp_path: Path, line: bytes) -> None:
    instance = Instance(tmp_path, {})
    with qtbot.waitSignal(instance.called) as heard:
        instance._hear(line)
    assert heard.args == [[], ""]


def test_only_this_user_may_call(qtbot: QtBot, tmp_path: Path) -> None:
    instance = Instance(tmp_path, {})
    assert instance.is_first()
    assert instance.listen()
    server = instance._server
    assert isinstance(server, QLocalServer)
    if sys.platform != "win32":
        mode = Path(server.fullServerName()).stat().st_mode
        assert mode & 0o077 == 0
    instance.close()


def test_file_on_the_command_line_is_offered(
    open_window: Callable[..., Driven], tmp_path: Path, tiny_model: Path
) -> None:
    model = tmp_path / "given.gguf"
    data = bytearray(tiny_model.read_bytes())
    data[-1] ^= 4
    model.write_bytes(data)
    driven = open_window(files=(model,))
    driven.until(lambda: driven.window.banners.banners)
    assert len(driven.desk.house.shelf.models) == 1
    accept(driven, "given.gguf")
