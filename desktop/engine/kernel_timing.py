"""One device, timed through ggml's own operations. In a child process: drivers crash and hang.

What is timed is what generating and reading a prompt consist of: products with one row and with
512, attention, the small operations between them. The best of several rounds counts, since
whatever else runs only makes one slower.
"""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from desktop.engine.ggml import F16, F32, I32, Backend, Graph
from desktop.engine.kernel_types import WEIGHT_TYPES
from desktop.gguf.tensor_types import TENSOR_TYPES
from desktop.hardware.speeds import ATTENTION, EXPERTS, VALUES, DeviceSpeed, KernelSpeed

CACHE_TYPES = ("f16", "q8_0", "q4_0")
EXPERT_TYPE = "Q4_K"
STEADY_SHARE = 0.8  # of the processor that was asked for

# Windows counts a process's processor time in ticks of 15.6 ms: too coarse for this.
_COUNTS_FINELY = time.get_clock_info("process_time").resolution < 1e-4

_CODES = {kind.name: code for code, kind in TENSOR_TYPES.items()}
_COLUMNS, _ROWS, _BATCH = 2048, 2048, 512
_LEAST_ROUNDS = 3
_PATIENCE = 3  # so many times the time that a measurement may take where the machine is busy
_READ_S = 0.015
_BATCH_S = 0.012
_ROUND_S = 0.02  # a slow device reads fewer weights a round

_HEAD, _HEADS, _KV_HEADS, _CELLS, _CACHES = 128, 32, 8, 512, 12
_CPU_ROWS = 512
# A device that needs so long for one product is measured with smaller batches.
_SLOW_S = 0.002
_SLOW_BATCH_S = 0.2
_LEAST_BATCH = 32
_CPU_QUERIES = 64  # of a batch: a processor needs a second for all of them over a quantized cache
_EXPERTS, _CHOSEN, _EXPERT_ROWS = 32, 4, 512
_SMALL_ROWS = 16  # of a product that costs nothing but itself
_REPEATED = 16
_COPIED_BYTES = 64 << 20


