"""Windows: DXGI and the registry for GPUs, the registry and cpuid for the processor."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from desktop.hardware import amd, cpuid, intel, pci, power
from desktop.hardware.abc import GpuScan, MemoryScan, Platform
from desktop.hardware.cpuid import CpuidCall
from desktop.hardware.dxgi import Adapter
from desktop.hardware.features import known_features
from desktop.hardware.fields import MAX_BYTES
from desktop.hardware.machine import Cpu, Gpu, Memory, Note, Vendor
from desktop.hardware.memory import SystemMemory, system_memory
from desktop.hardware.windows_cores import Cores, parse_cores

_log = logging.getLogger(__name__)

RegistryValue = str | int | bytes

_CPU_KEY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_CLASS = r"SYSTEM\CurrentControlSet\Control\Class"
_DISPLAY_KEY = _CLASS + r"\{4d36e968-e325-11ce-bfc1-08002be10318}"
_NPU_KEY = _CLASS + r"\{f01a9d53-3ff6-48d2-9f97-c8a7004be10c}"
_DEVICE_ID = re.compile(r"VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", re.I)
_GIB = 1 << 30
_QUALCOMM = (0x4D4F4351, 0x5143)  # "QCOM", and its PCI number
_VENDORS: dict[int, Vendor] = {pci.AMD: "amd", 0x1022: "amd", pci.INTEL: "intel"}

# IsProcessorFeaturePresent's numbers (winnt.h); x86 processors tell more through cpuid.
_FEATURES_ARM = {
    19: "neon",
    67: "fp16",
    43: "dotprod",
    66: "i8mm",
    68: "bf16",
    46: "sve",
    47: "sve2",
    70: "sme",
}
_FEATURES_X86 = {38: "sse4_2", 39: "avx", 40: "avx2", 41: "avx512f", 60: "bmi2"}
_SVE_I8MM = 57  # Windows 11 before 24H2's update has no number of its own for i8mm


class WindowsSystem(Protocol):
    """What is asked of Windows. Every call may raise OSError."""

    def adapters(self) -> tuple[Adapter, ...]: ...

    def registry_keys(self, key: str) -> tuple[str, ...]:
        """Names below a key of HKEY_LOCAL_MACHINE; empty where it is missing or closed to us."""
        ...

    def registry_value(self, key: str, name: str) -> RegistryValue | None: ...

    def has_feature(self, number: int) -> bool: ...

    def core_records(self) -> bytes: ...

    def has_nvml(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Driver:
    """A display driver's entry in the registry."""

    name: str
    vendor: int
    device: int
    version: str
    memory_bytes: int


