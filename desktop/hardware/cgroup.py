"""What a Linux control group allows this process: a container's memory and processor share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PurePosixPath

from desktop.hardware.files import Files

# Version 1 writes "no limit" as the largest page-aligned signed 64-bit number.
_NO_LIMIT = 1 << 60
_DEFAULT_MOUNTS = {
    "memory": "/sys/fs/cgroup/memory",
    "cpu": "/sys/fs/cgroup/cpu",
    "": "/sys/fs/cgroup",
}

# By version: the files of limits, of use, and the part of memory.stat that can be dropped.
_MEMORY_FILES: dict[int, tuple[tuple[str, ...], str, str]] = {
    1: (("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
    2: (("memory.max", "memory.high"), "memory.current", "inactive_file"),
}


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The lowest limit on the way from this process's group to the top, and its use."""

    limit_bytes: int
    used_bytes: int | None  # without what the kernel can drop at once (clean file cache)


def memory_limit(files: Files) -> MemoryLimit | None:
    """The limit that is nearest to being reached; None where no group limits memory."""
    limits = [
        _limit_of(files, folder, version)
        for version, controller in ((2, ""), (1, "memory"))
        for folder in _folders(files, controller)
    ]
    known = [limit for limit in limits if limit is not None]
    return min(known, key=lambda limit: limit.limit_bytes, default=None)


def cpu_quota(files: Files) -> int | None:
    """How many cores' time this process may use, rounded up; None where it is not limited."""
    quotas: list[float] = []
    for folder in _folders(files, ""):
        quota, _, period = files.text_or(f"{folder}/cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            quotas.append(int(quota) / int(period))
    for folder in _folders(files, "cpu"):
        used = files.number_or_none(f"{folder}/cpu.cfs_quota_us") or 0
        every = files.number_or_none(f"{folder}/cpu.cfs_period_us") or 0
        if used > 0 and every > 0:
            quotas.append(used / every)
    return max(1, math.ceil(min(quotas))) if quotas else None


def _limit_of(files: Files, folder: str, version: int) -> MemoryLimit | None:
    names, used_name, cache_name = _MEMORY_FILES[version]
    values = [files.number_or_none(f"{folder}/{name}") for name in names]
    limits = [value for value in values if value is not None and 0 < value < _NO_LIMIT]
    if not limits:
        return None
    used = files.number_or_none(f"{folder}/{used_name}")
    if used is not None:
        used = max(0, used - _stat(files.text_or(f"{folder}/memory.stat"), cache_name))
    return MemoryLimit(min(limits), used)


def _stat(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name and value.isdigit():
            return int(value)
    return 0


def _folders(files: Files, controller: str) -> list[str]:
    """The folders from this process's group up to the mounted top; "" is version 2's one tree."""
    mount, mount_root = _mount(files, controller)
    group = PurePosixPath(_group(files, controller))
    if mount_root != "/":
        # A container without its own namespace sees the host's path, but only its own part of
        # the tree is mounted: the mount's root is what its path begins with.
        inside = group.is_relative_to(mount_root)
        group = PurePosixPath("/", group.relative_to(mount_root)) if inside else PurePosixPath("/")
    folders = [f"{mount}/{part}".rstrip("/") for part in _relative_parts(group)]
    return [folder for folder in folders if files.exists(folder)]


def _relative_parts(group: PurePosixPath) -> list[str]:
    return [str(part).lstrip("/") for part in (group, *group.parents)]


def _group(files: Files, controller: str) -> str:
    """This process's path in /proc/self/cgroup, lines ``id:controllers:path`` (cgroups(7))."""
    for line in files.text_or("/proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(",") and ".." not in path:
            return path or "/"
    return "/"


def _mount(files: Files, controller: str) -> tuple[str, str]:
    """Where the tree is mounted, and which part of it, from /proc/self/mountinfo (proc(5))."""
    kind = "cgroup" if controller else "cgroup2"
    for line in files.text_or("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, source = before.split(), after.split()
        if len(fields) < 5 or len(source) < 3 or source[0] != kind:
            continue
        if not controller or controller in source[2].split(","):
            return fields[4], fields[3]
    return _DEFAULT_MOUNTS[controller], "/"
