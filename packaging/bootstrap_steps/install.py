"""The environment `.venv`, made step by step; each finished step leaves a mark, so that an
interrupted set-up goes on where it stopped and a finished one costs nothing."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

from bootstrap_steps import llama, locks, missing, progress
from bootstrap_steps.words import Stop, say, text

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
MARKS = VENV / "hausgeist-setup.json"
LOG = VENV / "hausgeist-setup.log"
SCRIPTS = VENV / ("Scripts" if sys.platform == "win32" else "bin")
PYTHON = SCRIPTS / ("python.exe" if sys.platform == "win32" else "python")
ENGINE = "llama-cpp-python"


def marks() -> dict[str, str]:
    """What is already done: step name to the fingerprint it was done for."""
    try:
        found = json.loads(MARKS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def mark(step: str, fingerprint: str) -> None:
    """Remember that `step` is done, safely against being killed in the middle."""
    done = dict(marks(), **{step: fingerprint})
    unfinished = MARKS.with_suffix(".part")
    unfinished.write_text(json.dumps(done), encoding="utf-8")
    unfinished.replace(MARKS)


def ready() -> bool:
    """Whether `.venv` is ours, belongs to this place, and its Python is still there.

    Another Python that starts this script later does not matter: the set-up keeps its own.
    """
    return marks().get("venv") == str(ROOT) and PYTHON.exists()


def make_venv() -> None:
    """Make `.venv`, anew where it is broken or came here from another folder."""
    if ready():
        return
    say(text("step_venv") + " ...")
    try:
        if VENV.exists():
            shutil.rmtree(VENV)
        venv.EnvBuilder(with_pip=True, symlinks=sys.platform != "win32").create(str(VENV))
    except subprocess.CalledProcessError:  # ensurepip is there and does not work
        missing.require([missing.VENV])
        raise Stop(text("why_write", venv=str(VENV))) from None
    except OSError as error:
        raise Stop(text("why_write", venv=str(VENV)) + f" ({error.strerror})") from None
    mark("venv", str(ROOT))


def pip(label: str, arguments: list[str], environ: Mapping[str, str] | None = None) -> None:
    """Run pip in `.venv`, showing how far it is; Stop with the reason where it fails."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "-v", *arguments]
    result = progress.run(label, command, LOG, dict(os.environ, **(environ or {})))
    if result.code:
        raise Stop(text("step_failed", step=label, reason=reason(result.tail), log=str(LOG)))


def reason(tail: list[str]) -> str:
    """Why pip or the compiler failed, in words, from the last lines it printed."""
    printed = "\n".join(tail)
    signs = (
        ("why_disk", ("No space left on device",)),
        ("why_hash", ("THESE PACKAGES DO NOT MATCH THE HASHES",)),
        ("why_memory", ("Killed signal terminated program", "out of memory")),
        ("why_network", ("NewConnectionError", "Could not find a version", "ReadTimeoutError",
                         "ConnectTimeoutError", "ProxyError", "SSLError")),
    )  # fmt: skip
    for key, words in signs:
        if any(word in printed for word in words):
            return text(key)
    if "CMAKE_CXX_COMPILER" in printed or "is not able to compile" in printed:
        family = missing.this_distribution()
        command = missing.install_command([missing.COMPILER], sys.platform, family)
        return text("why_compiler", command=command)
    errors = [line for line in tail if "error" in line.lower()] or tail[-1:] or [""]
    return text("why_unknown", line=errors[-1].strip())


def packages(lock: str, step: str) -> None:
    """Install a lock file as wheels, but for the engine, which is built from source."""
    wanted = locks.fingerprint([lock])
    if marks().get(lock) == wanted:
        return
    chosen = VENV / (lock + "-wheels.txt")
    whole = (locks.LOCKS / (lock + ".lock")).read_text(encoding="utf-8")
    chosen.write_text(locks.without(whole, ENGINE), encoding="utf-8")
    flags = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(chosen)]
    pip(text(step), flags)
    mark(lock, wanted)


def engine() -> None:
    """Build llama-cpp-python for this machine; for the processor alone where that fails."""
    wanted = locks.only((locks.LOCKS / "run.lock").read_text(encoding="utf-8"), ENGINE)
    now = llama.offer(os.environ)
    done = marks().get("engine", "")
    if done.startswith(wanted):
        built = done[len(wanted) :].split()
        more = [name for name in now.backends if name not in built]
        if more and marks().get("engine_tried") != " ".join(now.backends):
            say(text("more_possible", backends=", ".join(more), venv=str(VENV)))
        return
    packages("build", "step_build_tools")
    mark("engine_tried", " ".join(now.backends))
    try:
        build(wanted, now)
        built_for = now
    except Stop:
        if now.backends == llama.PROCESSOR.backends:
            raise
        say(text("fallback", backends=", ".join(now.backends[1:]), log=str(LOG)))
        build(wanted, llama.PROCESSOR)
        built_for = llama.PROCESSOR
    mark("engine", wanted + " ".join(built_for.backends))


def build(lock_entry: str, how: llama.Offer) -> None:
    """Compile the engine as `how` says. No cache: a cached build may be for another offer."""
    chosen = VENV / "engine.txt"
    chosen.write_text(lock_entry, encoding="utf-8")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    environ = {
        "CMAKE_ARGS": shlex.join(how.options),
        "CMAKE_BUILD_PARALLEL_LEVEL": str(llama.build_jobs(cores or 1, llama.memory_bytes())),
        "PATH": str(SCRIPTS) + os.pathsep + os.environ.get("PATH", ""),
    }
    flags = ["--no-build-isolation", "--no-deps", "--no-cache-dir", "--require-hashes"]
    label = text("step_llama", backends=", ".join(how.backends))
    pip(label, [*flags, "--force-reinstall", "-r", str(chosen)], environ)


def app() -> None:
    """Put the `hausgeist` command into `.venv`, running from this checkout."""
    compile_ahead()
    wanted = locks.fingerprint(["build"]) + str(ROOT)
    if marks().get("app") == wanted and command().exists():
        return
    packages("build", "step_build_tools")
    flags = ["--no-build-isolation", "--no-deps", "--no-index", "--editable", str(ROOT)]
    pip(text("step_app"), flags)
    mark("app", wanted)


def compile_ahead() -> None:
    """Compile the app's modules where one changed: 40 ms less at every start where Python may not
    keep what it compiles itself (a read-only checkout, PYTHONDONTWRITEBYTECODE)."""
    newest = max((path.stat().st_mtime_ns for path in (ROOT / "desktop").rglob("*.py")), default=0)
    if marks().get("compiled") == str(newest):
        return
    command_line = [str(PYTHON), "-m", "compileall", "-q", str(ROOT / "desktop")]
    subprocess.run(command_line, check=False, stdout=subprocess.DEVNULL)
    mark("compiled", str(newest))


def command() -> Path:
    """The `hausgeist` command of `.venv`."""
    return SCRIPTS / ("hausgeist.exe" if sys.platform == "win32" else "hausgeist")
