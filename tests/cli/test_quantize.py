"""`hausgeist quantize MODEL TYPE`: what a person and a script get."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.cli.running import TIMEOUT_S, Cli, child, command, environment
from tests.tiny_models import write_tiny_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "Some-F32.gguf", width=256, layers=3)


def test_making_one(cli: Cli, model: Path) -> None:
    before = hashlib.sha256(model.read_bytes()).digest()
    said = cli("quantize", str(model), "q4_k_m", "--json")
    assert said.code == 0
    made = said.json
    assert made["quantization"] == "Q4_K_M"
    assert Path(made["path"]).stat().st_size == made["file_bytes"] < made["source_bytes"]
    assert made["loss"] == "little"
    assert made["warnings"] == []
    assert made["model"] in [one["name"] for one in cli("list", "--json").json]
    assert hashlib.sha256(model.read_bytes()).digest() == before


def test_a_place_of_ones_own(cli: Cli, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.gguf"
    said = cli("quantize", str(model), "Q8_0", "--out", str(out), "--threads", "1", "--json")
    assert said.json["path"] == str(out)
    again = cli("quantize", str(model), "Q8_0", "--out", str(out), "--json")
    assert again.json["error"]["kind"] == "file_exists"


def test_without_a_type_it_says_what_could_be_made(cli: Cli, model: Path) -> None:
    choices = cli("quantize", str(model), "--json").json
    assert [one["quantization"] for one in choices][:2] == ["Q8_0", "Q6_K"]
    assert [one["quantization"] for one in choices if one["recommended"]] == ["Q4_K_M"]
    assert all(one["verdict"] == "cpu" for one in choices)
    assert cli("list", "--json").json[0]["name"] == "guide"


@pytest.mark.parametrize("language", ["en", "de"])
def test_warnings_are_said_before(cli: Cli, model: Path, language: str) -> None:
    first = cli("quantize", str(model), "Q5_K_M", "--json").json
    said = cli("quantize", first["path"], "Q2_K", language=language)
    assert said.code == 0
    assert "Q5_K_M" in said.err  # made smaller before
    assert "Q2_K" in said.err
    assert "Q2_K" in said.out


@pytest.mark.parametrize(
    ("type_", "kind", "code"),
    [
        ("IQ2_M", "quantization_needs_matrix", 2),
        ("Q7", "bad_quantization", 2),
        ("F32", "bad_quantization", 2),
    ],
)
def test_what_cannot_be_made(cli: Cli, model: Path, type_: str, kind: str, code: int) -> None:
    said = cli("quantize", str(model), type_, "--json")
    assert (said.code, said.json["error"]["kind"]) == (code, kind)


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_after_kill_minus_9_nothing_goes_on_and_the_next_one_clears_up(
    tmp_path: Path, hausgeist_home: Path
) -> None:
    """The child must not compute on for minutes, and half a file must not stay for ever."""
    model = write_tiny_model(tmp_path / "Big-F32.gguf", width=1024, layers=6)
    models = hausgeist_home / "models"
    process = _begun(model, hausgeist_home)
    children = psutil.Process(process.pid).children()
    process.kill()
    process.wait()
    psutil.wait_procs(children, timeout=TIMEOUT_S)
    assert children
    assert not any(child.is_running() for child in children)
    (left,) = models.iterdir()
    assert left.suffix == ".part"
    said = child(hausgeist_home, "quantize", str(model), "Q8_0", "--json")
    assert said.code == 0
    assert [path.name for path in models.iterdir()] == ["Big-Q8_0.gguf"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_leaves_nothing(tmp_path: Path, hausgeist_home: Path) -> None:
    model = write_tiny_model(tmp_path / "Big-F32.gguf", width=1024, layers=6)
    process = _begun(model, hausgeist_home)
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) != 0
    assert not list((hausgeist_home / "models").iterdir())


def _begun(model: Path, home: Path) -> subprocess.Popen[bytes]:
    """A real process that has begun to write."""
    process = subprocess.Popen(
        command("quantize", str(model), "Q2_K", "--threads", "1"),
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + TIMEOUT_S
    while not any(part.stat().st_size for part in (home / "models").glob("*.part")):
        assert time.monotonic() < deadline
        assert process.poll() is None
    return process


def test_files_that_are_no_models(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"PK\x03\x04")
    assert cli("quantize", str(tmp_path / "x.gguf"), "Q4_K_M", "--json").json["error"]["kind"] == (
        "is_archive"
    )
    assert cli("quantize", "nobody", "Q4_K_M", "--json").json["error"]["kind"] == "unknown_model"
