"""How fast one device does each kind of work: as measured here, or by tables of what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from desktop.fit.gpu_speed import gpu_bandwidth_bytes_per_s, gpu_operations_per_s, gpu_read_share
from desktop.fit.types import KvType
from desktop.hardware.machine import Cpu, Gpu
from desktop.hardware.speeds import ATTENTION, EXPERTS, VALUES, DeviceSpeed, KernelSpeed

UNKNOWN_BANDWIDTH_BYTES_PER_S = 25e9
"""A laptop's main memory of the last years, where nobody has measured it."""

UNKNOWN_LARGE_BANDWIDTH_BYTES_PER_S = 40e9
"""Two channels of DDR4-3200 as all cores read them: who has so much memory has both filled."""

LARGE_MEMORY_BYTES = 48 << 30

HEAD_VALUES = 256
"""Attention is measured with heads of 128: so many values of key and value together."""

HEAD_OVERHEAD_VALUES = 112
"""What a head costs for each cell beside its values: 64, 128 and 256 took 20, 31 and 50 ns."""

_CPU_SHARE = 0.75  # of the measured bandwidth that quantized reading reaches
_NODE_S = 2e-6
_STEP_S = 2e-6
_GPU_STEP_S = 0.0001  # until a graph is under way, and its end is heard of
_GPU_NODE_S = 2.5e-6
_USUAL_CORES = 4
_BENDING = 3  # how sharply many threads meet the end of the memory's bandwidth

_CORE_READS_BYTES_PER_S = (
    # A core unpacks Q4_K weights no faster than this, whatever memory could deliver.
    ("avx512", 18e9),
    ("avx2", 12e9),
    ("i8mm", 16e9),
    ("dotprod", 12e9),
    ("neon", 8e9),
    ("", 4e9),
)
_CORE_OPERATIONS_PER_S = (
    ("amx", 400e9),
    ("avx512_vnni", 150e9),
    ("avx512", 120e9),
    ("avx_vnni", 120e9),
    ("i8mm", 90e9),
    ("avx2", 80e9),
    ("dotprod", 60e9),
    ("neon", 20e9),
    ("", 6e9),
)
_READS_BY_TYPE: Mapping[str, float] = {
    # Bytes a second of one core, as shares of Q4_K's. Measured on a Zen 4 core (AVX-512).
    "Q4_K": 1.0, "F32": 1.2, "F16": 1.25, "BF16": 1.2, "Q8_0": 0.9, "Q6_K": 1.0, "Q5_K": 0.7,
    "Q5_0": 0.5, "Q5_1": 0.5, "Q4_0": 0.9, "Q4_1": 0.45, "Q3_K": 0.52, "Q2_K": 0.65,
    "IQ4_NL": 0.9, "IQ4_XS": 0.57, "MXFP4": 0.72, "NVFP4": 0.5, "IQ3_S": 0.18, "IQ3_XXS": 0.19,
    "IQ2_S": 0.22, "IQ2_XS": 0.2, "IQ2_XXS": 0.17, "IQ1_S": 0.13, "IQ1_M": 0.15,
    "TQ1_0": 0.27, "TQ2_0": 0.55, "Q1_0": 0.2, "Q2_0": 0.3,
}  # fmt: skip
_OPERATIONS_BY_TYPE: Mapping[str, float] = {
    "Q4_K": 1.0, "F32": 0.5, "F16": 0.68, "BF16": 1.3, "Q8_0": 0.8, "Q6_K": 1.35, "Q5_K": 1.7,
    "Q5_0": 0.6, "Q5_1": 0.28, "Q4_0": 1.0, "Q4_1": 0.3, "Q3_K": 1.4, "Q2_K": 0.62,
    "IQ4_NL": 1.0, "IQ4_XS": 1.7, "MXFP4": 0.95, "NVFP4": 0.7, "IQ3_S": 1.4, "IQ3_XXS": 1.5,
    "IQ2_S": 1.3, "IQ2_XS": 1.35, "IQ2_XXS": 1.5, "IQ1_S": 1.4, "IQ1_M": 1.35,
    "TQ1_0": 0.4, "TQ2_0": 0.8, "Q1_0": 0.45, "Q2_0": 0.6,
}  # fmt: skip
_UNKNOWN_TYPE = 0.4
_EXPERTS_SHARE = 0.6  # of a dense product's arithmetic, where every row asks for other experts
_KV_READS: Mapping[KvType, float] = {"f16": 0.6, "q8_0": 0.22, "q4_0": 0.08}
_KV_OPERATIONS: Mapping[KvType, float] = {"f16": 0.35, "q8_0": 0.08, "q4_0": 0.045}
_VALUES_PER_OPERATION = 1 / 60
_GPU_KV_READS: Mapping[KvType, float] = {"f16": 1.5, "q8_0": 1.0, "q4_0": 0.6}


