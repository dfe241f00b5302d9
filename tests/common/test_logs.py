from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.common import logs
from desktop.common.errors import StorageError
from desktop.common.logs import get_logger, start_log, stop_log
from tests.ordinary_user import read_only


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[logging.Handler]:
    handler = start_log(tmp_path / "logs" / "hausgeist.log")
    yield handler
    stop_log(handler)


@pytest.fixture
def log_file(handler: logging.FileHandler) -> Path:
    return Path(handler.baseFilename)


def test_parts_write_into_one_file(log_file: Path) -> None:
    get_logger("engine").info("loaded %s", "Größe.gguf")
    get_logger("engine").debug("not this")
    line = log_file.read_text(encoding="utf-8").strip()
    assert line.endswith("INFO hausgeist.engine: loaded Größe.gguf")


def test_a_record_is_one_line_of_bounded_length(log_file: Path) -> None:
    get_logger("x").warning("a\nb\r\nc" + "d" * 10_000)
    lines = log_file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert len(lines[0]) < logs.MAX_LINE_CHARACTERS + 20
    assert "a\\nb\\r\\nc" in lines[0]


def test_old_lines_go(
    handler: logging.Handler, log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "maxBytes", 1000)
    for number in range(200):
        get_logger("x").info("line %d", number)
    files = sorted(log_file.parent.iterdir())
    assert len(files) == logs.KEPT_FILES
    assert all(file.stat().st_size <= 1000 for file in files)
    assert "line 199" in log_file.read_text(encoding="utf-8")


def test_a_disk_that_refuses_a_line_prints_nothing(
    handler: logging.Handler,
    log_file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def refuse(_: logging.LogRecord) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(handler, "shouldRollover", refuse)
    get_logger("x").info("lost")
    assert capsys.readouterr().err == ""
    assert log_file.read_text(encoding="utf-8") == ""


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with read_only(tmp_path), pytest.raises(StorageError) as caught:
        start_log(tmp_path / "logs" / "hausgeist.log")
    assert caught.value.kind == "read_only"


def test_without_a_log_file_nothing_is_written_on_the_terminal() -> None:
    code = "from desktop.common.logs import get_logger; get_logger('x').error('words')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=Path(__file__).resolve().parents[2],
        timeout=60,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_stopping_leaves_no_handler_behind(tmp_path: Path) -> None:
    before = list(logging.getLogger(logs.LOGGER_NAME).handlers)
    stop_log(start_log(tmp_path / "a.log"))
    assert logging.getLogger(logs.LOGGER_NAME).handlers == before
