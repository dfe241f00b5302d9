"""Where a model's bytes lie under a plan: weights and context, device by device.

The rules are llama.cpp's own (`load_tensors`, the KV caches' constructors). Recorded dry runs and
22 logs of real loads in tests/fit/data are met to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from desktop.fit.graph_width import graph_width
from desktop.fit.layers import (
    LayerCache,
    has_flash_attention,
    has_no_context,
    has_output,
    keeps_flash_attention,
    layer_caches,
    layer_count,
    quantizable_heads,
    rolls_back,
    used_layers,
)
from desktop.fit.types import KvType, Plan
from desktop.fit.windows import window_tokens
from desktop.gguf.header import ModelHeader, TensorInfo

CPU = "CPU"
GPU = "GPU"
"""The name of a graphics device where llama.cpp's own name for it is not known."""

CONTEXT_STEP = 256
"""llama.cpp rounds every context up to a multiple of this."""

BYTES_A_VALUE: Mapping[KvType, Fraction] = {
    "f16": Fraction(2),
    "q8_0": Fraction(34, 32),
    "q4_0": Fraction(18, 32),
}
_ROWS_TOGETHER = 8  # rows that the CPU backend rearranges at once
_STATE_BYTES = 4  # recurrent states are f32
_ALIGNMENT = 32  # of every tensor in a buffer
_WITHOUT_HOST_BUFFERS = ("MTL", "Metal", "RPC", "OpenCL", "BLAS")
_KEPT = 64  # contexts whose sizes are remembered

LAYER = re.compile(r"(?:enc\.|dec\.)?blk\.(\d+)\.")
EXPERTS = re.compile(r"\.ffn_(?:up|down|gate|gate_up)_(?:ch)?exps\.")
INPUT = ("token_embd.", "position_embd.", "token_types.", "per_layer_token_embd.")
_FIRST_LAYER = ("token_embd_norm.", "per_layer_model_proj.", "per_layer_proj_norm.", "hrm.")
_ONE_EMBEDDING = ("bitnet",)  # llama.cpp reads the input's own rows as the output
_TWO_EMBEDDINGS = ("gemma3n", "gemma4")  # it is asked for as the output before it is the input
_EVERY_DEVICE = ("rope_freqs.", "rope_factors_long.", "rope_factors_short.")


