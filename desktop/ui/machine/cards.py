"""The facts of a computer as cards: what it is called, how large, what of it is in use."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from desktop.common.wording import Language, format_bytes, format_memory, format_number
from desktop.hardware.machine import POOL_BACKEND, Gpu, Machine
from desktop.ui.words import Counted


@dataclass(frozen=True, slots=True)
class Fact:
    """One card: a small name, a large figure, words, and a bar where a share is known."""

    name: str
    figure: str
    words: str
    share: float | None = None
    tone: str = "accent"


def facts(machine: Machine, language: Language, ram_gb: int) -> list[Fact]:
    """The cards of a machine, in the order in which they matter; `ram_gb` as on the box."""
    found = [_memory(machine, language, ram_gb), _processor(machine, language)]
    found += [_graphics(gpu, language) for gpu in machine.gpus]
    if not machine.gpus:
        found.append(
            Fact(
                QCoreApplication.translate("Machine", "Graphics"),
                QCoreApplication.translate("Machine", "No graphics card"),
                QCoreApplication.translate("Machine", "The processor does the work."),
            )
        )
    if machine.disk is not None:
        found.append(
            Fact(
                QCoreApplication.translate("Machine", "Disk"),
                free_disk(machine.disk.free_bytes, language),
                Counted().room_for(machine.disk.free_bytes // 5_000_000_000),
            )
        )
    return found


def _memory(machine: Machine, language: Language, ram_gb: int) -> Fact:
    memory = machine.memory
    words, share, tone = "", None, "accent"
    if memory.available_bytes is not None:
        used = memory.total_bytes - memory.available_bytes
        share = used / memory.total_bytes if memory.total_bytes else None
        tone = "warn" if share is not None and share > 0.85 else "accent"
        words = QCoreApplication.translate("Machine", "in use {used}, free {free}").format(
            used=_box_gb(used, language), free=_box_gb(memory.available_bytes, language)
        )
    return Fact(
        QCoreApplication.translate("Machine", "Memory (RAM)"),
        f"{ram_gb} GB",
        words,
        share,
        tone,
    )


def _box_gb(size_bytes: int, language: Language) -> str:
    """In the unit of the figure above it: memory is sold in GB of 2^30 bytes."""
    return f"{format_number(size_bytes / 2**30, language, 1)} GB"


def _unbroken(text: str) -> str:
    """Kept in one line: no break at its blank, nor behind its slash."""
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("/", "/\N{WORD JOINER}")


def _processor(machine: Machine, language: Language) -> Fact:
    cpu = machine.cpu
    cores = cpu.physical_cores or cpu.logical_cores
    parts = [cpu.name] if cpu.name else []
    if cpu.memory_bandwidth_bytes_per_s:
        speed = _unbroken(f"{format_bytes(cpu.memory_bandwidth_bytes_per_s, language)}/s")
        reads = QCoreApplication.translate("Machine", "reads memory at {speed}")
        parts.append(reads.format(speed=speed))
    figure = Counted().cores(cores) if cores else cpu.name
    return Fact(QCoreApplication.translate("Machine", "Processor"), figure, " · ".join(parts))


def _graphics(gpu: Gpu, language: Language) -> Fact:
    if gpu.backend == POOL_BACKEND:
        words = QCoreApplication.translate("Machine", "lends up to {size} of its memory")
        free = gpu.total_bytes if gpu.free_bytes is None else gpu.free_bytes
        return Fact(_kind(gpu), gpu.name, words.format(size=_box_gb(free, language)))
    parts = []
    share = None
    if gpu.unified:
        parts.append(QCoreApplication.translate("Machine", "shares the computer's memory"))
    elif words := own_memory(gpu, language):
        parts.append(words)
    if gpu.free_bytes is not None and gpu.total_bytes and not gpu.unified:
        share = 1 - gpu.free_bytes / gpu.total_bytes
        parts.append(
            QCoreApplication.translate("Machine", "{size} free").format(
                size=_box_gb(gpu.free_bytes, language)
            )
        )
    return Fact(_kind(gpu), gpu.name, " · ".join(parts), share)


def _kind(gpu: Gpu) -> str:
    if gpu.backend == POOL_BACKEND:
        return QCoreApplication.translate("Machine", "Other computer")
    return QCoreApplication.translate("Machine", "Graphics")


def free_disk(size_bytes: int, language: Language) -> str:
    """ "212 GB free", in the units of shops and downloads."""
    size = format_bytes(size_bytes, language)
    return QCoreApplication.translate("Machine", "{size} free").format(size=size)


def own_memory(gpu: Gpu, language: Language) -> str:
    """ "8.0 GB of its own memory"; "" where it has none."""
    if gpu.unified or not gpu.total_bytes:
        return ""
    words = QCoreApplication.translate("Machine", "{size} of its own memory")
    return words.format(size=_box_gb(gpu.total_bytes, language))


def details(machine: Machine, language: Language) -> list[tuple[str, str]]:
    """What a support person asks for: names and values, line by line."""
    cpu, engine = machine.cpu, machine.engine
    lines: list[tuple[str, str]] = []

    def add(name: str, value: str) -> None:
        if value:
            lines.append((name, value))

    add(QCoreApplication.translate("Machine", "Processor"), cpu.name)
    cores = f"{cpu.physical_cores} / {cpu.logical_cores}" if cpu.logical_cores else ""
    add(QCoreApplication.translate("Machine", "Cores, threads"), cores)
    add(QCoreApplication.translate("Machine", "Instruction sets"), ", ".join(cpu.features))
    for gpu in machine.gpus:
        known = (gpu.name, gpu.backend, gpu.driver, gpu.compute_capability, gpu.device)
        add(_kind(gpu), " · ".join(part for part in known if part))
    for npu in machine.npus:
        add(QCoreApplication.translate("Machine", "AI processor (not used yet)"), npu)
    if engine is not None:
        add(QCoreApplication.translate("Machine", "Engine"), engine.version)
        add(QCoreApplication.translate("Machine", "Backends"), ", ".join(engine.backends))
        for device in engine.devices:
            size = format_memory(device.total_bytes, language)
            add(
                QCoreApplication.translate("Machine", "Device"),
                f"{device.name} · {device.description} · {size}",
            )
    if machine.disk is not None:
        add(QCoreApplication.translate("Machine", "Models are kept in"), machine.disk.path)
    return lines
