from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import pytest

from desktop.hardware.machine import Gpu, Memory
from desktop.hardware.macos import MacPlatform, default_wired_limit
from desktop.hardware.sysctl import NativeSysctl
from tests.hardware.trees import GIB, MIB

# As `sysctl -a` prints them, what matters here.
M2_PRO = """\
hw.nperflevels: 2
hw.perflevel0.physicalcpu: 8
hw.perflevel1.physicalcpu: 4
hw.physicalcpu: 12
hw.logicalcpu: 12
hw.memsize: 34359738368
hw.optional.arm64: 1
hw.optional.neon: 1
hw.optional.AdvSIMD: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 1
hw.optional.arm.FEAT_FP16: 1
hw.optional.arm.FEAT_BF16: 1
hw.optional.arm.FEAT_SME: 0
iogpu.wired_limit_mb: 0
machdep.cpu.brand_string: Apple M2 Pro
sysctl.proc_translated: 0
"""
M1 = """\
hw.nperflevels: 2
hw.perflevel0.physicalcpu: 4
hw.physicalcpu: 8
hw.logicalcpu: 8
hw.optional.arm64: 1
hw.optional.neon: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 0
hw.optional.arm.FEAT_FP16: 1
debug.iogpu.wired_limit: 12288
machdep.cpu.brand_string: Apple M1
"""
M1_TRANSLATED = """\
hw.physicalcpu: 8
hw.logicalcpu: 8
hw.optional.avx2_0: 0
machdep.cpu.brand_string: VirtualApple @ 2.50GHz
machdep.cpu.features: FPU VME SSE SSE2 SSE3 SSSE3 SSE4.1 SSE4.2 AES
sysctl.proc_translated: 1
"""
MACBOOK_2019 = """\
hw.physicalcpu: 8
hw.logicalcpu: 16
hw.l3cachesize: 16777216
hw.optional.avx512f: 0
machdep.cpu.brand_string: Intel(R) Core(TM) i9-9980HK CPU @ 2.40GHz
machdep.cpu.features: FPU VME DE SSE SSE2 SSE3 PCLMULQDQ SSSE3 FMA CX16 SSE4.1 SSE4.2 x2APIC AES AVX1.0 F16C
machdep.cpu.leaf7_features: RDWRFSGS BMI1 AVX2 SMEP BMI2 ERMS INVPCID ADX
"""  # noqa: E501  (as it is printed)


class Recorded:
    """Sysctl answers from a recording."""

    def __init__(self, text: str, **more: str) -> None:
        pairs = (line.partition(": ")[::2] for line in text.splitlines())
        self._values: Mapping[str, str] = {**dict(pairs), **more}

    def text(self, name: str) -> str | None:
        return self._values.get(name)

    def number(self, name: str) -> int | None:
        value = self._values.get(name)
        return None if value is None else int(value)


def _mac(text: str, memory: Memory = Memory(32 * GIB, 20 * GIB)) -> MacPlatform:  # noqa: B008
    return MacPlatform(Recorded(text), lambda: memory, lambda: True)


def test_an_m2_pro() -> None:
    mac = _mac(M2_PRO)
    cpu = mac.cpu()
    assert (cpu.name, cpu.physical_cores, cpu.logical_cores) == ("Apple M2 Pro", 12, 12)
    assert cpu.performance_cores == 8
    assert cpu.features == ("neon", "fp16", "dotprod", "i8mm", "bf16")
    memory = mac.memory().memory
    scan = mac.gpus(memory)
    limit = 32 * GIB * 2 // 3
    assert scan.notes == ()
    assert scan.gpus == (
        Gpu(
            name="Apple M2 Pro",
            vendor="apple",
            backend="metal",
            total_bytes=32 * GIB,
            free_bytes=20 * GIB,
            unified=True,
            integrated=True,
            wired_limit_bytes=limit,
            dedicated_bytes=0,
        ),
    )
    assert mac.npus() == ("Apple Neural Engine",)
    assert mac.nvidia_cards() is None
    assert mac.on_battery() is True


