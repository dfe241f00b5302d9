"""What this computer's devices can compute, measured once and kept from start to start."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from desktop.common.atomic import write_atomic
from desktop.common.errors import HausgeistError, MachineError, StorageError
from desktop.common.logs import get_logger
from desktop.engine.kernels import CPU, measure_kernels
from desktop.fit.candidates import automatic_threads
from desktop.hardware.devices import is_pool_device
from desktop.hardware.machine import Machine
from desktop.hardware.speeds import DeviceSpeed, KernelSpeed, speed_from_json

SPEEDS_FILE = "speeds.json"
"""Below the folder for caches: measuring again costs two seconds."""

CPU_TIMEOUT_S = 10.0
GPU_TIMEOUT_S = 15.0
"""A driver's first graphs take seconds: it compiles what it has never computed before."""

# After the first and every further steady measurement; after one on a busy machine; after none.
_WAITS_S = (86_400.0, 30 * 86_400.0)
_WAIT_BUSY_S = 600.0
_WAIT_FAILED_S = 86_400.0
_FORMAT = 1
_KEPT = 8  # machines: another driver or engine is another machine
_MAX_BYTES = 1 << 20

_log = get_logger("services")


class Measure(Protocol):
    def __call__(
        self,
        threads: int,
        timeout_s: float,
        devices: tuple[str, ...] | None = None,
        *,
        cache_bytes: int | None = None,
        servers: tuple[str, ...] = (),
    ) -> tuple[DeviceSpeed, ...]: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """One device: its speed (None: it could not be measured), and when to look again."""

    speed: DeviceSpeed | None
    times: int
    next_s: float


