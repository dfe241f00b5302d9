from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.common.errors import MachineError
from desktop.common.messages import Messages
from desktop.hardware.machine import Machine, Memory
from desktop.hardware.machine_file import read_machine


def test_a_file_as_hardware_prints_it(tmp_path: Path) -> None:
    path = tmp_path / "laptop.json"
    path.write_text(json.dumps(Machine(Memory(8 << 30)).to_json()))
    assert read_machine(path) == Machine(Memory(8 << 30))


def test_a_file_from_a_windows_editor(tmp_path: Path) -> None:
    path = tmp_path / "laptop.json"
    path.write_bytes(b"\xef\xbb\xbf" + b'{"memory": {"total_bytes": 8e9}}\r\n')
    assert read_machine(path).memory.total_bytes == 8 * 10**9


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"memory: 16 GB",
        b"\xff\xfe\x00",
        b'{"memory": {"total_bytes": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b" " * (5 << 20),
    ],
    ids=["empty", "text", "not-utf8", "cut", "deep-list", "deep-object", "huge"],
)
def test_what_is_no_json(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "laptop.json"
    path.write_bytes(content)
    with pytest.raises(MachineError) as caught:
        read_machine(path)
    assert caught.value.kind == "machine_file_not_json"
    assert str(path) in Messages("en").error(caught.value)


def test_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "laptop.json"
    path.write_text('{"memory": {"total_bytes": NaN}}')
    with pytest.raises(MachineError, match="bad_machine"):
        read_machine(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(MachineError) as caught:
            read_machine(path)
        assert caught.value.kind == "machine_file_unreadable"


@pytest.mark.parametrize("text", ["[]", '"16 GB"', "null", "17"])
def test_json_of_something_else(tmp_path: Path, text: str) -> None:
    """It was said of "$" that it should be {...}."""
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(MachineError) as caught:
        read_machine(path)
    assert caught.value.kind == "machine_file_other"
