"""The child's job behind `dry_run`: a model and a context with `no_alloc`, then their sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError
from desktop.engine.breakdown import Sizes, memory_breakdown
from desktop.engine.buffer_log import compute_buffers
from desktop.engine.llama import llama
from desktop.engine.model import Model, output_values
from desktop.engine.projector import projector_sizes
from desktop.fit.types import Plan

_HOST = "CPU"
_VALUE_BYTES = 4
_ON_THE_PROCESSOR = Plan(
    gpu_layers=0,
    context=256,
    kv_type="f16",
    parallel=1,
    flash_attention=True,
    expert_layers_on_cpu=0,
    ubatch=1,
    threads=1,
    use_mmap=False,
)


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    llama()  # there by the time of the first question
    models = _Models()
    for order in messages:
        try:
            answer(_projector(order) if "projector" in order else models.measure(order))
        except HausgeistError as error:
            answer({"error": error.kind, "params": dict(error.params), "detail": error.detail})


class _Models:
    """Keeps the last model open: reading it takes longer than all the rest."""

    def __init__(self) -> None:
        self._open: tuple[tuple[object, ...], Model] | None = None
        self._known_tokenizer: tuple[object, ...] | None = None

    def measure(self, order: Mapping[str, Any]) -> dict[str, Any]:
        plan = Plan.from_json(order["plan"])
        if order.get("tokenizer"):
            self._check_tokenizer(Path(order["tokenizer"]))
        model = self._model(Path(order["path"]), plan)
        mark = model.llama.log.mark()
        with model.open_context(plan) as context:
            log = model.llama.log.since(mark)
            exact = memory_breakdown(model.llama, context)
        values = output_values(model, context)
        known = [device.name for device in model.llama.devices()]
        devices = _sum_exact(exact, known) if exact else _sum_logged(compute_buffers(log), known)
        return {"devices": devices, "output_bytes": values * _VALUE_BYTES}

    def _check_tokenizer(self, path: Path) -> None:
        """Raises LoadError for one that this engine does not know."""
        identity = _identity(path)
        if identity != self._known_tokenizer:
            with Model(path, _ON_THE_PROCESSOR, vocab_only=True):
                self._known_tokenizer = identity

    def _model(self, path: Path, plan: Plan) -> Model:
        placement = (
            *_identity(path),
            plan.gpu_layers,
            plan.device,
            plan.split,
            plan.expert_layers_on_cpu,
        )
        if self._open is not None:
            if self._open[0] == placement:
                return self._open[1]
            self._open[1].close()
            self._open = None
        model = Model(path, plan, no_alloc=True)
        self._open = (placement, model)
        return model


def _identity(path: Path) -> tuple[object, ...]:
    """Another file may come to lie at the same path."""
    try:
        status = path.stat()
    except OSError:
        return (path,)  # llama.cpp will say what is wrong
    return path, status.st_size, status.st_mtime_ns, status.st_ino


def _projector(order: Mapping[str, Any]) -> dict[str, Any]:
    sizes = projector_sizes(llama(), Path(order["projector"]), order["device"])
    return {"sizes": sizes}


def _sum_exact(sizes: Mapping[str, Sizes], known: Iterable[str]) -> dict[str, dict[str, int]]:
    devices: dict[str, dict[str, int]] = {}
    for buffer_type, size in sizes.items():
        device = devices.setdefault(
            device_of(buffer_type, known),
            {"weights_bytes": 0, "context_bytes": 0, "compute_bytes": 0},
        )
        device["weights_bytes"] += size.weights_bytes
        device["context_bytes"] += size.context_bytes
        device["compute_bytes"] += size.compute_bytes
    return devices


def _sum_logged(
    compute: Mapping[str, int], known: Iterable[str]
) -> dict[str, dict[str, int | None]]:
    sums: dict[str, int] = {}
    for buffer_type, size in compute.items():
        name = device_of(buffer_type, known)
        sums[name] = sums.get(name, 0) + size
    return {
        name: {"weights_bytes": None, "context_bytes": None, "compute_bytes": size}
        for name, size in sums.items()
    }


def device_of(buffer_type: str, known: Iterable[str]) -> str:
    """The device whose memory a buffer type takes: ``CUDA0`` as it is, ``CUDA_Host`` the host's."""
    if buffer_type in known:
        return buffer_type
    if not buffer_type.endswith("_Host"):
        # Further kinds of buffers on the same device: MTL0_Mapped, RPC0[host:port].
        for name in known:
            if name != _HOST and buffer_type.startswith((f"{name}_", f"{name}[")):
                return name
    return _HOST
