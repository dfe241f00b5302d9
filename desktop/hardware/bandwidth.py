"""Measured memory bandwidths, kept from start to start."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.hardware.machine import Cpu, Memory
from desktop.hardware.memory_speed import MemorySpeed

_log = logging.getLogger(__name__)

# After the first, second and every further measurement: what else ran then may have been missed.
_WAITS_S = (86400.0, 86400.0, 7 * 86400.0)
_WAIT_BUSY_S = 600.0
_FORMAT = 1


def machine_key(cpu: Cpu, memory: Memory) -> str:
    """Names a machine's memory system: another processor, core count or memory is another key."""
    size_gib = round(memory.total_bytes / (1 << 30))
    text = json.dumps([_FORMAT, cpu.name, cpu.physical_cores, cpu.usable_cores, size_gib])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Measured:
    """The best rate so far, after `times` steady measurements.

    `next_s` is when to measure again, in seconds since the epoch.
    """

    bytes_per_s: int
    times: int
    next_s: float


class BandwidthCache:
    """Measured bandwidths by machine, in a JSON file; a broken file is measured anew."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def get(self, key: str) -> int | None:
        found = self._load().get(key)
        return None if found is None else found.bytes_per_s

    def is_fresh(self, key: str) -> bool:
        """Whether there is a measurement young enough not to be repeated."""
        found = self._load().get(key)
        # A time further away than any wait comes from a clock that was wrong.
        return found is not None and 0 < found.next_s - self._clock() <= _WAITS_S[-1]

    def put(self, key: str, speed: MemorySpeed) -> int:
        """Keep a measurement and return the best rate so far.

        A busy machine measures too little, never too much: of two measurements the higher counts.
        """
        found = self._load()
        before = found.get(key, Measured(0, 0, 0.0))
        times = before.times + speed.is_steady
        wait_s = _WAITS_S[min(times, len(_WAITS_S)) - 1] if speed.is_steady else _WAIT_BUSY_S
        best = max(speed.bytes_per_s, before.bytes_per_s)
        found[key] = Measured(best, times, self._clock() + wait_s)
        document = {key: asdict(measured) for key, measured in found.items()}
        try:
            write_atomic(self._path, json.dumps(document, indent=1).encode())
        except StorageError as error:
            _log.warning("the memory bandwidth is measured again next time: %s", error)
        return best

    def _load(self) -> dict[str, Measured]:
        try:
            document = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(document, dict):
            return {}
        entries = ((key, _measured(value)) for key, value in document.items())
        return {key: value for key, value in entries if value is not None}


def _measured(value: object) -> Measured | None:
    """One entry of the file; None for whatever this class has not written."""
    if not isinstance(value, dict):
        return None
    rate, times, next_s = value.get("bytes_per_s"), value.get("times"), value.get("next_s")
    if type(rate) is not int or not 0 < rate < 10**15:
        return None
    if type(times) is not int or not 0 <= times < 10**9 or type(next_s) is not float:
        return None
    return Measured(rate, times, next_s)