@dataclass(slots=True)
class Measurement:
    """`weights_bytes` is more than the device's caches hold; `seconds` all that it may take.

    `in_processor_time` counts the time in which one thread really ran, whoever else wanted the
    processor: for busy machines.
    """

    backend: Backend
    threads: int
    weights_bytes: int
    seconds: float
    types: tuple[str, ...] = WEIGHT_TYPES
    in_processor_time: bool = False
    _wall_s: float = field(default=0.0, init=False)
    _cpu_s: float = field(default=0.0, init=False)

    def run(self, on_kernel: Callable[[DeviceSpeed], None] | None = None) -> DeviceSpeed:
        """What the time allowed, in the order of `types`. Raises EngineError.

        `on_kernel` is told what is known after each kind of work: the next may take too long.
        On a busy machine one thread is measured, by the time in which it ran.
        """
        started_s = time.perf_counter()
        if self.in_processor_time:
            self._use_one_thread()
        overheads, values = self._overheads(), self._values()
        if not self._is_steady() and _COUNTS_FINELY:
            self._use_one_thread()
            overheads, values = self._overheads(), self._values()
        busy = self.in_processor_time
        kernels = [values]
        copied = None if self.backend.is_cpu else self._copies()

        def so_far() -> DeviceSpeed:
            return DeviceSpeed(
                device=self.backend.name,
                threads=self.threads if self.backend.is_cpu else 0,
                kernels=tuple(kernels),
                step_s=overheads[0],
                copy_bytes_per_s=copied,
                node_s=overheads[1],
                steady=not busy and self._is_steady(),
            )

        for name in self._names():
            # However slow a device is, one type of weights must show it.
            if len(kernels) > 1 and time.perf_counter() - started_s > self.seconds:
                break
            if name.startswith(ATTENTION):
                found = self._attention(name)
            elif name.startswith(EXPERTS):
                found = self._experts(name)
            else:
                found = self._weights(name)
            if found is not None:
                kernels.append(found)
                if on_kernel is not None:
                    on_kernel(so_far())
        return so_far()

    def _names(self) -> tuple[str, ...]:
        """All kinds of work, the most usual first."""
        first, soon, rest = self.types[:1], self.types[1:7], self.types[7:]
        f16, q8_0, q4_0 = (ATTENTION + kind for kind in CACHE_TYPES)
        return (*first, f16, *soon, EXPERTS + EXPERT_TYPE, q8_0, *rest, q4_0)

    def _is_steady(self) -> bool:
        """Whether the processor's threads have run nearly all of the time."""
        wanted_s = STEADY_SHARE * self.threads * self._wall_s
        return not self.backend.is_cpu or self._cpu_s >= wanted_s

    def _use_one_thread(self) -> None:
        self.backend.set_threads(1)
        self.threads, self.in_processor_time = 1, True

    def _clock(self) -> float:
        return time.process_time() if self.in_processor_time else time.perf_counter()

    def _weights(self, name: str) -> KernelSpeed | None:
        """Products with one row, one matrix after the other, and a product with a batch of them."""
        size = _bytes_of(name, _COLUMNS * _ROWS)
        most = max(1, self.weights_bytes // size)
        shape, batch = (_COLUMNS, _CPU_ROWS), _BATCH
        if not self.backend.is_cpu:  # some are a thousand times slower than others
            alone_s = self._product_s(name, (_COLUMNS, _ROWS), 1, 1, 0.0)
            if alone_s is None:
                return None
            most = max(1, min(most, round(_ROUND_S / alone_s)))
            if alone_s < _SLOW_S:
                shape = (_COLUMNS, _ROWS)
            else:
                batch = max(_LEAST_BATCH, min(_BATCH, round(_SLOW_BATCH_S / alone_s)))
        batch_s = self._product_s(name, shape, batch, 1, _BATCH_S)
        read_s = self._product_s(name, (_COLUMNS, _ROWS), 1, most, _READ_S)
        if read_s is None or batch_s is None:
            return None
        return _speed(name, size / read_s, 2 * shape[0] * shape[1] * batch / batch_s)

    def _product_s(
        self, name: str, shape: tuple[int, int], rows: int, count: int, seconds: float
    ) -> float | None:
        """What one of `count` products takes; None where the device has none of this type."""
        with Graph(self.backend) as graph:
            weights = [graph.weight(_CODES[name], *shape) for _ in range(count)]
            values = graph.input(F32, shape[0], rows)
            nodes = [graph.product(weight, values) for weight in weights]
            if not _placed(graph, nodes, [*weights, values]):
                return None
            return self._best_s(graph, seconds) / count

    def _experts(self, name: str) -> KernelSpeed | None:
        """One row that asks all experts, and a batch whose rows ask a few each."""
        kind = name.removeprefix(EXPERTS)
        size = _bytes_of(kind, _COLUMNS * _EXPERT_ROWS * _EXPERTS)
        count = max(1, self.weights_bytes // size)
        read_s = self._expert_s(kind, 1, _EXPERTS, count, _READ_S)
        batch_s = self._expert_s(kind, _BATCH, _CHOSEN, 1, _BATCH_S)
        if read_s is None or batch_s is None:
            return None
        operations = 2 * _COLUMNS * _EXPERT_ROWS * _BATCH * _CHOSEN
        return _speed(name, size / read_s, operations / batch_s)

    def _expert_s(
        self, name: str, rows: int, chosen: int, count: int, seconds: float
    ) -> float | None:
        order = random.Random(0)
        picked = [n for _ in range(rows) for n in order.sample(range(_EXPERTS), chosen)]
        with Graph(self.backend) as graph:
            shape = (_COLUMNS, _EXPERT_ROWS, _EXPERTS)
            weights = [graph.weight(_CODES[name], *shape) for _ in range(count)]
            values = graph.input(F32, _COLUMNS, 1, rows)
            choice = graph.input(I32, chosen, rows)
            nodes = [graph.expert_product(weight, values, choice) for weight in weights]
            if not _placed(graph, nodes, [*weights, values]):
                return None
            graph.fill(choice, struct.pack(f"={len(picked)}i", *picked))
            return self._best_s(graph, seconds) / count

    def _attention(self, name: str) -> KernelSpeed | None:
        """Heads of 128 that share keys and values by fours, over 512 cells."""
        cache = name.removeprefix(ATTENTION).upper()
        rows = _CPU_QUERIES if self.backend.is_cpu else _BATCH
        read_s = self._attention_s(cache, 1, _CACHES, _READ_S)
        batch_s = self._attention_s(cache, rows, 1, _BATCH_S)
        if read_s is None or batch_s is None:
            return None
        asked = 2 * _HEADS * _bytes_of(cache, _CELLS * _HEAD)
        operations = 4 * _HEADS * _HEAD * _CELLS * rows
        return _speed(name, asked / read_s, operations / batch_s)

    def _attention_s(self, cache: str, rows: int, count: int, seconds: float) -> float | None:
        with Graph(self.backend) as graph:
            queries = graph.input(F32, _HEAD, rows, _HEADS)
            mask = graph.input(F16, _CELLS, rows)
            shape = (_HEAD, _KV_HEADS, _CELLS)  # as the cache has them: cell by cell
            caches = [graph.input(_CODES[cache], *shape) for _ in range(2 * count)]
            pairs = zip(caches[::2], caches[1::2], strict=True)
            nodes = [
                graph.attention(queries, graph.swapped(keys), graph.swapped(values), mask, 0.1)
                for keys, values in pairs
            ]
            if not graph.supported(nodes[0]):
                return None
            for node in nodes:
                graph.keep(node)
            graph.place()
            for tensor in (queries, *caches):
                graph.fill(tensor, _bytes(graph.nbytes(tensor)))
            graph.fill(mask, b"\0")
            return self._best_s(graph, seconds) / count

    def _values(self) -> KernelSpeed:
        """Norm, scale, rotation, gate and sum of a batch of rows: values written a second."""
        with Graph(self.backend) as graph:
            rows = graph.input(F32, _COLUMNS, _BATCH)
            heads = graph.input(F32, _HEAD, _COLUMNS // _HEAD, _BATCH)
            scale, places = graph.input(F32, _COLUMNS), graph.input(I32, _BATCH)
            nodes = [
                graph.times(graph.norm(rows), scale),
                graph.rotated(heads, places, _HEAD),
                graph.gated(rows, rows),
                graph.plus(rows, rows),
            ]
            for node in nodes:
                graph.keep(node)
            graph.place()
            for tensor in (rows, heads, scale):
                graph.fill(tensor, _bytes(graph.nbytes(tensor)))
            graph.fill(places, struct.pack(f"={_BATCH}i", *range(_BATCH)))
            taken_s = self._best_s(graph, _BATCH_S)
        values = (len(nodes) + 1) * _COLUMNS * _BATCH
        return _speed(VALUES, 4 * values / taken_s, values / taken_s)

    def _overheads(self) -> tuple[float, float]:
        """What a graph costs to start, and each small operation in it: seconds."""
        one_s, many_s = self._small_s(1), self._small_s(_REPEATED)
        node_s = max(0.0, (many_s - one_s) / (3 * (_REPEATED - 1)))
        return max(0.0, one_s - 3 * node_s), node_s

    def _small_s(self, times: int) -> float:
        with Graph(self.backend) as graph:
            small = graph.weight(_CODES["F16"], _COLUMNS, _SMALL_ROWS)
            row, scale = graph.input(F32, _COLUMNS, 1), graph.input(F32, _COLUMNS)
            for _ in range(times):
                graph.keep(graph.product(small, graph.times(graph.norm(row), scale)))
            graph.place()
            for tensor in (small, row, scale):
                graph.fill(tensor, _bytes(graph.nbytes(tensor)))
            return self._best_s(graph, _BATCH_S)

    def _copies(self) -> float:
        """Bytes a second from main memory to the device, as weights of long prompts go."""
        with Graph(self.backend) as graph:
            target = graph.input(F32, _COPIED_BYTES // 4)
            graph.place()
            data = _bytes(_COPIED_BYTES)
            taken_s = []
            for _ in range(_LEAST_ROUNDS):
                before_s = time.perf_counter()
                graph.fill(target, data)
                taken_s.append(time.perf_counter() - before_s)
        return _COPIED_BYTES / max(min(taken_s), 1e-9)

    def _best_s(self, graph: Graph, seconds: float) -> float:
        """The best of some rounds after a first one that wakes everything up."""
        graph.run()
        best_s, done = float("inf"), 0
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        taken_s = 0.0
        while (
            done == 0
            or taken_s < seconds
            or (done < _LEAST_ROUNDS and taken_s < _PATIENCE * seconds)
        ):
            before_s = self._clock()
            graph.run()
            best_s = min(best_s, self._clock() - before_s)
            done += 1
            taken_s = time.perf_counter() - started_s
        self._wall_s += taken_s
        self._cpu_s += time.process_time() - started_cpu_s
        return max(best_s, 1e-9)


def _placed(graph: Graph, nodes: Sequence[int], filled: Sequence[int]) -> bool:
    """Put `nodes` on the device and numbers into `filled`; False where it has no such product."""
    if not graph.supported(nodes[0]):
        return False
    for node in nodes:
        graph.keep(node)
    graph.place(probe=nodes[0])
    for tensor in filled:
        graph.fill(tensor, _bytes(graph.nbytes(tensor)))
    return True


def _speed(name: str, read_bytes_per_s: float, operations_per_s: float) -> KernelSpeed:
    return KernelSpeed(name, float(round(read_bytes_per_s)), float(round(operations_per_s)))


def _bytes_of(name: str, values: int) -> int:
    kind = TENSOR_TYPES[_CODES[name]]
    return values // kind.block_values * kind.block_bytes


@cache
def _bytes(size: int) -> bytes:
    """Noise in which every two or four bytes are a float of ordinary size, whatever reads them.

    NaN and numbers so small that processors slow down (denormals) would measure something else;
    so would scales more varied than a model's: the CPU backend looks them up in a table of
    256 KB, and with all of it in use Q8_0 was read at half of its speed.
    """
    ordinary = [sign | exponent for sign in (0, 0x80) for exponent in range(0x28, 0x30)]
    noise = bytes(random.Random(0).choices(ordinary, k=min(size, 1 << 16)))
    return (noise * -(-size // len(noise)))[:size]
