"""Memory bandwidth, measured: it decides how fast a model generates on the processor."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.common.atomic import write_atomic
from desktop.common.errors import StorageError
from desktop.hardware.machine import Cpu, Memory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

_LEAST_BUFFER = 128 << 20
_MOST_BUFFER = 1 << 30
_UNKNOWN_CACHE = 48 << 20  # what Apple's larger chips have
_CACHES_OVER = 4  # the buffer is so many times the last-level cache
_ROUND_S = 0.01
_CHUNK_WORDS = 1 << 18
_READ_S = 0.12  # of reading, after the buffer is filled
_LEAST_READ_S = 0.03
_USUALLY_S = 0.26  # filling and reading together, unless the machine is busy
_FILL_S = 0.4  # beyond it the machine is too busy to measure anything
# A busy machine measures too little: a new machine is measured again on the next days.
_REMEASURE_AFTER_S = (86400.0, 86400.0, 7 * 86400.0)
_FORMAT = 1


def measure_bandwidth(cpu: Cpu, memory: Memory) -> int | None:
    """Bytes a second that all cores together read from main memory, in less than 0.3 s.

    Every core reads its own part of a buffer that is larger than the caches, all at the same
    time, round after round; the best round counts, since whatever else runs only makes one
    slower. None where memory is too short for the buffer, or the machine too busy to tell.
    """
    threads = max(1, min(cpu.physical_cores or 1, cpu.usable_cores or cpu.physical_cores or 1))
    caches = _UNKNOWN_CACHE if cpu.l3_bytes is None else cpu.l3_bytes
    buffer_bytes = min(max(caches * _CACHES_OVER, _LEAST_BUFFER), _MOST_BUFFER)
    available = memory.total_bytes if memory.available_bytes is None else memory.available_bytes
    if available < 4 * buffer_bytes:
        return None
    try:
        return _Measurement(threads, buffer_bytes).run()
    except (MemoryError, RuntimeError) as error:  # RuntimeError: no more threads
        _log.warning("memory bandwidth not measured: %s", error)
        return None


class _Measurement:
    """One measurement: its threads meet at a barrier before every round."""

    def __init__(self, threads: int, buffer_bytes: int) -> None:
        import numpy as np  # only here: it is slow to import and nothing else needs it

        words = buffer_bytes // threads // 8
        self._parts = [np.empty(words, np.uint64) for _ in range(threads)]
        self._read = np.bitwise_or.reduce  # reads with vector instructions, without the GIL
        self._barrier = threading.Barrier(threads, action=self._between_rounds)
        self._ends = [0.0] * threads
        self._least_bytes = buffer_bytes * 3 // 8
        self._start = time.perf_counter()
        self._stop_at = 0.0
        self._round_start = 0.0
        self._repeats = 0
        self._best = 0.0
        self._done = False

    def run(self) -> int | None:
        workers = [
            threading.Thread(target=self._work, args=(index,), name=f"bandwidth-{index}")
            for index in range(len(self._parts))
        ]
        started = []
        try:
            for worker in workers:
                worker.start()
                started.append(worker)
        except RuntimeError:
            self._barrier.abort()
            raise
        finally:
            for worker in started:
                worker.join()
        return int(self._best) or None

    def _work(self, index: int) -> None:
        part = self._parts[index] = self._filled(self._parts[index])
        try:
            while True:
                self._barrier.wait()
                if self._done:
                    return
                for _ in range(self._repeats):
                    self._read(part)
                self._ends[index] = time.perf_counter()
        except threading.BrokenBarrierError:
            return  # a thread could not be started: `run` raises

    def _filled(self, part: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """As much of `part` as can be written in time (pages never written are all one page)."""
        written = 0
        while written < part.size and time.perf_counter() < self._start + _FILL_S:
            part[written : written + _CHUNK_WORDS].fill(written + 1)
            written += _CHUNK_WORDS
        return part[:written]

    def _between_rounds(self) -> None:
        """Runs in one thread while the others wait: rate the last round, set up the next."""
        now = time.perf_counter()
        total = sum(part.nbytes for part in self._parts)
        if not self._repeats:
            self._repeats = 1
            soon = max(self._start + _USUALLY_S, now + _LEAST_READ_S)
            self._stop_at = min(now + _READ_S, soon)
            # Too little written in time: the caches would be measured, so nothing is.
            self._done = total < self._least_bytes
        else:
            took = max(self._ends) - self._round_start
            self._best = max(self._best, total * self._repeats / took)
            if took < _ROUND_S / 2:  # long rounds, so that meeting at the barrier costs nothing
                self._repeats = max(1, min(64, round(self._repeats * _ROUND_S / took)))
            self._done = now >= self._stop_at
        self._round_start = time.perf_counter()


def machine_key(cpu: Cpu, memory: Memory) -> str:
    """Names a machine's memory system: another processor, core count or memory is another key."""
    size_gib = round(memory.total_bytes / (1 << 30))
    text = json.dumps([_FORMAT, cpu.name, cpu.physical_cores, cpu.usable_cores, size_gib])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Measured:
    """The best of `times` measurements, the last at `at_s` (seconds since the epoch)."""

    bytes_per_s: int
    at_s: float
    times: int


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
        if found is None:
            return False
        wait_s = _REMEASURE_AFTER_S[min(found.times, len(_REMEASURE_AFTER_S)) - 1]
        return 0 <= self._clock() - found.at_s < wait_s

    def put(self, key: str, bytes_per_s: int) -> int:
        """Keep a measurement and return the best one so far.

        A busy machine measures too little, never too much: of two measurements the higher counts.
        """
        found = self._load()
        before = found.get(key, Measured(0, 0.0, 0))
        best = max(bytes_per_s, before.bytes_per_s)
        found[key] = Measured(best, self._clock(), before.times + 1)
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
    if not isinstance(value, dict):
        return None
    rate, at_s = value.get("bytes_per_s"), value.get("at_s")
    if type(rate) is not int or not 0 < rate < 10**15:
        return None
    times = value.get("times")
    if (
        not isinstance(at_s, (int, float))
        or isinstance(at_s, bool)
        or type(times) is not int
        or times < 1
    ):
        return None
    return Measured(rate, float(at_s), times)
