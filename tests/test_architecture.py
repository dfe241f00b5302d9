"""What import-linter cannot see: that importing the house does nothing but define things."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]

# Import every module of the floors given; report what was loaded and which files were opened to
# write, made, renamed or deleted, by Python's own audit events.
_WATCHER = """
import importlib, json, os, pkgutil, sys
written = []
def watch(event, args):
    if event == "open" and isinstance(args[2], int):
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        if args[2] & writes:
            written.append(str(args[0]))
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "sqlite3.connect",
                   "socket.connect", "subprocess.Popen", "os.system"):
        written.append(event + " " + str(args[0]))
sys.dont_write_bytecode = True
import desktop
sys.addaudithook(watch)
count = 0
for floor in sys.argv[1:]:
    module = importlib.import_module(floor)
    count += 1
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), floor + "."):
        try:
            importlib.import_module(info.name)
        except ModuleNotFoundError as error:
            if error.name not in {"winreg", "msvcrt", "fcntl", "resource"}:
                raise  # those belong to one system only, as does the module that asks for them
        count += 1
print(json.dumps({"written": written, "modules": sorted(sys.modules), "count": count}))
"""


def _imported(tmp_path: Path, *floors: str) -> dict[str, list[str]]:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-c", _WATCHER, *floors],
        capture_output=True,
        text=True,
        cwd=_REPOSITORY,
        env={**os.environ, "HAUSGEIST_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not home.exists()
    told: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return told


_WITHOUT_LLAMA = (
    "desktop.common",
    "desktop.gguf",
    "desktop.hardware",
    "desktop.fit",
    "desktop.chats",
    "desktop.library",
    "desktop.hub",
)


def test_the_lower_floors_load_neither_qt_nor_llama_and_touch_nothing(tmp_path: Path) -> None:
    told = _imported(tmp_path, *_WITHOUT_LLAMA)
    assert told["written"] == []
    packages = {name.partition(".")[0] for name in told["modules"]}
    assert not packages & {"PySide6", "shiboken6", "qtawesome", "llama_cpp", "numpy"}


def test_services_and_command_line_load_no_qt_and_touch_nothing(tmp_path: Path) -> None:
    told = _imported(tmp_path, "desktop.services", "desktop.cli")
    assert told["written"] == []
    packages = {name.partition(".")[0] for name in told["modules"]}
    assert not packages & {"PySide6", "shiboken6", "qtawesome"}


@pytest.mark.parametrize("front", ["desktop.cli.main", "desktop.services.wiring"])
def test_llama_is_loaded_only_when_a_model_is(tmp_path: Path, front: str) -> None:
    """`hausgeist list` must not wait 0.3 s for libraries that it does not use."""
    told = _imported(tmp_path, front)
    assert "llama_cpp" not in told["modules"]


_OTHER_DOORS = {"urllib.request", "http.client", "ftplib", "smtplib", "xmlrpc", "imaplib"}


def test_nobody_else_speaks_http() -> None:
    """Python's own clients would pass by the offline switch and the ledger."""
    found = []
    for path in sorted((_REPOSITORY / "desktop").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            if _OTHER_DOORS & set(names):
                found.append(path.relative_to(_REPOSITORY).as_posix())
    assert found == ["desktop/hub/http.py"]  # which asks urllib for the system's proxies


def test_the_watcher_sees_a_module_that_writes(tmp_path: Path) -> None:
    """A check that cannot fail is none."""
    package = tmp_path / "naughty"
    package.mkdir()
    (package / "__init__.py").write_text("from pathlib import Path\nPath('made').write_text('x')\n")
    done = subprocess.run(
        [sys.executable, "-c", _WATCHER, "naughty"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{_REPOSITORY}"},
        timeout=120,
        check=False,
    )
    assert json.loads(done.stdout)["written"] == ["made"]
