from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from desktop.hardware import cpuid
from desktop.hardware.cpuid import Registers
from desktop.hardware.features import known_features

XGETBV = 0xFFFFFFFF


class Processor:
    """cpuid's answers as (leaf, subleaf) -> registers; everything else is zero."""

    def __init__(self, answers: dict[tuple[int, int], Registers]) -> None:
        self.answers = answers
        self.asked: list[tuple[int, int]] = []

    def __call__(self, leaf: int, subleaf: int) -> Registers:
        self.asked.append((leaf, subleaf))
        return self.answers.get((leaf, subleaf), (0, 0, 0, 0))


def _brand(text: str) -> dict[tuple[int, int], Registers]:
    raw = text.encode().ljust(48, b"\0")
    words = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, 48, 4)]
    found: dict[tuple[int, int], Registers] = {(0x80000000, 0): (0x80000008, 0, 0, 0)}
    for number in range(3):
        a, b, c, d = words[number * 4 : number * 4 + 4]
        found[0x80000002 + number, 0] = (a, b, c, d)
    return found


# A Core i7-1365U (Raptor Lake), as cpuid answers there; leaf 1's OSXSAVE is set.
RAPTOR_LAKE: dict[tuple[int, int], Registers] = {
    (0, 0): (0x20, 0x756E6547, 0x6C65746E, 0x49656E69),
    (1, 0): (0xB06A3, 0, 0x7FFAFBBF, 0xBFEBFBFF),
    (7, 0): (2, 0x239CA7EB, 0x98C007BC, 0xFC18C410),
    (7, 1): (0x00400810, 0, 0, 0),
    (XGETBV, 0): (0x207, 0, 0, 0),
    **_brand("  13th Gen Intel(R) Core(TM)  i7-1365U"),
}


def test_a_laptop_processor() -> None:
    facts = cpuid.read(Processor(RAPTOR_LAKE))
    assert facts.name == "13th Gen Intel(R) Core(TM) i7-1365U"
    assert facts.features == ("sse4_2", "avx", "f16c", "fma", "bmi2", "avx2", "avx_vnni")


def test_what_the_system_does_not_save_cannot_be_used() -> None:
    """A virtual machine or an old system that saves only the SSE registers."""
    facts = cpuid.read(Processor({**RAPTOR_LAKE, (XGETBV, 0): (0x3, 0, 0, 0)}))
    assert facts.features == ("sse4_2", "bmi2")


def test_without_xsave_xgetbv_is_not_run() -> None:
    """The instruction would end the process."""
    a, b, c, d = RAPTOR_LAKE[1, 0]
    processor = Processor({**RAPTOR_LAKE, (1, 0): (a, b, c & ~(1 << 27), d)})
    assert cpuid.read(processor).features == ("sse4_2", "bmi2")
    assert (XGETBV, 0) not in processor.asked


def test_avx512_and_amx_need_their_registers_saved() -> None:
    every = 0xFFFFFFFF
    answers: dict[tuple[int, int], Registers] = {
        (0, 0): (0x20, 0, 0, 0),
        (1, 0): (0, 0, every, 0),
        (7, 0): (1, every, every, every),
        (7, 1): (every, every, every, every),
    }
    server = cpuid.read(Processor({**answers, (XGETBV, 0): (0x600E7, 0, 0, 0)})).features
    assert {"avx512f", "avx512_vnni", "amx_int8"} <= set(server)
    no_amx = cpuid.read(Processor({**answers, (XGETBV, 0): (0xE7, 0, 0, 0)})).features
    assert "avx512f" in no_amx
    assert not {"amx_tile", "amx_int8"} & set(no_amx)
    no_512 = cpuid.read(Processor({**answers, (XGETBV, 0): (0x7, 0, 0, 0)})).features
    assert "avx2" in no_512
    assert not [name for name in no_512 if name.startswith("avx512")]


def test_an_old_processor_without_leaf_7() -> None:
    answers: dict[tuple[int, int], Registers] = {
        (0, 0): (6, 0, 0, 0),
        (1, 0): (0, 0, 1 << 20, 0),
        (7, 0): (0, 0xFFFFFFFF, 0, 0),  # beyond the highest leaf: means nothing
    }
    facts = cpuid.read(Processor(answers))
    assert (facts.name, facts.features) == ("", ("sse4_2",))


@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64") or not Path("/proc/cpuinfo").exists(),
    reason="compares this processor's own answer with the kernel's",
)
def test_this_processor_answers_as_the_kernel_says() -> None:
    ask = cpuid.native_cpuid()
    assert ask is not None
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = next(line for line in lines if line.startswith("flags")).partition(":")[2]
    name = next(line for line in lines if line.startswith("model name")).partition(":")[2]
    facts = cpuid.read(ask)
    assert facts.features == known_features(flags.split())
    assert facts.name == " ".join(name.split())


def test_no_cpuid_on_other_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpuid, "machine_name", lambda: "aarch64")
    assert cpuid.native_cpuid() is None


def test_the_architectures_name(monkeypatch: pytest.MonkeyPatch) -> None:
    if platform.system() != "Windows":
        assert cpuid.machine_name() == platform.machine()
    monkeypatch.delattr(os, "uname", raising=False)
    monkeypatch.setenv("PROCESSOR_ARCHITECTURE", "ARM64")
    assert cpuid.machine_name() == "ARM64"


def test_executable_memory_may_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid() -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(cpuid, "machine_name", lambda: "x86_64")
    monkeypatch.setattr(cpuid, "_native_call", forbid)
    assert cpuid.native_cpuid() is None


@pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.system() == "Windows", reason="runs x86 code"
)
def test_the_code_for_windows_runs_here_behind_a_change_of_registers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows hands over ecx, edx, r8 where Linux and macOS hand over edi, esi, rdx."""
    here = cpuid.native_cpuid()
    change = bytes.fromhex("89f94989d089f2")  # mov ecx, edi; mov r8, rdx; mov edx, esi
    monkeypatch.setattr(cpuid, "_SYSTEM_V", change + cpuid._WINDOWS)
    windows = cpuid.native_cpuid()
    assert here is not None
    assert windows is not None
    assert cpuid.read(windows) == cpuid.read(here)
    assert windows(7, 0) == here(7, 0)
