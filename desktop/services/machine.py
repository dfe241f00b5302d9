"""This computer, looked at once: the hardware, and what llama.cpp can use of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from desktop.common.errors import EngineError, Param
from desktop.common.logs import get_logger
from desktop.common.paths import Paths
from desktop.common.reading import COMFORTABLE_TOKENS_PER_S
from desktop.engine.backends import report_in_child
from desktop.hardware.bandwidth import BandwidthCache
from desktop.hardware.bounded import Pending
from desktop.hardware.detect import detect, native_platform, with_bandwidth
from desktop.hardware.devices import with_engine
from desktop.hardware.machine import POOL_BACKEND, Cpu, EngineInfo, Gpu, Machine, Memory, Note
from desktop.services.machine_speed import MachineSpeeds
from desktop.services.pool import NOTHING_OFFERED, Lenders, NoLenders, Offered

ENGINE_REPORT_TIMEOUT_S = 20.0

# What people call a model's size; "up to about 8 billion" is said, not 9.3.
_SIZES_BILLION = (1, 2, 3, 4, 8, 14, 20, 32, 70, 120, 235)
# A Q4_K_M file's bytes a parameter, its share of everything else included.
_BYTES_PER_PARAMETER = 0.62
_OTHER_PROGRAMS_SHARE = 0.5
_GPU_MARGIN_SHARE = 0.15
_CONTEXT_BYTES = 1_000_000_000
_USUAL_BANDWIDTH = 35_000_000_000
_SOLD_SIZES_GIB = (1, 2, 3, 4, 6, 8, 10, 11, 12, 16, 18, 20, 24, 32, 36, 48, 64, 96, 128, 192, 256)

_log = get_logger("services")

Summary = tuple[str, Mapping[str, Param]]


def memory_now() -> Memory:
    """Main memory at this moment, as far as this process may use it."""
    return native_platform().memory().memory


class MachineService:
    """Answers what this computer is; looks once and keeps it until asked to look again."""

    def __init__(
        self,
        paths: Paths,
        *,
        look: Callable[..., Machine] = detect,
        measure: Callable[[Machine, BandwidthCache], Machine] = with_bandwidth,
        look_at_memory: Callable[[], Memory] = memory_now,
        ask_engine: Callable[[float], EngineInfo] = report_in_child,
        speeds: MachineSpeeds | None = None,
        pool: Lenders | None = None,
        models_folder: Callable[[], Path] | None = None,
    ) -> None:
        """`speeds` measures what the devices can compute; None leaves that unknown. `pool` asks
        what other machines lend.

        `models_folder` tells where new models go: that drive's free space is looked at.
        """
        self._bandwidth = BandwidthCache(paths.cache_dir / "bandwidth.json")
        self._models_folder = models_folder or (lambda: paths.models_dir)
        self._look = look
        self._measure = measure
        self._look_at_memory = look_at_memory
        self._ask_engine = ask_engine
        self._speeds = speeds
        self._pool: Lenders = pool or NoLenders()
        self._lock = threading.Lock()
        self._machine: Machine | None = None

    def machine(self, refresh: bool = False) -> Machine:
        """The whole machine; the first call takes a second or two (GPU probes, a child process).

        Two more on a machine whose devices have never been measured.
        What is free was free at that look; `current` says what is free now.
        Raises MachineError("memory_unknown").
        """
        with self._lock:
            if self._machine is None or refresh:
                self._machine = self._look_around()
            return self._machine

    def current(self) -> Machine:
        """The machine with what is free right now: to be asked before something large is loaded.

        Main memory is read in a moment; a graphics card's and what other machines lend are asked
        anew with everything else.
        """
        known = self.machine()
        if known.gpus or self._pool.servers:
            with self._lock:
                self._machine = self._look_around(measure_devices=False)
                return self._machine
        now = replace(known, memory=self._look_at_memory())
        with self._lock:
            self._machine = now
        return now

    def quick(self) -> Machine:
        """Memory and cores alone, at once: enough for the guide, which runs anywhere."""
        if self._machine is not None:
            return self._machine
        return Machine(memory=self._look_at_memory(), cpu=Cpu(logical_cores=os.cpu_count() or 1))

    def _look_around(self, *, measure_devices: bool = True) -> Machine:
        """Hardware and engine at the same time: each waits mostly for others."""
        answer: list[EngineInfo | EngineError] = []

        def ask() -> None:
            try:
                answer.append(self._ask_engine(ENGINE_REPORT_TIMEOUT_S))
            except EngineError as error:
                answer.append(error)

        asking = threading.Thread(target=ask, name="engine-report", daemon=True)
        asking.start()
        pool = Pending(self._pool.look, "pool")
        machine = self._look(
            disk_path=self._models_folder(), bandwidth=self._bandwidth, measure=False
        )
        asking.join()
        # Alone at last: the engine's report beside it would spoil the measurement.
        machine = self._measure(machine, self._bandwidth)
        engine = answer[0] if answer else EngineError("engine_no_report")
        if isinstance(engine, EngineError):
            _log.warning("no engine report: %s", engine)
            note = Note.of("engine_no_report")
            return replace(machine, engine=EngineInfo(), notes=(*machine.notes, note))
        machine = _offered(pool).added_to(with_engine(machine, engine))
        if self._speeds is None:
            return machine
        known = self._speeds.measured if measure_devices else self._speeds.known
        return replace(machine, speeds=known(machine))


def _offered(pool: Pending[Offered]) -> Offered:
    try:
        return pool.result(time.monotonic() + ENGINE_REPORT_TIMEOUT_S)
    except TimeoutError:  # it bounds itself: a thread that got no time at all
        _log.warning("the pool did not answer")
        return NOTHING_OFFERED


def summary(machine: Machine) -> Summary:
    """The machine in one friendly sentence: its key in the catalogue and the values.

    "16 GB RAM, no graphics card: models up to about 8 billion parameters run well". A rule of
    thumb for Q4_K_M files; whether one certain model fits is what `fit` computes. Where speed and
    not room sets that end, the ``_sparse`` sentence adds what computes with a part of itself.
    """
    ram = sold_size_gb(machine.memory.total_bytes)
    gpu = best_gpu(machine)
    on_cpu = _cpu_billions(machine)
    if gpu is not None and (on_gpu := _gpu_billions(gpu)) >= on_cpu:
        params: dict[str, Param] = {"ram_gb": ram, "billions": _spoken(on_gpu), "gpu": gpu.name}
        if gpu.unified:
            return "machine.summary.unified", params
        sparse = "_sparse" if _cpu_room_billions(machine) > on_gpu else ""
        key = f"machine.summary.gpu{sparse}"
        return key, {**params, "gpu_gb": sold_size_gb(gpu.total_bytes)}
    size = _spoken(on_cpu)
    if size < 1:
        return "machine.summary.tiny", {"ram_gb": ram}
    sparse = "_sparse" if size > 1 and _spoken(_cpu_room_billions(machine)) > size else ""
    if gpu is None:
        key = "machine.summary.cpu_one" if size == 1 else f"machine.summary.cpu{sparse}"
        return key, {"ram_gb": ram, "billions": size}
    key = f"machine.summary.small_gpu{sparse}"
    return key, {"ram_gb": ram, "billions": size, "gpu": gpu.name}


def best_gpu(machine: Machine) -> Gpu | None:
    """The best graphics processor that the engine can use; a card with its own memory first."""
    known = machine.engine is not None and machine.engine.version != ""
    usable = [
        gpu
        for gpu in machine.gpus
        if gpu.total_bytes > 0 and (gpu.device or not known) and gpu.backend != POOL_BACKEND
    ]
    if not usable:
        return None
    return max(usable, key=lambda gpu: (not gpu.integrated, gpu.total_bytes))


def sold_size_gb(total_bytes: int) -> int:
    """The size as it stands on the box: firmware keeps a part, and a shop's GB are 2^30 bytes."""
    gib = total_bytes / 2**30
    for size in _SOLD_SIZES_GIB:
        if size * 0.9 <= gib <= size * 1.02:
            return size
    return max(1, round(gib))


def _cpu_billions(machine: Machine) -> float:
    """What fits and is read through fast enough for each token."""
    bandwidth = machine.cpu.memory_bandwidth_bytes_per_s or _USUAL_BANDWIDTH
    readable = bandwidth / COMFORTABLE_TOKENS_PER_S / _BYTES_PER_PARAMETER / 1e9
    return min(_cpu_room_billions(machine), readable)


def _cpu_room_billions(machine: Machine) -> float:
    room = machine.memory.total_bytes * (1 - _OTHER_PROGRAMS_SHARE) - _CONTEXT_BYTES
    return room / _BYTES_PER_PARAMETER / 1e9


def _gpu_billions(gpu: Gpu) -> float:
    if gpu.integrated and gpu.vendor != "apple":
        return 0.0  # shares slow memory with the processor and gains little over it
    total = gpu.wired_limit_bytes or gpu.total_bytes
    room = total * (1 - _GPU_MARGIN_SHARE) - _CONTEXT_BYTES
    return room / _BYTES_PER_PARAMETER / 1e9


def _spoken(billions: float) -> int:
    return max((size for size in _SIZES_BILLION if size <= billions * 1.02), default=0)
