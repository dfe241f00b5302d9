"""One model's tuning: what the search asks for is tried out in children, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from desktop.common.errors import CancelledError, LoadError
from desktop.common.logs import get_logger
from desktop.engine.cancel import CancelToken
from desktop.engine.trial import TrialResult, TrialSize
from desktop.fit.candidates import automatic_threads
from desktop.fit.proposals import Proposals, gpu_rooms
from desktop.fit.tuning import Search
from desktop.fit.tuning_terms import Choices, Limits, Measured, Order, Outcome, need
from desktop.fit.types import Basis, FitReport, Plan, Speed, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Cpu, Machine
from desktop.services.tune_report import (
    FailureMemory,
    ProgressListener,
    Trial,
    TuneProgress,
    TuneReport,
    TuneTools,
)

_BASE_S = 60.0
_READS_BYTES_PER_S = 50_000_000
_CURED_BY_LESS = frozenset(("context_failed", "first_step_failed", "device_gone"))
_LOAD_SHARE = 0.7  # of a trial, the rest is measuring
_QUICK = TrialSize(prompt_tokens=256, gen_tokens=12, measure_s=0.4)
_BUSY_LOAD = 0.2  # of all cores: beside so much, a count of threads says nothing for tomorrow
_SHORT_OF_MEMORY = "probe_out_of_memory"

_log = get_logger("services")


class Tuning:
    """The trials of one model on one machine; `run` it once."""

    def __init__(
        self,
        tools: TuneTools,
        memory: FailureMemory,
        path: Path,
        header: ModelHeader,
        machine: Machine,
        wish: Wish,
        start: FitReport,
        *,
        listener: ProgressListener,
        stands_in: Machine | None = None,
        limits: Limits | None = None,
        quick: bool = False,
    ) -> None:
        """`stands_in`: this computer, where `machine` is a described one. `quick`: somebody waits
        for the model, so that only what decides much is varied."""
        self._tools = tools
        self._memory = memory
        self._path = path
        self._header = header
        self._machine = machine
        self._wish = wish
        self._start = start
        self._listener = listener
        self._stands_in = stands_in
        self._limits = limits or Limits()
        self._quick = quick
        self._ways = Proposals(machine, header, wish, memory.corrections(machine))
        self._rooms = gpu_rooms(machine)
        self._servers = tools.servers or (stands_in or machine).pool_servers
        self._real = self._is_real(_devices(start.plan))
        self._trials: list[Trial] = []
        self._result: TrialResult | None = None

    def run(self, cancel: CancelToken) -> TuneReport:
        """Raises LoadError where nothing ran, CancelledError where nothing was known yet."""
        started = self._tools.clock()
        search = Search(
            self._header,
            self._start,
            self._ways,
            room=self._room(cancel),
            choices=Choices.of(self._wish, thread_counts(self._machine.cpu), quick=self._quick),
            limits=self._limits,
        )
        while (order := search.next()) is not None:
            try:
                outcome = self._try(search, order, cancel)
            except CancelledError:
                if search.best is None:
                    raise
                search.stop()
                break
            search.tell(outcome)
        if search.best is None:
            raise self._failure()
        best = search.best
        _log.info("%s tuned: %s after %d trials", self._path.name, search.stopped, search.trials)
        return TuneReport(
            chosen=best.plan,
            speed=Speed(best.prompt_tokens_per_s, best.tokens_per_s, self._basis),
            predicted=self._start,
            trials=tuple(self._trials),
            seconds=self._tools.clock() - started,
            stopped=search.stopped or "done",
        )

    def _room(self, cancel: CancelToken) -> dict[str, int]:
        """Bytes for buffers by graphics device: as claimed, or what a device really gives.

        What it gives less than it claims teaches the memory model of this machine.
        """
        room = {device.device: device.claimed_bytes for device in self._rooms}
        if not self._is_real(tuple(room)):
            return {} if self._real else room  # measured and predicted are not to be compared
        named = {gpu.device for gpu in self._machine.gpus if gpu.device}
        wanted: dict[str, int] = {}
        for device in self._rooms:
            if device.separate and device.device in named and self._wish.gpu_layers != 0:
                whole = need(self._ways.judge(self._everything_on(device.device)))
                size = min(device.claimed_bytes, whole.get(device.device, 0))
                if size > 0:
                    wanted[device.device] = size
        if not wanted:
            return room
        with self._tools.noted(self._servers, self._path.name):
            given = self._tools.rehearse(wanted, servers=self._servers, cancel=cancel)
        for name, size in wanted.items():
            if given[name] < size:
                _log.info("%s gave %d MiB of %d", name, given[name] >> 20, size >> 20)
                self._remember(name, given[name], room[name])
                room[name] = given[name]
        return room

    def _try(self, search: Search, order: Order, cancel: CancelToken) -> Outcome:
        self._tell(search, order, 0.0)
        cancel.raise_if_cancelled()
        if not self._real:
            return self._predicted(order)
        servers = self._servers if order.plan.gpu_layers > 0 else ()
        with self._tools.noted(servers, self._path.name):
            result = self._tools.run_trial(
                self._path,
                order.plan,
                variants=order.variants,
                size=self._tools.size or (_QUICK if self._quick else None),
                timeout_s=_BASE_S + self._header.file_bytes / _READS_BYTES_PER_S,
                cancel=cancel,
                servers=servers,
                on_progress=lambda fraction: self._tell(search, order, fraction),
            )
        self._result = result
        if not result.ok:
            return self._failed(order.plan, result)
        runs = tuple(
            Measured(run.plan, run.tokens_per_s, run.prompt_tokens_per_s) for run in result.runs
        )
        used = {row.device: row.total_bytes for row in result.usage or ()}
        busy = result.others_load > _BUSY_LOAD and not self._servers
        outcome = Outcome(runs, used, seconds=result.seconds, busy=busy)
        self._note(outcome.found, used, result.seconds, busy=busy)
        return outcome

    def _failed(self, plan: Plan, result: TrialResult) -> Outcome:
        kind = failure_kind(result)
        _log.warning("trial of %s failed: %s: %s", self._path.name, kind, result.detail)
        self._trials.append(Trial(plan, ok=False, error=kind, seconds=result.seconds))
        curable = result.kind != "refused" or kind in _CURED_BY_LESS
        curable = curable or (kind == "load_failed" and plan.gpu_layers > 0)
        if curable and kind != "device_gone":
            held = need(self._ways.judge(plan))
            claimed = {device.device: device.claimed_bytes for device in self._rooms}
            named = [name for name in held if name in result.detail] or list(held)
            for name in named:
                self._remember(name, held[name], claimed.get(name), kind)
        return Outcome(curable=curable, seconds=result.seconds)

    def _predicted(self, order: Order) -> Outcome:
        """A device that is not here: what is known of it, told as such."""
        report = self._ways.judge(order.plan)
        prompt, answer = report.speed.prompt_tokens_per_s, report.speed.tokens_per_s
        if not prompt or not answer:
            self._trials.append(
                Trial(order.plan, ok=True, peak_bytes=report.total_bytes, basis="predicted")
            )
            return Outcome(curable=False)
        found = Measured(order.plan, answer, prompt)
        used = {row.device: row.total_bytes - row.driver_bytes for row in report.memory}
        self._note(found, used, 0.0)
        return Outcome((found,), used)

    def _note(
        self, found: Measured, used: Mapping[str, int], seconds: float, *, busy: bool = False
    ) -> None:
        self._trials.append(
            Trial(
                plan=found.plan,
                ok=True,
                tokens_per_s=found.tokens_per_s,
                prompt_tokens_per_s=found.prompt_tokens_per_s,
                peak_bytes=sum(used.values()) or None,
                basis=self._basis,
                seconds=seconds,
                used=used,
                busy=busy,
            )
        )

    def _remember(
        self, device: str, size: int, claimed: int | None, kind: str = _SHORT_OF_MEMORY
    ) -> None:
        if self._stands_in is None:
            self._memory.failed_load(
                self._machine,
                device,
                size,
                available_bytes=claimed,
                kind=kind,
                model=self._start.model.name,
            )

    def _tell(self, search: Search, order: Order, fraction: float) -> None:
        number, most = search.trials + 1, self._limits.trials
        best = None if search.best is None else search.best.tokens_per_s
        done = (search.trials + fraction * _LOAD_SHARE) / most
        self._listener(TuneProgress(number, most, min(1.0, done), order.plan, best))

    def _everything_on(self, device: str) -> Plan:
        layers = self._header.block_count + 1
        return replace(
            self._start.plan, gpu_layers=layers, device=device, split=(), expert_layers_on_cpu=0
        )

    def _is_real(self, devices: Sequence[str]) -> bool:
        """Whether this computer can try it: its own devices, or the processor in its place."""
        here = self._stands_in
        if here is None:
            return True
        if not set(devices) <= {gpu.device for gpu in here.gpus}:
            return False
        available = here.memory.available_bytes or here.memory.total_bytes
        return self._header.file_bytes < available

    @property
    def _basis(self) -> Basis:
        return "measured" if self._real else "predicted"

    def _failure(self) -> LoadError:
        """Why nothing ran, by the last trial."""
        result = self._result
        if result is None:
            return LoadError("nothing_to_try", model=self._start.model.name)
        kind = failure_kind(result)
        path = str(self._path)
        params = {"path": path, "steps": len(self._trials) - 1, **result.error_params}
        return LoadError(kind or "load_failed", detail=result.detail, **params)


def failure_kind(result: TrialResult) -> str:
    """The kind of error that stands for what became of a trial; empty where it ran."""
    if result.ok:
        return ""
    return result.error_kind if result.kind == "refused" else f"probe_{result.kind}"


def thread_counts(cpu: Cpu) -> tuple[int, ...]:
    """How many threads are worth a measurement: the usual count, all cores, and fewer."""
    usual = automatic_threads(cpu)
    cores = cpu.performance_cores or cpu.physical_cores or -(-cpu.logical_cores // 2) or usual
    cores = min(cores, cpu.usable_cores) if cpu.usable_cores else cores
    wanted = (usual, cores, max(1, usual * 3 // 4), max(1, usual // 2))
    return tuple(dict.fromkeys(wanted))


def _devices(plan: Plan) -> tuple[str, ...]:
    if plan.gpu_layers == 0:
        return ()
    return tuple(name for name, _ in plan.split) or (plan.device,)
