"""How fast a plan will be, predicted from what each layer has to do and how fast a device does it.

Generating, every token reads every active weight once, and the context; reading a prompt,
arithmetic decides. How fast a device does each kind of work has been measured through the
engine's own kernels (`Machine.speeds`); for other machines it is taken from tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import accumulate

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.memory import CPU, Footprint, Share
from desktop.fit.rates import (
    HEAD_OVERHEAD_VALUES,
    HEAD_VALUES,
    CpuTable,
    GpuTable,
    MeasuredRates,
    Rates,
)
from desktop.fit.types import KvType, Plan, Speed
from desktop.fit.work import LayerWork, Products, work_of
from desktop.hardware.machine import Gpu, Machine

TYPICAL_TOKENS = 512
"""Of context that an answer looks back at; prompts are as long."""

_BUS_BYTES_PER_S = 12e9  # PCIe 3.0 x16, as it is reached
_CROSSING_S = 60e-6  # from one device to the other and waiting for it
# Around every step, whatever the model: choosing among the words (measured: 10 us for 4,096 of
# them, 45 for 32,000, 107 for 128,256), handing the token on.
_AROUND_S = 40e-6
_CHOOSING_S = 1.3e-9  # a word
_OFFLOADED_ROWS = 32  # llama.cpp computes batches from here on a GPU, wherever the weights lie
_WITHOUT_OFFLOADED_PRODUCTS = ("MTL", "Metal", "RPC", "OpenCL", "BLAS")


@dataclass(frozen=True, slots=True)
class _Seconds:
    """What one place in the model costs on one device.

    `token_s`: one token generated; `row_s`: one token of a prompt; `expert_...`: the experts'
    part of it. `step_s`: once for every step, however many tokens it has.
    """

    token_s: float = 0.0
    row_s: float = 0.0
    step_s: float = 0.0
    expert_token_s: float = 0.0
    expert_row_s: float = 0.0


class SpeedModel:
    """Predicts one model's speed under many plans on one machine."""

    def __init__(
        self,
        footprint: Footprint,
        machine: Machine,
        corrections: Corrections = NO_CORRECTIONS,
    ) -> None:
        self._footprint = footprint
        self._machine = machine
        self._corrections = corrections
        self._work = work_of(footprint)
        self._rates: dict[tuple[str, int], Rates] = {}
        self._sums: dict[tuple[str, int, KvType, int, int], _Sums] = {}

    def predict(
        self,
        plan: Plan,
        shares: tuple[Share, ...],
        gpus: Mapping[str, Gpu | None],
        filled_tokens: int = TYPICAL_TOKENS,
    ) -> Speed:
        """Tokens per second with the layers where `plan` puts them, looking back at so many."""
        footprint = self._footprint
        if not footprint.header.tensors:
            return Speed(None, None, "predicted")
        runs = footprint.runs(plan, shares)
        kept = min(max(0, plan.expert_layers_on_cpu), footprint.layers)
        cells, rows = self._cells(plan, filled_tokens), self._rows(plan)
        around_s = _AROUND_S + _CHOOSING_S * footprint.header.vocab_size
        token_s: dict[str, float] = {CPU: around_s}
        prompt_s: dict[str, float] = {CPU: 0.0}
        crossings = 0
        last = CPU
        host = self._sums_of(CPU, None, plan, cells)
        with_batch = replace(plan, threads=plan.threads_batch or plan.threads)
        prompt_host = self._sums_of(CPU, None, with_batch, cells)
        for run in runs:
            rates = self._rates_of(run.device, gpus.get(run.device), plan)
            sums = self._sums_of(run.device, gpus.get(run.device), plan, cells)
            reading = prompt_host if run.device == CPU else sums
            token_s[run.device] = token_s.get(run.device, 0.0) + sums.token(run.start, run.stop)
            prompt_s[run.device] = prompt_s.get(run.device, 0.0) + reading.prompt(
                run.start, run.stop, rows
            )
            if run.device != CPU:
                start, stop = min(run.start, kept), min(run.stop, kept)
                token_s[run.device] -= sums.expert_token(start, stop)
                prompt_s[run.device] -= rows * sums.expert_row(start, stop)
                token_s[CPU] += host.expert_token(start, stop)
                prompt_s[CPU] += rows * prompt_host.expert_row(start, stop)
                crossings += 2 * (stop - start)
            crossings += run.device != last
            token_s[run.device] += rates.step_s
            prompt_s[run.device] += rates.step_s
            last = run.device
        self._offload_products(prompt_s, plan, shares, gpus, rows, cells)
        waiting_s = _CROSSING_S * crossings
        generation = waiting_s + self._corrected(token_s, self._corrections.generation)
        prompt = waiting_s + self._corrected(prompt_s, self._corrections.prompt)
        if generation <= 0 or prompt <= 0:
            return Speed(None, None, "predicted")
        return Speed(rows / prompt, 1 / generation, "predicted")

    def _offload_products(
        self,
        prompt_s: dict[str, float],
        plan: Plan,
        shares: tuple[Share, ...],
        gpus: Mapping[str, Gpu | None],
        rows: int,
        cells: tuple[int, int],
    ) -> None:
        """Long prompts: main memory's weights cross to the first GPU once for each micro-batch."""
        if plan.gpu_layers <= 0 or not shares or rows < _OFFLOADED_ROWS or not prompt_s[CPU]:
            return
        first = shares[0].device
        if first.startswith(_WITHOUT_OFFLOADED_PRODUCTS):
            return
        rates = self._rates_of(first, gpus.get(first), plan)
        sums = self._sums_of(first, gpus.get(first), plan, cells)
        placed = self._footprint.place(plan, shares)
        crossing = max(0, placed[CPU].weights_bytes - self._footprint.input_bytes)
        runs = self._footprint.runs(plan, shares)
        computed = sum(sums.prompt(run.start, run.stop, rows) for run in runs if run.device == CPU)
        kept = min(max(0, plan.expert_layers_on_cpu), self._footprint.layers)
        for run in runs:
            if run.device != CPU:
                computed += rows * sums.expert_row(min(run.start, kept), min(run.stop, kept))
        bus = rates.copy_bytes_per_s or _BUS_BYTES_PER_S
        prompt_s[CPU] = 0.0
        prompt_s[first] = prompt_s.get(first, 0.0) + computed + crossing / bus

    def _corrected(self, seconds: Mapping[str, float], factors: Mapping[str, float]) -> float:
        """`factors` are measured ÷ predicted speeds."""
        total = 0.0
        for device, taken_s in seconds.items():
            factor = factors.get(device, 1.0)
            total += taken_s / factor if factor > 0 else taken_s
        return total

    def _rows(self, plan: Plan) -> int:
        return max(1, min(plan.ubatch, TYPICAL_TOKENS, plan.context))

    def _cells(self, plan: Plan, filled_tokens: int) -> tuple[int, int]:
        """Cells of the context, and of a window, that an answer looks back at."""
        filled = max(1, min(filled_tokens, plan.context // max(1, plan.parallel)))
        window = self._footprint.window
        return filled, min(filled, window) if window else filled

    def _rates_of(self, device: str, gpu: Gpu | None, plan: Plan) -> Rates:
        threads = plan.threads if device == CPU else 0
        key = (device, threads)
        found = self._rates.get(key)
        if found is None:
            found = self._rates[key] = rates_of(self._machine, device, gpu, threads)
        return found

    def _sums_of(self, device: str, gpu: Gpu | None, plan: Plan, cells: tuple[int, int]) -> _Sums:
        threads = plan.threads if device == CPU else 0
        key = (device, threads, plan.kv_type, *cells)
        found = self._sums.get(key)
        if found is None:
            rates = self._rates_of(device, gpu, plan)
            known: dict[LayerWork, _Seconds] = {}
            seconds = []
            for layer in (*self._work.layers, self._work.output):
                if layer not in known:
                    known[layer] = _seconds(layer, rates, plan.kv_type, cells)
                seconds.append(known[layer])
            # The output is computed for the last token of a prompt alone.
            last = seconds[-1]
            seconds[-1] = _Seconds(last.token_s, 0.0, last.token_s)
            found = self._sums[key] = _Sums(seconds)
        return found


class _Sums:
    """Seconds of any layers in a row, by sums from the first layer on."""

    def __init__(self, seconds: list[_Seconds]) -> None:
        self._token = list(accumulate((s.token_s for s in seconds), initial=0.0))
        self._row = list(accumulate((s.row_s for s in seconds), initial=0.0))
        self._step = list(accumulate((s.step_s for s in seconds), initial=0.0))
        self._expert_token = list(accumulate((s.expert_token_s for s in seconds), initial=0.0))
        self._expert_row = list(accumulate((s.expert_row_s for s in seconds), initial=0.0))

    def token(self, start: int, stop: int) -> float:
        return self._token[stop] - self._token[start]

    def prompt(self, start: int, stop: int, rows: int) -> float:
        steps = self._step[stop] - self._step[start]
        return rows * (self._row[stop] - self._row[start]) + steps

    def expert_token(self, start: int, stop: int) -> float:
        return self._expert_token[stop] - self._expert_token[start]

    def expert_row(self, start: int, stop: int) -> float:
        return self._expert_row[stop] - self._expert_row[start]


def rates_of(machine: Machine, device: str, gpu: Gpu | None, threads: int) -> Rates:
    """As measured on `machine`; else as its processor or graphics usually are."""
    for speed in machine.speeds:
        if speed.device == device and speed.kernels:
            return MeasuredRates(speed, threads, machine.cpu)
    if gpu is None:
        return CpuTable(machine.cpu, threads, machine.memory.total_bytes)
    return GpuTable(gpu, machine.cpu)


def _seconds(layer: LayerWork, rates: Rates, kv_type: KvType, cells: tuple[int, int]) -> _Seconds:
    expert_token_s, expert_row_s = _product_s(layer.expert_products, rates)
    token_s, row_s = _product_s(layer.products, rates)
    if layer.heads and layer.head_values:
        looked_at = layer.heads * (cells[1] if layer.windowed else cells[0])
        # Small heads cost more than their values: measured was one of 128.
        overhead = (layer.head_values + HEAD_OVERHEAD_VALUES) / layer.head_values
        overhead *= HEAD_VALUES / (HEAD_VALUES + HEAD_OVERHEAD_VALUES)
        asked = looked_at * layer.head_values * _KV_BYTES[kv_type] * overhead
        token_s += asked / rates.attention_reads_per_s(kv_type)
        # Each token of a prompt looks at those before it: half of them in the mean.
        operations = looked_at / 2 * 2 * layer.head_values * overhead
        row_s += operations / rates.attention_operations_per_s(kv_type)
    values_s = layer.row_values / rates.values_per_s
    nodes_s = layer.nodes * rates.node_s
    return _Seconds(
        token_s=token_s + expert_token_s + nodes_s + values_s,
        row_s=row_s + expert_row_s + values_s,
        step_s=nodes_s,
        expert_token_s=expert_token_s,
        expert_row_s=expert_row_s,
    )


_KV_BYTES: Mapping[KvType, float] = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}


def _product_s(products: tuple[Products, ...], rates: Rates) -> tuple[float, float]:
    """Seconds for one token alone, and for one of many."""
    token_s = row_s = 0.0
    for part in products:
        token_s += part.nbytes / rates.reads_per_s(part.type_name)
        operations = rates.operations_per_s(part.type_name, of_experts=part.of_experts)
        row_s += 2 * part.values / operations
    return token_s, row_s
