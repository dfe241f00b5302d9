"""Linux: everything stands in files below /proc and /sys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desktop.hardware import cgroup, pci, power, procfs, sysfs_gpus
from desktop.hardware.abc import GpuScan, MemoryScan, Platform
from desktop.hardware.files import Files
from desktop.hardware.machine import Cpu, Memory
from desktop.hardware.memory import SystemMemory, system_memory, within_limit

_NVIDIA_TRACES = ("/proc/driver/nvidia", "/dev/nvidiactl", "/etc/nv_tegra_release")
_NVIDIA_LIBRARY = "libnvidia-ml.so.1"
_LIBRARY_FOLDERS = (
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",
)
_NPU_DRIVERS = {
    "intel_vpu": "Intel AI Boost",
    "amdxdna": "AMD XDNA",
    "qaic": "Qualcomm Cloud AI",
    "rocket": "Rockchip NPU",
}
_NPU_NUMBERS = {
    (0x8086, 0x7D1D): "Intel AI Boost",
    (0x8086, 0xAD1D): "Intel AI Boost",
    (0x8086, 0x643E): "Intel AI Boost",
    (0x8086, 0xB03E): "Intel AI Boost",
    (0x1022, 0x1502): "AMD XDNA",
    (0x1022, 0x17F0): "AMD XDNA",
}
_NPU_FILES = {"/dev/fastrpc-cdsp": "Qualcomm Hexagon"}


class LinuxPlatform(Platform):
    """Linux, with its files below `files.root`."""

    def __init__(
        self,
        files: Files | None = None,
        read_memory: SystemMemory = system_memory,
        read_battery: Callable[[], bool | None] = power.on_battery,
        library_path: str = "",
    ) -> None:
        """`library_path` is LD_LIBRARY_PATH, where drivers may lie as well."""
        self._files = files or Files()
        self._library_folders = (*library_path.split(":"), *_LIBRARY_FOLDERS)
        self._read_memory = read_memory
        self._read_battery = read_battery

    def cpu(self) -> Cpu:
        usable = procfs.usable_cores(cgroup.cpu_quota(self._files))
        return replace(procfs.read_cpu(self._files), usable_cores=usable)

    def memory(self) -> MemoryScan:
        return within_limit(self._read_memory(), cgroup.memory_limit(self._files))

    def nvidia_cards(self) -> tuple[str, ...] | None:
        cards = tuple(
            pci.listed_name(self._files, device) or f"NVIDIA {device.device:04x}"
            for device in pci.display_devices(self._files)
            if device.vendor == pci.NVIDIA
        )
        return cards if cards or self._has_nvidia_driver() else None

    def _has_nvidia_driver(self) -> bool:
        libraries = (f"{folder}/{_NVIDIA_LIBRARY}" for folder in self._library_folders if folder)
        return any(self._files.exists(trace) for trace in (*_NVIDIA_TRACES, *libraries))

    def gpus(self, memory: Memory) -> GpuScan:
        return sysfs_gpus.scan(self._files, memory)

    def npus(self) -> tuple[str, ...]:
        found = [_NPU_NUMBERS.get(pair, "") for pair in sorted(pci.numbers(self._files))]
        for name in self._files.names("/sys/class/accel"):
            driver = self._files.link_name(f"/sys/class/accel/{name}/device/driver")
            found.append(_NPU_DRIVERS.get(driver, ""))
        found.extend(name for path, name in _NPU_FILES.items() if self._files.exists(path))
        return tuple(dict.fromkeys(name for name in found if name))

    def on_battery(self) -> bool | None:
        return self._read_battery()
