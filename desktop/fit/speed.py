"""How fast a plan will be, predicted: every token reads every active weight once.

Reading decides generation (bytes a token ÷ memory bandwidth), arithmetic decides prompts
(2 operations a weight and token). Measured figures replace this where there are any.
"""

from __future__ import annotations

from collections.abc import Mapping

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.gpu_speed import gpu_bandwidth_bytes_per_s, gpu_operations_per_s
from desktop.fit.memory import Footprint, Placed, Share
from desktop.fit.types import Plan, Speed
from desktop.hardware.machine import Gpu, Machine

UNKNOWN_BANDWIDTH_BYTES_PER_S = 25e9
"""A laptop's main memory of the last years, where nobody has measured it."""

_CPU_SHARE = 0.75  # of the measured bandwidth that quantized reading reaches
_GPU_SHARE = 0.65
_TYPICAL_TOKENS = 1_000  # of context that an answer reads besides the weights

_BUS_BYTES_PER_S = 12e9  # PCIe 3.0 x16, as it is reached
_STEP_S = 0.0003  # sampling and what lies around a step
_LAYER_S = 20e-6  # starting a layer's work and waiting for its threads

_CORE_READS_BYTES_PER_S = (
    # A core unpacks quantized weights no faster than this, whatever memory could deliver.
    ("avx512", 18e9),
    ("avx2", 12e9),
    ("i8mm", 16e9),
    ("dotprod", 12e9),
    ("neon", 8e9),
    ("", 4e9),
)
_CORE_OPERATIONS_PER_S = (
    ("amx", 400e9),
    ("avx512_vnni", 200e9),
    ("avx512", 120e9),
    ("avx_vnni", 120e9),
    ("i8mm", 90e9),
    ("avx2", 80e9),
    ("dotprod", 60e9),
    ("neon", 20e9),
    ("", 6e9),
)


class SpeedModel:
    """Predicts one model's speed under many plans."""

    def __init__(
        self,
        footprint: Footprint,
        machine: Machine,
        corrections: Corrections = NO_CORRECTIONS,
    ) -> None:
        self._footprint = footprint
        self._cpu = cpu = machine.cpu
        self._corrections = corrections
        self._features = tuple(feature.lower().replace("-", "_") for feature in cpu.features)

    def predict(
        self, plan: Plan, shares: tuple[Share, ...], gpus: Mapping[str, Gpu | None]
    ) -> Speed:
        """Tokens per second with the layers where `plan` puts them."""
        placed = self._footprint.place(plan, shares)
        active = self._footprint.place_active(plan, shares, self._expert_share())
        seconds = prompt_seconds = 0.0
        for device, part in placed.items():
            bytes_a_token = active.get(device, 0.0) + _context_read(part, plan)
            share_of_model = active.get(device, 0.0) / (sum(active.values()) or 1)
            gpu = gpus.get(device)
            if gpu is None:
                seconds += bytes_a_token / self._reads_per_s(plan)
                operations = self._operations_per_s(plan)
            else:
                seconds += bytes_a_token / (gpu_bandwidth_bytes_per_s(gpu) * _GPU_SHARE)
                operations = gpu_operations_per_s(gpu)
            work_s = share_of_model * self._operations_a_token() / operations
            if gpu is None:
                work_s = min(work_s, self._copied_prompt_s(part, plan, gpus))
            prompt_seconds += work_s
        if seconds <= 0 or prompt_seconds <= 0:
            return Speed(None, None, "predicted")
        overhead = _STEP_S + _LAYER_S * self._footprint.used_layers
        prompt_seconds += overhead / plan.ubatch
        return Speed(1 / prompt_seconds, 1 / (seconds + overhead), "predicted")

    def _copied_prompt_s(self, part: Placed, plan: Plan, gpus: Mapping[str, Gpu | None]) -> float:
        """Long prompts: main memory's weights cross to the GPU once for each micro-batch."""
        fastest = max((gpu_operations_per_s(gpu) for gpu in gpus.values() if gpu), default=0.0)
        if plan.gpu_layers == 0 or not fastest:
            return float("inf")
        weights = max(0, part.weights_bytes - self._footprint.input_bytes)
        return weights / _BUS_BYTES_PER_S / plan.ubatch + self._operations_a_token() / fastest

    def _expert_share(self) -> float:
        header = self._footprint.header
        experts, used = header.expert_count, header.expert_used_count
        return min(1.0, used / experts) if experts and used else 1.0

    def _operations_a_token(self) -> float:
        """Two for every active weight, the input embedding's apart."""
        footprint = self._footprint
        experts = sum(footprint.expert_bytes)
        everything = sum(footprint.layer_bytes) + footprint.output_bytes
        if footprint.tied:
            everything += footprint.embedding_bytes
        total = everything - experts + experts * self._expert_share()
        bits = footprint.header.bits_per_weight
        return 2 * total * 8 / bits if bits else 0.0

    def _reads_per_s(self, plan: Plan) -> float:
        measured = self._cpu.memory_bandwidth_bytes_per_s
        memory = (measured or UNKNOWN_BANDWIDTH_BYTES_PER_S) * _CPU_SHARE
        return min(memory, plan.threads * self._by_feature(_CORE_READS_BYTES_PER_S, 8e9))

    def _operations_per_s(self, plan: Plan) -> float:
        return plan.threads * self._by_feature(_CORE_OPERATIONS_PER_S, 30e9)

    def _by_feature(self, table: tuple[tuple[str, float], ...], unknown: float) -> float:
        """The first row whose feature the processor has; `unknown` where none are listed."""
        if not self._features:
            return unknown
        for name, value in table:
            if any(feature.startswith(name) for feature in self._features):
                return value
        return unknown


def _context_read(part: Placed, plan: Plan) -> float:
    filled = min(1.0, _TYPICAL_TOKENS / plan.context) if plan.context else 0.0
    return part.context_bytes * filled / max(1, plan.parallel)
