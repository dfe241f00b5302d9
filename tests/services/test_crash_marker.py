"""What the next start learns of a process that died."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.services.crash_marker import CrashMarker, CrashRecord
from tests.services.fake_engine import plan

MODEL = Path("/models/a.gguf")


def died(folder: Path, activity: str, model: Path = MODEL) -> None:
    """A real process that is killed in the middle."""
    script = (
        "import os, sys, signal\n"
        "from pathlib import Path\n"
        "from desktop.services.crash_marker import CrashMarker\n"
        "from tests.services.fake_engine import plan\n"
        f"marker = CrashMarker(Path({str(folder / 'running.json')!r}))\n"
        f"with marker.running({activity!r}, Path({str(model)!r}), plan(context=8192)):\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if os.name != 'nt' else os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("activity", ["loading", "generating"])
def test_a_killed_process_is_noticed_once(tmp_path: Path, activity: str) -> None:
    died(tmp_path, activity)
    marker = CrashMarker(tmp_path / "running.json")
    (crash,) = marker.collect()
    assert (crash.activity, crash.model_path) == (activity, MODEL)
    assert crash.plan == plan(context=8192)
    assert marker.collect() == ()
    assert marker.crashed(MODEL) == crash
    assert marker.crashed(Path("/models/b.gguf")) is None


def test_a_good_end_leaves_nothing(tmp_path: Path) -> None:
    marker = CrashMarker(tmp_path / "running.json")
    with marker.running("loading", MODEL, plan()):
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_an_exception_is_no_crash(tmp_path: Path) -> None:
    marker = CrashMarker(tmp_path / "running.json")
    with pytest.raises(ValueError, match="x"), marker.running("loading", MODEL, plan()):
        raise ValueError("x")
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_is_left_alone(tmp_path: Path) -> None:
    mine = CrashMarker(tmp_path / "running.json")
    with mine.running("generating", MODEL, plan()):
        own = tmp_path / f"running-{os.getpid()}.json"
        other = tmp_path / "running-1.json"  # as a second process of this name would have it
        other.write_bytes(own.read_bytes())
        assert CrashMarker(tmp_path / "running.json").collect() == ()
        assert other.exists()


def test_two_answers_at_once(tmp_path: Path) -> None:
    marker = CrashMarker(tmp_path / "running.json")
    with marker.running("generating", MODEL, plan()):
        with marker.running("generating", Path("/models/b.gguf"), plan()):
            pass
        assert (tmp_path / f"running-{os.getpid()}.json").exists()
    assert list(tmp_path.iterdir()) == []


def test_forgotten_and_too_old(tmp_path: Path) -> None:
    died(tmp_path, "loading")
    died(tmp_path, "generating", Path("/models/b.gguf"))
    marker = CrashMarker(tmp_path / "running.json")
    records = {record.activity: record for record in marker.collect()}
    two_days_later = records["generating"].started_at + 2 * 86400
    later = CrashMarker(tmp_path / "running.json", now=lambda: two_days_later)
    assert later.crashed(Path("/models/b.gguf")) is None
    assert later.crashed(MODEL) == records["loading"]
    marker.forget(MODEL)
    assert marker.crashed(MODEL) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"running": [{}]}', b"\xff"])
def test_half_written_files_are_harmless(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "running.json").write_bytes(content)
    (tmp_path / "running-7.json").write_bytes(content)
    marker = CrashMarker(tmp_path / "running.json")
    assert marker.collect() == ()
    assert marker.crashed(MODEL) is None
    assert not (tmp_path / "running-7.json").exists()


def test_a_disk_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    marker = CrashMarker(tmp_path / "file" / "running.json")
    with marker.running("loading", MODEL, plan()):
        pass
    assert marker.collect() == ()


def test_the_newest_crash_of_a_model_counts(tmp_path: Path) -> None:
    died(tmp_path, "loading")
    marker = CrashMarker(tmp_path / "running.json")
    marker.collect()
    died(tmp_path, "generating")
    (second,) = marker.collect()
    found = marker.crashed(MODEL)
    assert isinstance(found, CrashRecord)
    assert found == second
