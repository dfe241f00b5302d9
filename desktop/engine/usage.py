"""What a loaded model really holds of each device's memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from desktop.engine.breakdown import Sizes, memory_breakdown
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.dry_run_job import device_of
from desktop.engine.llama import Llama
from desktop.engine.model import Context, Model, output_values
from desktop.hardware.machine import Device

_HOST = "CPU"
_VALUE_BYTES = 4
_MIB = 1 << 20
# "llama_kv_cache:      CUDA0 KV buffer size =   448.00 MiB"; RS are recurrent states.
_LINE = re.compile(r"(\S+)\s+(model|KV|RS|compute) buffer size\s*=\s*([0-9.]+) MiB")


def memory_usage(
    model: Model, context: Context, beside: Sequence[tuple[Model, Context]] = ()
) -> tuple[DeviceUsage, ...] | None:
    """What `model` with `context` holds now, by device, the host first; None where nobody tells.

    To the byte where llama.cpp's breakdown can be read (Linux), growth at run time included;
    elsewhere from its log of the load, to about 5 kB a buffer. `beside` are further contexts, of
    the same model or of one that guesses ahead for it.
    """
    sums: dict[str, DeviceUsage] = {}
    for owner, one in ((model, context), *beside):
        weighed = one is context or owner is not model
        for usage in _usages(owner, one, weighed=weighed):
            known = sums.get(usage.device)
            sums[usage.device] = usage if known is None else _added(known, usage)
    return tuple(sums.values()) or None


def _usages(model: Model, context: Context, *, weighed: bool) -> Iterator[DeviceUsage]:
    """One context's, with its model's weights unless these were counted before."""
    engine = model.llama
    devices = engine.devices()
    exact = memory_breakdown(engine, context)
    if exact is not None:
        sums = _by_device(exact, devices)
    else:
        lines = model.buffer_log if weighed else ()
        sums = logged_sizes((*lines, *context.buffer_log), devices)
    if not sums:
        return
    host = sums.pop(_HOST, Sizes(0, 0, 0))
    yield _usage(_HOST, host, output_values(model, context) * _VALUE_BYTES, weighed=weighed)
    for name, sizes in sums.items():
        yield _usage(name, sizes, 0, weighed=weighed)


def device_free_bytes(engine: Llama) -> dict[str, int]:
    """Free bytes of every device now, as its driver says (which may be wrong)."""
    return {device.name: device.free_bytes for device in engine.devices()}


def logged_sizes(lines: Iterable[str], devices: Sequence[Device]) -> dict[str, Sizes]:
    """Sizes by device from llama.cpp's log; of several compute reservations the last counts."""
    found: dict[str, dict[str, int]] = {}
    compute: dict[str, int] = {}
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        size = round(float(match[3]) * _MIB)
        if match[2] == "compute":
            compute[match[1]] = size
            continue
        sizes = found.setdefault(_device(match[1], devices), {"model": 0, "context": 0})
        sizes["model" if match[2] == "model" else "context"] += size
    computed: dict[str, int] = {}
    for buffer_type, size in compute.items():
        device = _device(buffer_type, devices)
        computed[device] = computed.get(device, 0) + size
    return {
        name: Sizes(
            found.get(name, {}).get("model", 0),
            found.get(name, {}).get("context", 0),
            computed.get(name, 0),
        )
        for name in {**found, **computed}
    }


def _device(buffer_type: str, devices: Sequence[Device]) -> str:
    """Every RPC server calls its buffers RPC0; the address behind tells whose they are."""
    for device in devices:
        if buffer_type.endswith(f"[{device.description}]"):
            return device.name
    return device_of(buffer_type, [device.name for device in devices])


def _by_device(exact: Mapping[str, Sizes], devices: Sequence[Device]) -> dict[str, Sizes]:
    sums: dict[str, Sizes] = {}
    for buffer_type, size in exact.items():
        device = _device(buffer_type, devices)
        before = sums.get(device, Sizes(0, 0, 0))
        sums[device] = Sizes(
            before.weights_bytes + size.weights_bytes,
            before.context_bytes + size.context_bytes,
            before.compute_bytes + size.compute_bytes,
        )
    return sums


def _usage(device: str, sizes: Sizes, output_bytes: int, *, weighed: bool) -> DeviceUsage:
    weights = sizes.weights_bytes if weighed else 0
    return DeviceUsage(device, weights, sizes.context_bytes, sizes.compute_bytes, output_bytes)


def _added(one: DeviceUsage, other: DeviceUsage) -> DeviceUsage:
    return DeviceUsage(
        one.device,
        one.weights_bytes + other.weights_bytes,
        one.context_bytes + other.context_bytes,
        one.compute_bytes + other.compute_bytes,
        one.output_bytes + other.output_bytes,
    )
