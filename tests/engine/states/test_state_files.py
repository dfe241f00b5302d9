"""States in files: whole or not at all, whatever happens to the file."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from desktop.engine.adapters import NO_ADAPTERS
from desktop.engine.keeping import fingerprint
from desktop.engine.slot import Checkpoint
from desktop.engine.states.saved_state import SavedState
from desktop.engine.states.state_files import StateFiles, forget_states


def _state(conversation: str = "chat", size: int = 5000, **fields: object) -> SavedState:
    chance = random.Random(conversation)
    known: dict[str, object] = {
        "cached": [chance.randrange(-50, 50) for _ in range(300)],
        "pending": [7],
        "text": "Grüße 🙂",
        "conversation": conversation,
        "adapters": NO_ADAPTERS,
        "keep_state": True,
        "state": bytearray(chance.randbytes(size)),
        "checkpoints": [Checkpoint(100, bytearray(b"abc")), Checkpoint(200, bytearray(b"defg"))],
        "first": 12,
    }
    return SavedState(**(known | fields))  # type: ignore[arg-type]


def _files(folder: Path, key: str = "model", limit: int = 1 << 20) -> StateFiles:
    return StateFiles(folder / "states", key, limit)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    files, state = _files(tmp_path), _state()
    assert files.write(state)
    found = files.find("chat")
    assert found is not None
    assert (found.cached, found.text, found.first) == (state.cached, state.text, state.first)
    loaded = files.load(found, "chat")
    assert loaded is not None
    for name in ("cached", "pending", "text", "conversation", "state", "checkpoints", "first"):
        assert getattr(loaded, name) == getattr(state, name), name
    assert (loaded.origin, loaded.on_disk) == ("disk", True)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    _files(tmp_path).write(_state())
    (path,) = (tmp_path / "states").iterdir()
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
    assert "chat" not in path.name


@pytest.mark.parametrize(
    "fields",
    [{"keep_state": False}, {"conversation": ""}, {"adapters": (("lora", 1.0),)}],
)
def test_what_must_not_lie_on_a_disk_does_not(tmp_path: Path, fields: dict[str, object]) -> None:
    assert not _files(tmp_path).write(_state(**fields))  # type: ignore[arg-type]
    assert not (tmp_path / "states").exists()


def test_another_model_setting_or_version_finds_nothing(tmp_path: Path) -> None:
    _files(tmp_path).write(_state())
    assert _files(tmp_path, "another").find("chat") is None
    assert _files(tmp_path).find("chat") is not None


def test_a_file_under_another_models_name_is_refused(tmp_path: Path) -> None:
    _files(tmp_path).write(_state())
    (path,) = (tmp_path / "states").iterdir()
    other = _files(tmp_path, "another")
    path.rename(other._path("chat"))
    assert other.find("chat") is None
    assert not other._path("chat").exists()


def test_every_cut_and_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.write(_state(size=300))
    (path,) = (tmp_path / "states").iterdir()
    whole = path.read_bytes()
    chance = random.Random(1)
    broken = [whole[:n] for n in chance.sample(range(len(whole)), 120)] + [whole + b"x", b""]
    for place in chance.sample(range(len(whole)), 250):
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        broken.append(bytes(changed))
    for content in broken:
        path.write_bytes(content)
        found = files.find("chat")
        if found is not None:
            assert files.load(found, "chat") is None
        assert not path.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tokens", -1),
        ("tokens", 2**40),
        ("tokens", "300"),
        ("tokens", True),
        ("bytes", -5),
        ("bytes", 2**62),
        ("pending", 3),
        ("pending", ["a"]),
        ("text", 5),
        ("first", None),
        ("checkpoints", [[1]]),
        ("checkpoints", [[-1, 3]]),
        ("checkpoints", [[10, -3]]),
        ("checkpoints", 4),
    ],
)
def test_a_header_that_lies_is_no_header(tmp_path: Path, name: str, value: object) -> None:
    files = _files(tmp_path)
    files.write(_state())
    (path,) = (tmp_path / "states").iterdir()
    whole = path.read_bytes()
    length = int.from_bytes(whole[40:44], "little")
    header = json.loads(whole[44 : 44 + length])
    header[name] = value
    raw = json.dumps(header).encode()
    path.write_bytes(whole[:40] + len(raw).to_bytes(4, "little") + raw + whole[44 + length :])
    assert files.find("chat") is None


def test_the_folder_stays_within_its_limit_and_the_oldest_goes(tmp_path: Path) -> None:
    files = _files(tmp_path, limit=40_000)
    for number in range(12):
        assert files.write(_state(f"chat {number}", size=9000))
        path = files._path(f"chat {number}")
        os.utime(path, (1000 + number, 1000 + number))
    found = [number for number in range(12) if files.find(f"chat {number}") is not None]
    assert found == [9, 10, 11]
    assert not files.write(_state("too large", size=50_000))


def test_half_written_files_of_a_crash_go(tmp_path: Path) -> None:
    files = _files(tmp_path)
    files.write(_state())
    left = tmp_path / "states" / "x.99.part"
    left.write_bytes(b"half")
    os.utime(left, (1000, 1000))
    files.write(_state("next"))
    assert not left.exists()


def test_a_deleted_chat_takes_its_files_of_all_models_with_it(tmp_path: Path) -> None:
    for key in ("one", "two"):
        for name in ("chat", "other"):
            _files(tmp_path, key).write(_state(name))
    forget_states(tmp_path / "states", "chat")
    assert len(list((tmp_path / "states").iterdir())) == 2
    forget_states(tmp_path / "states")
    assert list((tmp_path / "states").iterdir()) == []
    forget_states(tmp_path / "never made", "chat")


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "states").write_text("a file where the folder should be")
    assert not _files(tmp_path).write(_state())
    assert _files(tmp_path).find("chat") is None


def test_a_fingerprint_sees_content_size_and_every_part(tmp_path: Path) -> None:
    one = tmp_path / "m-00001-of-00002.gguf"
    two = tmp_path / "m-00002-of-00002.gguf"
    one.write_bytes(b"a" * 1000)
    two.write_bytes(b"b" * 1000)
    before = fingerprint(one)
    assert fingerprint(one) == before
    two.write_bytes(b"c" * 1000)
    assert fingerprint(one) != before
    alone = tmp_path / "alone.gguf"
    alone.write_bytes(b"a" * 1000)
    first = fingerprint(alone)
    alone.write_bytes(b"a" * 1001)
    assert fingerprint(alone) != first
