"""Look at this computer: every probe in parallel, each bounded in time."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from desktop.common.errors import StorageError
from desktop.common.storage import free_bytes
from desktop.hardware.abc import GpuScan, Platform
from desktop.hardware.bandwidth import BandwidthCache, machine_key
from desktop.hardware.bounded import Pending
from desktop.hardware.cpu import complete
from desktop.hardware.linux import LinuxPlatform
from desktop.hardware.machine import Cpu, Disk, Machine, Memory, Note, printable
from desktop.hardware.macos import MacPlatform
from desktop.hardware.memory_speed import measure_bandwidth
from desktop.hardware.nvidia import NvidiaProbe
from desktop.hardware.windows import WindowsPlatform

_log = logging.getLogger(__name__)

T = TypeVar("T")

GPU_LIMIT_S = 1.9  # of the 2 s that all GPU probes may take together
_HEALTHY_S = 0.3
_SYSTEMS = {"win32": "windows", "darwin": "macos"}


def detect(
    *, disk_path: Path, bandwidth: BandwidthCache | None = None, measure: bool = True
) -> Machine:
    """The machine this process runs on, without what the engine reports.

    GPU probes take at most 2 s together; what does not answer becomes a note. `bandwidth` keeps
    the measured memory bandwidth between starts; with `measure` False it is only looked up.
    Raises MachineError("memory_unknown") where the system does not tell its memory.
    """
    return survey(
        native_platform(), NvidiaProbe(), disk_path=disk_path, bandwidth=bandwidth, measure=measure
    )


def native_platform() -> Platform:
    """The platform that this process runs on; other POSIX systems get what Linux' files tell."""
    system: str = sys.platform
    match system:
        case "win32":
            return WindowsPlatform()
        case "darwin":
            return MacPlatform()
        case _:
            return LinuxPlatform(library_path=os.environ.get("LD_LIBRARY_PATH", ""))


def survey(
    platform: Platform,
    nvidia: NvidiaProbe,
    *,
    disk_path: Path,
    bandwidth: BandwidthCache | None = None,
    measure: bool = True,
    gpu_limit_s: float = GPU_LIMIT_S,
) -> Machine:
    """`detect` on a given platform, with a given way to ask NVIDIA's driver."""
    deadline = time.monotonic() + gpu_limit_s
    memory_scan = platform.memory()
    memory = memory_scan.memory
    # Everything that waits for a driver, a battery's controller or a file server has a thread.
    gpus = Pending(lambda: platform.gpus(memory), "gpus")
    nvidia_gpus = Pending(lambda: _nvidia(platform, nvidia, memory, deadline), "nvidia")
    disk = Pending(lambda: Disk(str(disk_path), free_bytes(disk_path)), "disk")
    on_battery = Pending(platform.on_battery, "battery")
    cpu = complete(platform.cpu())
    npus = platform.npus()
    # A driver in good health answers well before this; the measurement then has the cores alone.
    for pending in (gpus, nvidia_gpus):
        pending.wait(min(deadline, time.monotonic() + _HEALTHY_S))
    if measure:
        rate = _memory_bandwidth(cpu, memory, bandwidth)
    else:
        rate = None if bandwidth is None else bandwidth.get(machine_key(cpu, memory))
    scans = [_scan_of(pending, deadline, gpu_limit_s) for pending in (nvidia_gpus, gpus)]
    notes = [*memory_scan.notes, *(note for scan in scans for note in scan.notes)]
    notes.extend(Note.of("npu_unused", name=name) for name in npus)
    return printable(
        Machine(
            memory=memory,
            cpu=replace(cpu, memory_bandwidth_bytes_per_s=rate),
            gpus=tuple(gpu for scan in scans for gpu in scan.gpus),
            disk=_or_none(disk, deadline),
            npus=npus,
            notes=tuple(notes),
            on_battery=_or_none(on_battery, deadline),
            system=_SYSTEMS.get(sys.platform, "linux"),
        )
    )


def _nvidia(platform: Platform, probe: NvidiaProbe, memory: Memory, deadline: float) -> GpuScan:
    cards = platform.nvidia_cards()
    # A little earlier than the others' deadline: its own note says more than "no answer".
    return GpuScan() if cards is None else probe.scan(cards, memory, deadline - 0.1)


def _scan_of(pending: Pending[GpuScan], deadline: float, limit_s: float) -> GpuScan:
    """The scan, or the note that says why there is none."""
    try:
        return pending.result(deadline)
    except TimeoutError:
        return GpuScan(notes=(Note.of("gpu_no_answer", wait_s=limit_s),))
    except (OSError, ValueError, TypeError, ArithmeticError, LookupError) as error:
        _log.warning("a GPU probe failed", exc_info=error)
        return GpuScan(notes=(Note.of("gpu_failed", detail=f"{type(error).__name__}: {error}"),))


def _or_none(pending: Pending[T], deadline: float) -> T | None:
    """The answer of a probe that the machine can do without."""
    try:
        return pending.result(deadline)
    except (TimeoutError, StorageError, OSError, ValueError) as error:
        _log.warning("not known: %r", error)
        return None


def with_bandwidth(machine: Machine, cache: BandwidthCache | None) -> Machine:
    """`machine` with its memory bandwidth, measured now unless `cache` knows it well enough.

    For callers that start other work beside `detect`: measure when that has ended, since all
    cores are needed for a moment.
    """
    rate = _memory_bandwidth(machine.cpu, machine.memory, cache)
    return replace(machine, cpu=replace(machine.cpu, memory_bandwidth_bytes_per_s=rate))


def _memory_bandwidth(cpu: Cpu, memory: Memory, cache: BandwidthCache | None) -> int | None:
    key = machine_key(cpu, memory)
    if cache is not None and cache.is_fresh(key):
        return cache.get(key)
    measured = measure_bandwidth(cpu, memory)
    if measured is None:
        return None if cache is None else cache.get(key)
    return measured.bytes_per_s if cache is None else cache.put(key, measured)