class WindowsPlatform(Platform):
    """Windows 10 and 11, on x86-64 and ARM64."""

    def __init__(
        self,
        system: WindowsSystem | None = None,
        machine: str | None = None,
        read_memory: SystemMemory = system_memory,
        read_battery: Callable[[], bool | None] = power.on_battery,
        find_cpuid: Callable[[], CpuidCall | None] = cpuid.native_cpuid,
    ) -> None:
        self._find_cpuid = find_cpuid
        self._system = system or _native_system()
        self._is_arm = (machine or cpuid.machine_name()).upper() in ("ARM64", "AARCH64")
        self._read_memory = read_memory
        self._read_battery = read_battery

    def cpu(self) -> Cpu:
        cores = self._cores()
        return Cpu(
            name=" ".join(
                str(self._system.registry_value(_CPU_KEY, "ProcessorNameString") or "").split()
            ),
            physical_cores=cores.physical,
            logical_cores=cores.logical,
            features=self._features(),
            performance_cores=cores.performance,
            usable_cores=cores.logical,
            l3_bytes=cores.l3_bytes,
        )

    def _cores(self) -> Cores:
        try:
            return parse_cores(self._system.core_records())
        except (OSError, ValueError) as error:
            _log.warning("cores not read: %s", error)
            return Cores(0, 0, 0, None)

    def _features(self) -> tuple[str, ...]:
        """On x86 cpuid's answer, which knows more; where it is forbidden, and on ARM, Windows'."""
        ask = None if self._is_arm else self._find_cpuid()
        if ask is not None:
            return cpuid.read(ask).features
        numbers = _FEATURES_ARM if self._is_arm else _FEATURES_X86
        found = {name for number, name in numbers.items() if self._system.has_feature(number)}
        if self._is_arm and self._system.has_feature(_SVE_I8MM):
            found.add("i8mm")
        return known_features(found)

    def memory(self) -> MemoryScan:
        return MemoryScan(self._read_memory())

    def nvidia_cards(self) -> tuple[str, ...] | None:
        names = tuple(d.name for d in self._drivers() if d.vendor == pci.NVIDIA)
        return names if names or self._system.has_nvml() else None

    def gpus(self, memory: Memory) -> GpuScan:
        """AMD's and Intel's adapters; by the registry alone where DXGI fails."""
        drivers = self._drivers()
        try:
            adapters = self._system.adapters()
        except OSError as error:
            _log.warning("DXGI failed, the registry is used instead: %s", error)
            adapters = tuple(_adapter_of(driver, memory) for driver in drivers)
        gpus: list[Gpu] = []
        notes: list[Note] = []
        for adapter in adapters:
            if adapter.is_software:
                continue
            if adapter.vendor in _QUALCOMM:
                notes.append(Note.of("gpu_unsupported", name=adapter.name))
            if adapter.vendor in _VENDORS:
                gpu = _gpu(adapter, drivers, memory)
                if 0 < gpu.total_bytes <= MAX_BYTES:
                    gpus.append(gpu)
                else:
                    notes.append(Note.of("gpu_implausible", name=adapter.name))
        return GpuScan(tuple(gpus), tuple(notes))

    def _drivers(self) -> tuple[_Driver, ...]:
        """The display drivers with PCI numbers: not those of virtual and remote displays."""
        found: list[_Driver] = []
        for name in self._system.registry_keys(_DISPLAY_KEY):
            key = f"{_DISPLAY_KEY}\\{name}"
            match = _DEVICE_ID.search(
                str(self._system.registry_value(key, "MatchingDeviceId") or "")
            )
            if match is None:
                continue
            found.append(
                _Driver(
                    name=str(self._system.registry_value(key, "DriverDesc") or ""),
                    vendor=int(match[1], 16),
                    device=int(match[2], 16),
                    version=str(self._system.registry_value(key, "DriverVersion") or ""),
                    memory_bytes=self._memory_size(key),
                )
            )
        return tuple(found)

    def _memory_size(self, key: str) -> int:
        """Drivers write the 64-bit value as a number or as its bytes; the old one ends at 4 GiB."""
        for name in ("HardwareInformation.qwMemorySize", "HardwareInformation.MemorySize"):
            value = self._system.registry_value(key, name)
            if isinstance(value, bytes):
                value = int.from_bytes(value[:8], "little")
            if isinstance(value, int) and value > 0:
                return value
        return 0

    def npus(self) -> tuple[str, ...]:
        names = (
            str(self._system.registry_value(f"{_NPU_KEY}\\{name}", "DriverDesc") or "")
            for name in self._system.registry_keys(_NPU_KEY)
        )
        return tuple(dict.fromkeys(name for name in names if name))

    def on_battery(self) -> bool | None:
        return self._read_battery()


def _adapter_of(driver: _Driver, memory: Memory) -> Adapter:
    """What DXGI would have said, as far as the registry knows it: Windows shares half of memory."""
    return Adapter(
        name=driver.name,
        vendor=driver.vendor,
        device=driver.device,
        dedicated_bytes=driver.memory_bytes,
        shared_bytes=memory.total_bytes // 2,
        luid=0,
        is_software=False,
    )


def _gpu(adapter: Adapter, drivers: tuple[_Driver, ...], memory: Memory) -> Gpu:
    vendor = _VENDORS[adapter.vendor]
    version = next((d.version for d in drivers if d.device == adapter.device), "")
    own = adapter.dedicated_bytes
    if not _is_integrated(adapter):
        # DXGI's size wraps or is missing with some drivers; the registry's then is right.
        listed = [d.memory_bytes for d in drivers if d.device == adapter.device]
        total = max([own, *listed])
        return Gpu(adapter.name, vendor, "vulkan", total, _free(adapter, total), driver=version)
    total = own + min(adapter.shared_bytes, memory.total_bytes)
    free = _free(adapter, total)
    if memory.available_bytes is not None:
        most = own + memory.available_bytes
        free = min(total, most) if free is None else min(free, most)
    return Gpu(
        name=adapter.name,
        vendor=vendor,
        backend="vulkan",
        total_bytes=total,
        free_bytes=free,
        unified=True,
        integrated=True,
        driver=version,
        dedicated_bytes=own,
    )


def _is_integrated(adapter: Adapter) -> bool:
    if _VENDORS[adapter.vendor] == "amd":
        return amd.is_apu(adapter.device, adapter.name)
    if intel.is_card_name(adapter.name) or intel.card_name(adapter.device):
        return False
    return adapter.dedicated_bytes < 2 * _GIB


def _free(adapter: Adapter, total: int) -> int | None:
    """What is left of this process's budget, in which Windows has counted the other programs."""
    if adapter.budget_bytes is None or adapter.used_bytes is None:
        return None
    return min(max(0, adapter.budget_bytes - adapter.used_bytes), total)


if sys.platform == "win32":

    def _native_system() -> WindowsSystem:
        from desktop.hardware.win32 import NativeWindows  # can be imported on Windows only

        return NativeWindows()

else:

    def _native_system() -> WindowsSystem:
        raise OSError("this is not Windows")
