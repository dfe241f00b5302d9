from __future__ import annotations

import os

import psutil
import pytest

from desktop.hardware import cpuid
from desktop.hardware.cpu import complete
from desktop.hardware.features import known_features
from desktop.hardware.machine import Cpu


def test_what_the_platform_knows_stays() -> None:
    cpu = Cpu("Test CPU", 4, 8, ("avx2",), usable_cores=6)
    assert complete(cpu) == cpu


def test_counts_come_from_the_system() -> None:
    cpu = complete(Cpu("Test CPU", features=("avx2",)))
    assert cpu.logical_cores == os.cpu_count()
    assert 1 <= cpu.physical_cores <= cpu.logical_cores
    assert cpu.usable_cores == cpu.logical_cores


def test_counts_that_nobody_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*, logical: bool) -> int:
        raise psutil.Error("no /proc")

    monkeypatch.setattr(psutil, "cpu_count", fail)
    cpu = complete(Cpu("Test CPU", features=("avx2",), logical_cores=4))
    assert cpu.physical_cores == 4


def test_more_usable_cores_than_there_are() -> None:
    assert complete(Cpu("x", 2, 4, ("avx",), usable_cores=64)).usable_cores == 4


def test_cpuid_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpuid, "native_cpuid", lambda: lambda leaf, sub: (0, 0, 0, 0))
    facts = cpuid.CpuidFacts("Asked CPU", ("avx", "fma"))
    monkeypatch.setattr(cpuid, "read", lambda _: facts)
    cpu = complete(Cpu(logical_cores=2, physical_cores=2))
    assert (cpu.name, cpu.features) == ("Asked CPU", ("avx", "fma"))
    named = complete(Cpu("Told CPU", 2, 2))
    assert (named.name, named.features) == ("Told CPU", ("avx", "fma"))


def test_py_cpuinfo_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpuid, "native_cpuid", lambda: None)
    info = {"brand_raw": "Found CPU", "flags": ["asimd", "asimddp", "crc32"]}
    cpu = complete(Cpu(logical_cores=2, physical_cores=2), lambda: info)
    assert (cpu.name, cpu.features) == ("Found CPU", ("neon", "dotprod"))
    silent = complete(Cpu(logical_cores=2, physical_cores=2), dict)
    assert (silent.name, silent.features) == ("", ())


def test_features_have_one_name_everywhere() -> None:
    assert known_features(["SSE4.2", "AVX1.0", "F16C", "SSE2"]) == ("sse4_2", "avx", "f16c")
    assert known_features(["asimd", "asimddp"]) == known_features(["AdvSIMD", "FEAT_DotProd"])
    assert known_features(["avx512_vnni", "avx512vnni"]) == ("avx512_vnni",)
    assert known_features([]) == ()
