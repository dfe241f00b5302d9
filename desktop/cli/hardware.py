"""`hausgeist hardware`: what this computer is."""

from __future__ import annotations

import textwrap
from argparse import Namespace

from desktop.cli.arguments import Arguments, columns
from desktop.cli.front import Front
from desktop.cli.progress import StatusLine
from desktop.common.messages import format_bytes, format_memory
from desktop.hardware.machine import POOL_BACKEND, Gpu, Machine
from desktop.services.machine import MachineService, sold_size_gb, summary
from desktop.services.machine_speed import SPEEDS_FILE, MachineSpeeds
from desktop.services.pool import Lenders, NoLenders, Pool

_FEATURES_WIDTH = 60


def configure(arguments: Arguments) -> None:
    arguments.switch("--json")


def run(_options: Namespace, front: Front) -> int:
    with StatusLine(front) as status:
        status.show(front.text("cli.hardware.looking"))
        paths = front.start.paths
        speeds = MachineSpeeds(paths.cache_dir / SPEEDS_FILE)
        machine = MachineService(paths, speeds=speeds, pool=_lenders(front)).machine()
    if front.as_json:
        front.document(machine.to_json())
        return 0
    key, params = summary(machine)
    front.say(front.text(key, **params))
    front.say()
    for line in columns(_rows(machine, front)):
        front.say(line)
    for note in machine.notes:
        front.say()
        front.say(front.text(f"notes.{note.kind}", **dict(note.params)))
    return 0


def _lenders(front: Front) -> Lenders:
    """Other machines that lend their memory, where the settings name any."""
    if not front.start.settings.pool_servers:
        return NoLenders()
    # Imported here: it takes longer than all the rest, and few have other machines.
    from desktop.services.network import Network

    start = front.start
    network = Network(start.paths, start.settings_store, start.env)
    return Pool(start.settings_store.now, network.policy, network.ledger)


def _rows(machine: Machine, front: Front) -> list[tuple[str, str]]:
    text, language = front.text, front.messages.language
    rows = [(text("cli.hardware.cpu"), _cpu(machine, front))]
    memory = machine.memory
    total = sold_size_gb(memory.total_bytes)
    ram = f"{total} GB"
    if memory.available_bytes is not None:
        free = format_memory(memory.available_bytes, language)
        ram = text("cli.hardware.ram", ram_gb=total, free=free)
    rows.append((text("cli.hardware.memory"), ram))
    if machine.cpu.memory_bandwidth_bytes_per_s:
        speed = format_bytes(machine.cpu.memory_bandwidth_bytes_per_s, language)
        rows.append((text("cli.hardware.bandwidth"), f"{speed}/s"))
    own = [gpu for gpu in machine.gpus if gpu.backend != POOL_BACKEND]
    lent = [gpu for gpu in machine.gpus if gpu.backend == POOL_BACKEND]
    graphics = "\n".join(_gpu(gpu, front) for gpu in own)
    rows.append((text("cli.hardware.graphics"), graphics or text("cli.hardware.no_gpu")))
    if lent:
        rows.append((text("cli.doctor.pool"), "\n".join(_gpu(gpu, front) for gpu in lent)))
    if machine.npus:
        rows.append((text("cli.hardware.npu"), ", ".join(machine.npus)))
    if machine.disk is not None:
        free = format_bytes(machine.disk.free_bytes, language)
        rows.append(
            (
                text("cli.hardware.disk"),
                text("cli.hardware.free_at", free=free, path=machine.disk.path),
            )
        )
    if machine.engine is not None and machine.engine.version:
        backends = ", ".join(machine.engine.backends)
        rows.append(
            (text("cli.hardware.engine"), f"llama-cpp-python {machine.engine.version} ({backends})")
        )
    return rows


def _cpu(machine: Machine, front: Front) -> str:
    cpu = machine.cpu
    name = cpu.name or front.text("cli.unknown")
    lines = [name]
    if cpu.physical_cores or cpu.logical_cores:
        cores = cpu.physical_cores or cpu.logical_cores
        threads = cpu.logical_cores or cores
        lines.append(front.text("cli.hardware.cores", cores=cores, threads=threads))
    if cpu.features:
        lines += textwrap.wrap(", ".join(cpu.features), _FEATURES_WIDTH)
    return "\n".join(lines)


def _gpu(gpu: Gpu, front: Front) -> str:
    language = front.messages.language
    total = format_memory(gpu.total_bytes, language)
    if gpu.unified:
        return front.text("cli.hardware.gpu_unified", name=gpu.name, total=total)
    if gpu.free_bytes is None:
        return f"{gpu.name}, {total}"
    free = format_memory(gpu.free_bytes, language)
    return front.text("cli.hardware.gpu", name=gpu.name, total=total, free=free)