class Rates(Protocol):
    """One device's speeds for all kinds of work that a token needs."""

    step_s: float
    node_s: float
    copy_bytes_per_s: float | None

    def reads_per_s(self, type_name: str) -> float:
        """Bytes of weights a second, one token at a time."""
        ...

    def operations_per_s(self, type_name: str, *, of_experts: bool) -> float:
        """Arithmetic a second with hundreds of tokens at once."""
        ...

    def attention_reads_per_s(self, kv_type: KvType) -> float:
        """Bytes of keys and values a second, counted for every head."""
        ...

    def attention_operations_per_s(self, kv_type: KvType) -> float: ...

    @property
    def values_per_s(self) -> float:
        """Values between the products, many rows at once."""
        ...


class MeasuredRates:
    """From the device's own figures; work that was not measured is reckoned from other work."""

    def __init__(self, speed: DeviceSpeed, threads: int, cpu: Cpu) -> None:
        self._speed = speed
        self._scale = 1.0 if speed.threads == 0 else _threads_scale(threads, speed.threads, cpu)
        self._most_read = _most_read(speed, cpu)
        self.step_s, self.node_s = speed.step_s, speed.node_s
        self.copy_bytes_per_s = speed.copy_bytes_per_s
        known = [k for k in speed.kernels if k.type_name in _READS_BY_TYPE]
        self._base = known[0] if known else None

    def reads_per_s(self, type_name: str) -> float:
        kernel = self._speed.kernel(type_name)
        if kernel is not None:
            rate = kernel.read_bytes_per_s
        elif self._base is not None:
            ratio = _of(_READS_BY_TYPE, type_name) / _of(_READS_BY_TYPE, self._base.type_name)
            rate = self._base.read_bytes_per_s * ratio
        else:
            rate = UNKNOWN_BANDWIDTH_BYTES_PER_S * _CPU_SHARE
        return self._with_threads(rate)

    def operations_per_s(self, type_name: str, *, of_experts: bool) -> float:
        kernel = self._speed.kernel(type_name)
        if kernel is not None:
            rate = kernel.operations_per_s
        elif self._base is not None:
            table = _OPERATIONS_BY_TYPE
            ratio = _of(table, type_name) / _of(table, self._base.type_name)
            rate = self._base.operations_per_s * ratio
        else:
            rate = _CORE_OPERATIONS_PER_S[-1][1]
        return rate * self._scale * (self._experts_share if of_experts else 1.0)

    def attention_reads_per_s(self, kv_type: KvType) -> float:
        kernel = self._attention(kv_type)
        return kernel.read_bytes_per_s * self._scale

    def attention_operations_per_s(self, kv_type: KvType) -> float:
        return self._attention(kv_type).operations_per_s * self._scale

    @property
    def values_per_s(self) -> float:
        kernel = self._speed.kernel(VALUES)
        if kernel is None:
            return self.operations_per_s("F16", of_experts=False) * _VALUES_PER_OPERATION
        return kernel.operations_per_s * self._scale

    @property
    def _experts_share(self) -> float:
        """How much slower products are where every row asks for other matrices."""
        for kernel in self._speed.kernels:
            if kernel.type_name.startswith(EXPERTS):
                dense = self._speed.kernel(kernel.type_name.removeprefix(EXPERTS))
                if dense is not None:
                    return min(1.0, kernel.operations_per_s / dense.operations_per_s)
        return _EXPERTS_SHARE

    def _attention(self, kv_type: KvType) -> KernelSpeed:
        kernel = self._speed.kernel(ATTENTION + kv_type)
        if kernel is not None:
            return kernel
        plain = self._speed.kernel(ATTENTION + "f16")
        if plain is None:
            reads = self.reads_per_s("F16") / self._scale * _KV_READS["f16"]
            operations = self.operations_per_s("F16", of_experts=False) / self._scale
            plain = KernelSpeed("", reads, operations * _KV_OPERATIONS["f16"])
        return KernelSpeed(
            "",
            plain.read_bytes_per_s * _KV_READS[kv_type] / _KV_READS["f16"],
            plain.operations_per_s * _KV_OPERATIONS[kv_type] / _KV_OPERATIONS["f16"],
        )

    def _with_threads(self, rate: float) -> float:
        """Reading with another number of threads: each adds its part until memory is the end."""
        if self._scale == 1.0:
            return rate
        most = max(self._most_read, rate * 1.02)
        alone = (rate**-_BENDING - most**-_BENDING) ** (-1 / _BENDING)
        wanted = min(alone, 3 * rate) * self._scale
        return float((wanted**-_BENDING + most**-_BENDING) ** (-1 / _BENDING))


