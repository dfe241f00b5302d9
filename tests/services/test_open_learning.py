"""Opening with what was learned: tuned plans, first trials, lessons of failures, records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from desktop.common.errors import CancelledError, LoadError
from desktop.engine.cancel import CancelToken
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.probe import ProbeKind, ProbeResult
from desktop.engine.request import Request
from desktop.fit.types import FitReport, Plan, Speed, Wish
from desktop.gguf.header import ModelHeader
from desktop.hardware.machine import Machine
from desktop.services.crash_marker import CrashMarker
from desktop.services.first_open import TriedPlan
from desktop.services.history_records import CloseRecord, FailureRecord, LoadRecord
from desktop.services.known_plan import KnownPlan
from desktop.services.model_ref import ResolvedModel
from desktop.services.open_progress import OpenProgress
from tests.services.fake_engine import plan
from tests.services.opening import GIB, Stage, card, crash_of
from tests.tiny_models import write_tiny_model

TUNED = replace(plan(context=2048, use_mmap=False), threads=3, ubatch=256)


@dataclass
class Plans:
    """Plans kept from tuning."""

    known: KnownPlan | None = None
    forgotten: int = 0

    def lookup(self, header: ModelHeader, machine: Machine, wish: Wish) -> KnownPlan | None:
        assert header.architecture == "llama"
        assert machine.engine is not None
        assert wish.parallel == 1
        return self.known

    def forget(self, header: ModelHeader, machine: Machine, wish: Wish) -> None:
        self.forgotten += 1
        self.known = None


@dataclass
class Tuner:
    """Finds `found` without a trial; `failed` is what made it smaller."""

    found: Plan | None = None
    failed: str = ""
    error: LoadError | None = None
    asked: list[FitReport] = field(default_factory=list)
    meanwhile: Callable[[CancelToken, CancelToken], None] = lambda _cancel, _start_now: None

    def first_open(
        self,
        found: ResolvedModel,
        header: ModelHeader,
        report: FitReport,
        wish: Wish,
        *,
        on_progress: Callable[[OpenProgress], None],
        cancel: CancelToken,
        start_now: CancelToken,
    ) -> TriedPlan | None:
        assert found.path == header.paths[0]
        assert wish.parallel == 1
        self.asked.append(report)
        on_progress(OpenProgress("tuning", 0.5, 1, 6))
        self.meanwhile(cancel, start_now)
        if self.error is not None:
            raise self.error
        if self.found is None:
            return None
        return TriedPlan(self.found, Speed(123.0, 45.0, "measured"), self.failed)


@pytest.fixture
def plans() -> Plans:
    return Plans()


@pytest.fixture
def tuner() -> Tuner:
    return Tuner()


@pytest.fixture
def stage(
    tmp_path: Path, tiny_model: Path, marker: CrashMarker, plans: Plans, tuner: Tuner
) -> Iterator[Stage]:
    built = Stage(tmp_path, tiny_model, marker, known_plans=plans, tuner=tuner)
    yield built
    built.library.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "own.gguf", seed=7)


def known(plan: Plan) -> KnownPlan:
    return KnownPlan(plan, Speed(123.0, 45.0, "measured"))


def loads(stage: Stage) -> list[LoadRecord]:
    return [r for r in stage.history.entries() if isinstance(r, LoadRecord)]


def failures(stage: Stage) -> list[FailureRecord]:
    return [r for r in stage.history.entries() if isinstance(r, FailureRecord)]


def test_a_tuned_plan_is_taken_as_it_is(stage: Stage, plans: Plans, model: Path) -> None:
    plans.known = known(TUNED)
    opened = stage.opener.open(str(model), Wish())
    assert stage.loaded == [TUNED] == [opened.report.plan]
    assert stage.probed == []
    assert opened.report.speed == Speed(123.0, 45.0, "measured")
    assert opened.report.reason_params["tokens_per_s"] == 45.0
    assert opened.steps == ()


def test_a_tuned_plan_that_does_not_fit_now_is_made_anew(
    stage: Stage, plans: Plans, tuner: Tuner, model: Path
) -> None:
    plans.known = known(replace(TUNED, context=1 << 22))
    stage.ram_bytes = 1 * GIB
    opened = stage.opener.open(str(model), Wish())
    assert opened.report.plan.context < 1 << 22
    assert tuner.asked == []  # other programs will end: nothing to tune for
    assert len(stage.probed) == 1
    assert plans.forgotten == 0


def test_a_tuned_plan_that_does_not_load_is_forgotten(
    stage: Stage, plans: Plans, model: Path
) -> None:
    plans.known = known(TUNED)
    stage.loads = [LoadError("context_failed")]
    opened = stage.opener.open(str(model), Wish())
    assert plans.forgotten == 1
    assert [step.kind for step in opened.steps] == ["context_failed"]
    assert len(stage.probed) == 1  # the smaller one is unknown again


def test_tuning_takes_the_place_of_the_trial(stage: Stage, tuner: Tuner, model: Path) -> None:
    tuner.found = TUNED
    seen: list[OpenProgress] = []
    opened = stage.opener.open(str(model), Wish(), on_progress=seen.append)
    assert stage.loaded == [TUNED] == [opened.report.plan]
    assert stage.probed == []
    assert [report.plan for report in tuner.asked] == [tuner.asked[0].plan]
    stages = list(dict.fromkeys(progress.stage for progress in seen))
    assert stages == ["checking", "tuning", "loading"]
    assert opened.report.speed == Speed(123.0, 45.0, "measured")
    assert opened.steps == ()


def test_what_a_first_trial_had_to_give_up_is_told(stage: Stage, tuner: Tuner, model: Path) -> None:
    tuner.found, tuner.failed = TUNED, "probe_out_of_memory"
    opened = stage.opener.open(str(model), Wish())
    (step,) = opened.steps
    assert (step.kind, step.after) == ("probe_out_of_memory", TUNED)


def test_where_nothing_was_tuned_the_trial_is_made(stage: Stage, tuner: Tuner, model: Path) -> None:
    opened = stage.opener.open(str(model), Wish())
    assert len(tuner.asked) == 1
    assert stage.probed == stage.loaded == [opened.report.plan]


def test_what_tuning_finds_wrong_with_the_file_is_told(
    stage: Stage, tuner: Tuner, model: Path
) -> None:
    tuner.error = LoadError("probe_aborted", path=str(model))
    with pytest.raises(LoadError, match="probe_aborted"):
        stage.opener.open(str(model), Wish())
    assert stage.loaded == []


def test_start_now_reaches_the_tuning_and_cancel_ends_it(
    stage: Stage, tuner: Tuner, model: Path
) -> None:
    start_now, cancel = CancelToken(), CancelToken()
    tuner.found = TUNED

    def check(given_cancel: CancelToken, given_start: CancelToken) -> None:
        assert (given_cancel, given_start) == (cancel, start_now)

    tuner.meanwhile = check
    stage.opener.open(str(model), Wish(), start_now=start_now, cancel=cancel)

    def stop(given_cancel: CancelToken, _start: CancelToken) -> None:
        given_cancel.cancel()

    tuner.meanwhile = stop
    with pytest.raises(CancelledError):
        stage.opener.open(str(model), Wish(), cancel=CancelToken())
    assert len(stage.loaded) == 1


def test_a_stick_is_not_mapped_whatever_tuning_found(
    stage: Stage, tuner: Tuner, model: Path
) -> None:
    tuner.found = replace(TUNED, use_mmap=True)
    stage.drive = "removable"
    assert not stage.opener.open(str(model), Wish()).report.plan.use_mmap


def test_the_guide_is_not_tuned(stage: Stage, plans: Plans, tuner: Tuner) -> None:
    plans.known = known(TUNED)
    opened = stage.opener.open("guide", Wish())
    assert tuner.asked == []
    assert opened.report.plan != TUNED


def test_after_a_crash_nothing_larger_is_tuned(
    stage: Stage, plans: Plans, tuner: Tuner, model: Path
) -> None:
    crash_of(stage, model, plan(context=4096))
    plans.known = known(replace(TUNED, context=4096))
    opened = stage.opener.open(str(model), Wish())
    assert opened.steps[0].kind == "crashed_loading"
    assert opened.report.plan.context < 4096
    assert tuner.asked == []
    assert len(stage.apart) == 1


def test_after_a_crash_a_known_model_runs_in_a_child(
    stage: Stage, plans: Plans, model: Path
) -> None:
    plans.known = known(TUNED)
    full = stage.opener.open(str(model), Wish()).report.plan
    assert stage.probed == []
    crash_of(stage, model, full)
    smaller = stage.opener.open(str(model), Wish()).report.plan
    assert smaller != full
    assert stage.apart == [smaller]
    assert stage.opener.open(str(model), Wish()).report.plan == smaller
    assert stage.apart == [smaller, smaller]  # as long as the crash is remembered
    assert stage.probed == []


def test_a_crash_teaches_once(stage: Stage, model: Path) -> None:
    crash_of(stage, model, plan(context=4096))
    for _ in range(3):
        stage.opener.open(str(model), Wish())
    (failure,) = failures(stage)
    assert (failure.device, failure.error) == ("CPU", "crashed_loading")
    assert stage.history.corrections(stage.machines.machine()).margin_bytes["CPU"] > 0


@pytest.mark.parametrize(
    ("probe", "device"),
    [
        (ProbeResult(ok=False, kind="aborted", detail="CUDA error: out of memory"), "CUDA0"),
        (ProbeResult(ok=False, kind="out_of_memory", detail="CUDA0: no room"), "CUDA0"),
        (ProbeResult(ok=False, kind="out_of_memory"), "CPU"),
        (ProbeResult(ok=False, kind="refused", error_kind="load_failed"), "CUDA0"),
    ],
)
def test_a_failed_trial_widens_the_margin_of_the_device_that_was_full(
    stage: Stage, model: Path, probe: ProbeResult, device: str
) -> None:
    stage.gpus = (card(),)
    stage.probes = [probe]
    opened = stage.opener.open(str(model), Wish(gpu_layers=99))
    assert opened.steps
    (failure,) = failures(stage)
    assert failure.device == device
    assert ("out_of_memory" in failure.error) == (probe.kind != "refused")
    margins = stage.history.corrections(stage.machines.machine()).margin_bytes
    assert list(margins) == [device]


@pytest.mark.parametrize("kind", ["aborted", "timeout"])
def test_what_died_on_the_processor_for_another_reason_teaches_no_margin(
    stage: Stage, model: Path, kind: ProbeKind
) -> None:
    stage.probes = [ProbeResult(ok=False, kind=kind, detail="GGML_ASSERT")] * 20
    with pytest.raises(LoadError):
        stage.opener.open(str(model), Wish())
    assert failures(stage) == []


def test_a_card_that_vanished_between_plan_and_load(
    stage: Stage, tuner: Tuner, model: Path
) -> None:
    stage.gpus = (card(),)

    def vanish(_cancel: CancelToken, _start_now: CancelToken) -> None:
        stage.gpus = ()

    tuner.meanwhile = vanish
    stage.probes = [ProbeResult(ok=False, kind="refused", error_kind="device_gone")]
    opened = stage.opener.open(str(model), Wish(gpu_layers=99))
    (step,) = opened.steps
    assert step.kind == "device_gone"
    assert (step.before.device, step.after.device) == ("CUDA0", "")
    assert step.after.gpu_layers == 0
    assert stage.loaded == [opened.report.plan] == [step.after]
    assert failures(stage) == []


def test_a_card_that_the_system_still_lists_but_the_engine_does_not(
    stage: Stage, model: Path
) -> None:
    """Plugged in while the program runs: found by a child, unknown to this process."""
    stage.gpus = (card("CUDA0"), card("CUDA1", free_bytes=3 * GIB))
    stage.loads = [LoadError("device_gone", device="CUDA0")] * 2
    opened = stage.opener.open(str(model), Wish(gpu_layers=99))
    assert opened.steps[0].kind == "device_gone"
    assert opened.report.plan.device in ("", "CUDA1")
    assert "CUDA0" not in [name for name, _layers in opened.report.plan.split]


def test_without_its_card_a_model_may_be_too_large(stage: Stage, model: Path) -> None:
    stage.gpus = (card(),)
    stage.probes = [ProbeResult(ok=False, kind="refused", error_kind="device_gone")]
    shrink = stage._probe

    def probe(path: Path, plan: Plan, **more: object) -> ProbeResult:
        stage.ram_bytes = 200_000
        return shrink(path, plan, **more)  # type: ignore[arg-type]

    object.__setattr__(stage.opener._loader._tools, "probe", probe)
    with pytest.raises(LoadError, match="device_gone"):
        stage.opener.open(str(model), Wish(gpu_layers=99))


def test_every_load_is_written_down(stage: Stage, model: Path) -> None:
    stage.process_bytes = [100 << 20, 160 << 20]
    stage.engine.usage = (DeviceUsage("CPU", 10, 20, 30, 40),)
    opened = stage.opener.open(str(model), Wish())
    (load,) = loads(stage)
    assert load.model.name == "own"
    assert load.model.file_bytes == model.stat().st_size
    assert load.model.fingerprint
    assert load.plan == opened.report.plan
    assert load.conditions.driver == "1.0"
    assert [row.device for row in load.predicted] == ["CPU"]
    assert load.predicted[0].total_bytes == opened.report.total_bytes
    assert load.actual[0].total_bytes == 100
    assert load.grown_bytes == {"CPU": 60 << 20}
    assert load.expected.rates == load.told
    assert load.expected.long_tokens == opened.report.plan.context
    near, far = load.expected.rates.tokens_per_s, load.expected.long_rates.tokens_per_s
    assert near is not None
    assert far is not None
    assert far < near  # a full context is more to look back at
    assert str(model.parent) not in (model.parent / "history.jsonl").read_text()
    assert stage.recorder.held.by_device() == {"CPU": 100}
    opened.engine.close()
    assert stage.recorder.held.by_device() == {}
    assert isinstance(stage.history.entries()[-1], CloseRecord)


def test_a_card_is_watched_too(stage: Stage, model: Path) -> None:
    stage.gpus = (card(),)
    stage.process_bytes = [100 << 20, 160 << 20]
    stage.opener.open(str(model), Wish(gpu_layers=99))
    (load,) = loads(stage)
    assert load.grown_bytes == {"CPU": 60 << 20, "CUDA0": 60 << 20}


def test_what_a_model_really_did_is_told_the_next_time(
    stage: Stage, plans: Plans, model: Path
) -> None:
    stage.engine = fast = stage.engine.__class__([["wort"] * 40] * 3, tokens_per_s=77.0)
    opened = stage.opener.open(str(model), Wish())
    predicted = opened.report.speed.tokens_per_s
    opened.engine.submit(Request("1", "frage " * 100)).collect(5.0)
    opened.engine.close()
    again = stage.opener.open(str(model), Wish())
    assert predicted != 77.0
    assert again.report.speed.basis == "measured"
    assert again.report.speed.tokens_per_s == pytest.approx(fast.tokens_per_s)
    first, second = loads(stage)
    assert second.expected == first.expected
    assert second.told.tokens_per_s == pytest.approx(77.0)


def test_an_insisting_person_is_planned_for_without_the_crash(stage: Stage, model: Path) -> None:
    crash_of(stage, model, plan(context=4096))
    opened = stage.opener.open(str(model), Wish(), insist=True)
    assert opened.steps == ()
