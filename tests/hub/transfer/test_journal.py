"""What a journal still tells after kill, power failure, damage, or about another file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.hub.transfer import journal as journal_module
from desktop.hub.transfer.extents import Extents
from desktop.hub.transfer.journal import Identity, Journal, read_journal

IDENTITY = Identity("a/b", "m.gguf", "c" * 40, 1000, "5" * 64)


def known(path: Path, identity: Identity = IDENTITY) -> tuple[list[tuple[int, int]], ...]:
    return tuple(list(extents) for extents in read_journal(path, identity))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal: 0-300 on the disk, 500-600 only written."""
    journal = Journal(tmp_path / "log", IDENTITY)
    journal.begin(Extents(), synced=Extents())
    journal.written(0, 300)
    journal.synced(Extents([(0, 300)]))
    journal.written(500, 600)
    journal.close()
    return tmp_path / "log"


def test_after_a_kill(path: Path) -> None:
    assert known(path) == ([(0, 300), (500, 600)], [(0, 300)])


def test_after_a_power_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what had reached the disk counts."""
    monkeypatch.setattr(journal_module, "boot_mark", lambda: "another start")
    assert known(path) == ([(0, 300)], [(0, 300)])


def test_distrusted(path: Path) -> None:
    journal = Journal(path, IDENTITY)
    extents, synced = read_journal(path, IDENTITY)
    journal.begin(extents, synced=synced)
    journal.distrusted(100, 550)
    journal.close()
    assert known(path) == ([(0, 100), (550, 600)], [(0, 100)])


def test_a_torn_end(path: Path) -> None:
    """The last line was half written."""
    path.write_bytes(path.read_bytes()[:-5])
    assert known(path)[0] == [(0, 300)]


def test_damage_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    place = data.index(b"w 0 300")
    data[place + 4] ^= 1
    path.write_bytes(bytes(data))
    assert known(path)[0] == [(0, 300), (500, 600)]  # the list of what was synced has it, too


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"[]\n", b"00000000 i {}\n", b"\xff" * 99])
def test_nonsense(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "log").write_bytes(data)
    assert known(tmp_path / "log") == ([], [])


def test_of_another_file(path: Path) -> None:
    assert known(path, replace(IDENTITY, sha256="6" * 64)) == ([], [])
    assert known(path, replace(IDENTITY, size_bytes=999)) == ([], [])
    # The same content in another commit is the same file.
    assert known(path, replace(IDENTITY, commit="d" * 40))[0] == [(0, 300), (500, 600)]


def test_without_hashes_the_commit_counts(tmp_path: Path) -> None:
    nameless = replace(IDENTITY, sha256="")
    journal = Journal(tmp_path / "log", nameless)
    journal.begin(Extents([(0, 10)]), synced=Extents())
    journal.close()
    assert known(tmp_path / "log", nameless)[0] == [(0, 10)]
    assert known(tmp_path / "log", replace(nameless, commit="d" * 40)) == ([], [])


def test_it_stays_short(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log", IDENTITY)
    extents = Extents()
    journal.begin(extents, synced=Extents())
    for number in range(40_000):
        extents.add(number, number + 1)
        journal.written(number, number + 1)
        if journal.is_long:
            journal.begin(extents, synced=Extents())
    journal.close()
    assert (tmp_path / "log").stat().st_size < journal_module.MAX_BYTES + 200
    assert known(tmp_path / "log")[0] == [(0, 40_000)]
