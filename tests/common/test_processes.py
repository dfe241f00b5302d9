from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.common.processes import is_alive, process_mark


def test_this_process_is_alive() -> None:
    assert process_mark() == process_mark(os.getpid())
    assert is_alive(process_mark())


def test_a_child_is_alive_until_it_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        mark = process_mark(child.pid)
        assert is_alive(mark)
        child.kill()
        if sys.platform != "win32":
            # Dead but not yet waited for: a zombie holds its number and is no living writer.
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            assert not is_alive(mark)
    assert not is_alive(mark)


@pytest.mark.parametrize("mark", ["", ":", "abc:1:", "-1:2:3", "999999999:1:", "1²:3:"])
def test_a_mark_that_names_nobody_is_dead(mark: str) -> None:
    assert not is_alive(mark)


def test_the_same_number_with_another_start_is_somebody_else() -> None:
    pid, _, rest = process_mark().partition(":")
    assert not is_alive(f"{pid}:1{rest}")


def test_without_proc_psutil_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.exists
    monkeypatch.setattr(
        Path, "exists", lambda path: False if "boot_id" in str(path) else real(path)
    )
    mark = process_mark()
    assert mark.startswith(f"{os.getpid()}:")
    assert mark.endswith(":")
    assert is_alive(mark)
    assert process_mark(999_999_999) == ""
