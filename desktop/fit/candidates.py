"""Which plans are worth trying for a wish, the most wanted first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from desktop.fit.devices import Rooms
from desktop.fit.memory import Footprint, padded_context
from desktop.fit.types import KvType, Plan, Wish
from desktop.hardware.machine import Cpu

_UBATCH = 512
_LADDER = (16_384, 8_192, 4_096, 2_048)
_MOST_ON_CPU = 8_192  # reading a longer prompt takes a processor minutes
_MANY_CORES = 8
# A mapped file that is cut short kills the process at the next page (SIGBUS); below this size
# reading it takes a second at most, and then it may be cut, overwritten or removed.
WORTH_MAPPING_BYTES = 1 << 30
_USUAL_CORES = 4  # where nobody says how many there are


class Candidates:
    """Makes plans for one wish on one machine; none of them is checked for size."""

    def __init__(self, footprint: Footprint, wish: Wish, found: Rooms, cpu: Cpu) -> None:
        self._footprint = footprint
        self._wish = wish
        self._rooms = found
        self.contexts = self._contexts()
        self._small = footprint.header.file_bytes < WORTH_MAPPING_BYTES
        self._rearranged = footprint.mostly_rearranged()
        wished: KvType = wish.kv_type or "f16"
        self.kv_type: KvType = wished if footprint.allows(wished) else "f16"
        self._base = Plan(
            gpu_layers=0,
            context=self.contexts[0],
            kv_type=self.kv_type,
            parallel=wish.parallel,
            flash_attention=True,
            expert_layers_on_cpu=0,
            ubatch=wish.ubatch or _UBATCH,
            threads=wish.threads or automatic_threads(cpu),
            use_mmap=True,
        )

    def on_cpu(self) -> Iterator[Plan]:
        """Everything in main memory, the longest context first."""
        automatic = [c for c in self.contexts if c <= _MOST_ON_CPU * self._wish.parallel]
        for context in automatic if automatic and self._wish.context is None else self.contexts:
            yield self._with(0, context)

    def on_gpu(self) -> Iterator[Plan]:
        """All layers on the graphics."""
        for context in self.contexts:
            yield self._with(self._footprint.all_layers, context)

    def experts_on_cpu(self, layers: int, context: int) -> Plan:
        """All layers on the graphics but for the experts of the first `layers`."""
        full = self._with(self._footprint.all_layers, context)
        return replace(full, expert_layers_on_cpu=layers)

    def some_layers(self, gpu_layers: int, context: int) -> Plan:
        """The last layers on the graphics, the others in main memory."""
        return self._with(gpu_layers, context)

    def wished_layers(self, gpu_layers: int) -> Iterator[Plan]:
        for context in self.contexts:
            yield self._with(min(gpu_layers, self._footprint.all_layers), context)

    def _with(self, gpu_layers: int, context: int) -> Plan:
        device = ""
        if gpu_layers and len(self._rooms.gpus) == 1:
            gpu = self._rooms.gpus[0].gpu
            device = gpu.device if gpu is not None else ""
        ubatch = min(self._base.ubatch, padded_context(context))
        return replace(
            self._base,
            gpu_layers=gpu_layers,
            context=context,
            ubatch=ubatch,
            device=device,
            # A mapped file whose weights are rearranged lies in memory twice: 1,333 MiB of a
            # 660 MB model instead of 794, and loading takes twice as long.
            use_mmap=not self._small and (gpu_layers > 0 or not self._rearranged),
        )

    def _contexts(self) -> list[int]:
        """The wished context; else a ladder that ends at what the model was trained for."""
        if self._wish.context is not None:
            return [padded_context(self._wish.context)]
        trained = self._footprint.header.context_length or _LADDER[-1]
        steps = [step for step in _LADDER if step <= trained] or [trained]
        if steps[0] < trained < _LADDER[0]:
            steps.insert(0, trained)
        return [padded_context(step * self._wish.parallel) for step in steps]


def automatic_threads(cpu: Cpu) -> int:
    """Physical cores that this process may use, less one or two for everything else.

    All cores on a busy machine are slower than one core less: 2 threads beside one competing
    process gave 29-41 tokens/s where 1 thread gave 75.
    """
    cores = cpu.performance_cores or cpu.physical_cores or -(-cpu.logical_cores // 2)
    if cpu.usable_cores:
        cores = min(cores, cpu.usable_cores) if cores else cpu.usable_cores
    cores = cores or _USUAL_CORES
    if cores <= 2:
        return cores
    return cores - (2 if cores >= _MANY_CORES else 1)