@dataclass(frozen=True, slots=True)
class Share:
    """A device that takes layers, and its weight among several (its free bytes)."""

    device: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Placed:
    """Bytes on one device; `repacked_bytes` are weights copied beside their mapped file."""

    weights_bytes: int = 0
    context_bytes: int = 0
    repacked_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Layers `start` to `stop` in a row on one device; the output counts as one more layer."""

    device: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class _Contexts:
    """What the contexts of the first 0, 1, ... layers take, and the largest that attends."""

    before: list[int]
    largest_bytes: int


class Footprint:
    """A model's sizes, taken from its header once and laid out for many plans."""

    def __init__(self, header: ModelHeader, rearranged: frozenset[str] = frozenset()) -> None:
        """`rearranged`: tensor types that the CPU backend copies into another layout."""
        self.header = header
        self.rearranged = rearranged
        self.layers = layer_count(header)
        self.used_layers = used_layers(header)
        self.window = window_tokens(header)
        self.caches = layer_caches(header)
        self.width = graph_width(header)
        self.rolls_back = rolls_back(header)
        self.input_bytes = 0
        self.output_bytes = 0
        self.shared_bytes = 0
        self.layer_bytes = [0] * self.layers
        self.expert_bytes = [0] * self.layers
        self.ahead_bytes = [0] * self.layers
        self.largest_block_bytes = 0
        self._repacked = [0] * (self.layers + 1)
        self._repacked_experts = [0] * self.layers
        self._add_tensors()
        embedding = header.tensor("token_embd.weight")
        self.tied = (
            embedding is not None
            and header.tensor("output.weight") is None
            and has_output(header)
            and header.architecture not in _ONE_EMBEDDING
        )
        self.embedding_bytes = _aligned(embedding.nbytes) if embedding is not None else 0
        self._embedding_twice = embedding is not None and (
            header.architecture in _TWO_EMBEDDINGS or self._is_rearranged(embedding)
        )
        self._quantizable = quantizable_heads(header)
        self.flash_attention = has_flash_attention(header)
        self._keeps_flash_attention = keeps_flash_attention(header)
        self.reads_whole = has_no_context(header)
        self._weights_before = _sums(self.layer_bytes)
        self._experts_before = _sums(self.expert_bytes)
        self._repacked_before = _sums(self._repacked)
        self._repacked_experts_before = _sums(self._repacked_experts)
        self._known_contexts: dict[tuple[int, KvType, int, int, int], _Contexts] = {}
        self._mostly_rearranged = self._is_mostly_rearranged()

    @property
    def all_layers(self) -> int:
        """What `gpu_layers` must be for everything that can to lie on the GPU."""
        return self.layers + 1

    @property
    def expert_layers(self) -> int:
        """Layers up to the last with experts: what `expert_layers_on_cpu` may count to."""
        return max((n + 1 for n, size in enumerate(self.expert_bytes) if size), default=0)

    def mostly_rearranged(self) -> bool:
        """Whether a mapped file would lie in memory a second time, for the most part."""
        return self._mostly_rearranged

    def allows(self, kv_type: KvType) -> bool:
        """Whether llama.cpp opens a context of this type: every head must fill whole blocks."""
        return kv_type == "f16" or self._quantizable

    def flash_attention_fails(self, gpu_layers: int, kv_type: KvType = "f16") -> bool:
        """Whether llama.cpp gives flash attention up: where a GPU's layers begin with a recurrent
        one behind one that attends, it finds the latter's attention on the wrong device.

        Not for a quantized context, which needs it, nor where experts lie between.
        """
        first = self.all_layers - gpu_layers
        if kv_type != "f16" or self._keeps_flash_attention or not 0 < first < self.used_layers:
            return False
        if self.expert_bytes[first - 1]:
            return False
        before, begin = self.caches[first - 1], self.caches[first]
        return before.k_values > 0 and begin.k_values == 0 and begin.state_values > 0

    def place(self, plan: Plan, shares: Sequence[Share] = ()) -> dict[str, Placed]:
        """Bytes by device under `plan`; `shares` are the GPUs that take part.

        llama.cpp gives the GPUs the output and the last `gpu_layers` - 1 layers; the input
        embedding stays in main memory, and a tied one exists a second time as the output: on
        the GPU, or rearranged in main memory.
        """
        weights = {CPU: self.input_bytes, **{share.device: 0 for share in shares}}
        context = dict.fromkeys(weights, 0)
        repacked = 0
        kept = min(max(0, plan.expert_layers_on_cpu), self.layers)
        caches = self._context_sums(plan)
        rearranges = not shares or shares[0].device.startswith(_WITHOUT_HOST_BUFFERS)
        for run in self.runs(plan, shares):
            stop = min(run.stop, self.layers)
            moved = (
                self._experts_before[min(stop, kept)] - self._experts_before[min(run.start, kept)]
            )
            weights[run.device] += self._weights_before[stop] - self._weights_before[run.start]
            weights[run.device] -= moved
            weights[CPU] += moved
            context[run.device] += caches[stop] - caches[run.start]
            if run.start < min(run.stop, self.used_layers):
                weights[run.device] += self.shared_bytes
            if run.stop > self.layers:
                weights[run.device] += self.output_bytes
                if self.tied and (run.device != CPU or (rearranges and self._embedding_twice)):
                    weights[run.device] += self.embedding_bytes
            if run.device == CPU:
                repacked += self._repacked_before[run.stop] - self._repacked_before[run.start]
            else:
                before = self._repacked_experts_before
                repacked += before[min(stop, kept)] - before[min(run.start, kept)]
        if not (plan.use_mmap and rearranges):
            repacked = 0
        return {
            name: Placed(weights[name], context[name], repacked if name == CPU else 0)
            for name in weights
        }

    def largest_context_bytes(self, plan: Plan) -> int:
        """Keys and values of the layer that keeps most of them."""
        return self._contexts(plan).largest_bytes

    def window_cells(self, plan: Plan) -> int:
        """Cells of a layer with a sliding window: each sequence has its own in one buffer."""
        return self._window_cells(plan, plan.parallel)

    def layer_context_bytes(self, layer: int, plan: Plan) -> int:
        """What one layer keeps for the whole context."""
        sums = self._context_sums(plan)
        return sums[layer + 1] - sums[layer]

    def _window_cells(self, plan: Plan, sequences: int) -> int:
        cells = padded_context(plan.context)
        ubatch = max(plan.ubatch, plan.parallel)
        return padded_context(min(cells, self.window * sequences + min(ubatch, cells)))

    def _context_sums(self, plan: Plan) -> list[int]:
        return self._contexts(plan).before

    def _contexts(self, plan: Plan) -> _Contexts:
        key = (plan.context, plan.kv_type, plan.parallel, plan.ubatch, plan.draft_tokens)
        found = self._known_contexts.get(key)
        if found is None:
            if len(self._known_contexts) >= _KEPT:
                self._known_contexts.clear()
            sizes = {cache: self.cache_bytes(cache, plan) for cache in set(self.caches)}
            largest = max((size for cache, size in sizes.items() if cache.k_values), default=0)
            found = _Contexts(_sums([sizes[cache] for cache in self.caches]), largest)
            self._known_contexts[key] = found
        return found

    def device_of(self, layer: int, plan: Plan, shares: Sequence[Share]) -> str:
        """Where `layer` lies; the output counts as one more layer."""
        for run in self.runs(plan, shares):
            if run.start <= layer < run.stop:
                return run.device
        return CPU

    def cache_bytes(self, cache: LayerCache, plan: Plan) -> int:
        """What a layer that keeps `cache` takes for the whole context."""
        context = padded_context(plan.context)
        size = BYTES_A_VALUE[plan.kv_type]
        streams = plan.parallel if cache.own_cells else 1
        cells = context
        if cache.windowed:
            cells = self._window_cells(plan, 1 if cache.own_cells else plan.parallel)
        values = cells * streams * (cache.k_values + cache.v_values)
        for pooled in cache.pooled:
            pooled_cells = padded_context(max(1, -(-context // pooled.tokens)))
            values += pooled_cells * streams * pooled.values
        return values * size.numerator // size.denominator + self.state_bytes(cache, plan)

    def state_bytes(self, cache: LayerCache, plan: Plan) -> int:
        """What a recurrent layer keeps whatever the context, with the ways back from guesses."""
        copies = 1 + plan.draft_tokens if self.rolls_back else 1
        return _STATE_BYTES * cache.state_values * plan.parallel * copies

    def runs(self, plan: Plan, shares: Sequence[Share]) -> list[Run]:
        """Which layers lie where: main memory first, then the GPUs by their weights."""
        offloaded = min(max(0, plan.gpu_layers), self.all_layers) if shares else 0
        first = self.all_layers - offloaded
        runs = [Run(CPU, 0, first)] if first else []
        total = sum(share.weight for share in shares) or 1
        reached, start = 0, first
        for share in shares:
            reached += share.weight
            # The first place whose fraction is not below the devices' so far.
            stop = first + -(-reached * offloaded // total)
            if share is shares[-1]:
                stop = self.all_layers
            if stop > start:
                runs.append(Run(share.device, start, stop))
                start = stop
        return runs

    def _is_rearranged(self, tensor: TensorInfo) -> bool:
        if tensor.type_name not in self.rearranged:
            return False
        if len(tensor.dims) > 2 and tensor.dims[2] > 1 and not EXPERTS.search(tensor.name):
            return False  # a matrix for each head
        rows = tensor.dims[1] if len(tensor.dims) > 1 else 1
        return rows % _ROWS_TOGETHER == 0

    def _is_mostly_rearranged(self) -> bool:
        copied = sum(tensor.nbytes for tensor in self.header.tensors if self._is_rearranged(tensor))
        return 2 * copied > self.header.tensor_bytes

    def _add_tensors(self) -> None:
        first_layer = self._first_layer_names()
        for tensor in self.header.tensors:
            size = _aligned(tensor.nbytes)
            match = LAYER.match(tensor.name)
            if match is not None:
                self._add_to_layer(int(match[1]), tensor, size)
            elif tensor.name.startswith(INPUT):
                self.input_bytes += size
            elif tensor.name.startswith(_EVERY_DEVICE):
                self.shared_bytes += size
            elif tensor.name.startswith(first_layer) and self.layer_bytes:
                self.layer_bytes[0] += size
            else:
                self.output_bytes += size
                if self._is_rearranged(tensor):
                    self._repacked[self.layers] += size

    def _add_to_layer(self, layer: int, tensor: TensorInfo, size: int) -> None:
        if layer >= self.used_layers:
            # Layers behind the last one that is used only predict ahead: not loaded.
            if layer < self.layers:
                self.ahead_bytes[layer] += size
            return
        self.layer_bytes[layer] += size
        self.largest_block_bytes = max(self.largest_block_bytes, size)
        expert = EXPERTS.search(tensor.name) is not None
        if expert:
            self.expert_bytes[layer] += size
        if self._is_rearranged(tensor):
            self._repacked[layer] += size
            if expert:
                self._repacked_experts[layer] += size

    def _first_layer_names(self) -> tuple[str, ...]:
        """Tensors without a layer's number that lie with the first layer."""
        if self.header.architecture.startswith("lfm2"):
            # LFM2's last norm carries the name of others' first one.
            return tuple(name for name in _FIRST_LAYER if name != "token_embd_norm.")
        return _FIRST_LAYER


def weights_by_device(header: ModelHeader, plan: Plan) -> dict[str, int]:
    """Weights in bytes by device, for one GPU at most."""
    placed = Footprint(header).place(plan, _one_share(plan))
    return {name: part.weights_bytes for name, part in placed.items()}


def context_bytes(header: ModelHeader, plan: Plan) -> int:
    """What the whole context takes, over all devices."""
    placed = Footprint(header).place(plan, _one_share(plan))
    return sum(part.context_bytes for part in placed.values())


def padded_context(tokens: int) -> int:
    return -(-tokens // CONTEXT_STEP) * CONTEXT_STEP


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _one_share(plan: Plan) -> tuple[Share, ...]:
    return (Share(plan.device or GPU),) if plan.gpu_layers > 0 else ()


def _sums(sizes: Sequence[int]) -> list[int]:
    """What lies before each place: the sums of the first 0, 1, ... sizes."""
    return list(accumulate(sizes, initial=0))
