"""What somebody should know about a plan although it works."""

from __future__ import annotations

from collections.abc import Iterator

from desktop.fit.devices import Rooms
from desktop.fit.guessing import has_heads
from desktop.fit.memory import padded_context
from desktop.fit.types import Plan, PlanWarning, Verdict, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine


def plan_warnings(
    machine: Machine,
    header: ModelHeader,
    wish: Wish,
    chosen: Plan,
    found: Rooms,
    verdict: Verdict,
) -> tuple[PlanWarning, ...]:
    """Kinds, each with a sentence under ``fit.warning.<kind>``:

    beyond_training, kv_type_refused, gpu_layers_ignored, gpu_left_out, more_threads_than_cores,
    free_memory_guessed, gpu_size_unknown, incomplete_file, no_heads.
    """
    warnings = list(_warnings(machine, header, wish, chosen, found))
    if verdict == "cpu" and wish.gpu_layers is None and found.gpus:
        gpu = found.gpus[0].gpu
        warnings.append(PlanWarning("gpu_left_out", {"gpu": gpu.name if gpu is not None else ""}))
    return tuple(warnings)


def _warnings(
    machine: Machine, header: ModelHeader, wish: Wish, chosen: Plan, found: Rooms
) -> Iterator[PlanWarning]:
    trained = header.context_length
    if trained and chosen.context > padded_context(trained * chosen.parallel):
        params = {"context": chosen.context, "trained": trained}
        yield PlanWarning("beyond_training", params)
    if wish.kv_type is not None and wish.kv_type != chosen.kv_type:
        yield PlanWarning("kv_type_refused", {"wished": wish.kv_type, "used": chosen.kv_type})
    if wish.mtp and not has_heads(header):
        yield PlanWarning("no_heads", {})
    if wish.gpu_layers and not found.gpus:
        yield PlanWarning("gpu_layers_ignored", {"gpu_layers": wish.gpu_layers})
    cores = machine.cpu.logical_cores
    if wish.threads is not None and 0 < cores < wish.threads:
        yield PlanWarning("more_threads_than_cores", {"threads": wish.threads, "cores": cores})
    if found.guessed:
        yield PlanWarning("free_memory_guessed", {"available": found.cpu.available_bytes})
    for gpu in machine.gpus:
        if gpu.total_bytes <= 0:
            yield PlanWarning("gpu_size_unknown", {"gpu": gpu.name})
    if not header.complete:
        yield PlanWarning("incomplete_file", {"name": header.name})
