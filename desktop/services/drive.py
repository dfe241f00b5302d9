"""Is a file on a drive that can go away: a stick, a card, a network folder?

Such a file must not be mapped into memory: reading a mapped page that is gone kills the process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

DriveKind = Literal["fixed", "removable", "network"]

_NETWORK_TYPES = frozenset(
    ["nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "ncpfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs", "fuse.sshfs", "fuse.rclone", "fuse.davfs2", "fuse.gvfsd-fuse", "fuse.s3fs", "fuse.glusterfs", "macfuse", "osxfuse"]
)


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted file system, as psutil's disk_partitions tells it."""

    device: str
    mountpoint: str
    fstype: str
    opts: str


def mounts() -> tuple[Mount, ...]:
    """All mounted file systems; none where the system does not tell."""
    try:
        found = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return ()
    return tuple(Mount(m.device, m.mountpoint, m.fstype, m.opts) for m in found)


def drive_kind(
    path: Path,
    *,
    mounted: Sequence[Mount] | None = None,
    platform: str = sys.platform,
    sys_block: Path = Path("/sys/class/block"),
) -> DriveKind:
    """What kind of drive `path` lies on; "fixed" where nothing speaks against it."""
    if platform == "win32" and str(path).startswith("\\\\"):
        return "network"
    mount = _mount_of(path, mounts() if mounted is None else mounted, platform)
    if mount is None:
        return "fixed"
    if _is_network(mount, platform):
        return "network"
    return "removable" if _is_removable(mount, platform, sys_block) else "fixed"


def _mount_of(path: Path, mounted: Sequence[Mount], platform: str) -> Mount | None:
    """The mount with the longest matching mount point; the later one where two are equal."""
    name = _comparable(os.path.realpath(path) if platform == sys.platform else str(path), platform)
    best: Mount | None = None
    for mount in mounted:
        point = _comparable(mount.mountpoint, platform)
        inside = name == point or name.startswith(point.rstrip("/") + "/")
        if inside and (best is None or len(point) >= len(_comparable(best.mountpoint, platform))):
            best = mount
    return best


def _comparable(name: str, platform: str) -> str:
    return name.replace("\\", "/").casefold() if platform == "win32" else name


def _is_network(mount: Mount, platform: str) -> bool:
    options = mount.opts.split(",")
    if platform == "win32":
        return "remote" in options
    return mount.fstype.lower() in _NETWORK_TYPES or mount.device.startswith("//")


def _is_removable(mount: Mount, platform: str, sys_block: Path) -> bool:
    if platform == "win32":
        return bool({"removable", "cdrom"} & set(mount.opts.split(",")))
    if platform == "darwin":  # internal volumes are firmlinks of /; what is plugged in is here
        return mount.mountpoint.startswith("/Volumes/")
    return _linux_removable(Path(mount.device).name, sys_block)


def _linux_removable(device: str, sys_block: Path) -> bool:
    """By the kernel's flag, and by the bus: USB hard disks say that they are not removable."""
    entry = sys_block / device
    if not entry.exists():
        return False
    real = entry.resolve()
    if any(part.startswith("usb") for part in real.parts):
        return True
    for folder in (real, real.parent):  # a partition has no flag of its own
        try:
            return (folder / "removable").read_text().strip() == "1"
        except OSError:
            continue
    return False