def test_free_memory_beyond_metals_limit_is_not_the_gpus() -> None:
    (gpu,) = _mac(M2_PRO).gpus(Memory(32 * GIB, 30 * GIB)).gpus
    assert gpu.free_bytes == 32 * GIB * 2 // 3
    (unknown,) = _mac(M2_PRO).gpus(Memory(32 * GIB)).gpus
    assert unknown.free_bytes is None


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("iogpu.wired_limit_mb", "26000", 26000 * MIB),
        ("iogpu.wired_limit_mb", "999999", 32 * GIB),
        ("iogpu.wired_limit_mb", "0", 32 * GIB * 2 // 3),
        ("iogpu.wired_limit_mb", "-1", 32 * GIB * 2 // 3),
    ],
)
def test_the_users_own_limit(name: str, value: str, limit: int) -> None:
    mac = MacPlatform(Recorded(M2_PRO, **{name: value}), lambda: Memory(32 * GIB), lambda: None)
    assert mac.gpus(Memory(32 * GIB)).gpus[0].wired_limit_bytes == limit


def test_the_older_name_of_the_limit() -> None:
    (gpu,) = _mac(M1).gpus(Memory(16 * GIB)).gpus
    assert gpu.wired_limit_bytes == 12 * GIB


@pytest.mark.parametrize(
    ("memory_gib", "limit_mb"),
    # recommendedMaxWorkingSetSize as llama.cpp has printed it, in millions of bytes.
    [
        (8, 5726.63),
        (16, 11453.25),
        (24, 17179.89),
        (32, 22906.50),
        (36, 28991.03),
        (192, 154618.82),
    ],
)
def test_the_share_that_metal_keeps(memory_gib: int, limit_mb: float) -> None:
    assert default_wired_limit(memory_gib * GIB) / 1e6 == pytest.approx(limit_mb, abs=0.1)


def test_an_intel_mac() -> None:
    mac = _mac(MACBOOK_2019)
    cpu = mac.cpu()
    assert cpu.features == ("sse4_2", "avx", "f16c", "fma", "bmi2", "avx2")
    assert (cpu.physical_cores, cpu.logical_cores, cpu.l3_bytes) == (8, 16, 16 * MIB)
    assert cpu.performance_cores == 0
    scan = mac.gpus(mac.memory().memory)
    assert scan.gpus == ()
    assert [note.kind for note in scan.notes] == ["gpu_intel_mac"]
    assert mac.npus() == ()


def test_the_intel_edition_on_apple_silicon() -> None:
    mac = _mac(M1_TRANSLATED)
    scan = mac.gpus(mac.memory().memory)
    assert [gpu.name for gpu in scan.gpus] == ["Apple Silicon"]
    assert [note.kind for note in scan.notes] == ["rosetta"]
    assert mac.npus() == ("Apple Neural Engine",)


def test_a_kernel_that_tells_nothing() -> None:
    mac = _mac("")
    assert mac.cpu().name == ""
    assert mac.gpus(Memory(8 * GIB)).gpus == ()


class FakeLibrary:
    """A C library whose sysctlbyname answers from a table of bytes."""

    def __init__(self, values: dict[str, bytes]) -> None:
        self.values = values

        def sysctlbyname(name: bytes, buffer: Any, size: Any, _new: Any, _length: Any) -> int:
            value = values.get(name.decode())
            if value is None:
                return -1
            if buffer is not None:
                ctypes.memmove(buffer, value, len(value))
            size._obj.value = len(value)
            return 0

        self.sysctlbyname = sysctlbyname


def test_the_call_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "machdep.cpu.brand_string": b"Apple M3\0",
        "hw.physicalcpu": (8).to_bytes(4, "little"),
        "hw.memsize": (16 * GIB).to_bytes(8, "little"),
        "below.zero": (-1).to_bytes(4, "little", signed=True),
        "odd": b"\1\2\3",
        "empty": b"",
    }
    monkeypatch.setattr(ctypes, "CDLL", lambda _: FakeLibrary(values))
    native = NativeSysctl()
    assert native.text("machdep.cpu.brand_string") == "Apple M3"
    assert native.number("hw.physicalcpu") == 8
    assert native.number("hw.memsize") == 16 * GIB
    assert native.number("below.zero") == -1
    for name in ("odd", "empty", "missing"):
        assert native.number(name) is None
    assert native.text("missing") is None
