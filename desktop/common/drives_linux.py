"""Linux: the mount table says which device, sysfs says what that device is."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.common.drive_kind import NETWORK_FILE_SYSTEMS, DriveKind

_ESCAPE = re.compile(r"\\([0-7]{3})")
# File systems in memory or made of others, which are as safe as the machine itself.
_ALWAYS_LOCAL = frozenset({"tmpfs", "ramfs", "overlay", "rootfs", "zfs", "bcachefs", "squashfs"})


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/self/mountinfo (proc(5))."""

    device: str
    mount_point: str
    file_system: str
    source: str


def kind_of(path: Path) -> DriveKind:
    """The kind of drive under `path`, whose links are resolved; raises OSError without /proc."""
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    mount = mount_of(str(path), parse_mounts(table))
    return "unknown" if mount is None else classify(mount, Path("/sys"))


def parse_mounts(table: str) -> list[Mount]:
    """The mounts in the order in which they were made; lines of another form are left out."""
    mounts: list[Mount] = []
    for line in table.splitlines():
        before, dash, after = line.partition(" - ")
        fields, tail = before.split(" "), after.split(" ")
        if dash and len(fields) >= 5 and len(tail) >= 2:
            mounts.append(Mount(fields[2], _unescape(fields[4]), tail[0], _unescape(tail[1])))
    return mounts


def mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that holds `path`: the longest mount point, and of equal ones the last made."""
    best: Mount | None = None
    for mount in mounts:
        point = mount.mount_point
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and (best is None or len(point) >= len(best.mount_point)):
            best = mount
    return best


def classify(mount: Mount, sysfs: Path) -> DriveKind:
    """The kind of one mount; `sysfs` is /sys, or a copy of it in a test."""
    file_system = mount.file_system.lower()
    if file_system in NETWORK_FILE_SYSTEMS or mount.source.startswith("//"):
        return "network"
    if file_system in _ALWAYS_LOCAL:
        return "local"
    device = _device_folder(mount, sysfs)
    if device is None:
        return "unknown"
    return "removable" if _is_removable(device, sysfs) else "local"


def _device_folder(mount: Mount, sysfs: Path) -> Path | None:
    """The device in sysfs: by its name, since btrfs gives numbers that no device has."""
    candidates = [sysfs / "dev" / "block" / mount.device]
    if mount.source.startswith("/dev/"):
        name = os.path.basename(os.path.realpath(mount.source))  # noqa: PTH119
        candidates.insert(0, sysfs / "class" / "block" / name)
    for candidate in candidates:
        if candidate.exists():
            return candidate.resolve()
    return None


def _is_removable(device: Path, sysfs: Path, depth: int = 0) -> bool:
    """By the bus (a USB hard disk calls itself fixed), by the card reader, by the kernel's flag."""
    slaves = device / "slaves"  # an encrypted or combined volume is as removable as its disks
    if depth < 8 and slaves.is_dir():
        below = [entry.resolve() for entry in slaves.iterdir()]
        if below:
            return any(_is_removable(entry, sysfs, depth + 1) for entry in below)
    inside = device.relative_to(sysfs.resolve()).parts
    if any(part.startswith(("usb", "firewire", "fw-host")) for part in inside):
        return True
    for folder in (device, device.parent):  # a partition has no flag of its own
        flag = folder / "removable"
        if flag.is_file():
            is_card = _read(folder / "device" / "type") == "SD"  # eMMC says MMC
            return is_card or _read(flag) == "1"
    return False


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _unescape(text: str) -> str:
    """The kernel writes a blank in a name as ``\\040``."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
