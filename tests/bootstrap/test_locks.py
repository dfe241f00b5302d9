"""The lock files: whole, hashed, without addresses, and what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from bootstrap_steps import locks

ROOT = Path(__file__).parents[2]
NAMES = ("run", "test", "build")
LOCK = """\
alpha==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:00
alpha==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:11
beta-gamma==3.1 \\
    --hash=sha256:22
"""


def read(name: str) -> str:
    return (locks.LOCKS / f"{name}.lock").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_pinned_and_hashed(name: str) -> None:
    found = locks.entries(read(name))
    assert found
    for project, blocks in found.items():
        for block in blocks:
            assert re.match(rf"{re.escape(project)}==\S+", block), block
            assert "--hash=sha256:" in block, block


@pytest.mark.parametrize("name", NAMES)
def test_no_address_stands_in_a_lock(name: str) -> None:
    assert not re.search(r"://|--index|--find-links|--extra-index|@ file", read(name))


def test_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    asked = {"run": project["project"]["dependencies"], "test": groups["test"]}
    asked["build"] = groups["build"]
    for lock, requirements in asked.items():
        names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in requirements}
        assert names <= set(locks.entries(read(lock))), lock


def test_locks_do_not_contradict_each_other() -> None:
    """All three are installed into one environment."""
    versions: dict[str, set[str]] = {}
    for name in NAMES:
        for project, blocks in locks.entries(read(name)).items():
            # Markers may differ: what some platforms need to run, all may need for the tests.
            first_lines = frozenset(re.split(r" [;\\]", block)[0] for block in blocks)
            versions.setdefault(project, set()).add("|".join(sorted(first_lines)))
    assert {p: v for p, v in versions.items() if len(v) > 1} == {}


def test_pyside_is_pinned_away_from_the_version_that_crashes_on_python_3_11() -> None:
    blocks = locks.entries(read("run"))["pyside6-essentials"]
    old = [block for block in blocks if "< '3.12'" in block]
    assert len(old) == 1
    assert old[0].startswith("pyside6-essentials==6.11.")


def test_one_project_can_be_taken_out_or_alone() -> None:
    assert set(locks.entries(LOCK)) == {"alpha", "beta-gamma"}
    assert locks.only(LOCK, "alpha").count("--hash") == 2
    assert set(locks.entries(locks.without(LOCK, "alpha"))) == {"beta-gamma"}
    assert locks.without(LOCK, "alpha") + locks.only(LOCK, "alpha") != ""


def test_the_fingerprint_follows_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCKS", tmp_path)
    (tmp_path / "run.lock").write_text(LOCK)
    before = locks.fingerprint(["run"])
    assert before == locks.fingerprint(["run"])
    (tmp_path / "run.lock").write_text(LOCK + "delta==1 \\\n    --hash=sha256:33\n")
    assert locks.fingerprint(["run"]) != before
