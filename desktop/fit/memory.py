"""Where a model's bytes lie under a plan: weights and context, device by device.

The rules are llama.cpp's own (`load_tensors`, the KV caches' constructors). Recorded dry runs and
22 logs of real loads in tests/fit/data are met to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from desktop.fit.layers import has_no_context, layer_caches, used_layers, window_tokens
from desktop.fit.types import KvType, Plan
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
_QUANTIZED_BLOCK = 32
_ROWS_TOGETHER = 8  # rows that the CPU backend rearranges at once
_STATE_BYTES = 4  # recurrent states are f32

_LAYER = re.compile(r"(?:enc\.|dec\.)?blk\.(\d+)\.")
_EXPERTS = re.compile(r"\.ffn_(?:up|down|gate|gate_up)_(?:ch)?exps\.")
_INPUT = ("token_embd.", "position_embd.", "token_types.", "per_layer_token_embd.")
_FIRST_LAYER = (
    "token_embd_norm.",
    "rope_freqs.",
    "rope_factors_long.",
    "rope_factors_short.",
    "per_layer_model_proj.",
    "per_layer_proj_norm.",
)


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


class Footprint:
    """A model's sizes, taken from its header once and laid out for many plans."""

    def __init__(self, header: ModelHeader, rearranged: frozenset[str] = frozenset()) -> None:
        """`rearranged`: tensor types that the CPU backend copies into another layout."""
        self.header = header
        self._rearranged = rearranged
        self.layers = header.block_count
        self.used_layers = used_layers(header)
        self.window = window_tokens(header)
        self.caches = layer_caches(header)
        self.input_bytes = 0
        self.output_bytes = 0
        self.layer_bytes = [0] * self.layers
        self.expert_bytes = [0] * self.layers
        self._add_tensors()
        embedding = header.tensor("token_embd.weight")
        self.tied = (
            embedding is not None
            and header.tensor("output.weight") is None
            and not has_no_context(header)
        )
        self.embedding_bytes = embedding.nbytes if embedding is not None else 0
        self._embedding_rearranged = embedding is not None and self._is_rearranged(embedding)

    def _is_rearranged(self, tensor: TensorInfo) -> bool:
        rows = tensor.dims[1] if len(tensor.dims) > 1 else 1
        return tensor.type_name in self._rearranged and rows % _ROWS_TOGETHER == 0

    def mostly_rearranged(self) -> bool:
        """Whether a mapped file would lie in memory a second time, for the most part."""
        copied = sum(tensor.nbytes for tensor in self.header.tensors if self._is_rearranged(tensor))
        return 2 * copied > self.header.tensor_bytes

    def _add_tensors(self) -> None:
        for tensor in self.header.tensors:
            match = _LAYER.match(tensor.name)
            if match is not None:
                layer = int(match[1])
                # Layers behind the last one that is used only predict ahead: not loaded.
                if layer < self.used_layers:
                    self.layer_bytes[layer] += tensor.nbytes
                    if _EXPERTS.search(tensor.name):
                        self.expert_bytes[layer] += tensor.nbytes
            elif tensor.name.startswith(_INPUT):
                self.input_bytes += tensor.nbytes
            elif tensor.name.startswith(self._first_layer_names()) and self.layer_bytes:
                self.layer_bytes[0] += tensor.nbytes
            else:
                self.output_bytes += tensor.nbytes

    def _first_layer_names(self) -> tuple[str, ...]:
        """Tensors without a layer's number that lie with the first layer."""
        if self.header.architecture.startswith("lfm2"):
            # LFM2's last norm carries the name of others' first one.
            return tuple(name for name in _FIRST_LAYER if name != "token_embd_norm.")
        return _FIRST_LAYER

    @property
    def all_layers(self) -> int:
        """What `gpu_layers` must be for everything that can to lie on the GPU."""
        return self.layers + 1

    @property
    def expert_layers(self) -> int:
        """Layers up to the last with experts: what `expert_layers_on_cpu` may count to."""
        return max((n + 1 for n, size in enumerate(self.expert_bytes) if size), default=0)

    def allows(self, kv_type: KvType) -> bool:
        """Whether every head's keys and values fill whole blocks of a quantized type."""
        if kv_type == "f16":
            return True
        return all(
            cache.k_values % _QUANTIZED_BLOCK == 0 and cache.v_values % _QUANTIZED_BLOCK == 0
            for cache in self.caches
        )

    def place(self, plan: Plan, shares: Sequence[Share] = ()) -> dict[str, Placed]:
        """Bytes by device under `plan`; `shares` are the GPUs that take part.

        llama.cpp gives the GPUs the output and the last `gpu_layers` - 1 layers; the input
        embedding stays in main memory, and a tied one exists a second time as the output: on
        the GPU, or rearranged in main memory.
        """
        devices = self._devices(plan, shares)
        weights = {CPU: self.input_bytes, **{share.device: 0 for share in shares}}
        context = dict.fromkeys(weights, 0)
        for layer in range(self.layers):
            experts = 0
            if layer < plan.expert_layers_on_cpu:
                experts = self.expert_bytes[layer]
            weights[CPU] += experts
            weights[devices[layer]] += self.layer_bytes[layer] - experts
            context[devices[layer]] += self.layer_context_bytes(layer, plan)
        output = devices[self.layers]
        weights[output] += self.output_bytes
        if self.tied and (output != CPU or (not shares and self._embedding_rearranged)):
            weights[output] += self.embedding_bytes
        return {name: Placed(weights[name], context[name]) for name in weights}

    def place_active(
        self, plan: Plan, shares: Sequence[Share], expert_share: float
    ) -> dict[str, float]:
        """Bytes that one token reads, by device: `expert_share` of the experts, one embedding row.

        A tied embedding is read whole as the output.
        """
        devices = self._devices(plan, shares)
        read: dict[str, float] = {CPU: 0.0, **{share.device: 0.0 for share in shares}}
        for layer in range(self.layers):
            experts = self.expert_bytes[layer]
            home = CPU if layer < plan.expert_layers_on_cpu else devices[layer]
            read[home] += experts * expert_share
            read[devices[layer]] += self.layer_bytes[layer] - experts
        output = self.output_bytes + (self.embedding_bytes if self.tied else 0)
        read[devices[self.layers]] += output
        return read

    def window_cells(self, plan: Plan) -> int:
        """Cells of a layer with a sliding window: each sequence has its own in one buffer."""
        cells = padded_context(plan.context)
        return padded_context(min(cells, self.window * plan.parallel + plan.ubatch))

    def layer_context_bytes(self, layer: int, plan: Plan) -> int:
        """What one layer keeps for the whole context."""
        cache = self.caches[layer]
        cells = self.window_cells(plan) if cache.windowed else padded_context(plan.context)
        values = cells * (cache.k_values + cache.v_values)
        return int(values * BYTES_A_VALUE[plan.kv_type]) + (
            _STATE_BYTES * cache.state_values * plan.parallel
        )

    def _devices(self, plan: Plan, shares: Sequence[Share]) -> list[str]:
        """The device of every layer, and of the output at the end."""
        offloaded = min(plan.gpu_layers, self.all_layers) if shares else 0
        first = self.all_layers - offloaded
        names = [CPU] * first
        total = sum(share.weight for share in shares) or 1
        for place in range(offloaded):
            reached = 0
            chosen = shares[-1]
            for share in shares:
                reached += share.weight
                if place * total < reached * offloaded:
                    chosen = share
                    break
            names.append(chosen.device)
        return names


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


def _one_share(plan: Plan) -> tuple[Share, ...]:
    return (Share(plan.device or GPU),) if plan.gpu_layers > 0 else ()
