from __future__ import annotations

from pathlib import Path

import pytest

from tests.library.packs.packing import Sources


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folder = tmp_path / "sources"
    folder.mkdir()
    return Sources(folder)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "Stick ä"
    folder.mkdir()
    return folder


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of 16 kB, noted after every second one: what takes gigabytes in life takes kB here."""
    for module in ("making", "arrival", "digests"):
        name = f"desktop.library.packs.{module}"
        monkeypatch.setattr(f"{name}.CHUNK_BYTES", 16 << 10)
    monkeypatch.setattr("desktop.library.packs.writer.SYNC_BYTES", 32 << 10)
