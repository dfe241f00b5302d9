"""Reading the small files with which Linux describes itself, below a root that tests can move."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_MAX_CORES = 1 << 16
_MAX_BYTES = 4 << 20  # /proc/cpuinfo of a 1,000-core machine is about 2 MB


@dataclass(frozen=True, slots=True)
class Files:
    """Files of /proc, /sys and /dev below `root`."""

    root: Path = Path("/")

    def path(self, name: str) -> Path:
        return self.root / name.lstrip("/")

    def text(self, name: str) -> str:
        """A file's text without surrounding blanks; raises OSError."""
        with self.path(name).open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace").replace("\0", " ").strip()

    def text_or(self, name: str, default: str = "") -> str:
        """The text, or `default` where the file is missing or does not let itself be read."""
        try:
            return self.text(name)
        except OSError:
            return default

    def number(self, name: str) -> int:
        """A decimal or 0x-number; raises OSError, ValueError."""
        return int(self.text(name), 0)

    def number_or_none(self, name: str) -> int | None:
        try:
            return self.number(name)
        except (OSError, ValueError):
            return None

    def names(self, name: str) -> list[str]:
        """A folder's entries in order; none where it is missing or may not be listed."""
        try:
            return sorted(os.listdir(self.path(name)))  # noqa: PTH208  (names only, no Path each)
        except OSError:
            return []

    def exists(self, name: str) -> bool:
        try:
            return self.path(name).exists()
        except OSError:
            return False

    def link_name(self, name: str) -> str:
        """The last part of what a link points to, as in ``driver -> .../amdgpu``; or ""."""
        try:
            return self.path(name).readlink().name
        except OSError:
            return ""


def parse_cpu_list(text: str) -> tuple[int, ...]:
    """Cores of the kernel's list format, ``0-3,8`` (cpusets(7)); raises ValueError."""
    found: list[int] = []
    for part in text.split(","):
        if not part.strip():
            continue
        first, _, last = part.partition("-")
        cores = range(int(first), int(last or first) + 1)
        if cores.start < 0 or cores.stop > _MAX_CORES:
            raise ValueError(f"no such core: {part}")
        found.extend(cores)
    return tuple(found)
