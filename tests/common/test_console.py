"""The command line under a locale that knows no umlauts: real child processes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.common.console import make_console_safe, printable

_REPOSITORY = Path(__file__).resolve().parents[2]
_C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def _child(code: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env={**clean, **env},
        cwd=_REPOSITORY,
        timeout=60,
        check=False,
    )


def test_without_care_such_a_locale_really_crashes() -> None:
    # Otherwise the next test would prove nothing.
    assert b"UnicodeEncodeError" in _child("print('\\u00e4')", **_C_LOCALE).stderr


def test_umlauts_and_raw_names_are_written_under_the_c_locale() -> None:
    code = (
        "import sys; from desktop.common.console import make_console_safe; make_console_safe();"
        "print('Gr\\u00f6\\u00dfe \\u201e\\U0001f600\\u201c \\udcff');"
        "print('Stra\\u00dfe', file=sys.stderr)"
    )
    done = _child(code, **_C_LOCALE)
    assert done.returncode == 0
    assert done.stdout.decode("utf-8").strip() == "Größe „😀“ \\udcff"
    assert done.stderr.decode("utf-8").strip() == "Straße"


def test_an_encoding_that_somebody_asked_for_is_kept() -> None:
    code = (
        "from desktop.common.console import make_console_safe; make_console_safe();"
        "print('\\u00e4 \\u4e2d')"
    )
    done = _child(code, PYTHONIOENCODING="latin-1")
    assert done.stdout.strip() == b"\xe4 \\u4e2d"


def test_the_whole_floor_works_with_an_umlaut_in_the_home(tmp_path: Path) -> None:
    code = """
import os
from pathlib import Path
from desktop.common.console import make_console_safe
from desktop.common.paths import Paths
from desktop.common.messages import Messages
from desktop.common.errors import StorageError
from desktop.common.settings import Settings, SettingsStore
from desktop.common.logs import start_log, stop_log, get_logger
from desktop.chats.store import ChatStore
make_console_safe()
paths = Paths.from_environment(os.environ)
paths.ensure()
handler = start_log(paths.log_file)
get_logger("test").info("in %s", paths.home)
stop_log(handler)
SettingsStore(paths.settings_file).save(Settings(theme="dark"))
assert SettingsStore(paths.settings_file).load().theme == "dark"
for _ in range(2):
    store = ChatStore.open(paths.database)
    assert store.problem is None
    chat = store.create_chat("Gr\\u00fc\\u00dfe")
    store.close()
print(Messages("de").error(StorageError("disk_full", path=str(paths.home))))
"""
    home = tmp_path / "Häuschen 😀"
    done = _child(code, HAUSGEIST_HOME=str(home), **_C_LOCALE)
    assert done.stderr.decode() == ""
    assert done.returncode == 0
    assert (home / "data" / "chats.db").exists()


def test_a_program_without_streams_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    make_console_safe()
    assert sys.stdout is None


def test_printable_replaces_what_is_no_text() -> None:
    assert printable("a\udce4b") == "a\ufffdb"
    assert printable("Größe") == "Größe"
