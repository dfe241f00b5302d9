"""x86 processors asked directly: where the system has no call that tells the features.

Windows' IsProcessorFeaturePresent knows neither FMA nor VNNI nor AMX. The `cpuid` and `xgetbv`
instructions are allowed in every process; they are written to a page of executable memory and
called. Source of leaves and bits: Intel SDM volume 2A, CPUID; volume 1, 13.3 for XCR0.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

Registers = tuple[int, int, int, int]
CpuidCall = Callable[[int, int], Registers]

_XGETBV_LEAF = 0xFFFFFFFF  # our own sign for "xgetbv, not cpuid"

# void ask(uint32 leaf, uint32 subleaf, uint32 out[4]); leaf 0xFFFFFFFF runs xgetbv(subleaf).
_BODY = bytes.fromhex(
    "53"  # push rbx (belongs to the caller)
    "83f8ff"  # cmp eax, -1
    "7404"  # je to xgetbv
    "0fa2"  # cpuid
    "eb03"  # jmp to the stores
    "0f01d0"  # xgetbv
    "418900"  # mov [r8], eax
    "41895804"  # mov [r8+4], ebx
    "41894808"  # mov [r8+8], ecx
    "4189500c"  # mov [r8+12], edx
    "5bc3"  # pop rbx; ret
)
_SYSTEM_V = bytes.fromhex("89f889f14989d0") + _BODY  # mov eax, edi; mov ecx, esi; mov r8, rdx
_WINDOWS = bytes.fromhex("89c889d1") + _BODY  # mov eax, ecx; mov ecx, edx; r8 is in place

_AVX_STATE, _AVX512_STATE, _AMX_STATE = 0x6, 0xE6, 0x60000
# (leaf, subleaf, register 0-3 = eax ebx ecx edx, bit, name, XCR0 bits the system must save)
_BITS: tuple[tuple[int, int, int, int, str, int], ...] = (
    (1, 0, 2, 20, "sse4_2", 0),
    (1, 0, 2, 28, "avx", _AVX_STATE),
    (1, 0, 2, 29, "f16c", _AVX_STATE),
    (1, 0, 2, 12, "fma", _AVX_STATE),
    (7, 0, 1, 8, "bmi2", 0),
    (7, 0, 1, 5, "avx2", _AVX_STATE),
    (7, 1, 0, 4, "avx_vnni", _AVX_STATE),
    (7, 0, 1, 16, "avx512f", _AVX512_STATE),
    (7, 0, 1, 28, "avx512cd", _AVX512_STATE),
    (7, 0, 1, 30, "avx512bw", _AVX512_STATE),
    (7, 0, 1, 17, "avx512dq", _AVX512_STATE),
    (7, 0, 1, 31, "avx512vl", _AVX512_STATE),
    (7, 0, 2, 1, "avx512_vbmi", _AVX512_STATE),
    (7, 0, 2, 11, "avx512_vnni", _AVX512_STATE),
    (7, 1, 0, 5, "avx512_bf16", _AVX512_STATE),
    (7, 0, 3, 24, "amx_tile", _AMX_STATE),
    (7, 0, 3, 25, "amx_int8", _AMX_STATE),
    (7, 0, 3, 22, "amx_bf16", _AMX_STATE),
)


@dataclass(frozen=True, slots=True)
class CpuidFacts:
    """What cpuid tells of the processor: its name and the features that the system supports."""

    name: str
    features: tuple[str, ...]


def machine_name() -> str:
    """The processor's architecture: x86_64, AMD64, arm64, aarch64, ARM64, ...

    `platform.machine` would ask Windows' WMI, which takes seconds where that service is unwell.
    """
    uname = getattr(os, "uname", None)
    return str(uname().machine) if uname else os.environ.get("PROCESSOR_ARCHITECTURE", "")


def native_cpuid() -> CpuidCall | None:
    """A function that runs `cpuid`; None where the processor or the system does not allow it."""
    if machine_name().lower() not in ("x86_64", "amd64") or sys.maxsize < 1 << 32:
        return None
    try:
        return _native_call()
    except (OSError, ValueError):  # executable memory is forbidden here (SELinux, a policy)
        return None


def read(ask: CpuidCall) -> CpuidFacts:
    """Name and features through `ask(leaf, subleaf) -> (eax, ebx, ecx, edx)`."""
    highest = ask(0, 0)[0]
    saved = _saved_state(ask) if highest >= 1 else 0
    subleaves = ask(7, 0)[0] if highest >= 7 else 0
    features = tuple(
        name
        for leaf, subleaf, register, bit, name, state in _BITS
        if leaf <= highest
        and (leaf != 7 or subleaf <= subleaves)
        and ask(leaf, subleaf)[register] >> bit & 1
        and saved & state == state
    )
    return CpuidFacts(_brand(ask), features)


def _saved_state(ask: CpuidCall) -> int:
    """XCR0: the register sets that the operating system saves; 0 without OSXSAVE."""
    if not ask(1, 0)[2] >> 27 & 1:
        return 0
    low, _, _, high = ask(_XGETBV_LEAF, 0)
    return high << 32 | low


def _brand(ask: CpuidCall) -> str:
    if ask(0x80000000, 0)[0] < 0x80000004:
        return ""
    raw = b"".join(
        value.to_bytes(4, "little")
        for leaf in range(0x80000002, 0x80000005)
        for value in ask(leaf, 0)
    )
    return " ".join(raw.split(b"\0")[0].decode("ascii", "replace").split())


def _caller(address: int, keep: object) -> CpuidCall:
    """A Python function around the code at `address`; `keep` owns the memory."""
    code = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)(address)
    out = (ctypes.c_uint32 * 4)()

    def ask(leaf: int, subleaf: int, _keep: object = keep) -> Registers:
        code(leaf, subleaf, ctypes.addressof(out))
        return out[0], out[1], out[2], out[3]

    return ask


if sys.platform == "win32":

    def _native_call() -> CpuidCall:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.VirtualAlloc.restype = ctypes.c_void_p
        kernel.VirtualAlloc.argtypes = (
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_uint32,
            ctypes.c_uint32,
        )
        kernel.VirtualProtect.argtypes = (
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_uint32,
            ctypes.c_void_p,
        )
        commit_and_reserve, read_write, execute_read = 0x3000, 0x04, 0x20
        address = kernel.VirtualAlloc(None, 4096, commit_and_reserve, read_write)
        if not address:
            raise ctypes.WinError(ctypes.get_last_error())
        ctypes.memmove(address, _WINDOWS, len(_WINDOWS))
        old = ctypes.c_uint32()
        if not kernel.VirtualProtect(address, 4096, execute_read, ctypes.addressof(old)):
            raise ctypes.WinError(ctypes.get_last_error())
        return _caller(address, old)

else:

    def _native_call() -> CpuidCall:
        size = mmap.PAGESIZE
        page = mmap.mmap(-1, size, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(_SYSTEM_V)
        return _caller(ctypes.addressof(ctypes.c_char.from_buffer(page)), page)
