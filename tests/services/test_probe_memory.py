from __future__ import annotations

from pathlib import Path

from desktop.services.probe_memory import ProbeMemory


def test_remembers_this_file_with_this_engine(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"one")
    memory = ProbeMemory(tmp_path / "probed.json")
    assert not memory.knows(model, "1.0")
    memory.remember(model, "1.0")
    again = ProbeMemory(tmp_path / "probed.json")
    assert again.knows(model, "1.0")
    assert not again.knows(model, "1.1")
    model.write_bytes(b"another")
    assert not again.knows(model, "1.0")


def test_missing_files_broken_lists_and_full_disks_are_harmless(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    memory = ProbeMemory(tmp_path / "probed.json")
    memory.remember(model, "1.0")
    assert not memory.knows(model, "1.0")
    model.write_bytes(b"x")
    for content in (b"{", b"{}", b"[1, null]", b"\xff"):
        (tmp_path / "probed.json").write_bytes(content)
        assert not memory.knows(model, "1.0")
    nowhere = ProbeMemory(model / "probed.json")
    nowhere.remember(model, "1.0")
    assert not nowhere.knows(model, "1.0")


def test_the_list_stays_small(tmp_path: Path) -> None:
    memory = ProbeMemory(tmp_path / "probed.json", most=3)
    model = tmp_path / "m.gguf"
    model.write_bytes(b"x")
    for number in range(5):
        memory.remember(model, f"engine {number}")
    assert [memory.knows(model, f"engine {n}") for n in range(5)] == [False] * 2 + [True] * 3
