"""Chooses how to open a model on a machine, and says how well that will go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from desktop.fit.candidates import Candidates
from desktop.fit.companions import NO_COMPANIONS, Companions
from desktop.fit.compute import ComputeEstimator, estimated_compute, logits_bytes
from desktop.fit.corrections import NO_CORRECTIONS, Corrections
from desktop.fit.devices import Rooms, rooms
from desktop.fit.memory import CPU, Footprint, Placed, Share
from desktop.fit.plan_warnings import plan_warnings
from desktop.fit.repack import rearranged_types
from desktop.fit.speed import SpeedModel
from desktop.fit.steps import smaller
from desktop.fit.types import (
    DeviceMemory,
    FitReport,
    Method,
    ModelSummary,
    Plan,
    Speed,
    Verdict,
    Wish,
)
from desktop.fit.wishes import check_wish
from desktop.fit.words import reason
from desktop.gguf.header import ModelHeader
from desktop.gguf.safety import check
from desktop.gguf.shown import printable
from desktop.hardware.machine import Machine

__all__ = ["ComputeEstimator", "judge", "plan", "smaller"]

NOTHING_OURS: Mapping[str, int] = {}

_ASKED_AGAIN = 3  # each question to llama.cpp takes about a second
_WORTH_SPLITTING = 1.1  # a split must be that much faster than the processor alone


def plan(
    machine: Machine,
    header: ModelHeader,
    wish: Wish,
    compute: ComputeEstimator | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    companions: Companions = NO_COMPANIONS,
    *,
    ours: Mapping[str, int] = NOTHING_OURS,
    advise: bool = True,
) -> FitReport:
    """The best plan for `wish` that leaves a margin on every device; else "too_large".

    `compute` asks llama.cpp for its buffers; without it, or where it cannot answer, they are
    estimated. `ours`: bytes by device that unloading our own models would free. `advise` False
    leaves the alternatives out. Raises UsageError (bad_wish, bad_kv_type, wish_too_narrow) and
    what gguf.safety.check raises.
    """
    check_wish(wish)
    check(header)
    return _Planner(machine, header, wish, compute, corrections, ours).report()


def judge(
    machine: Machine,
    header: ModelHeader,
    given: Plan,
    *,
    compute: ComputeEstimator | None = None,
    corrections: Corrections = NO_CORRECTIONS,
    companions: Companions = NO_COMPANIONS,
    ours: Mapping[str, int] = NOTHING_OURS,
) -> FitReport:
    """The report of exactly this plan; "too_large" where it does not fit now.

    Raises what gguf.safety.check raises.
    """
    check(header)
    wish = Wish(given.context, given.kv_type, given.parallel, given.gpu_layers)
    return _Planner(machine, header, wish, compute, corrections, ours).judged(given)


class _Planner:
    def __init__(
        self,
        machine: Machine,
        header: ModelHeader,
        wish: Wish,
        compute: ComputeEstimator | None,
        corrections: Corrections,
        ours: Mapping[str, int],
    ) -> None:
        self._machine = machine
        self._header = header
        self._wish = wish
        self._ask = compute
        self._footprint = Footprint(header, rearranged_types(machine.cpu.features))
        self._rooms: Rooms = rooms(machine, corrections, ours)
        self._gpus = {room.device: room.gpu for room in self._rooms.gpus}
        self._candidates = Candidates(self._footprint, wish, self._rooms, machine.cpu)
        self._speed = SpeedModel(self._footprint, machine, corrections)

    def report(self) -> FitReport:
        chosen, fits = self._choose()
        memory, method = self._asked(chosen)
        for _ in range(_ASKED_AGAIN):
            # llama.cpp may need more than the estimate said: then the next smaller plan.
            if not fits or self._fit(memory) or not self._may_shrink(chosen):
                break
            next_plan = smaller(chosen, self._header)
            if next_plan is None:
                break
            chosen = next_plan
            memory, method = self._asked(chosen)
        return self._reported(chosen, memory, method)

    def judged(self, given: Plan) -> FitReport:
        memory, method = self._asked(given)
        return self._reported(given, memory, method)

    def _reported(
        self, chosen: Plan, memory: tuple[DeviceMemory, ...], method: Method
    ) -> FitReport:
        fits = self._fit(memory)
        verdict = self._verdict(chosen, fits)
        speed = self._predict(chosen)
        key, params = reason(verdict, memory, speed, self._rooms, self._smaller_context(chosen))
        return FitReport(
            model=self._summary(),
            plan=chosen,
            memory=memory,
            verdict=verdict,
            speed=speed,
            method=method,
            reason_key=key,
            reason_params=params,
            warnings=plan_warnings(self._machine, self._header, self._wish, chosen, self._rooms),
        )

    def _choose(self) -> tuple[Plan, bool]:
        """The first plan that fits; else the one that comes nearest, and False."""
        candidates = self._candidates
        if self._wish.gpu_layers is not None:
            layers = self._wish.gpu_layers if self._rooms.gpus else 0
            return self._first(candidates.wished_layers(layers))
        if not self._rooms.gpus:
            return self._first(candidates.on_cpu())
        on_gpu, fits = self._first(candidates.on_gpu())
        if fits:
            return on_gpu, True
        on_cpu, cpu_fits = self._first(candidates.on_cpu())
        split = self._best_split()
        if split is not None and (not cpu_fits or self._is_faster(split, on_cpu)):
            return split, True
        if cpu_fits:
            return on_cpu, True
        return self._nearest(), False

    def _first(self, plans: Iterable[Plan]) -> tuple[Plan, bool]:
        last: Plan | None = None
        for candidate in plans:
            last = candidate
            if self._fit(self._estimated(candidate)):
                return candidate, True
        assert last is not None  # every ladder has a rung
        return last, False

    def _best_split(self) -> Plan | None:
        """Experts before whole layers: a token reads few of them, so they cost least on the CPU."""
        candidates = self._candidates
        for context in candidates.contexts:
            layers = self._footprint.expert_layers
            if layers and self._plan_fits(candidates.experts_on_cpu(layers, context)):
                return self._fewest_experts(layers, context)
        for context in candidates.contexts[-2:]:
            most = self._most_layers(context)
            if most > 1:
                return candidates.some_layers(most, context)
        return None

    def _fewest_experts(self, layers: int, context: int) -> Plan:
        def holds(n: int) -> bool:
            return self._plan_fits(self._candidates.experts_on_cpu(n, context))

        return self._candidates.experts_on_cpu(_least(layers, holds), context)

    def _most_layers(self, context: int) -> int:
        """The most layers that the graphics hold, if main memory holds the rest; else 0."""
        most = self._most_on_gpus(context)
        return most if self._plan_fits(self._candidates.some_layers(most, context)) else 0

    def _most_on_gpus(self, context: int) -> int:
        everything = self._footprint.all_layers

        def held(left_out: int) -> bool:
            rows = self._estimated(self._candidates.some_layers(everything - left_out, context))
            return all(row.device == CPU or self._row_fits(row) for row in rows)

        return everything - _least(everything, held)

    def _nearest(self) -> Plan:
        """Nothing fits: as much on the graphics as they hold, the shortest context."""
        context = self._candidates.contexts[-1]
        return self._candidates.some_layers(self._most_on_gpus(context), context)

    def _is_faster(self, split: Plan, on_cpu: Plan) -> bool:
        fast, slow = self._predict(split).tokens_per_s, self._predict(on_cpu).tokens_per_s
        return fast is None or slow is None or fast > slow * _WORTH_SPLITTING

    def _may_shrink(self, chosen: Plan) -> bool:
        """What was wished for is answered as it is, not changed."""
        if self._wish.gpu_layers is not None:
            return False
        return self._wish.context is None or chosen.gpu_layers > 0

    def _plan_fits(self, candidate: Plan) -> bool:
        return self._fit(self._estimated(candidate))

    def _fit(self, memory: tuple[DeviceMemory, ...]) -> bool:
        if not all(self._row_fits(row) for row in memory):
            return False
        if not self._rooms.unified:
            return True
        # A GPU without memory of its own takes it from main memory: counted together, once.
        return sum(row.total_bytes for row in memory) <= self._rooms.usable_bytes

    def _row_fits(self, row: DeviceMemory) -> bool:
        room = next(r for r in (self._rooms.cpu, *self._rooms.gpus) if r.device == row.device)
        return row.total_bytes <= room.usable_bytes

    def _estimated(self, candidate: Plan) -> tuple[DeviceMemory, ...]:
        devices = tuple(share.device for share in self._shares(candidate))
        return self._rows(candidate, estimated_compute(self._footprint, candidate, devices))

    def _asked(self, candidate: Plan) -> tuple[tuple[DeviceMemory, ...], Method]:
        """With llama.cpp's own figures where it can be asked."""
        found = self._ask(candidate) if self._ask is not None else None
        if found is None:
            return self._estimated(candidate), "header"
        devices = {share.device for share in self._shares(candidate)}
        compute = dict.fromkeys((CPU, *devices), 0)
        for name, size in found.items():
            compute[name if name in devices else CPU] += size
        return self._rows(candidate, compute), "dry_run"

    def _rows(self, candidate: Plan, compute: Mapping[str, int]) -> tuple[DeviceMemory, ...]:
        placed = self._footprint.place(candidate, self._shares(candidate))
        found = (self._rooms.cpu, *self._rooms.gpus)
        return tuple(
            DeviceMemory(
                device=room.device,
                weights_bytes=placed.get(room.device, Placed()).weights_bytes,
                context_bytes=placed.get(room.device, Placed()).context_bytes,
                compute_bytes=compute.get(room.device, 0),
                capacity_bytes=room.total_bytes,
                available_bytes=room.available_bytes,
                output_bytes=logits_bytes(self._header, candidate) if room.device == CPU else 0,
                others_bytes=room.others_bytes,
                ours_bytes=room.ours_bytes,
            )
            for room in found
            if room.device in placed
        )

    def _shares(self, candidate: Plan) -> tuple[Share, ...]:
        return self._rooms.shares if candidate.gpu_layers > 0 else ()

    def _predict(self, candidate: Plan) -> Speed:
        return self._speed.predict(candidate, self._shares(candidate), self._gpus)

    def _verdict(self, chosen: Plan, fits: bool) -> Verdict:
        if not fits:
            return "too_large"
        if chosen.gpu_layers == 0:
            return "cpu"
        everything = chosen.gpu_layers >= self._footprint.all_layers
        return "gpu" if everything and chosen.expert_layers_on_cpu == 0 else "partly_gpu"

    def _smaller_context(self, chosen: Plan) -> int:
        """The longest context that would fit where the wished one does not; 0 for none."""
        if self._wish.context is None:
            return 0
        without = replace(self._wish, context=None)
        ladder = Candidates(self._footprint, without, self._rooms, self._machine.cpu)
        for context in ladder.contexts:
            if context < chosen.context and self._plan_fits(replace(chosen, context=context)):
                return context
        return 0

    def _summary(self) -> ModelSummary:
        header = self._header
        return ModelSummary(
            name=header.name,
            architecture=printable(header.architecture),
            quantization=header.quantization,
            parameters=header.parameters,
            file_bytes=header.file_bytes,
            layers=header.block_count,
        )


def _least(most: int, holds: Callable[[int], bool]) -> int:
    """The smallest n in 0..most for which `holds(n)`, given that it holds for `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