class MachineSpeeds:
    """Measured speeds by machine, in a JSON file; a broken file is measured anew."""

    def __init__(
        self,
        path: Path,
        *,
        measure: Measure = measure_kernels,
        noted: Callable[[Sequence[str], str], AbstractContextManager[None]] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`noted` writes connections to other machines down."""
        self._path = path
        self._measure = measure
        self._noted = noted or _not_noted
        self._clock = clock
        self._lock = threading.Lock()

    def known(self, machine: Machine) -> tuple[DeviceSpeed, ...]:
        """What earlier measurements found, at once."""
        with self._lock:
            return _speeds(self._load().get(machine_key(machine), {}), _devices(machine))

    def measured(self, machine: Machine) -> tuple[DeviceSpeed, ...]:
        """The same, after measuring what is due: about two seconds a device, once.

        A device that cannot be measured has no speed; a busy machine is measured again later.
        """
        with self._lock:
            document = self._load()
            key = machine_key(machine)
            kept = dict(document.get(key, {}))
            due = tuple(name for name in _devices(machine) if not self._is_fresh(kept.get(name)))
            for name in due:
                kept[name] = self._look(machine, name, kept.get(name))
            if due:
                document.pop(key, None)
                self._save({**document, key: kept})
            return _speeds(kept, _devices(machine))

    def _is_fresh(self, kept: _Kept | None) -> bool:
        # A time further away than any wait comes from a clock that was wrong.
        return kept is not None and 0 < kept.next_s - self._clock() <= _WAITS_S[-1]

    def _look(self, machine: Machine, name: str, before: _Kept | None) -> _Kept:
        timeout_s = CPU_TIMEOUT_S if name == CPU else GPU_TIMEOUT_S
        threads, cache_bytes = automatic_threads(machine.cpu), machine.cpu.l3_bytes
        servers = machine.pool_servers if is_pool_device(name) else ()
        try:
            with self._noted(servers, "speed"):
                found = self._measure(
                    threads, timeout_s, (name,), cache_bytes=cache_bytes, servers=servers
                )
        except HausgeistError as error:
            _log.warning("%s is not measured: %s", name, error)
            found = ()
        old = before.speed if before is not None else None
        times = before.times if before is not None else 0
        if not found:
            return _Kept(old, times, self._clock() + _WAIT_FAILED_S)
        speed = found[0]
        times += speed.steady
        wait_s = _WAITS_S[min(times, len(_WAITS_S)) - 1] if speed.steady else _WAIT_BUSY_S
        return _Kept(better(old, speed), times, self._clock() + wait_s)

    def _load(self) -> dict[str, dict[str, _Kept]]:
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_MAX_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(document, dict):
            return {}
        found = {str(key): _devices_kept(value) for key, value in document.items()}
        return {key: kept for key, kept in found.items() if kept}

    def _save(self, document: dict[str, dict[str, _Kept]]) -> None:
        newest = list(document.items())[-_KEPT:]
        plain = {
            key: {
                name: {
                    "speed": None if one.speed is None else one.speed.to_json(),
                    "times": one.times,
                    "next_s": one.next_s,
                }
                for name, one in kept.items()
            }
            for key, kept in newest
        }
        try:
            write_atomic(self._path, json.dumps(plain, indent=1).encode())
        except StorageError as error:
            _log.warning("the devices are measured again next time: %s", error)


def _not_noted(_servers: Sequence[str], _subject: str) -> AbstractContextManager[None]:
    return nullcontext()


def machine_key(machine: Machine) -> str:
    """Names what decides the speeds: processor, threads, graphics, drivers, the engine."""
    cpu, engine = machine.cpu, machine.engine
    parts: list[Any] = [_FORMAT, cpu.name, cpu.physical_cores, cpu.usable_cores, cpu.l3_bytes]
    parts += [sorted(cpu.features), automatic_threads(cpu)]
    parts += [engine.version, sorted(engine.backends)] if engine is not None else []
    parts += [[gpu.name, gpu.driver, gpu.device, gpu.total_bytes >> 28] for gpu in machine.gpus]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def better(old: DeviceSpeed | None, new: DeviceSpeed) -> DeviceSpeed:
    """Of two measurements the faster figures: other programs make one slower, never faster.

    What was measured while the machine was busy counts only as long as there is nothing else.
    """
    if old is None or (new.steady and not old.steady):
        return new
    if (old.steady and not new.steady) or old.threads != new.threads:
        return old if old.steady else new
    known = {kernel.type_name: kernel for kernel in old.kernels}
    for kernel in new.kernels:
        known[kernel.type_name] = _faster(known.get(kernel.type_name, kernel), kernel)
    copies = [rate for rate in (old.copy_bytes_per_s, new.copy_bytes_per_s) if rate is not None]
    return replace(
        new,
        kernels=tuple(known.values()),
        step_s=min(old.step_s, new.step_s),
        node_s=min(old.node_s, new.node_s),
        copy_bytes_per_s=max(copies, default=None),
    )


def _faster(one: KernelSpeed, other: KernelSpeed) -> KernelSpeed:
    return KernelSpeed(
        one.type_name,
        max(one.read_bytes_per_s, other.read_bytes_per_s),
        max(one.operations_per_s, other.operations_per_s),
    )


def _devices(machine: Machine) -> tuple[str, ...]:
    """The processor, and the graphics that the engine can use; nothing without an engine."""
    if machine.engine is None or not machine.engine.version:
        return ()
    return (CPU, *dict.fromkeys(gpu.device for gpu in machine.gpus if gpu.device))


def _speeds(kept: dict[str, _Kept], names: tuple[str, ...]) -> tuple[DeviceSpeed, ...]:
    found = (kept[name].speed for name in names if name in kept)
    return tuple(speed for speed in found if speed is not None)


def _devices_kept(value: object) -> dict[str, _Kept]:
    if not isinstance(value, dict):
        return {}
    entries = ((str(name), _kept(entry)) for name, entry in value.items())
    return {name: kept for name, kept in entries if kept is not None}


def _kept(entry: object) -> _Kept | None:
    """One entry of the file; None for whatever this class has not written."""
    if not isinstance(entry, dict):
        return None
    times, next_s = entry.get("times"), entry.get("next_s")
    if type(times) is not int or not 0 <= times < 10**9 or type(next_s) is not float:
        return None
    if entry.get("speed") is None:
        return _Kept(None, times, next_s)
    try:
        return _Kept(speed_from_json(entry["speed"]), times, next_s)
    except MachineError:
        return None
