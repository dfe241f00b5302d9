"""macOS: what the kernel tells by sysctl. Apple silicon's GPU shares main memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from desktop.hardware import power
from desktop.hardware.abc import GpuScan, MemoryScan, Platform
from desktop.hardware.features import known_features
from desktop.hardware.machine import Cpu, Gpu, Memory, Note
from desktop.hardware.memory import SystemMemory, system_memory

_GIB = 1 << 30
# Names below hw.optional that stand for one feature each; the last part is what features.py knows.
_OPTIONAL = (
    "hw.optional.neon",
    "hw.optional.AdvSIMD",
    "hw.optional.arm.FEAT_DotProd",
    "hw.optional.arm.FEAT_I8MM",
    "hw.optional.arm.FEAT_FP16",
    "hw.optional.arm.FEAT_BF16",
    "hw.optional.arm.FEAT_SME",
    "hw.optional.avx512f",
    "hw.optional.avx512cd",
    "hw.optional.avx512bw",
    "hw.optional.avx512dq",
    "hw.optional.avx512vl",
    "hw.optional.avx512vbmi",
)


class Sysctl(Protocol):
    """The kernel's settings by name; None for a name that this system does not have."""

    def text(self, name: str) -> str | None: ...

    def number(self, name: str) -> int | None: ...


def default_wired_limit(memory_bytes: int) -> int:
    """What Metal may keep resident where nobody has set `iogpu.wired_limit_mb`.

    Metal's recommendedMaxWorkingSetSize as seen on machines: 2/3 of 8 to 32 GiB, 3/4 of 36 GiB
    and more. Newer systems allow more on some machines; llama.cpp then reports that.
    """
    if memory_bytes < 36 * _GIB:
        return memory_bytes * 2 // 3
    return memory_bytes * 3 // 4


class MacPlatform(Platform):
    """A Mac, with Apple's processors or Intel's."""

    def __init__(
        self,
        sysctl: Sysctl | None = None,
        read_memory: SystemMemory = system_memory,
        read_battery: Callable[[], bool | None] = power.on_battery,
    ) -> None:
        self._sysctl = sysctl or _native_sysctl()
        self._read_memory = read_memory
        self._read_battery = read_battery

    def cpu(self) -> Cpu:
        kinds = self._sysctl.number("hw.nperflevels") or 1
        fast = self._sysctl.number("hw.perflevel0.physicalcpu") if kinds > 1 else None
        logical = self._sysctl.number("hw.logicalcpu") or 0
        return Cpu(
            name=self._chip(),
            physical_cores=self._sysctl.number("hw.physicalcpu") or 0,
            logical_cores=logical,
            features=known_features(self._flags()),
            performance_cores=fast or 0,
            usable_cores=logical,
            l3_bytes=self._sysctl.number("hw.l3cachesize") or None,
        )

    def _chip(self) -> str:
        return " ".join((self._sysctl.text("machdep.cpu.brand_string") or "").split())

    def _flags(self) -> list[str]:
        flags = []
        for name in ("machdep.cpu.features", "machdep.cpu.leaf7_features"):
            flags.extend((self._sysctl.text(name) or "").split())
        present = (name for name in _OPTIONAL if self._sysctl.number(name))
        flags.extend(name.rpartition(".")[2] for name in present)
        return flags

    def memory(self) -> MemoryScan:
        return MemoryScan(self._read_memory())

    def nvidia_cards(self) -> tuple[str, ...] | None:
        return None  # no Mac of the last ten years runs an NVIDIA driver

    def gpus(self, memory: Memory) -> GpuScan:
        """Apple silicon's own GPU; Intel Macs' graphics are left out, with a note.

        `total_bytes` is all of the unified memory, `wired_limit_bytes` what Metal keeps of it.
        """
        if not self._is_apple_silicon():
            return GpuScan(notes=(Note.of("gpu_intel_mac"),))
        limit = self._wired_limit(memory.total_bytes)
        available = memory.available_bytes
        gpu = Gpu(
            name=self._chip().replace("VirtualApple", "Apple Silicon").partition(" @")[0],
            vendor="apple",
            backend="metal",
            total_bytes=memory.total_bytes,
            free_bytes=None if available is None else min(available, limit),
            unified=True,
            integrated=True,
            wired_limit_bytes=limit,
            dedicated_bytes=0,
        )
        # A program built for Intel runs translated there: far slower, and without the GPU's help.
        translated = self._sysctl.number("sysctl.proc_translated") == 1
        return GpuScan((gpu,), (Note.of("rosetta"),) if translated else ())

    def _is_apple_silicon(self) -> bool:
        return (
            self._sysctl.number("hw.optional.arm64") == 1
            or self._sysctl.number("sysctl.proc_translated") == 1
        )

    def _wired_limit(self, memory_bytes: int) -> int:
        """The user's own limit (0 means none set); macOS 13 had it under another name."""
        for name in ("iogpu.wired_limit_mb", "debug.iogpu.wired_limit"):
            value = self._sysctl.number(name)
            if value and value > 0:
                return min(value << 20, memory_bytes)
        return default_wired_limit(memory_bytes)

    def npus(self) -> tuple[str, ...]:
        return ("Apple Neural Engine",) if self._is_apple_silicon() else ()

    def on_battery(self) -> bool | None:
        return self._read_battery()


def _native_sysctl() -> Sysctl:
    from desktop.hardware.sysctl import NativeSysctl  # loads libc: not where tests bring their own

    return NativeSysctl()
