"""Which settings are worth trying for a wish: contexts, context types, micro-batches, threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from desktop.fit.devices import Party, Room
from desktop.fit.guessing import draft_tokens
from desktop.fit.layers import has_no_context
from desktop.fit.memory import Footprint, padded_context
from desktop.fit.types import KvType, Plan, Priority, Wish
from desktop.fit.wishes import MAX_UBATCH
from desktop.hardware.machine import Cpu

_UBATCH = 512
_SMALL_UBATCH = 128
LARGE_UBATCHES = (1_024, 2_048)
_LADDERS: Mapping[Priority, tuple[int, ...]] = {
    "balanced": (16_384, 8_192, 4_096, 2_048),
    "quality": (32_768, 16_384, 8_192, 4_096, 2_048),
    "speed": (16_384, 8_192, 4_096, 2_048),
}
USUAL_CONTEXT = 8_192  # reading a longer prompt takes a processor minutes
_MANY_CORES = 8
_MOST_THREADS = 512  # ggml's GGML_MAX_N_THREADS
# A mapped file that is cut short kills the process at the next page (SIGBUS); below this size
# reading it takes a second at most, and then it may be cut, overwritten or removed.
WORTH_MAPPING_BYTES = 1 << 30
_USUAL_CORES = 4  # where nobody says how many there are
_WITHOUT_FLASH_ATTENTION = frozenset(("grok",))  # llama.cpp turns it off


@dataclass(frozen=True, slots=True)
class Setting:
    """A context and how it is kept."""

    context: int
    kv_type: KvType


class Candidates:
    """Makes plans for one wish; none of them is checked for size."""

    def __init__(self, footprint: Footprint, wish: Wish, cpu: Cpu) -> None:
        self._footprint = footprint
        self._wish = wish
        self.contexts = self._contexts()
        self.kv_types = self._kv_types()
        self._small = footprint.header.file_bytes < WORTH_MAPPING_BYTES
        self._rearranged = footprint.mostly_rearranged()
        # Encoders look at a text as a whole: it must fit into one micro-batch.
        self._whole_texts = has_no_context(footprint.header)
        self._base = Plan(
            gpu_layers=0,
            context=self.contexts[0],
            kv_type=self.kv_types[0],
            parallel=wish.parallel,
            flash_attention=self._flash_attention(),
            expert_layers_on_cpu=0,
            ubatch=wish.ubatch or _UBATCH,
            threads=wish.threads or automatic_threads(cpu),
            use_mmap=True,
            draft_tokens=draft_tokens(footprint.header, wish.draft_tokens),
            lock_memory=wish.lock_memory,
        )

    def settings(self) -> list[Setting]:
        return [Setting(context, kv) for context in self.contexts for kv in self.kv_types]

    def smallest(self) -> Setting:
        """What needs the least memory."""
        return Setting(self.contexts[-1], self.kv_types[-1])

    def ubatches(self) -> tuple[int, ...]:
        """The usual micro-batch, then what to try where nothing fits."""
        if self._wish.ubatch is not None:
            return (self._wish.ubatch,)
        return (_UBATCH, _SMALL_UBATCH)

    def may_use_cpu_alone(self, setting: Setting) -> bool:
        """Whether a processor reads so long a text in bearable time, or it was asked for."""
        if self._wish.context is not None or setting.context == self.contexts[-1]:
            return True
        return setting.context <= USUAL_CONTEXT * self._wish.parallel

    def on_cpu(self, setting: Setting, ubatch: int) -> Plan:
        """Everything in main memory."""
        return self._with(setting, ubatch, 0)

    def on_party(
        self,
        setting: Setting,
        ubatch: int,
        party: Party,
        layers: tuple[int, ...],
        experts_on_cpu: int = 0,
    ) -> Plan:
        """So many of the last layers on each device of `party`, the output counting as one."""
        counts = [(room, count) for room, count in zip(party, layers, strict=True) if count > 0]
        total = sum(count for _, count in counts)
        plan = self._with(setting, ubatch, total)
        if total == 0:
            return plan
        if self._wish.expert_layers_on_cpu is not None:
            experts_on_cpu = min(self._wish.expert_layers_on_cpu, self._footprint.all_layers - 1)
        first_on_gpu = self._footprint.all_layers - total
        if experts_on_cpu <= first_on_gpu:
            experts_on_cpu = 0  # those layers lie in main memory as a whole
        plan = replace(plan, expert_layers_on_cpu=experts_on_cpu)
        partly = first_on_gpu + experts_on_cpu > 0
        if partly and self._wish.use_mmap is None and any(_maps_all(room) for room in party):
            plan = replace(plan, use_mmap=False)
        if len(counts) == 1:
            return replace(plan, device=counts[0][0].device)
        return replace(plan, split=tuple((room.device, count) for room, count in counts))

    def _with(self, setting: Setting, ubatch: int, gpu_layers: int) -> Plan:
        if self._whole_texts and self._wish.ubatch is None:
            ubatch = min(setting.context, MAX_UBATCH)
        ubatch = min(ubatch, padded_context(setting.context))
        return replace(
            self._base,
            gpu_layers=gpu_layers,
            context=setting.context,
            kv_type=setting.kv_type,
            # A step must hold one token of every sequence.
            ubatch=max(ubatch, self._wish.parallel),
            # A mapped file whose weights are rearranged lies in memory twice: 1,333 MiB of a
            # 660 MB model instead of 794, and loading takes twice as long.
            use_mmap=self._maps(gpu_layers),
        )

    def _maps(self, gpu_layers: int) -> bool:
        if self._wish.use_mmap is not None:
            return self._wish.use_mmap
        return not self._small and (gpu_layers > 0 or not self._rearranged)

    def _flash_attention(self) -> bool:
        """As wished, where llama.cpp has it; a quantized cache of values needs it."""
        if self._footprint.header.architecture in _WITHOUT_FLASH_ATTENTION:
            return False
        wished = self._wish.flash_attention
        return wished is not False or self.kv_types[0] != "f16"

    def _contexts(self) -> list[int]:
        """The wished context; else a ladder that ends at what the model was trained for."""
        if self._wish.context is not None:
            return [padded_context(self._wish.context)]
        ladder = _LADDERS[self._wish.priority]
        trained = self._footprint.header.context_length or ladder[-1]
        steps = [step for step in ladder if step <= trained] or [trained]
        if steps[0] < trained < ladder[0]:
            steps.insert(0, trained)
        return [padded_context(step * self._wish.parallel) for step in steps]

    def _kv_types(self) -> list[KvType]:
        """The wished type where the model can have it; else f16 and what takes half of it."""
        wished = self._wish.kv_type
        if wished is not None:
            return [wished if self._footprint.allows(wished) else "f16"]
        keeps_any = any(cache.k_values or cache.v_values for cache in self._footprint.caches)
        if not keeps_any or not self._base_allows_q8() or self._wish.flash_attention is False:
            return ["f16"]
        return ["f16", "q8_0"]

    def _base_allows_q8(self) -> bool:
        header = self._footprint.header
        return header.architecture not in _WITHOUT_FLASH_ATTENTION and self._footprint.allows(
            "q8_0"
        )


def _maps_all(room: Room) -> bool:
    """Metal maps a file from its first tensor on the GPU to the last: often all of it."""
    return room.gpu is not None and room.gpu.backend == "metal"


def automatic_threads(cpu: Cpu) -> int:
    """Physical cores that this process may use, less one or two for everything else.

    All cores on a busy machine are slower than one core less: 2 threads beside one competing
    process gave 29-41 tokens/s where 1 thread gave 75.
    """
    cores = cpu.performance_cores or cpu.physical_cores or -(-cpu.logical_cores // 2)
    if cpu.usable_cores:
        cores = min(cores, cpu.usable_cores) if cores else cpu.usable_cores
    cores = min(cores or _USUAL_CORES, _MOST_THREADS)
    if cores <= 2:
        return cores
    return cores - (2 if cores >= _MANY_CORES else 1)
