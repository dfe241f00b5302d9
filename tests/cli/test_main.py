"""Finding the command, helping, refusing, and never a traceback."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path

import pytest

from desktop.__main__ import main as start
from desktop.cli.front import Front
from desktop.cli.house import open_house
from desktop.cli.main import COMMANDS
from desktop.common.version import VERSION
from desktop.gguf.reader import read_header
from tests.cli.running import ROOT, Cli
from tests.tiny_models import write_tiny_model

LANGUAGES = ("en", "de")


@pytest.mark.parametrize("word", ["--help", "-h", "help"])
def test_help_names_every_command(cli: Cli, word: str) -> None:
    done = cli(word)
    assert done.code == 0
    assert done.err == ""
    assert all(f"  {name} " in done.out for name in COMMANDS)


def test_help_without_arguments_and_in_german(cli: Cli) -> None:
    done = cli(language="de")
    assert done.code == 0
    assert "Aufruf:" in done.out
    assert "Usage" not in done.out


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli: Cli, command: str, language: str) -> None:
    done = cli(command, "--help", language=language)
    assert done.code == 0
    assert f"hausgeist {command}" in done.out
    assert "--json" in done.out
    assert max(len(line) for line in done.out.splitlines()) <= 120


def test_help_wins_over_everything_else(cli: Cli) -> None:
    assert cli("run", "--nonsense", "-h").code == 0


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert done.code == 0
    assert done.out.startswith("hausgeist 0.")


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("arguments", "kind", "word"),
    [
        (["hardwear"], "unknown_command_close", "hardware"),
        (["xyzzy"], "unknown_command", "xyzzy"),
        (["serve"], "command_later", "serve"),
        (["fit"], "missing_argument", "MODEL"),
        (["fit", "--ctx", "4096"], "missing_argument", "MODEL"),
        (["import"], "missing_argument", "PATH"),
        (["fit", "m.gguf", "--ctx"], "missing_value", "--ctx"),
        (["run", "m.gguf", "-p"], "missing_value", "--prompt"),
        (["fit", "m.gguf", "--ctx", "many"], "not_a_number", "many"),
        (["fit", "m.gguf", "--ctx", "0"], "out_of_range", "--ctx"),
        (["fit", "m.gguf", "--kv-type", "q3"], "not_a_choice", "q8_0"),
        (["run", "m.gguf", "--temperature", "nan"], "out_of_range", "--temperature"),
        (["run", "m.gguf", "--seed", "-1"], "out_of_range", "--seed"),
        (["bench", "m.gguf", "--repeat", "1e3"], "not_a_number", "1e3"),
        (["fit", "m.gguf", "--frob"], "unknown_option", "--frob"),
        (["run", "m.gguf", "--temperatur", "1"], "unknown_option_close", "--temperature"),
        (["run", "m.gguf", "hello", "there"], "unexpected_argument", "hello"),
        (["run", "m.gguf", "-p", "--seed", "1"], "missing_value", "--prompt"),
        (["run", "--", "m.gguf", "-p", "x"], "unexpected_argument", "-p"),
        (["fit", "m.gguf", "--ctx", "20000000"], "out_of_range", "--ctx"),
        (["run", "https://example.org/m.gguf", "-p", "x"], "hub_not_yet", "example.org"),
        (["list", "--json=yes"], "takes_no_value", "--json"),
        (["run", "org/repo:Q4_K_M", "-p", "x"], "hub_not_yet", "org/repo"),
    ],
)
def test_wrong_usage_is_one_sentence_and_code_2(
    cli: Cli, arguments: list[str], kind: str, word: str, language: str
) -> None:
    said = cli(*arguments, language=language)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("hausgeist: ")
    assert word in said.err
    if "--json=yes" not in arguments and "--" not in arguments:
        document = cli(*arguments, "--json", language=language).json
        assert document["error"]["kind"] == kind
        assert document["error"]["message"] in said.err


@pytest.mark.parametrize("flag", ["-p", "--prompt", "--system"])
def test_a_text_may_begin_with_a_dash(cli: Cli, tiny_model: Path, flag: str) -> None:
    rest = [] if flag != "--system" else ["-p", "hello"]
    done = cli("run", str(tiny_model), flag, "-x", *rest, "--max-tokens", "1", "--json")
    assert done.code == 0, done.out


def test_one_conversation_is_not_told_of_as_many(cli: Cli, tiny_model: Path) -> None:
    assert "1 conversation does not fit" in cli("fit", str(tiny_model), "--ctx", "1").err


def test_limits_are_written_for_people(cli: Cli) -> None:
    assert "1 and 16,777,216" in cli("fit", "m.gguf", "--ctx", "0").err
    assert "0 und 10 liegen" in cli("run", "m.gguf", "--temperature", "11", language="de").err


def test_numbers_as_people_write_them(cli: Cli, tiny_model: Path) -> None:
    report = cli("fit", str(tiny_model), "--ctx", "2k", "--json").json
    assert report["plan"]["context"] == 2048


def test_a_fault_of_ours_goes_to_the_log_and_a_person_gets_a_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, hausgeist_home: Path
) -> None:
    def broken(*_arguments: object) -> int:
        raise ZeroDivisionError("the fault")

    monkeypatch.setattr("desktop.cli.hardware.run", broken)
    done = cli("hardware")
    log = hausgeist_home / "data" / "logs" / "hausgeist.log"
    assert done.code == 1
    assert str(log) in done.err
    assert "ZeroDivisionError: the fault" in log.read_text()
    document = cli("hardware", "--json").json
    assert document["error"]["kind"] == "internal_logged"


def test_a_fault_without_a_writable_home_is_logged_elsewhere(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_arguments: object) -> int:
        raise ZeroDivisionError("the fault")

    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HAUSGEIST_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("desktop.cli.hardware.run", broken)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    done = cli("hardware")
    assert done.code == 1
    assert str(tmp_path / "hausgeist-error.log") in done.err


def no_place(*_arguments: object, **_more: object) -> str:
    raise FileNotFoundError(2, "No usable temporary directory found")


def test_a_fault_with_no_place_to_log_it_is_a_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_arguments: object) -> int:
        raise ZeroDivisionError("the fault")

    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HAUSGEIST_HOME", str(tmp_path / "file" / "home"))
    monkeypatch.setattr("desktop.cli.hardware.run", broken)
    monkeypatch.setattr("tempfile.gettempdir", no_place)
    assert cli("hardware", "--json").json["error"]["kind"] == "internal"


def test_without_a_temporary_folder_everything_goes_on(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a disk that is full, where Python finds no folder for temporary files."""
    model = write_tiny_model(tmp_path / "m.gguf", seed=21)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model.read_bytes()[: read_header(model).data_offset])
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("tempfile._get_default_tempdir", no_place)
    assert cli("fit", str(model), "--json").json["method"] == "dry_run"
    assert cli("fit", str(cut), "--json").json["method"] == "header"
    done = cli("run", str(model), "-p", "hello", "--max-tokens", "1", "--json")
    assert done.code == 0, done.out


def test_ctrl_c_while_the_program_still_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("desktop.cli.main.main", interrupted)
    assert start(["list"]) == 130


def test_ctrl_c_is_no_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("desktop.cli.hardware.run", interrupted)
    done = cli("hardware")
    assert (done.code, done.out) == (130, "")


def test_a_fault_in_a_thread_is_logged_and_not_printed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, hausgeist_home: Path
) -> None:
    def broken(_timeout_s: float) -> None:
        raise ZeroDivisionError("the fault")

    def in_a_thread(_options: object, front: Front) -> int:
        with open_house(front):
            thread = threading.Thread(target=lambda: broken(1.0))
            thread.start()
            thread.join()
        return 0

    monkeypatch.setattr("desktop.cli.hardware.run", in_a_thread)
    done = cli("hardware")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert "the fault" in (hausgeist_home / "data" / "logs" / "hausgeist.log").read_text()
