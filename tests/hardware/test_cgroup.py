from __future__ import annotations

import pytest

from desktop.hardware import cgroup
from desktop.hardware.cgroup import MemoryLimit
from desktop.hardware.machine import Memory
from desktop.hardware.memory import within_limit
from tests.hardware.trees import GIB, MIB, Tree

V2_MOUNT = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
V1_MOUNTS = (
    "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "36 32 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
)
V1_NO_LIMIT = 9223372036854771712


def test_a_container_with_its_own_namespace(tree: Tree) -> None:
    """Docker on a system with version 2: the process sees itself at the top."""
    tree.write("proc/self/cgroup", "0::/")
    tree.write("proc/self/mountinfo", V2_MOUNT)
    tree.write("sys/fs/cgroup/memory.max", 4 * GIB)
    tree.write("sys/fs/cgroup/memory.current", 3 * GIB)
    tree.write("sys/fs/cgroup/memory.stat", f"anon {GIB}\nfile {2 * GIB}\ninactive_file {GIB}")
    assert cgroup.memory_limit(tree.files) == MemoryLimit(4 * GIB, 2 * GIB)


def test_the_lowest_limit_on_the_way_up_counts(tree: Tree) -> None:
    """A systemd service: its slice may be limited where the service itself is not."""
    tree.write("proc/self/cgroup", "0::/user.slice/app.slice/hausgeist.service")
    tree.write("proc/self/mountinfo", V2_MOUNT)
    tree.write("sys/fs/cgroup/user.slice/app.slice/hausgeist.service/memory.max", "max")
    tree.write("sys/fs/cgroup/user.slice/app.slice/memory.max", "max")
    tree.write("sys/fs/cgroup/user.slice/app.slice/memory.high", 6 * GIB)
    tree.write("sys/fs/cgroup/user.slice/memory.max", 8 * GIB)
    assert cgroup.memory_limit(tree.files) == MemoryLimit(6 * GIB, None)


def test_version_1(tree: Tree) -> None:
    tree.write("proc/self/cgroup", "9:memory:/docker/5f2a\n4:cpu,cpuacct:/docker/5f2a\n0::/")
    tree.write("proc/self/mountinfo", V1_MOUNTS)
    group = "sys/fs/cgroup/memory/docker/5f2a"
    tree.write(f"{group}/memory.limit_in_bytes", 2 * GIB)
    tree.write(f"{group}/memory.usage_in_bytes", 512 * MIB)
    tree.write(f"{group}/memory.stat", f"inactive_file 1\ntotal_inactive_file {112 * MIB}")
    tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_NO_LIMIT)
    assert cgroup.memory_limit(tree.files) == MemoryLimit(2 * GIB, 400 * MIB)


def test_version_1_where_only_the_containers_part_is_mounted(tree: Tree) -> None:
    """Docker without a cgroup namespace: the path is the host's, the mount the container's."""
    tree.write("proc/self/cgroup", "9:memory:/docker/5f2a/inner")
    mount = "36 32 0:32 /docker/5f2a /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory"
    tree.write("proc/self/mountinfo", mount)
    tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", 3 * GIB)
    tree.write("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", GIB)
    limit = cgroup.memory_limit(tree.files)
    assert limit == MemoryLimit(GIB, None)


def test_version_1_without_a_limit(tree: Tree) -> None:
    tree.write("proc/self/cgroup", "9:memory:/")
    tree.write("proc/self/mountinfo", V1_MOUNTS)
    tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", V1_NO_LIMIT)
    assert cgroup.memory_limit(tree.files) is None


def test_without_proc_the_usual_places_are_tried(tree: Tree) -> None:
    tree.write("sys/fs/cgroup/memory.max", 5 * GIB)
    assert cgroup.memory_limit(tree.files) == MemoryLimit(5 * GIB, None)


@pytest.mark.parametrize("content", ["", "lots", "-1", "0", "99999999999999999999999"])
def test_a_limit_that_makes_no_sense_is_none(tree: Tree, content: str) -> None:
    tree.write("sys/fs/cgroup/memory.max", content)
    assert cgroup.memory_limit(tree.files) is None


def test_a_path_that_leaves_the_tree_is_not_followed(tree: Tree) -> None:
    tree.write("proc/self/cgroup", "0::/../../etc")
    tree.write("proc/self/mountinfo", V2_MOUNT)
    tree.write("sys/fs/cgroup/memory.max", 7 * GIB)
    tree.write("sys/etc/memory.max", GIB)
    assert cgroup.memory_limit(tree.files) == MemoryLimit(7 * GIB, None)


def test_no_cgroups_at_all(tree: Tree) -> None:
    assert cgroup.memory_limit(tree.files) is None
    assert cgroup.cpu_quota(tree.files) is None


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000 100000", 2), ("150000 100000", 2), ("10000 100000", 1)]
)
def test_the_processor_share_of_version_2(tree: Tree, quota: str, cores: int) -> None:
    tree.write("sys/fs/cgroup/cpu.max", quota)
    assert cgroup.cpu_quota(tree.files) == cores


@pytest.mark.parametrize("quota", ["max 100000", "100000 0", "nonsense"])
def test_no_processor_share(tree: Tree, quota: str) -> None:
    tree.write("sys/fs/cgroup/cpu.max", quota)
    assert cgroup.cpu_quota(tree.files) is None


def test_the_processor_share_of_version_1(tree: Tree) -> None:
    tree.write("proc/self/cgroup", "4:cpu,cpuacct:/box")
    tree.write("proc/self/mountinfo", V1_MOUNTS)
    tree.write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", 300000)
    tree.write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", 100000)
    tree.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", -1)
    tree.write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", 100000)
    assert cgroup.cpu_quota(tree.files) == 3


def test_memory_within_a_limit() -> None:
    scan = within_limit(Memory(16 * GIB, 10 * GIB), MemoryLimit(4 * GIB, GIB))
    assert scan.memory == Memory(4 * GIB, 3 * GIB)
    assert [note.kind for note in scan.notes] == ["memory_limited"]
    assert dict(scan.notes[0].params) == {"limit_bytes": 4 * GIB, "total_bytes": 16 * GIB}


def test_what_the_system_has_free_counts_even_below_the_limit() -> None:
    assert (
        within_limit(Memory(16 * GIB, GIB), MemoryLimit(8 * GIB, 0)).memory.available_bytes == GIB
    )
    full = within_limit(Memory(16 * GIB, 9 * GIB), MemoryLimit(2 * GIB, 3 * GIB))
    assert full.memory.available_bytes == 0
    unknown = within_limit(Memory(16 * GIB), MemoryLimit(8 * GIB, None))
    assert unknown.memory == Memory(8 * GIB, 8 * GIB)


def test_a_limit_above_the_memory_says_nothing() -> None:
    memory = Memory(16 * GIB, 10 * GIB)
    for limit in (None, MemoryLimit(64 * GIB, GIB)):
        scan = within_limit(memory, limit)
        assert scan.memory == memory
        assert scan.notes == ()
