"""Tuning a model: trials that stand in, real ones, and real ones on a second device."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import CancelledError, FitError, LoadError
from desktop.common.resources import resources_folder
from desktop.engine.cancel import CancelToken
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.llama import llama
from desktop.engine.trial import TrialResult, TrialRun, TrialSize
from desktop.fit.planner import plan as plan_for_machine
from desktop.fit.types import Plan, Wish
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory
from desktop.library.library import Library
from desktop.services.history import History
from desktop.services.machine import MachineService
from desktop.services.model_ref import ResolvedModel, resolve
from desktop.services.open_progress import OpenProgress
from desktop.services.tune import Tuner
from desktop.services.tune_records import TuneRecords
from desktop.services.tune_report import TuneProgress, TuneTools
from desktop.services.tuned_plans import TunedPlan, TunedPlans
from tests.rpc_servers import rpc_server
from tests.tiny_models import write_tiny_model

GIB = 1 << 30
MIB = 1 << 20
GUIDE = resources_folder() / "models" / "hausgeist-guide.gguf"
SHORT = TrialSize(prompt_tokens=64, gen_tokens=4, measure_s=0.1)
CPU_ONLY = Machine(
    Memory(16 * GIB, 12 * GIB),
    Cpu("A processor", physical_cores=4, logical_cores=8, features=("avx2",)),
    engine=EngineInfo("1.0", ("CPU",)),
)
CARD = Gpu("A card", "nvidia", "cuda", 8 * GIB, 7 * GIB, driver="500", device="CUDA0")
WITH_CARD = replace(CPU_ONLY, gpus=(CARD,), engine=EngineInfo("1.0", ("CPU", "CUDA")))


class FixedMachine(MachineService):
    """Finds the machine it is given."""

    def __init__(self, machine: Machine) -> None:
        self.now = machine

    def machine(self, refresh: bool = False) -> Machine:
        return self.now

    def current(self) -> Machine:
        return self.now


@dataclass
class Trials:
    """Answers orders by `speed`; an OSError's class name stands for how one dies."""

    speed: Callable[[Plan], float | str] = lambda plan: 10.0 + plan.gpu_layers
    orders: list[Plan] = field(default_factory=list)
    sizes: list[TrialSize | None] = field(default_factory=list)
    before: Callable[[int], None] = lambda count: None

    def __call__(
        self,
        path: Path,
        plan: Plan,
        *,
        variants: Sequence[Plan] = (),
        size: TrialSize | None = None,
        timeout_s: float,
        cancel: CancelToken | None = None,
        servers: Sequence[str] = (),
        on_progress: Callable[[float], None] | None = None,
    ) -> TrialResult:
        self.orders.append(plan)
        self.sizes.append(size)
        self.before(len(self.orders))
        if cancel is not None:
            cancel.raise_if_cancelled()
        if on_progress is not None:
            on_progress(1.0)
        found = self.speed(plan)
        if isinstance(found, str):
            refused = found.startswith("refused:")
            return TrialResult(
                ok=False,
                kind="refused" if refused else found,  # type: ignore[arg-type]
                error_kind=found.removeprefix("refused:") if refused else "",
                detail="no",
                seconds=3.0,
            )
        usage = [DeviceUsage("CPU", 300, 20, 10, 1)]
        if plan.gpu_layers:
            usage.append(DeviceUsage(plan.device, 700, 70, 7, 0))
        return TrialResult(
            ok=True,
            runs=tuple(TrialRun(one, found, 10 * found) for one in (plan, *variants)),
            usage=tuple(usage),
            seconds=5.0,
        )


def _rehearse_all(
    wanted: Mapping[str, int],
    *,
    servers: Sequence[str] = (),
    cancel: CancelToken | None = None,
) -> dict[str, int]:
    return dict(wanted)


