"""The lock files: pinned versions and hashes, no addresses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

LOCKS = Path(__file__).resolve().parent.parent / "locks"


def entries(lock_text: str) -> dict[str, list[str]]:
    """Requirement blocks by project name; a project has several where markers differ."""
    found: dict[str, list[str]] = {}
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", lock_text):
        name = re.match(r"[A-Za-z0-9._-]+", block)
        if name:
            found.setdefault(name.group(0).lower(), []).append(block)
    return found


def without(lock_text: str, project: str) -> str:
    """The lock with every entry but `project`'s."""
    kept = (blocks for name, blocks in entries(lock_text).items() if name != project)
    return "".join(block for blocks in kept for block in blocks)


def only(lock_text: str, project: str) -> str:
    """The lock with `project`'s entries alone."""
    return "".join(entries(lock_text)[project])


def fingerprint(names: Iterable[str]) -> str:
    """One hash over the named lock files: another lock, another set-up."""
    digest = hashlib.sha256()
    for name in names:
        digest.update((LOCKS / (name + ".lock")).read_bytes())
    return digest.hexdigest()
