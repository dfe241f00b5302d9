"""Drives as real machines describe them: recorded mount tables and copies of sysfs."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desktop.common import drives_linux, drives_macos, drives_windows
from desktop.common.drives import drive_kind
from desktop.common.drives_linux import Mount, classify, mount_of, parse_mounts
from desktop.common.drives_macos import MNT_LOCAL, MNT_REMOVABLE, Volume

# A laptop with an encrypted root, a stick, a USB hard disk, a card, a phone and a NAS.
_LAPTOP = r"""
22 28 0:21 / /proc rw,nosuid - proc proc rw
28 1 253:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw,errors=remount-ro
29 28 0:25 / /dev/shm rw - tmpfs tmpfs rw
34 28 259:1 / /boot rw - vfat /dev/nvme0n1p1 rw
41 28 0:45 /@home /home rw shared:30 - btrfs /dev/nvme0n1p3 rw,ssd,subvol=/@home
60 28 8:17 / /media/user/MEIN\040STICK rw shared:99 - exfat /dev/sdb1 rw
61 28 8:33 / /media/user/disk rw shared:98 - fuseblk /dev/sdc1 rw
62 28 179:1 / /media/user/card rw - vfat /dev/mmcblk0p1 rw
63 28 0:60 / /mnt/nas rw - nfs4 nas:/models rw
64 28 0:61 / /mnt/share rw - cifs //server/share rw
65 41 0:62 / /home/user/phone rw - fuse.sshfs user@phone: rw
66 28 0:63 / /mnt/secret rw - fuse.gocryptfs /somewhere rw
67 28 0:64 / /mnt/c rw - 9p C:\134 rw
"""


def _device(sysfs: Path, real: str, name: str, **files: str) -> Path:
    """A block device of a copy of sysfs, with the links that the kernel makes."""
    folder = sysfs / "devices" / real
    folder.mkdir(parents=True)
    (sysfs / "class" / "block").mkdir(parents=True, exist_ok=True)
    (sysfs / "class" / "block" / name).symlink_to(folder)
    for path, text in files.items():
        file = folder / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    return folder


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    nvme = "pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1"
    _device(tmp_path, nvme, "nvme0n1", removable="0")
    root = _device(tmp_path, f"{nvme}/nvme0n1p2", "nvme0n1p2")
    _device(tmp_path, f"{nvme}/nvme0n1p1", "nvme0n1p1")
    _device(tmp_path, f"{nvme}/nvme0n1p3", "nvme0n1p3")
    mapped = _device(tmp_path, "virtual/block/dm-1", "dm-1", removable="0")
    (mapped / "slaves").mkdir()
    (mapped / "slaves" / "nvme0n1p2").symlink_to(root)
    (tmp_path / "class" / "block" / "vg-root").symlink_to(mapped)
    _device(tmp_path, "pci0/usb1/1-2/host4/block/sdb", "sdb", removable="1")
    _device(tmp_path, "pci0/usb1/1-2/host4/block/sdb/sdb1", "sdb1")
    _device(tmp_path, "pci0/usb2/2-1/host5/block/sdc", "sdc", removable="0")
    _device(tmp_path, "pci0/usb2/2-1/host5/block/sdc/sdc1", "sdc1")
    card = "pci0/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0"
    _device(tmp_path, card, "mmcblk0", removable="0", device__type="SD")
    _device(tmp_path, f"{card}/mmcblk0p1", "mmcblk0p1")
    soldered = "pci0/mmc_host/mmc1/mmc1:0001/block/mmcblk1"
    _device(tmp_path, soldered, "mmcblk1", removable="0", device__type="MMC")
    floppy_like = "pci0/ata5/host6/block/sr0"
    _device(tmp_path, floppy_like, "sr0", removable="1")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/usr/share/model.gguf", "local"),
        ("/boot/x", "local"),
        ("/dev/shm/x", "local"),
        ("/home/user/model.gguf", "local"),
        ("/media/user/MEIN STICK/model.gguf", "removable"),
        ("/media/user/disk/model.gguf", "removable"),
        ("/media/user/card", "removable"),
        ("/mnt/nas/a/b/model.gguf", "network"),
        ("/mnt/share/model.gguf", "network"),
        ("/home/user/phone/model.gguf", "network"),
        ("/home/user/phonebook/model.gguf", "local"),
        ("/mnt/c/Users/user/model.gguf", "network"),
        ("/mnt/secret/model.gguf", "unknown"),
    ],
)
def test_a_linux_laptop(laptop: Path, path: str, kind: str) -> None:
    mount = mount_of(path, parse_mounts(_LAPTOP))
    assert mount is not None
    assert classify(mount, laptop) == kind


def test_an_encrypted_stick_is_as_removable_as_the_stick(laptop: Path) -> None:
    mapped = _device(laptop, "virtual/block/dm-9", "dm-9", removable="0")
    (mapped / "slaves").mkdir()
    (mapped / "slaves" / "sdb1").symlink_to(laptop / "class" / "block" / "sdb1")
    assert classify(Mount("253:9", "/m", "ext4", "/dev/dm-9"), laptop) == "removable"


def test_soldered_flash_is_local_and_a_disc_is_not(laptop: Path) -> None:
    assert classify(Mount("179:8", "/", "ext4", "/dev/mmcblk1"), laptop) == "local"
    assert classify(Mount("11:0", "/cd", "iso9660", "/dev/sr0"), laptop) == "removable"


def test_a_device_is_found_by_its_number_where_its_name_says_nothing(laptop: Path) -> None:
    (laptop / "dev" / "block").mkdir(parents=True)
    (laptop / "dev" / "block" / "8:17").symlink_to(laptop / "class" / "block" / "sdb1")
    assert classify(Mount("8:17", "/m", "ext4", "/dev/root"), laptop) == "removable"
    assert classify(Mount("9:99", "/m", "ext4", "/dev/root"), laptop) == "unknown"


def test_of_two_mounts_at_one_place_the_later_counts() -> None:
    table = "1 0 8:1 / /m rw - ext4 /dev/a rw\n2 0 0:9 / /m rw - nfs n:/x rw\nnonsense\n"
    mount = mount_of("/m/x", parse_mounts(table))
    assert mount is not None
    assert mount.file_system == "nfs"
    assert mount_of("/elsewhere", parse_mounts(table)) is None


def test_a_loop_of_devices_ends(laptop: Path) -> None:
    mapped = _device(laptop, "virtual/block/dm-5", "dm-5", removable="0")
    (mapped / "slaves").mkdir()
    (mapped / "slaves" / "dm-5").symlink_to(mapped)
    assert classify(Mount("253:5", "/m", "ext4", "/dev/dm-5"), laptop) == "local"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, "unknown"),
        (1, "unknown"),
        (2, "removable"),
        (3, "local"),
        (4, "network"),
        (5, "removable"),
        (6, "local"),
    ],
)
def test_windows_drive_types(number: int, kind: str) -> None:
    assert drives_windows.classify(number) == kind


class _Kernel32:
    """The calls of Windows, answered as a machine with a system disk and a USB disk answers."""

    def __init__(self, drive_type: int, bus: int = 17, *, media: int = 0, opens: bool = True):
        self._drive_type = drive_type
        self._descriptor = struct.pack("<IIBBBBIIIIII", 40, 60, 0, 0, media, 1, 0, 0, 0, 0, bus, 0)
        self._handle = 1234 if opens else ctypes.c_void_p(-1).value
        self.closed: list[int | None] = []
        self.asked: list[str | None] = []
        self.CreateFileW = _Call(self._open)

    def GetDriveTypeW(self, root: ctypes.c_wchar_p) -> int:  # noqa: N802  (Windows' own name)
        self.asked.append(root.value)
        return self._drive_type

    def _open(self, name: ctypes.c_wchar_p, access: int, *_: object) -> int | None:
        self.asked.append(name.value)
        assert access == 0  # more would need an administrator
        return self._handle

    def DeviceIoControl(self, *arguments: Any) -> int:  # noqa: N802
        handle, code, query, query_bytes, answer, room, length, _ = arguments
        assert (handle.value, code.value, query_bytes.value) == (1234, 0x2D1400, len(query))
        assert room.value >= len(self._descriptor)
        answer[: len(self._descriptor)] = self._descriptor
        length._obj.value = len(self._descriptor)
        return 1

    def CloseHandle(self, handle: ctypes.c_void_p) -> int:  # noqa: N802
        self.closed.append(handle.value)
        return 1


class _Call:
    """A foreign function: callable, with a result type that can be set."""

    def __init__(self, function: Callable[..., int | None]) -> None:
        self._function = function
        self.restype: object = None

    def __call__(self, *arguments: Any) -> int | None:
        return self._function(*arguments)


@pytest.mark.parametrize(
    ("kernel32", "kind"),
    [
        (_Kernel32(3, bus=17), "local"),  # NVMe
        (_Kernel32(3, bus=11), "local"),  # SATA
        (_Kernel32(3, bus=13), "local"),  # soldered flash
        (_Kernel32(3, bus=7), "removable"),  # a USB hard disk calls itself fixed
        (_Kernel32(3, bus=12), "removable"),  # an SD card
        (_Kernel32(3, bus=11, media=1), "removable"),
        (_Kernel32(3, bus=7, opens=False), "local"),
        (_Kernel32(2), "removable"),
        (_Kernel32(4), "network"),
    ],
)
def test_a_windows_letter(kernel32: _Kernel32, kind: str) -> None:
    assert drives_windows.kind_of_letter("E:", kernel32) == kind
    assert kernel32.asked[0] == "E:\\"
    if len(kernel32.asked) > 1:
        assert kernel32.asked[1] == "\\\\.\\E:"
        assert kernel32.closed == ([1234] if kernel32._handle == 1234 else [])


def test_a_windows_disk_that_says_too_little_is_no_stick() -> None:
    assert not drives_windows.hangs_on_a_plug(b"")
    assert not drives_windows.hangs_on_a_plug(b"\xff" * 31)


@pytest.mark.parametrize(
    ("drive", "network"),
    [
        ("C:", False),
        ("\\\\server\\share", True),
        ("\\\\?\\UNC\\server\\share", True),
        ("\\\\?\\C:", False),
        ("\\\\.\\PhysicalDrive1", False),
    ],
)
def test_windows_network_paths(drive: str, network: bool) -> None:
    assert drives_windows.is_unc(drive) is network


@pytest.mark.parametrize(
    ("volume", "kind"),
    [
        (Volume("apfs", MNT_LOCAL, "/"), "local"),
        (Volume("apfs", MNT_LOCAL, "/System/Volumes/Data"), "local"),
        (Volume("apfs", MNT_LOCAL, "/Volumes/Backup"), "removable"),
        (Volume("exfat", MNT_LOCAL | MNT_REMOVABLE, "/Volumes/STICK"), "removable"),
        (Volume("apfs", MNT_LOCAL | MNT_REMOVABLE, "/"), "removable"),
        (Volume("smbfs", 0, "/Volumes/share"), "network"),
        (Volume("nfs", 0, "/System/Volumes/Data/net"), "network"),
        (Volume("webdav", MNT_LOCAL, "/Volumes/cloud"), "network"),
    ],
)
def test_macos_volumes(volume: Volume, kind: str) -> None:
    assert drives_macos.classify(volume) == kind


def test_another_platform_says_that_it_does_not_know(tmp_path: Path) -> None:
    others = {"win32", "darwin"} - {sys.platform}
    assert {drive_kind(tmp_path, platform=other) for other in others} == {"unknown"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads this machine's mount table")
def test_this_machine(tmp_path: Path) -> None:
    kind = drive_kind(tmp_path)
    assert kind in ("local", "unknown")  # a test folder on a stick or in a network would be odd
    assert drive_kind(tmp_path / "not" / "yet" / "there") == kind
    link = tmp_path / "link"
    link.symlink_to("/dev/shm")
    if Path("/dev/shm").is_mount():
        assert drive_kind(link / "x") == "local"
    assert drive_kind(Path("/proc/self")) == "unknown"
    assert drive_kind(Path("a\0b")) == "unknown"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_without_a_mount_table_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "hidden")

    monkeypatch.setattr(drives_linux, "kind_of", refuse)
    assert drive_kind(tmp_path) == "unknown"