@dataclass
class Bench:
    """A tuner with everything around it."""

    tuner: Tuner
    plans: TunedPlans
    history: History
    machines: FixedMachine
    library: Library
    model: Path
    records: TuneRecords

    def found(self) -> ResolvedModel:
        return resolve(str(self.model), self.library)

    def first_open(
        self,
        *,
        cancel: CancelToken | None = None,
        start_now: CancelToken | None = None,
        told: list[OpenProgress] | None = None,
    ) -> Any:
        header = read_header(self.model)
        wish = Wish()
        report = plan_for_machine(self.machines.now, header, wish)
        return self.tuner.first_open(
            self.found(),
            header,
            report,
            wish,
            on_progress=(told if told is not None else []).append,
            cancel=cancel or CancelToken(),
            start_now=start_now or CancelToken(),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    def make(machine: Machine, trials: Any, rehearse: Any = _rehearse_all, **tools: Any) -> Bench:
        model = write_tiny_model(tmp_path / "model.gguf", layers=6, width=128)
        library = Library.in_memory(GUIDE, tmp_path / "library.db")
        plans, history = TunedPlans(tmp_path / "tuned.json"), History(tmp_path / "history.jsonl")
        machines = FixedMachine(machine)
        more = {} if trials is None else {"run_trial": trials, "rehearse": rehearse}
        records = TuneRecords(tmp_path / "tuning.json", now=lambda: 1234.5)
        tuner = Tuner(
            library, machines, plans, history, TuneTools(**more, **tools), records=records
        )
        return Bench(tuner, plans, history, machines, library, model, records)

    return make


def test_a_good_card_is_one_trial_and_its_plan_is_kept(bench: Callable[..., Bench]) -> None:
    house = bench(WITH_CARD, Trials(lambda plan: 5000.0))
    told: list[TuneProgress] = []
    report = house.tuner.tune(str(house.model), Wish(), on_progress=told.append)
    assert report.chosen.gpu_layers == 7
    assert report.speed.basis == "measured"
    assert [trial.ok for trial in report.trials] == [True] * len(report.trials)
    (told_later,) = house.records.all()
    assert told_later.chosen == report.chosen
    assert [trial.plan for trial in told_later.trials] == [trial.plan for trial in report.trials]
    assert report.trials[0].peak_bytes == 331 + 777
    assert told[0].number == 1
    kept = house.plans.lookup(read_header(house.model), WITH_CARD, Wish())
    assert kept is not None
    assert kept.plan == report.chosen
    assert kept.used == {"CPU": 331, "CUDA0": 777}
    assert kept.speed.tokens_per_s == report.speed.tokens_per_s


def test_a_card_that_dies_of_memory_costs_trials_and_teaches(bench: Callable[..., Bench]) -> None:
    def speed(plan: Plan) -> float | str:
        return "out_of_memory" if plan.gpu_layers > 3 else 100.0 + plan.gpu_layers

    house = bench(WITH_CARD, Trials(speed))
    report = house.tuner.tune(str(house.model), Wish())
    assert report.chosen.gpu_layers <= 3
    failed = [trial for trial in report.trials if not trial.ok]
    assert failed
    assert {trial.error for trial in failed} == {"probe_out_of_memory"}
    assert house.history.corrections(WITH_CARD).margin_bytes["CUDA0"] > 0


def test_what_a_device_gives_less_than_it_claims_teaches_as_well(
    bench: Callable[..., Bench],
) -> None:
    def half(wanted: Mapping[str, int], **_: Any) -> dict[str, int]:
        return {name: size // 2 for name, size in wanted.items()}

    trials = Trials()
    house = bench(WITH_CARD, trials, half)
    report = house.tuner.tune(str(house.model), Wish())
    assert all(plan.gpu_layers < 7 for plan in trials.orders)
    assert report.trials
    assert house.history.corrections(WITH_CARD).margin_bytes["CUDA0"] > 0


def test_a_broken_file_is_refused_with_its_reason(bench: Callable[..., Bench]) -> None:
    house = bench(CPU_ONLY, Trials(lambda _: "refused:no_tokenizer"))
    with pytest.raises(LoadError) as caught:
        house.tuner.tune(str(house.model), Wish())
    assert caught.value.kind == "no_tokenizer"
    aborted = bench(CPU_ONLY, Trials(lambda _: "aborted"))
    with pytest.raises(LoadError) as caught:
        aborted.tuner.tune(str(aborted.model), Wish())
    assert caught.value.kind == "probe_aborted"
    assert caught.value.params["path"] == str(aborted.model)


def test_a_device_that_vanished_leaves_the_processor(bench: Callable[..., Bench]) -> None:
    def speed(plan: Plan) -> float | str:
        return "refused:device_gone" if plan.gpu_layers else 12.0

    house = bench(WITH_CARD, Trials(speed))
    report = house.tuner.tune(str(house.model), Wish())
    assert report.chosen.gpu_layers == 0
    assert report.trials[0].error == "device_gone"
    assert house.history.corrections(WITH_CARD).margin_bytes == {}


def test_a_cancel_keeps_what_is_known(bench: Callable[..., Bench]) -> None:
    token = CancelToken()

    def speed(plan: Plan) -> float | str:
        return "aborted" if plan.gpu_layers > 4 else 20.0

    def before(count: int) -> None:
        if count == 3:
            token.cancel()

    house = bench(WITH_CARD, Trials(speed, before=before))
    report = house.tuner.tune(str(house.model), Wish(), cancel=token)
    assert report.stopped == "user"
    assert report.chosen.gpu_layers <= 4
    assert len(report.trials) == 2


def test_a_cancel_before_anything_is_known_is_one(bench: Callable[..., Bench]) -> None:
    token = CancelToken()
    token.cancel()
    house = bench(CPU_ONLY, Trials())
    with pytest.raises(CancelledError):
        house.tuner.tune(str(house.model), Wish(), cancel=token)


def test_what_does_not_fit_is_said_before_any_trial(bench: Callable[..., Bench]) -> None:
    trials = Trials()
    house = bench(replace(CPU_ONLY, memory=Memory(64 * MIB, MIB)), trials)
    with pytest.raises(FitError):
        house.tuner.tune(str(house.model), Wish())
    assert trials.orders == []


def test_a_described_card_is_predicted_and_said_so(bench: Callable[..., Bench]) -> None:
    trials = Trials()
    house = bench(CPU_ONLY, trials)
    report = house.tuner.tune(str(house.model), Wish(), machine=WITH_CARD)
    assert trials.orders == []
    assert {trial.basis for trial in report.trials} == {"predicted"}
    assert report.speed.basis == "predicted"
    assert house.plans.lookup(read_header(house.model), WITH_CARD, Wish()) is None
    assert house.history.entries() == ()


def test_a_described_processor_is_tried_within_its_memory(bench: Callable[..., Bench]) -> None:
    trials = Trials()
    house = bench(WITH_CARD, trials)
    small = replace(CPU_ONLY, memory=Memory(GIB, 600 * MIB))
    report = house.tuner.tune(str(house.model), Wish(), machine=small)
    assert {trial.basis for trial in report.trials} == {"measured"}
    assert all(plan.gpu_layers == 0 for plan in trials.orders)
    with pytest.raises(FitError):
        house.tuner.tune(str(house.model), Wish(), machine=Machine(Memory(64 * MIB, MIB)))


def test_first_opening_without_graphics_is_one_short_trial(bench: Callable[..., Bench]) -> None:
    trials = Trials()
    house = bench(CPU_ONLY, trials)
    told: list[OpenProgress] = []
    tried = house.first_open(told=told)
    assert tried.plan == trials.orders[0]
    assert tried.failed == ""
    assert len(trials.orders) == 1
    assert trials.sizes[0] is not None
    assert trials.sizes[0].measure_s < TrialSize().measure_s
    assert {(one.stage, one.trial) for one in told} == {("tuning", 1)}
    assert house.plans.lookup(read_header(house.model), CPU_ONLY, Wish()) is not None


def test_first_opening_says_what_made_it_smaller(bench: Callable[..., Bench]) -> None:
    house = bench(CPU_ONLY, Trials(lambda plan: "out_of_memory" if plan.context > 2048 else 9.0))
    tried = house.first_open()
    assert tried.plan.context <= 2048
    assert tried.failed == "probe_out_of_memory"


def test_start_now_opens_with_the_best_so_far(bench: Callable[..., Bench]) -> None:
    start_now = CancelToken()

    def speed(plan: Plan) -> float | str:
        return "aborted" if plan.gpu_layers > 4 else 20.0

    def before(count: int) -> None:
        if count == 3:
            start_now.cancel()

    trials = Trials(speed, before=before)
    house = bench(WITH_CARD, trials)
    tried = house.first_open(start_now=start_now)
    assert tried.plan.gpu_layers == trials.orders[1].gpu_layers
    early = CancelToken()
    early.cancel()
    assert house.first_open(start_now=early) is None


def test_cancelling_a_first_opening_is_no_start_now(bench: Callable[..., Bench]) -> None:
    token = CancelToken()
    house = bench(WITH_CARD, Trials(before=lambda _: token.cancel()))
    with pytest.raises(CancelledError):
        house.first_open(cancel=token)


def test_real_trials_on_the_processor(bench: Callable[..., Bench]) -> None:
    machine = replace(CPU_ONLY, cpu=Cpu("A processor", physical_cores=2, logical_cores=2))
    house = bench(machine, None)
    tried = house.first_open()
    assert tried.plan.gpu_layers == 0
    assert tried.speed.tokens_per_s > 0
    kept = house.plans.lookup(read_header(house.model), machine, Wish())
    assert kept is not None
    assert kept.used["CPU"] > 0


@pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)
def test_real_trials_on_a_second_device_whose_memory_ends(bench: Callable[..., Bench]) -> None:
    """All layers would abort there: they are tried elsewhere, and nothing dies."""
    card = Gpu("Second device", "other", "", 24 * GIB, 23 * GIB, device="RPC0")
    machine = replace(CPU_ONLY, gpus=(card,), engine=EngineInfo("1.0", ("CPU", "RPC")))
    with rpc_server(limit_bytes=48 * MIB) as server:
        house = bench(machine, None, servers=(server,), size=SHORT)
        write_tiny_model(house.model, layers=8, width=512, vocab=4096)
        report = house.tuner.tune(str(house.model), Wish(context=2048, threads=1, gpu_layers=None))
    assert len(report.trials) <= 6
    assert report.speed.tokens_per_s is not None
    assert report.speed.tokens_per_s > 0
    assert any(trial.ok for trial in report.trials)
    assert house.history.corrections(machine).margin_bytes["RPC0"] > GIB


def test_kept_plans_are_for_the_same_file_machine_driver_engine_and_wish(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    house = bench(WITH_CARD, Trials())
    header = read_header(house.model)
    report = house.tuner.tune(str(house.model), Wish())
    plans = house.plans

    def known(machine: Machine = WITH_CARD, wish: Wish | None = None) -> TunedPlan | None:
        return plans.lookup(header, machine, wish or Wish())

    assert known() is not None
    assert known(replace(WITH_CARD, gpus=(replace(CARD, driver="501"),))) is None
    assert known(replace(WITH_CARD, engine=EngineInfo("1.1", ("CPU", "CUDA")))) is None
    assert known(CPU_ONLY) is None
    assert known(wish=Wish(context=2048)) is None
    assert known(replace(WITH_CARD, memory=Memory(16 * GIB, GIB))) is not None
    with house.model.open("r+b") as file:
        file.seek(-64, os.SEEK_END)
        file.write(b"\1" * 64)
    assert known() is None
    write_tiny_model(house.model, layers=6, width=128)
    found = known()
    assert found is not None
    assert found.plan == report.chosen
    plans.forget(header, WITH_CARD, Wish())
    assert known() is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": 1, "plans": {"k": 3}}', b'{"format": 9, "plans": {}}'],
)
def test_a_broken_file_of_plans_is_an_empty_one(
    tmp_path: Path, tiny_model: Path, content: bytes
) -> None:
    path = tmp_path / "tuned.json"
    path.write_bytes(content)
    plans, header = TunedPlans(path), read_header(tiny_model)
    assert plans.lookup(header, CPU_ONLY, Wish()) is None
    plans.forget(header, CPU_ONLY, Wish())


def test_a_kept_plan_that_would_abort_the_engine_is_not_believed(
    bench: Callable[..., Bench],
) -> None:
    house = bench(CPU_ONLY, Trials())
    report = house.tuner.tune(str(house.model), Wish())
    header = read_header(house.model)
    broken = TunedPlan(replace(report.chosen, parallel=100_000), report.speed, {"CPU": 1})
    house.plans.keep(header, CPU_ONLY, Wish(), broken)
    assert house.plans.lookup(header, CPU_ONLY, Wish()) is None


def test_what_was_measured_beside_busy_programs_counts_for_a_day(
    tmp_path: Path, tiny_model: Path
) -> None:
    now = 1_000_000.0
    plans = TunedPlans(tmp_path / "tuned.json", now=lambda: now)
    header = read_header(tiny_model)
    report = plan_for_machine(CPU_ONLY, header, Wish())
    found = TunedPlan(report.plan, report.speed, {"CPU": 1}, disturbed=True)
    plans.keep(header, CPU_ONLY, Wish(), found)
    steady = replace(found, disturbed=False)
    plans.keep(header, CPU_ONLY, Wish(context=512), steady)
    now += 3600.0
    assert plans.lookup(header, CPU_ONLY, Wish()) is not None
    now += 86_400.0
    assert plans.lookup(header, CPU_ONLY, Wish()) is None
    assert plans.lookup(header, CPU_ONLY, Wish(context=512)) is not None


def test_only_the_newest_plans_are_kept(tmp_path: Path, tiny_model: Path) -> None:
    plans, header = TunedPlans(tmp_path / "tuned.json", most=2), read_header(tiny_model)
    report = plan_for_machine(CPU_ONLY, header, Wish())
    found = TunedPlan(report.plan, report.speed, {"CPU": 1})
    for context in (256, 512, 1024):
        plans.keep(header, CPU_ONLY, Wish(context=context), found)
    assert plans.lookup(header, CPU_ONLY, Wish(context=256)) is None
    assert plans.lookup(header, CPU_ONLY, Wish(context=1024)) is not None
