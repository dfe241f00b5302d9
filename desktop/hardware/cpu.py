"""The processor, completed where the system's own words leave something open."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

import psutil

from desktop.hardware import cpuid
from desktop.hardware.features import known_features
from desktop.hardware.machine import Cpu

CpuInfo = Callable[[], Mapping[str, object]]


def complete(cpu: Cpu, read_cpuinfo: CpuInfo | None = None) -> Cpu:
    """`cpu` with what is missing filled in, by the cheapest source that knows it.

    Counts come from the operating system, name and features from the `cpuid` instruction on x86
    and at last from py-cpuinfo, which starts other programs and takes about a second.
    """
    cpu = _with_counts(cpu)
    if not cpu.name or not cpu.features:
        ask = cpuid.native_cpuid()
        if ask is not None:
            facts = cpuid.read(ask)
            cpu = replace(cpu, name=cpu.name or facts.name, features=cpu.features or facts.features)
    if not cpu.name and not cpu.features:
        info = (read_cpuinfo or _py_cpuinfo)()
        flags = info.get("flags")
        cpu = replace(
            cpu,
            name=str(info.get("brand_raw") or ""),
            features=known_features(cast("list[str]", flags)) if isinstance(flags, list) else (),
        )
    return cpu


def _with_counts(cpu: Cpu) -> Cpu:
    logical = cpu.logical_cores or os.cpu_count() or 0
    physical = cpu.physical_cores
    if not physical:
        try:
            physical = psutil.cpu_count(logical=False) or 0
        except (OSError, ValueError, RuntimeError, psutil.Error):
            physical = 0
    physical = min(physical or logical, logical) if logical else physical
    usable = min(cpu.usable_cores or logical, logical) if logical else cpu.usable_cores
    return replace(cpu, logical_cores=logical, physical_cores=physical, usable_cores=usable)


def _py_cpuinfo() -> Mapping[str, object]:
    import cpuinfo  # only here: importing it costs more than everything else of this module

    try:
        return cast("Mapping[str, object]", cpuinfo.get_cpu_info() or {})
    except (OSError, ValueError, KeyError, RuntimeError):
        return {}
