"""The processor as Linux describes it in /proc/cpuinfo and /sys/devices/system/cpu."""

from __future__ import annotations

import os
import re

from desktop.hardware.features import known_features
from desktop.hardware.files import Files, parse_cpu_list
from desktop.hardware.machine import Cpu

_CPUS = "/sys/devices/system/cpu"
_CACHE_SIZE = re.compile(r"(\d+)([KMG]?)")
_CACHE_UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

# ARM processors give numbers instead of a name (MIDR_EL1); those that people's machines have.
_ARM_PARTS: dict[tuple[int, int], str] = {
    (0x41, 0xD03): "ARM Cortex-A53",
    (0x41, 0xD05): "ARM Cortex-A55",
    (0x41, 0xD08): "ARM Cortex-A72",
    (0x41, 0xD0B): "ARM Cortex-A76",
    (0x41, 0xD0C): "ARM Neoverse-N1",
    (0x41, 0xD40): "ARM Neoverse-V1",
    (0x41, 0xD49): "ARM Neoverse-N2",
    (0x41, 0xD4F): "ARM Neoverse-V2",
    (0x41, 0xD85): "ARM Cortex-X925",
    (0x51, 0x001): "Qualcomm Oryon",
    (0x61, 0x022): "Apple M1",
    (0x61, 0x023): "Apple M1",
    (0x61, 0x032): "Apple M2",
    (0x61, 0x033): "Apple M2",
    (0xC0, 0xAC3): "Ampere Altra",
}


def read_cpu(files: Files) -> Cpu:
    """Name, cores, features and cache; whatever is not told there stays unknown."""
    blocks = _blocks(files.text_or("/proc/cpuinfo"))
    first = blocks[0] if blocks else {}
    logical = sum("processor" in block for block in blocks) or len(_online(files))
    flags = first.get("flags") or first.get("features") or ""
    if "_v" in (isa := first.get("isa", "")) or re.match(r"rv64[a-z]*v", isa):
        flags += " rvv"
    return Cpu(
        name=_name(files, blocks),
        physical_cores=min(_physical(files, blocks) or logical, logical or 1 << 14),
        logical_cores=logical,
        features=known_features(flags.split()),
        performance_cores=_performance_cores(files),
        l3_bytes=_last_level_cache_bytes(files),
    )


def _blocks(text: str) -> list[dict[str, str]]:
    """/proc/cpuinfo's paragraphs, keys in lower case."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        pairs = (line.partition(":") for line in paragraph.splitlines())
        block = {key.strip().lower(): value.strip() for key, colon, value in pairs if colon}
        if block:
            found.append(block)
    return found


def _name(files: Files, blocks: list[dict[str, str]]) -> str:
    for block in blocks:
        name = block.get("model name", "")
        if name and not name.startswith(("ARMv", "AArch64", "unknown")):
            return " ".join(name.split())
    parts = {_arm_part(block) for block in blocks} - {""}
    if parts:
        return " + ".join(sorted(parts, reverse=True))
    for block in blocks:  # older ARM kernels, RISC-V
        for key in ("hardware", "uarch", "model"):
            if block.get(key):
                return block[key]
    return files.text_or("/sys/firmware/devicetree/base/model")


def _arm_part(block: dict[str, str]) -> str:
    try:
        key = int(block["cpu implementer"], 0), int(block["cpu part"], 0)
    except (KeyError, ValueError):
        return ""
    return _ARM_PARTS.get(key, "")


def _physical(files: Files, blocks: list[dict[str, str]]) -> int:
    """Cores without their hardware threads; 0 if not known."""
    pairs = {
        (block.get("physical id", "0"), block["core id"]) for block in blocks if "core id" in block
    }
    if pairs:
        return len(pairs)
    for cpu in _online(files):
        place = f"{_CPUS}/cpu{cpu}/topology"
        core = files.text_or(f"{place}/core_id")
        if core:
            pairs.add((files.text_or(f"{place}/physical_package_id", "0"), core))
    return len(pairs)


def _online(files: Files) -> tuple[int, ...]:
    try:
        return parse_cpu_list(files.text_or(f"{_CPUS}/online"))
    except ValueError:
        return ()


def _performance_cores(files: Files) -> int:
    """The fast ones of two kinds: Intel's own listing, else by ARM's relative capacity."""
    try:
        fast = set(parse_cpu_list(files.text_or("/sys/devices/cpu_core/cpus")))
    except ValueError:
        fast = set()
    if not fast:
        capacity = {
            cpu: files.number_or_none(f"{_CPUS}/cpu{cpu}/cpu_capacity") for cpu in _online(files)
        }
        known = [value for value in capacity.values() if value is not None]
        if not known or min(known) == max(known):
            return 0
        # Cores of one kind differ a little in clock; slow ones have less than two thirds.
        fast = {cpu for cpu, value in capacity.items() if value and value * 3 > max(known) * 2}
    cores = {
        (
            files.text_or(f"{_CPUS}/cpu{cpu}/topology/physical_package_id", "0"),
            files.text_or(f"{_CPUS}/cpu{cpu}/topology/core_id", str(cpu)),
        )
        for cpu in fast
    }
    return len(cores)


def _last_level_cache_bytes(files: Files) -> int | None:
    """All last-level caches together: what a measurement of main memory has to exceed."""
    found: dict[str, int] = {}
    for cpu in _online(files):
        folder = f"{_CPUS}/cpu{cpu}/cache/index3"
        match = _CACHE_SIZE.fullmatch(files.text_or(f"{folder}/size"))
        if match:
            shared = files.text_or(f"{folder}/shared_cpu_list", str(cpu))
            found[shared] = int(match[1]) * _CACHE_UNIT[match[2]]
    return sum(found.values()) or None


def usable_cores(quota: int | None) -> int:
    """Logical cores that this process may run on at once: its affinity and its group's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    cores = allowed or os.cpu_count() or 0
    return min(cores, quota) if quota else cores
