"""The planner as tuning asks it: what would be best if the graphics held so much?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.devices import rooms
from desktop.fit.overheads import driver_bytes
from desktop.fit.planner import judge, plan
from desktop.fit.types import FitReport, Plan, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Gpu, Machine

_APPROACHES = 4


class Proposals:
    """`tuning.Ways` for a model, a wish and a machine."""

    def __init__(
        self,
        machine: Machine,
        header: ModelHeader,
        wish: Wish,
        corrections: Corrections = NO_CORRECTIONS,
    ) -> None:
        self._machine = machine
        self._header = header
        self._wish = wish
        self._corrections = corrections

    def propose(self, room: Mapping[str, int], like: Plan | None = None) -> FitReport | None:
        wish = self._wish if like is None else self._like(like)
        report = plan(
            self._limited(room), self._header, wish, corrections=self._corrections, advise=False
        )
        if report.verdict == "too_large":
            return None
        return report if like is None else self._carried(report, like)

    def offload(self, room: Mapping[str, int], like: Plan) -> FitReport | None:
        machine = self._limited(room)
        low, high = 0, self._header.block_count + 1
        best: FitReport | None = None
        while low < high:
            layers = (low + high + 1) // 2
            wish = replace(self._like(like), gpu_layers=layers)
            report = plan(machine, self._header, wish, corrections=self._corrections, advise=False)
            if report.verdict != "too_large" and report.plan.gpu_layers == layers:
                best, low = report, layers
            else:
                high = layers - 1
        return None if best is None else self._carried(best, like)

    def judge(self, given: Plan) -> FitReport:
        return judge(self._machine, self._header, given, corrections=self._corrections)

    def _like(self, like: Plan) -> Wish:
        return replace(
            self._wish,
            context=like.context,
            kv_type=like.kv_type,
            ubatch=like.ubatch,
            threads=like.threads or None,
        )

    def _carried(self, report: FitReport, like: Plan) -> FitReport:
        carried = replace(
            report.plan, threads_batch=like.threads_batch, flash_attention=like.flash_attention
        )
        return replace(report, plan=carried)

    def _limited(self, room: Mapping[str, int]) -> Machine:
        """The machine whose graphics have just `room` to plan with; without those that have none.

        The planner keeps a margin of its own: so much more is given that `room` is left.
        """
        gpus: list[Gpu] = []
        for found in rooms(self._machine, self._corrections).gpus:
            wanted = room.get(found.device, 0)
            if wanted <= 0 or found.gpu is None:
                continue
            usable = wanted + driver_bytes(found.gpu)
            gpus.append(_with_usable(self._machine, found.gpu, usable, self._corrections))
        return replace(self._machine, gpus=tuple(gpus))


def judge_tried(
    machine: Machine,
    header: ModelHeader,
    given: Plan,
    corrections: Corrections = NO_CORRECTIONS,
    ours: Mapping[str, int] | None = None,
) -> FitReport:
    """The report of a plan that a trial has shown to work: it may use what is else kept free.

    "too_large" where even all that is free now would not hold it.
    """
    found = rooms(machine)
    main = machine.memory.available_bytes
    if main is not None:
        main = min(machine.memory.total_bytes, main + found.cpu.margin_bytes)
    gpus = tuple(
        _with_usable(machine, room.gpu, room.available_bytes)
        for room in found.gpus
        if room.gpu is not None
    )
    roomy = replace(machine, memory=replace(machine.memory, available_bytes=main), gpus=gpus)
    speeds = replace(corrections, margin_bytes={})
    report = judge(roomy, header, given, corrections=speeds, ours=ours or {})
    free = {room.device: room.available_bytes for room in (found.cpu, *found.gpus)}
    memory = tuple(replace(row, available_bytes=free[row.device]) for row in report.memory)
    return replace(report, memory=memory)


def _with_usable(
    machine: Machine, gpu: Gpu, wanted: int, corrections: Corrections = NO_CORRECTIONS
) -> Gpu:
    """`gpu` with so much free that the planner, which keeps a margin, sees `wanted` bytes."""
    free = wanted
    for _ in range(_APPROACHES):
        gpu = replace(gpu, free_bytes=free, total_bytes=max(gpu.total_bytes, free))
        alone = replace(machine, gpus=(gpu,))
        missing = wanted - rooms(alone, corrections).gpus[0].usable_bytes
        if missing <= 0:
            break
        free += missing
    return gpu


@dataclass(frozen=True, slots=True)
class GpuRoom:
    """What a graphics device has for buffers, as its driver claims, beside what the driver takes.

    `separate`: it is no part of main memory.
    """

    device: str
    claimed_bytes: int
    separate: bool


def gpu_rooms(machine: Machine, corrections: Corrections = NO_CORRECTIONS) -> tuple[GpuRoom, ...]:
    """Every graphics device that the engine can use, with what it claims to have free."""
    found: list[GpuRoom] = []
    for room in rooms(machine, corrections).gpus:
        driver = 0 if room.gpu is None else driver_bytes(room.gpu)
        found.append(
            GpuRoom(
                device=room.device,
                claimed_bytes=max(0, room.available_bytes - driver),
                separate=not room.in_main_memory,
            )
        )
    return tuple(found)
