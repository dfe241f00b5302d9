"""What a load that failed says: whether less would help, and what it teaches about memory."""

from __future__ import annotations

from desktop.common.errors import LoadError
from desktop.fit.memory import CPU
from desktop.fit.types import FitReport, Plan
from desktop.hardware.machine import Machine
from desktop.services.history import History
from desktop.services.history_records import FailureRecord

DEVICE_GONE = "device_gone"
POOL_GONE = "pool_server_gone"
CRASHED = "crashed_loading"

_HELPED_BY_LESS = frozenset(
    (
        "probe_aborted",
        "probe_out_of_memory",
        "context_failed",
        "first_step_failed",
        "no_mtp",  # this build of llama.cpp lacks the functions: the next plan does without
        DEVICE_GONE,
        POOL_GONE,
    )
)
_GONE = (DEVICE_GONE, POOL_GONE)
_NO_MEMORY_WORDS = ("out of memory", "failed to allocate", "unable to allocate")
_OUT_OF_MEMORY = ("probe_out_of_memory", "context_failed")


def may_step(kind: str, plan: Plan) -> bool:
    """Whether a smaller plan can help: what the processor cannot load, less context cannot cure."""
    return kind in _HELPED_BY_LESS or (kind == "load_failed" and plan.gpu_layers > 0)


def devices_of(plan: Plan) -> tuple[str, ...]:
    """The graphics devices of a plan, by llama.cpp's names."""
    if plan.gpu_layers == 0:
        return ()
    return tuple(name for name, _layers in plan.split) or ((plan.device,) if plan.device else ())


def remember_failure(
    history: History, machine: Machine, report: FitReport, error: LoadError
) -> None:
    """Tell the history of the devices whose memory was probably too small for `report.plan`."""
    kind = error.kind
    if any(words in error.detail.lower() for words in _NO_MEMORY_WORDS):
        kind = "probe_out_of_memory"  # an abort with these last words died of it as well
    for device in _starved(report.plan, error):
        _remember(history, machine, report, device, kind)


def remember_crash(history: History, machine: Machine, report: FitReport, at: float) -> None:
    """A whole process died loading `report.plan`: told once, however often it is looked at."""
    known = history.entries()
    if any(isinstance(r, FailureRecord) and r.error == CRASHED and r.at == at for r in known):
        return
    for device in devices_of(report.plan) or (CPU,):
        _remember(history, machine, report, device, CRASHED, at)


def _remember(
    history: History,
    machine: Machine,
    report: FitReport,
    device: str,
    kind: str,
    at: float | None = None,
) -> None:
    row = next((row for row in report.memory if row.device == device), None)
    if row is None:
        return
    history.failed_load(
        machine,
        device,
        row.total_bytes,
        available_bytes=row.available_bytes,
        kind=kind,
        model=report.model.name,
        at=at,
    )


def _starved(plan: Plan, error: LoadError) -> tuple[str, ...]:
    """Nothing on the processor but a plain lack of memory; on graphics whatever died of them."""
    graphics = devices_of(plan)
    named = tuple(device for device in graphics if device in error.detail)
    if error.kind == "probe_out_of_memory" and not error.detail:
        return (CPU,)  # ended by the system, which minds main memory alone
    if graphics and error.kind not in _GONE and may_step(error.kind, plan):
        return named or graphics
    return (CPU,) if error.kind in _OUT_OF_MEMORY else ()