class CpuTable:
    """What processors with these features usually reach, where nothing has been measured."""

    copy_bytes_per_s: float | None = None
    step_s = _STEP_S
    node_s = _NODE_S

    def __init__(self, cpu: Cpu, threads: int, memory_bytes: int = 0) -> None:
        """`memory_bytes`: all of main memory; its speed is guessed from that where unknown."""
        self._features = tuple(feature.lower().replace("-", "_") for feature in cpu.features)
        large = memory_bytes >= LARGE_MEMORY_BYTES
        unknown = UNKNOWN_LARGE_BANDWIDTH_BYTES_PER_S if large else UNKNOWN_BANDWIDTH_BYTES_PER_S
        memory = cpu.memory_bandwidth_bytes_per_s or unknown
        self._memory = memory * _CPU_SHARE
        threads = _effective(threads, cpu)
        self._reads = threads * self._by_feature(_CORE_READS_BYTES_PER_S, 8e9)
        self._operations = threads * self._by_feature(_CORE_OPERATIONS_PER_S, 30e9)

    def reads_per_s(self, type_name: str) -> float:
        return min(self._memory, self._reads * _of(_READS_BY_TYPE, type_name))

    def operations_per_s(self, type_name: str, *, of_experts: bool) -> float:
        rate = self._operations * _of(_OPERATIONS_BY_TYPE, type_name)
        return rate * (_EXPERTS_SHARE if of_experts else 1.0)

    def attention_reads_per_s(self, kv_type: KvType) -> float:
        return self._reads * _KV_READS[kv_type]

    def attention_operations_per_s(self, kv_type: KvType) -> float:
        return self._operations * _KV_OPERATIONS[kv_type]

    @property
    def values_per_s(self) -> float:
        return self._operations * _VALUES_PER_OPERATION

    def _by_feature(self, table: tuple[tuple[str, float], ...], unknown: float) -> float:
        """The first row whose feature the processor has; `unknown` where none are listed."""
        if not self._features:
            return unknown
        for name, value in table:
            if any(feature.startswith(name) for feature in self._features):
                return value
        return unknown


class GpuTable:
    """What graphics of this name usually reach."""

    step_s = _GPU_STEP_S
    node_s = _GPU_NODE_S
    copy_bytes_per_s: float | None = None

    def __init__(self, gpu: Gpu, cpu: Cpu) -> None:
        bandwidth = gpu_bandwidth_bytes_per_s(gpu)
        main = cpu.memory_bandwidth_bytes_per_s
        if main and (gpu.integrated or gpu.unified) and gpu.vendor != "apple":
            bandwidth = min(bandwidth, main / _CPU_SHARE)  # one memory: no faster than it
        self._reads = bandwidth * gpu_read_share(gpu)
        self._operations = gpu_operations_per_s(gpu)

    def reads_per_s(self, type_name: str) -> float:
        return self._reads * _gpu_share(type_name)

    def operations_per_s(self, type_name: str, *, of_experts: bool) -> float:
        rate = self._operations * _gpu_share(type_name)
        return rate * (_EXPERTS_SHARE if of_experts else 1.0)

    def attention_reads_per_s(self, kv_type: KvType) -> float:
        return self._reads * _GPU_KV_READS[kv_type]

    def attention_operations_per_s(self, kv_type: KvType) -> float:
        return self._operations * (0.5 if kv_type == "f16" else 0.4)

    @property
    def values_per_s(self) -> float:
        return self._reads / 8


def _gpu_share(type_name: str) -> float:
    """Types that are looked up in tables cost graphics more to unpack."""
    return 0.75 if type_name.startswith(("IQ1", "IQ2", "IQ3")) else 1.0


def _of(table: Mapping[str, float], type_name: str) -> float:
    return table.get(type_name, _UNKNOWN_TYPE)


def _effective(threads: int, cpu: Cpu) -> int:
    """Threads beyond the cores add nothing; `threads` 0 is llama.cpp's own choice."""
    cores = cpu.physical_cores or cpu.usable_cores or cpu.logical_cores or _USUAL_CORES
    return max(1, min(threads or cores, max(cores, cpu.performance_cores)))


def _threads_scale(threads: int, measured: int, cpu: Cpu) -> float:
    return _effective(threads, cpu) / _effective(measured, cpu)


def _most_read(speed: DeviceSpeed, cpu: Cpu) -> float:
    reads = (k.read_bytes_per_s for k in speed.kernels if k.type_name in _READS_BY_TYPE)
    fastest = max(reads, default=0.0)
    return max(fastest, float(cpu.memory_bandwidth_bytes_per_s or 0))
