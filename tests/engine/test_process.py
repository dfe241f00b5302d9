"""Child processes: started lightly, bounded, gone when they should be."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from desktop.common.errors import EngineError
from desktop.engine import backends, process
from desktop.engine.process import (
    Child,
    ChildDiedError,
    child_command,
    end_waiting,
    open_child,
    start_ahead,
)

SOON_S = 30.0

# Stands in for `desktop.engine.child`: the argument is Python to run.
_SCRIPT = [sys.executable, "-c", "import sys; exec(sys.argv[1])"]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "child_command", lambda: _SCRIPT)


@pytest.mark.usefixtures("scripted")
def test_messages_go_both_ways() -> None:
    echo = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
    with Child(echo) as child:
        for text in ("Grüße 🦊", "\ud83d", "a\nb"):
            child.send({"text": text})
            assert child.receive(SOON_S) == {"text": text}
        assert child.receive(0.01) is None


@pytest.mark.usefixtures("scripted")
def test_what_a_driver_prints_is_passed_over() -> None:
    noisy = "print('ggml_cuda_init: found'); print('[1]'); print('{\"ok\": 1}')"
    with Child(noisy) as child:
        assert child.receive(SOON_S) == {"ok": 1}


@pytest.mark.usefixtures("scripted")
def test_a_death_is_told_with_code_and_last_words() -> None:
    with Child("import os, sys; sys.stderr.write('x' * 9000 + 'last words'); sys.exit(7)") as child:
        for _ in range(2):
            with pytest.raises(ChildDiedError) as caught:
                child.receive(SOON_S)
            assert caught.value.code == 7
            assert caught.value.last_words.endswith("last words")
            assert len(caught.value.last_words) <= 4000
        with pytest.raises(ChildDiedError):
            child.send({"more than a pipe takes": "x" * 1_000_000})


@pytest.mark.usefixtures("scripted")
def test_closing_ends_a_child_that_hangs() -> None:
    with Child("import time; time.sleep(600)") as child:
        running = psutil.Process(child.pid)
    assert not running.is_running()


def test_a_child_ends_when_its_parent_dies() -> None:
    code = (
        "import os\n"
        "from desktop.engine.process import Child\n"
        "child = Child('template')\n"
        "child.send({'id': 1, 'template': 'x', 'variables': {'messages': []}})\n"
        "assert child.receive(30) == {'id': 1, 'prompt': 'x'}\n"
        "print(child.pid, flush=True)\n"
        "os._exit(1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=SOON_S
    )
    orphan = int(done.stdout)
    deadline = time.monotonic() + SOON_S
    while _runs(orphan):
        assert time.monotonic() < deadline


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_no_file_in_the_working_folder_is_imported(tmp_path: Path) -> None:
    for name in ("json", "queue", "llama_cpp", "desktop"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('shadowed')")
    done = subprocess.run(
        [*child_command(), "report"],
        check=True,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        capture_output=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        timeout=SOON_S,
        input=None,
    )
    assert b'"backends"' in done.stdout


@pytest.mark.usefixtures("scripted")
def test_a_child_that_was_started_ahead_is_taken_once() -> None:
    echo = "import os, sys\nprint('{\"pid\": %d}' % os.getpid(), flush=True)\nsys.stdin.read()"
    start_ahead(echo)
    ahead = process._waiting[echo].pid
    try:
        with open_child(echo) as first, open_child(echo) as second:
            pids = [child.receive(SOON_S) for child in (first, second)]
        assert pids[0] == {"pid": ahead} != pids[1]
    finally:
        end_waiting()


@pytest.mark.usefixtures("scripted")
def test_a_child_that_nobody_asked_for_is_ended() -> None:
    start_ahead("import sys; sys.stdin.read()")
    (child,) = process._waiting.values()
    assert _runs(child.pid)
    end_waiting()
    assert not process._waiting
    assert not _runs(child.pid)


def test_without_room_for_a_child_ahead_the_command_still_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", full)
    start_ahead("report")
    assert not process._waiting
    with pytest.raises(EngineError, match="no_child"):
        open_child("report")


def test_an_unknown_job_says_so() -> None:
    with Child("nonsense") as child, pytest.raises(ChildDiedError, match="no such job: nonsense"):
        child.receive(SOON_S)


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("driver", "kind"),
    [("import os; os.abort()", "backends_died"), ("import time; time.sleep(600)", "backends_hang")],
)
def test_a_broken_driver_costs_a_child(
    monkeypatch: pytest.MonkeyPatch, driver: str, kind: str
) -> None:
    monkeypatch.setattr(backends, "open_child", lambda _: Child(driver))
    with pytest.raises(EngineError) as caught:
        backends.report_in_child(0.5 if kind == "backends_hang" else SOON_S)
    assert caught.value.kind == kind


def test_a_system_without_room_for_a_process_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "child_command", lambda: ["/no/such/program"])
    with pytest.raises(EngineError) as caught:
        Child("probe")
    assert caught.value.kind == "no_child"
