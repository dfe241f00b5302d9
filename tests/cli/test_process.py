"""Real processes: what is loaded, signals, pipes, and locales without UTF-8."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import ROOT, TIMEOUT_S, child, command, environment
from tests.tiny_models import write_tiny_model

QT = ("PySide6", "shiboken6", "qtawesome", "qtpy")
# Long enough for any test to interrupt it: the tiny model writes thousands of tokens a second.
ENDLESS = ("-p", "Hallo", "--ctx", "64k", "--max-tokens", "60000", "--threads", "1")

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def python(home: Path, code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_after(home: Path, *commands: tuple[str, ...]) -> set[str]:
    code = (
        "import contextlib, io, json, sys\n"
        "from desktop.__main__ import main\n"
        f"for arguments in {[list(c) for c in commands]!r}:\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        assert main(arguments) == 0, arguments\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    names = json.loads(python(home, code).splitlines()[-1])
    return {name.split(".")[0] for name in names} | set(names)


def test_no_command_loads_qt(hausgeist_home: Path, tiny_model: Path) -> None:
    model = str(tiny_model)
    loaded = loaded_after(
        hausgeist_home,
        ("--help",),
        ("hardware", "--json"),
        ("list",),
        ("fit", model),
        ("import", model),
        ("run", model, "-p", "x", "--max-tokens", "2", "--threads", "1"),
        ("bench", model, "--prompt", "8", "--gen", "4", "--repeat", "1", "--threads", "1"),
        ("remove", model),
    )
    assert loaded.isdisjoint(QT)
    assert "desktop.app" not in loaded
    assert "llama_cpp" in loaded  # or the test would look in the wrong place


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_loads_next_to_nothing(hausgeist_home: Path, word: str) -> None:
    loaded = loaded_after(hausgeist_home, (word,))
    assert loaded.isdisjoint({"llama_cpp", "numpy", "sqlite3", "jinja2", "psutil", "subprocess"})
    assert loaded.isdisjoint(QT)


class Running:
    """A command that is writing its answer."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            command("run", *arguments),
            cwd=ROOT,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.read(1)  # it has begun

    def end(self) -> tuple[int, str]:
        _out, err = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, err.decode()


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_an_answer_cleanly(
    hausgeist_home: Path, endless_model: Path, number: signal.Signals, code: int
) -> None:
    running = Running(hausgeist_home, str(endless_model), *ENDLESS)
    running.process.send_signal(number)
    assert running.end() == (code, "")
    assert list((hausgeist_home / "data").glob("running-*")) == []


@posix
def test_a_kill_is_told_at_the_next_start(
    hausgeist_home: Path, endless_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "Mein Modell.gguf"
    model.write_bytes(endless_model.read_bytes())
    running = Running(hausgeist_home, str(model), *ENDLESS)
    running.process.kill()
    running.end()
    after = child(
        hausgeist_home,
        "run",
        str(model),
        "-p",
        "x",
        "--max-tokens",
        "2",
        "--threads",
        "1",
        "--json",
    )
    assert after.code == 0
    assert "Mein Modell" in after.err
    again = child(
        hausgeist_home,
        "run",
        str(model),
        "-p",
        "x",
        "--max-tokens",
        "2",
        "--threads",
        "1",
        "--json",
    )
    assert "Mein Modell" not in again.err


@posix
def test_a_reader_that_has_enough_is_no_error(hausgeist_home: Path, endless_model: Path) -> None:
    running = Running(hausgeist_home, str(endless_model), *ENDLESS)
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert running.process.stderr is not None
    with running.process.stderr as errors:
        assert errors.read() == b""
    assert running.process.wait(TIMEOUT_S) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
@pytest.mark.parametrize(
    "arguments", [("--help",), ("list",), ("list", "--json"), ("run", "TINY", *ENDLESS)]
)
def test_a_full_disk_behind_the_output(
    hausgeist_home: Path, tiny_model: Path, arguments: tuple[str, ...]
) -> None:
    model = str(tiny_model)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*(model if word == "TINY" else word for word in arguments)),
            cwd=ROOT,
            env=environment(hausgeist_home),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            check=False,
        )
    said = done.stderr.decode()
    assert done.returncode == 1
    assert said.startswith("hausgeist: ")
    assert said.count("\n") == 1


def without_utf8(home: Path) -> dict[str, str]:
    bare = environment(home, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    (home / "data").mkdir(parents=True, exist_ok=True)
    (home / "data" / "settings.json").write_text('{"language": "de"}')
    return bare


def test_a_locale_without_utf8(hausgeist_home: Path, tmp_path: Path) -> None:
    env = without_utf8(hausgeist_home)
    model = write_tiny_model(tmp_path / "Größe.gguf")
    done = child(
        hausgeist_home,
        "run",
        str(model),
        "-p",
        "Äöü",
        "--max-tokens",
        "2",
        "--threads",
        "1",
        "--json",
        env=env,
    )
    assert done.code == 0
    plain = child(
        hausgeist_home,
        "run",
        str(model),
        "-p",
        "Aou",
        "--max-tokens",
        "2",
        "--threads",
        "1",
        "--json",
        env=env,
    )
    assert done.json["prompt_tokens"] > plain.json["prompt_tokens"]  # two bytes a letter
    refused = child(hausgeist_home, "fit", str(tmp_path / "Übung.gguf"), env=env)
    assert refused.code == 1
    assert "Übung.gguf" in refused.err
    assert child(hausgeist_home, "--help", env=env).out.isprintable() is False  # it has lines
    piped = child(
        hausgeist_home,
        "run",
        str(model),
        "--max-tokens",
        "2",
        "--json",
        stdin="Äöü".encode(),
        env=env,
    )
    assert piped.json["prompt_tokens"] == done.json["prompt_tokens"]


@posix
def test_a_file_name_that_is_no_text(hausgeist_home: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/m\xff\xfe.gguf"
    done = subprocess.run(
        [*command("fit"), name, "--json"],
        cwd=ROOT,
        env=environment(hausgeist_home),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["kind"] == "not_found"


def test_a_closed_standard_output(hausgeist_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os, sys; os.close(1); os.close(2); sys.stdout = sys.stderr ="
         " None; from desktop.__main__ import main; sys.exit(main(['--help']))"],
        cwd=ROOT,
        env=environment(hausgeist_home),
        timeout=TIMEOUT_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0
