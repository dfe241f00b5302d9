"""Run the command line: in this process, or as a user's shell does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one document that it must be."""
        return json.loads(self.out)


class Cli:
    """`cli("fit", "model.gguf")` in this process: fast, and patches of the test are seen."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, language: str = "en") -> Done:
        locale = {"en": "en_US.UTF-8", "de": "de_DE.UTF-8"}[language]
        for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
            self._monkeypatch.setenv(name, locale)
        self._capsys.readouterr()
        code = main(arguments)
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(code, out, err)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return kept | {"HAUSGEIST_HOME": str(home), "LANG": "en_US.UTF-8"} | more


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "desktop", *arguments]


def child(
    home: Path, *arguments: str, stdin: bytes | None = b"", env: dict[str, str] | None = None
) -> Done:
    """A real process; `stdin` None inherits nothing but an empty pipe either."""
    done = subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=env or environment(home),
        input=stdin,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    found = Done(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode("utf-8", "replace"),
    )
    assert "Traceback" not in found.out + found.err, found.err
    return found
