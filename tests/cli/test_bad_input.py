"""The list of bad input: each a clear sentence in both languages, code 1, nothing lost."""

from __future__ import annotations

import errno
import functools
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.trial import TrialResult, run_trial
from desktop.fit.types import Plan
from desktop.hardware.machine import Cpu, Machine, Memory
from desktop.services.machine import MachineService
from desktop.services.open_model import OpenTools
from desktop.services.tune_report import TuneTools
from tests.cli.running import Cli
from tests.tiny_models import write_tiny_model

COMMANDS = ("run", "fit", "bench", "import")


def refused(cli: Cli, kind: str, *arguments: str) -> None:
    """In both languages one sentence that names no internals, and the JSON form of it."""
    sentences = set()
    for language in ("en", "de"):
        said = cli(*arguments, language=language)
        assert (said.code, said.out) == (1, "")
        assert said.err.startswith("hausgeist: ")
        assert len(said.err) > 40
        document = cli(*arguments, "--json", language=language)
        assert document.code == 1
        assert document.json["error"]["kind"] == kind
        assert document.json["error"]["message"] in said.err
        sentences.add(said.err)
    assert len(sentences) == 2
    assert not any("unexpected" in s or "Unerwartetes" in s for s in sentences)


def arguments_of(command: str, path: Path) -> list[str]:
    return [command, str(path), *(["-p", "Hallo"] if command == "run" else [])]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"Dear reader, this is no model.", "not_gguf"),
        (b"<html>Sign in to download</html>", "is_web_page"),
        (b"", "empty_file"),
        (b"GGUF\x03", "truncated_gguf"),
    ],
)
def test_not_a_gguf(cli: Cli, tmp_path: Path, command: str, content: bytes, kind: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    refused(cli, kind, *arguments_of(command, path))


@pytest.mark.parametrize("command", ["run", "bench", "import"])
def test_half_a_gguf(cli: Cli, tiny_model: Path, tmp_path: Path, command: str) -> None:
    path = tmp_path / "half.gguf"
    content = tiny_model.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    refused(cli, "truncated_gguf", *arguments_of(command, path))


@pytest.mark.parametrize("command", ["run", "fit", "bench"])
def test_a_directory(cli: Cli, tmp_path: Path, command: str) -> None:
    refused(cli, "is_directory", *arguments_of(command, tmp_path))


def test_a_directory_without_models(cli: Cli, tmp_path: Path) -> None:
    refused(cli, "no_models_in_folder", "import", str(tmp_path))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_not_there(cli: Cli, tmp_path: Path, command: str) -> None:
    refused(cli, "not_found", *arguments_of(command, tmp_path / "nowhere.gguf"))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_permission(
    cli: Cli, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Root may read everything, so the refusal is played at the system call."""
    path = tmp_path / "secret.gguf"
    path.write_bytes(tiny_model.read_bytes())
    real = os.open
    real_io = Path.open

    def deny(target: Any, *rest: Any, **more: Any) -> Any:
        if Path(target) == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(target, *rest, **more)

    def deny_path(self: Path, *rest: Any, **more: Any) -> Any:
        if self == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real_io(self, *rest, **more)

    def deny_builtin(target: Any, *rest: Any, **more: Any) -> Any:
        if not isinstance(target, int) and Path(os.fspath(target)) == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return builtin(target, *rest, **more)

    builtin = open
    monkeypatch.setattr(os, "open", deny)
    monkeypatch.setattr(Path, "open", deny_path)
    monkeypatch.setattr("builtins.open", deny_builtin)
    refused(cli, "no_permission", *arguments_of(command, path))


@pytest.mark.parametrize("command", ["run", "bench"])
def test_a_model_larger_than_ram(
    cli: Cli, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(tiny_model.read_bytes())
    small = Machine(Memory(300_000, 300_000), Cpu(logical_cores=1))
    for name in ("machine", "current"):
        monkeypatch.setattr(MachineService, name, lambda _self: small)
    refused(cli, "larger_than_memory", *arguments_of(command, path))
    report = cli("fit", str(path), "--json")
    assert (report.code, report.json["verdict"]) == (0, "too_large")
    insisting = cli(
        "run", str(path), "-p", "x", "--force", "--max-tokens", "2", "--ctx", "256", "--json"
    )
    assert insisting.code == 0


@pytest.mark.parametrize("place", ["below a file", "/proc/hausgeist"])
def test_a_home_that_cannot_be_written(
    cli: Cli, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "below a file":
        (tmp_path / "file").write_text("in the way")
        place = str(tmp_path / "file" / "home")
    elif not Path("/proc/self").exists():
        place = "/nonexistent\0/home"  # a path that every system refuses
    monkeypatch.setenv("HAUSGEIST_HOME", place)
    for arguments in (("import", str(tiny_model)), ("remove", "guide")):
        done = cli(*arguments, "--json")
        assert done.code == 1
        assert done.json["error"]["kind"] in ("read_only_home", "storage")
    answer = cli("run", str(tiny_model), "-p", "Hallo", "--max-tokens", "2", "--json")
    assert answer.code == 0  # what needs no disk still works, and says what is lost
    assert answer.json["completion_tokens"] > 0
    assert answer.err.startswith("Note: ")
    assert cli("list", "--json").code == 0
    assert cli("hardware", "--json").code == 0


def no_room(*_arguments: object, **_more: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_up_while_copying(
    cli: Cli, tmp_path: Path, hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=9)
    monkeypatch.setattr("desktop.library.copying.copy_file", no_room)
    refused(cli, "disk_full", "import", str(file), "--copy")
    assert file.exists()
    assert list((hausgeist_home / "models").iterdir()) == []
    assert len(cli("list", "--json").json) == 1


def test_a_disk_without_room_for_the_copy(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=9)
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage)
    refused(cli, "not_enough_space", "import", str(file), "--copy")


def test_a_home_on_a_full_disk(cli: Cli, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathlib.Path.write_bytes", no_room)
    refused(cli, "disk_full", "import", str(tiny_model))
    answer = cli("run", str(tiny_model), "-p", "Hallo", "--max-tokens", "2", "--json")
    assert (answer.code, answer.json["completion_tokens"] > 0) == (0, True)
    assert answer.err.startswith("Note: ")


def test_a_damaged_library_is_kept_aside_and_told(cli: Cli, hausgeist_home: Path) -> None:
    cli("list")
    database = hausgeist_home / "data" / "library.db"
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(b"no database" * 1000)
    done = cli("list", "--json")
    assert done.code == 0
    assert done.json[0]["name"] == "guide"
    assert "Note: " in done.err
    kept = list(database.parent.glob("library.db.damaged-*"))
    assert kept
    assert kept[0].read_bytes().startswith(b"no database")
    assert str(kept[0]) in done.err
    assert cli("list", "--json").err == ""


@pytest.mark.parametrize("arguments", [("--help",), ("list",)])
def test_broken_settings_are_told_once(
    cli: Cli, hausgeist_home: Path, arguments: tuple[str, ...]
) -> None:
    settings = hausgeist_home / "data" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"language": "de", ')
    done = cli(*arguments)
    assert done.code == 0
    assert done.err.startswith("Note: ")
    assert done.err.count("\n") == 1
    (kept,) = settings.parent.glob("settings.json.broken-*")
    assert str(kept) in done.err
    assert cli(*arguments).err == ""


def test_what_cannot_be_kept_is_not_called_imported(
    cli: Cli, hausgeist_home: Path, tmp_path: Path
) -> None:
    (hausgeist_home / "data" / "library.db").mkdir(parents=True)
    file = write_tiny_model(tmp_path / "m.gguf", seed=15)
    refused(cli, "storage", "import", str(file))
    assert "Note: " in cli("list").err


def test_a_locked_library_is_told(
    cli: Cli, hausgeist_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("list")
    other = sqlite3.connect(hausgeist_home / "data" / "library.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    done = cli("list", "--json")
    other.close()
    assert done.code == 0
    assert "Note: " in done.err


def test_a_file_that_vanishes_between_listing_and_running(cli: Cli, tmp_path: Path) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=10)
    (model,) = cli("import", str(file), "--json").json["imported"]
    file.unlink()
    refused(cli, "not_found", "run", model["name"], "-p", "Hallo")


class Typing:
    """Two questions at a terminal; `between` happens before the second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, between: Callable[[], None]) -> None:
        self._left = ["eins", "zwei"]
        self._between = between
        monkeypatch.setattr("desktop.cli.run.is_terminal", lambda _stream: True)
        monkeypatch.setattr("desktop.cli.chat.read_line", self)

    def __call__(self, _prompt: str) -> str:
        if not self._left:
            raise EOFError
        if len(self._left) == 1:
            self._between()
        return self._left.pop(0)


def shrink(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5000)


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_file_that_shrinks_while_loaded(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Reading on from the map would kill the process (SIGBUS)."""
    monkeypatch.setattr("desktop.fit.candidates.WORTH_MAPPING_BYTES", 0)
    file = write_tiny_model(tmp_path / "m.gguf", seed=11)
    Typing(monkeypatch, lambda: shrink(file))
    done = cli("run", str(file), "--max-tokens", "2", language=language)
    assert done.code == 0
    assert str(file) in done.err


def test_a_small_file_that_shrinks_while_loaded_goes_on_answering(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=14)
    Typing(monkeypatch, lambda: shrink(file))
    done = cli("run", str(file), "--max-tokens", "2")
    assert done.code == 0
    assert str(file) not in done.err


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a mapped file from being removed")
def test_a_file_that_vanishes_while_loaded_goes_on_answering(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.fit.candidates.WORTH_MAPPING_BYTES", 0)
    file = write_tiny_model(tmp_path / "m.gguf", seed=12)
    Typing(monkeypatch, file.unlink)
    done = cli("run", str(file), "--max-tokens", "2")
    assert done.code == 0
    assert str(file) not in done.err


def test_a_file_on_a_stick_is_not_mapped_and_may_go_away(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.fit.candidates.WORTH_MAPPING_BYTES", 0)
    file = write_tiny_model(tmp_path / "m.gguf", seed=13)
    tools = functools.partial(OpenTools, drive_kind=lambda _path: "removable")
    monkeypatch.setattr("desktop.services.kept_states.OpenTools", tools)
    Typing(monkeypatch, lambda: shrink(file))
    done = cli("run", str(file), "--max-tokens", "2")
    assert done.code == 0
    assert str(file) not in done.err


def test_a_file_that_kills_the_engine_in_its_trial(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hausgeist_home: Path
) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=14)

    def died(*_arguments: object, **_more: object) -> TrialResult:
        return TrialResult(ok=False, kind="aborted", detail="GGML_ASSERT(n > 0) failed")

    monkeypatch.setattr(
        "desktop.services.wiring.TuneTools", functools.partial(TuneTools, run_trial=died)
    )
    refused(cli, "probe_aborted", "run", str(file), "-p", "Hallo")
    log = hausgeist_home / "data" / "logs" / "hausgeist.log"
    assert "GGML_ASSERT(n > 0) failed" in log.read_text()


@pytest.mark.parametrize(
    ("language", "words"), [("en", "one size smaller"), ("de", "kleiner geöffnet")]
)
def test_a_step_down_is_told(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    file = write_tiny_model(tmp_path / "m.gguf", seed=15)
    results = [TrialResult(ok=False, kind="out_of_memory")]

    def tried(path: Path, plan: Plan, **more: Any) -> TrialResult:
        return results.pop() if results else run_trial(path, plan, **more)

    tools = functools.partial(TuneTools, run_trial=tried)
    monkeypatch.setattr("desktop.services.wiring.TuneTools", tools)
    done = cli("run", str(file), "-p", "Hallo", "--max-tokens", "2", language=language)
    assert done.code == 0
    assert words in done.err
    assert "2.048" in done.err if language == "de" else "2,048" in done.err
