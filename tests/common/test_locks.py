from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from desktop.common.errors import StorageError
from desktop.common.locks import claim, file_lock
from tests.ordinary_user import read_only

_HOLD = """
import sys
from pathlib import Path
from desktop.common.locks import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _holder(path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


@pytest.mark.parametrize("end", ["politely", "killed"])
def test_a_second_process_waits_until_the_first_lets_go(tmp_path: Path, end: str) -> None:
    path = tmp_path / "x.lock"
    got_it = threading.Event()

    def take() -> None:
        with file_lock(path):
            got_it.set()

    with _holder(path) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "held\n"
        waiting = threading.Thread(target=take)
        waiting.start()
        assert not got_it.wait(0.2)
        if end == "killed":
            child.kill()
        else:
            child.stdin.write("\n")
            child.stdin.flush()
        assert got_it.wait(30)
        waiting.join()


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with read_only(tmp_path), pytest.raises(StorageError) as caught, file_lock(tmp_path / "x"):
        pytest.fail("not reached")
    assert caught.value.kind == "read_only"


def test_a_claim_is_held_by_one(tmp_path: Path) -> None:
    held = claim(tmp_path / "lock")
    assert held is not None
    assert claim(tmp_path / "lock") is None
    held.close()
    held.close()
    assert not (tmp_path / "lock").exists()
    again = claim(tmp_path / "lock")
    assert again is not None
    again.close()
