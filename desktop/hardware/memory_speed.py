"""Memory bandwidth, measured: it decides how fast a model generates on the processor."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.hardware.machine import Cpu, Memory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

_LEAST_BUFFER = 128 << 20
_MOST_BUFFER = 1 << 30
_UNKNOWN_CACHE = 48 << 20  # what Apple's larger chips have
_CACHES_OVER = 4  # the buffer is so many times the last-level cache
_CHUNK_WORDS = 1 << 18
_ROUND_S = 0.01
_READ_S = 0.12  # of reading, after the buffer is filled
_LEAST_READ_S = 0.03
_USUALLY_S = 0.26  # filling and reading together, unless the machine is busy
_FILL_S = 0.4  # beyond it the machine is too busy to measure anything
_STEADY_SHARE = 0.8
# Windows counts a thread's processor time in ticks of 15.6 ms: too coarse for this.
_COUNTS_FINELY = time.get_clock_info("thread_time").resolution < 1e-4


@dataclass(frozen=True, slots=True)
class MemorySpeed:
    """What was measured; `is_steady` tells whether this program had the processor to itself."""

    bytes_per_s: int
    is_steady: bool


def measure_bandwidth(cpu: Cpu, memory: Memory) -> MemorySpeed | None:
    """Bytes a second that all cores together read from main memory, in less than 0.3 s.

    Every core reads its own part of a buffer that is larger than the caches, all at the same
    time, round after round; the best round counts, since whatever else runs only makes one
    slower. On a busy machine one core's rate in its own processor time can be the better bound.
    None where memory is too short for the buffer, or the machine too busy to tell.
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


@dataclass(slots=True)
class _Tally:
    """What one thread has read, in how much of its own processor's and of everybody's time."""

    read_bytes: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0


class _Measurement:
    """One measurement: its threads meet at a barrier before every round."""

    def __init__(self, threads: int, buffer_bytes: int) -> None:
        import numpy as np  # only here: it is slow to import and nothing else needs it

        words = buffer_bytes // threads // 8
        self._parts = [np.empty(words, np.uint64) for _ in range(threads)]
        self._read = np.bitwise_or.reduce  # reads with vector instructions, without the GIL
        self._barrier = threading.Barrier(threads, action=self._between_rounds)
        self._ends = [0.0] * threads
        self._words = words * threads
        self._least_bytes = buffer_bytes * 3 // 8
        self._start = time.perf_counter()
        self._stop_at = 0.0
        self._round_start = 0.0
        self._repeats = 0
        self._best = 0.0
        self._done = False
        self._tallies = [_Tally() for _ in range(threads)]

    def run(self) -> MemorySpeed | None:
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
            written_words = sum(part.size for part in self._parts)
            # The barrier's action leads back here: the buffer would wait for a collection, which
            # the window puts off for as long as it streams.
            self._parts.clear()
        if not self._best:
            return None
        if not _COUNTS_FINELY:
            return MemorySpeed(int(self._best), is_steady=True)
        cpu_s = sum(tally.cpu_s for tally in self._tallies)
        alone = sum(tally.read_bytes for tally in self._tallies) / cpu_s
        if written_words < self._words:
            # More of a smaller buffer lies in the caches: all cores together then look too fast.
            return MemorySpeed(int(alone), is_steady=False)
        share = cpu_s / sum(tally.wall_s for tally in self._tallies)
        return MemorySpeed(int(max(self._best, alone)), share >= _STEADY_SHARE)

    def _work(self, index: int) -> None:
        part = self._parts[index] = self._filled(self._parts[index])
        try:
            while True:
                self._barrier.wait()
                if self._done:
                    return
                start, cpu_start = time.perf_counter(), time.thread_time()
                for _ in range(self._repeats):
                    self._read(part)
                self._ends[index] = end = time.perf_counter()
                tally = self._tallies[index]
                tally.read_bytes += part.nbytes * self._repeats
                tally.cpu_s += max(time.thread_time() - cpu_start, 1e-9)
                tally.wall_s += end - start
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
