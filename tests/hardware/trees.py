"""Linux machines rebuilt as files: what /proc, /sys and /dev hold on real ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from desktop.hardware.files import Files

PCI = "sys/bus/pci/devices"
GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True)
class Tree:
    """A machine's files below `root`."""

    root: Path

    @property
    def files(self) -> Files:
        return Files(self.root)

    def write(self, name: str, content: str | bytes | int) -> Path:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        raw = content if isinstance(content, bytes) else f"{content}\n".encode()
        path.write_bytes(raw)
        return path

    def link(self, name: str, target: str) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    def pci(
        self,
        slot: str,
        vendor: int,
        device: int,
        *,
        driver: str = "",
        kind: int = 0x030000,
        revision: int = 0,
        render: int | None = None,
    ) -> str:
        """A PCI device as sysfs shows it; `render` makes its /dev/dri/renderD<number>."""
        folder = f"{PCI}/{slot}"
        self.write(f"{folder}/vendor", f"0x{vendor:04x}")
        self.write(f"{folder}/device", f"0x{device:04x}")
        self.write(f"{folder}/class", f"0x{kind:06x}")
        self.write(f"{folder}/revision", f"0x{revision:02x}")
        if driver:
            self.link(f"{folder}/driver", f"../../../../bus/pci/drivers/{driver}")
        if render is not None:
            self.write(f"{folder}/drm/renderD{render}/dev", f"226:{render}")
            self.write(f"{folder}/drm/card{render - 128}/dev", f"226:{render - 128}")
            self.write(f"dev/dri/renderD{render}", "")
        return folder

    def amd_memory(self, folder: str, *, vram: tuple[int, int], gtt: tuple[int, int]) -> None:
        """amdgpu's memory files: total and used of each kind."""
        for name, (total, used) in {"vram": vram, "gtt": gtt}.items():
            self.write(f"{folder}/mem_info_{name}_total", total)
            self.write(f"{folder}/mem_info_{name}_used", used)

    def gpu_metrics(self, folder: str, revision: int) -> None:
        self.write(f"{folder}/gpu_metrics", struct.pack("<HBB", 128, revision, 3) + bytes(124))


def add_radeon_card(tree: Tree, slot: str = "0000:03:00.0", render: int = 128) -> str:
    """A Radeon RX 7900 XTX with 24 GiB under amdgpu."""
    folder = tree.pci(slot, 0x1002, 0x744C, driver="amdgpu", revision=0xC8, render=render)
    tree.amd_memory(folder, vram=(25753026560, 1610612736), gtt=(33554432000, 104857600))
    tree.gpu_metrics(folder, 1)
    tree.write(
        "usr/share/libdrm/amdgpu.ids",
        "# List of AMDGPU IDs\n1.0.0\n15BF,\tC1,\tAMD Radeon 780M Graphics\n"
        "744C,\tC8,\tAMD Radeon RX 7900 XTX\n744C,\tCC,\tAMD Radeon RX 7900 XT",
    )
    return folder


def add_ryzen_apu(tree: Tree, slot: str = "0000:c4:00.0", render: int = 128) -> str:
    """A Ryzen 7840U's Radeon 780M: 512 MiB set aside, half of main memory to map."""
    folder = tree.pci(slot, 0x1002, 0x15BF, driver="amdgpu", revision=0xC1, render=render)
    tree.amd_memory(folder, vram=(512 * MIB, 200 * MIB), gtt=(8 * GIB, 64 * MIB))
    tree.gpu_metrics(folder, 2)
    return folder


def add_intel_graphics(tree: Tree, device: int = 0xA7A0, render: int = 128) -> str:
    """A Core i7-1365U's Iris Xe."""
    return tree.pci("0000:00:02.0", 0x8086, device, driver="i915", revision=4, render=render)


def add_processors(
    tree: Tree,
    cpuinfo: str,
    *,
    online: str = "",
    l3: str = "",
    shared: str = "",
) -> None:
    tree.write("proc/cpuinfo", cpuinfo)
    if online:
        tree.write("sys/devices/system/cpu/online", online)
    if l3:
        tree.write("sys/devices/system/cpu/cpu0/cache/index3/size", l3)
        tree.write("sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_list", shared)


def x86_cpuinfo(name: str, cores: int, threads: int, flags: str) -> str:
    """/proc/cpuinfo of one socket with `threads` hardware threads a core."""
    return "\n\n".join(
        f"processor\t: {number}\nvendor_id\t: GenuineIntel\nmodel name\t: {name}\n"
        f"cache size\t: 12288 KB\nphysical id\t: 0\nsiblings\t: {cores * threads}\n"
        f"core id\t\t: {number // threads}\ncpu cores\t: {cores}\nflags\t\t: {flags}\n"
        "bogomips\t: 5222.40"
        for number in range(cores * threads)
    )


SKYLAKE_FLAGS = (
    "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush dts acpi mmx "
    "fxsr sse sse2 ss ht tm pbe syscall nx rdtscp lm pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 "
    "x2apic movbe popcnt aes xsave avx f16c rdrand lahf_lm abm fsgsbase bmi1 avx2 smep bmi2 erms"
)
SAPPHIRE_RAPIDS_FLAGS = (
    SKYLAKE_FLAGS + " avx512f avx512dq avx512ifma avx512cd avx512bw avx512vl avx_vnni avx512_bf16 "
    "avx512vbmi avx512_vbmi2 gfni vaes avx512_vnni avx512_bitalg amx_bf16 amx_tile amx_int8"
)

RASPBERRY_PI_5 = "\n\n".join(
    [
        *(
            f"processor\t: {number}\nBogoMIPS\t: 108.00\n"
            "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid "
            "asimdrdm lrcpc dcpop asimddp\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
            "CPU variant\t: 0x4\nCPU part\t: 0xd0b\nCPU revision\t: 1"
            for number in range(4)
        ),
        "Revision\t: d04170\nSerial\t\t: 0000\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0",
    ]
)

GRAVITON_3 = "\n\n".join(
    f"processor\t: {number}\nBogoMIPS\t: 2100.00\n"
    "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm "
    "jscvt fcma lrcpc dcpop sha3 sm3 sm4 asimddp sha512 sve asimdfhm dit uscat ilrcpc flagm ssbs "
    "paca pacg dcpodp svei8mm svebf16 i8mm bf16 dgh rng\nCPU implementer\t: 0x41\n"
    "CPU architecture: 8\nCPU variant\t: 0x1\nCPU part\t: 0xd40\nCPU revision\t: 1"
    for number in range(2)
)
