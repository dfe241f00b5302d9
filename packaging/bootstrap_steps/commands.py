"""The commands of bootstrap.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from bootstrap_steps import install, missing
from bootstrap_steps.words import Stop, say, text

WINDOWLESS = frozenset(
    """bench doctor fit hardware import list pack pull recommend remove run search serve tune unpack
    verify -h --help -V --version""".split()  # noqa: SIM905 - a column of quotes reads worse
)


def main(arguments: list[str], oldest: tuple[int, int], newest: tuple[int, int]) -> int:
    """Run the command that `arguments` name; every failure ends in a sentence on stderr."""
    if not arguments or arguments[0] not in ("run", "test", "check"):
        say(text("usage"))
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    if not oldest <= sys.version_info[:2] <= newest and not install.ready():
        return with_another_python(arguments, oldest, newest)
    try:
        return {"run": run, "test": test, "check": check}[arguments[0]](arguments[1:])
    except Stop as stop:
        say(str(stop))
        return 1
    except KeyboardInterrupt:
        return 130


def dotted(version: tuple[int, int]) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def works(python: str) -> bool:
    """Whether `python` starts and can make environments (version managers leave stand-ins)."""
    command = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def with_another_python(
    arguments: list[str], oldest: tuple[int, int], newest: tuple[int, int]
) -> int:
    """Go on with a fitting Python of this system, or say how to install one."""
    for minor in range(newest[1], oldest[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and works(other):
            script = str(Path(sys.argv[0]).resolve())
            return subprocess.call([other, script, *arguments])
    say(
        text(
            "python",
            oldest=dotted(oldest),
            newest=dotted(newest),
            found=dotted(sys.version_info[:2]),
            command=missing.python_command(sys.platform, missing.this_distribution()),
        )
    )
    return 1


def set_up(*, window: bool, tests: bool, engine: bool = True) -> None:
    """Bring `.venv` to what is needed; does nothing where it is there already."""
    build = engine and not install.marks().get("engine")
    missing.require_system(window=window, venv=not install.ready(), compiler=build)
    install.make_venv()
    install.packages("run", "step_packages")
    if tests:
        install.packages("test", "step_test")
    if engine:
        install.engine()
    install.app()


def run(arguments: list[str]) -> int:
    """Set up where needed and become `hausgeist` with `arguments`."""
    window = not arguments or arguments[0] not in WINDOWLESS
    set_up(window=window, tests=False)
    command = [str(install.command()), *arguments]
    sys.stdout.flush()
    if sys.platform == "win32":
        return subprocess.call(command)
    return os.execv(command[0], command)


def checks() -> list[tuple[str, list[str]]]:
    """The quick checks by name: format, lint, types, layers."""
    python = [str(install.PYTHON), "-m"]
    return [
        ("format", [*python, "ruff", "format", "--check", "."]),
        ("lint", [*python, "ruff", "check", "."]),
        ("types", [*python, "mypy"]),
        ("layers", [str(install.SCRIPTS / "lint-imports")]),
    ]


def run_all(commands: list[tuple[str, list[str]]]) -> int:
    """Run every command, all of them even after a failure, and name those that failed."""
    failed = []
    for name, command in commands:
        say("== " + name)
        if subprocess.call(command, cwd=str(install.ROOT)):
            failed.append(name)
    if failed:
        say(text("check_failed", names=", ".join(failed)))
    return 1 if failed else 0


def check(arguments: list[str]) -> int:
    """Format, lint, types and layers; needs no compiler and no screen."""
    if arguments:
        say(text("usage"))
        return 2
    set_up(window=False, tests=True, engine=False)
    return run_all(checks())


def test(arguments: list[str]) -> int:
    """All that CI checks. `arguments` go to pytest."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    set_up(window=True, tests=True)
    command = [str(install.PYTHON), "-m", "pytest", *workers(arguments), *arguments]
    return run_all([*checks(), ("tests", command)])


def workers(arguments: list[str]) -> list[str]:
    """Several tests at a time, unless `arguments` say how many: half the time on two cores.

    Not more than four: each worker holds Qt, llama.cpp and a few models.
    """
    if any(argument.startswith(("-n", "--numprocesses", "-p")) for argument in arguments):
        return []
    return ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "worksteal"]
