"""Opening a model: real files and plans, a loader and a trial that the test plays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.drives import DriveKind
from desktop.common.errors import (
    CancelledError,
    FitError,
    HausgeistError,
    LoadError,
    ModelFileError,
    UsageError,
)
from desktop.common.messages import Messages
from desktop.engine.cancel import CancelToken
from desktop.engine.events import Failed
from desktop.engine.probe import ProbeResult
from desktop.engine.request import Request
from desktop.fit.types import Wish
from desktop.services.crash_marker import CrashMarker
from desktop.services.open_progress import OpenProgress
from tests.services.fake_engine import plan
from tests.services.opening import GIB, Stage, crash_of
from tests.tiny_models import write_tiny_model


@pytest.fixture
def stage(tmp_path: Path, tiny_model: Path, marker: CrashMarker) -> Iterator[Stage]:
    built = Stage(tmp_path, tiny_model, marker)
    yield built
    built.library.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "own.gguf", seed=7)


def test_an_unknown_file_is_tried_out_once(stage: Stage, model: Path) -> None:
    seen: list[OpenProgress] = []
    opened = stage.opener.open(str(model), Wish(), on_progress=seen.append)
    assert [progress.stage for progress in seen] == sorted(
        (progress.stage for progress in seen), key=["checking", "probing", "loading"].index
    )
    assert (opened.name, opened.steps, opened.is_guide) == ("own", (), False)
    assert stage.probed == stage.loaded == [opened.report.plan]
    assert stage.marked_while_loading
    stage.opener.open(str(model), Wish())
    assert len(stage.probed) == 1
    assert len(stage.loaded) == 2


def test_a_changed_file_is_unknown_again(stage: Stage, model: Path) -> None:
    stage.opener.open(str(model), Wish())
    write_tiny_model(model, seed=8, layers=3)
    stage.opener.open(str(model), Wish())
    assert len(stage.probed) == 2


def test_the_library_remembers_the_trial_and_the_use(stage: Stage, model: Path) -> None:
    name = stage.library.add(model).name
    stage.opener.open(name, Wish())
    entry = stage.library.get(name)
    assert entry.probed_engine == "1.0"
    assert entry.last_used_at is not None
    stage.opener.open(name, Wish())
    assert len(stage.probed) == 1


def test_the_guide_opens_at_once(stage: Stage) -> None:
    opened = stage.opener.open("guide", Wish())
    assert opened.is_guide
    assert stage.probed == []
    assert stage.asked_machine == 0
    assert opened.report.plan.gpu_layers == 0


def test_out_of_memory_steps_down_and_says_so(stage: Stage, model: Path) -> None:
    stage.probes = [ProbeResult(ok=False, kind="out_of_memory")]
    stage.loads = [LoadError("context_failed")]
    opened = stage.opener.open(str(model), Wish())
    assert [step.kind for step in opened.steps] == ["probe_out_of_memory", "context_failed"]
    contexts = [opened.steps[0].before.context, *(step.after.context for step in opened.steps)]
    assert contexts == sorted(contexts, reverse=True)
    assert opened.report.plan == stage.loaded[-1] == opened.steps[-1].after


def test_an_abort_in_the_trial_is_a_message_here(stage: Stage, model: Path) -> None:
    stage.probes = [ProbeResult(ok=False, kind="aborted", detail="GGML_ASSERT")] * 20
    with pytest.raises(LoadError) as caught:
        stage.opener.open(str(model), Wish())
    assert caught.value.kind == "probe_aborted"
    assert caught.value.detail == "GGML_ASSERT"
    assert caught.value.params["path"] == str(model)
    assert len(stage.probed) <= 9
    assert stage.loaded == []
    for language in ("de", "en"):
        assert str(model) in Messages(language).error(caught.value)


@pytest.mark.parametrize("kind", ["not_generative", "no_tokenizer", "broken_numbers"])
def test_what_no_smaller_plan_cures_is_said_at_once(stage: Stage, model: Path, kind: str) -> None:
    stage.probes = [ProbeResult(ok=False, kind="refused", error_kind=kind)]
    with pytest.raises(LoadError, match=kind):
        stage.opener.open(str(model), Wish())
    assert len(stage.probed) == 1


def test_a_trial_that_hangs(stage: Stage, model: Path) -> None:
    stage.probes = [ProbeResult(ok=False, kind="timeout")]
    with pytest.raises(LoadError, match="probe_timeout"):
        stage.opener.open(str(model), Wish())


def test_a_model_larger_than_ram_never_reaches_llama_cpp(stage: Stage, model: Path) -> None:
    stage.ram_bytes = 200_000
    with pytest.raises(FitError) as caught:
        stage.opener.open(str(model), Wish())
    assert caught.value.kind == "larger_than_memory"
    assert int(caught.value.params["needed_bytes"]) > 200_000
    assert stage.probed == stage.loaded == []
    assert stage.opener.open(str(model), Wish(), insist=True).engine is not None


def test_a_context_larger_than_ram_is_told_as_such(stage: Stage, model: Path) -> None:
    stage.ram_bytes = 4 * GIB
    with pytest.raises(FitError) as caught:
        stage.opener.open(str(model), Wish(context=1 << 24))
    assert caught.value.kind == "context_larger_than_memory"
    assert int(caught.value.params["needed_bytes"]) > int(caught.value.params["usable_bytes"])
    assert stage.loaded == []


def test_memory_is_asked_anew_before_every_opening(stage: Stage, model: Path) -> None:
    stage.opener.open(str(model), Wish())
    stage.ram_bytes = 200_000  # other programs took the rest meanwhile
    with pytest.raises(FitError, match="larger_than_memory"):
        stage.opener.open(str(model), Wish())
    assert stage.asked_machine == 1


@pytest.mark.parametrize("drive", ["removable", "network"])
def test_a_drive_that_may_go_away_is_not_mapped(
    stage: Stage, model: Path, drive: DriveKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.fit.candidates.WORTH_MAPPING_BYTES", 0)
    stage.drive = drive
    opened = stage.opener.open(str(model), Wish())
    assert not stage.loaded[0].use_mmap
    assert not stage.probed[0].use_mmap
    assert not opened.mapped
    model.write_bytes(b"gone")  # it was read, not mapped: no guard stands before the answer
    assert not isinstance(opened.engine.submit(Request("1", "x")).collect(5.0)[1], Failed)


def test_a_mapped_file_that_shrinks_is_refused(
    stage: Stage, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.fit.candidates.WORTH_MAPPING_BYTES", 0)
    opened = stage.opener.open(str(model), Wish())
    assert opened.mapped
    with model.open("r+b") as file:
        file.truncate(1000)
    end = opened.engine.submit(Request("1", "x")).collect(5.0)[1]
    assert isinstance(end, Failed)
    assert end.kind == "model_file_changed"


def test_after_a_crash_one_step_smaller(stage: Stage, model: Path) -> None:
    full = stage.opener.open(str(model), Wish()).report.plan
    crash_of(stage, model, full)
    opened = stage.opener.open(str(model), Wish())
    (step,) = opened.steps
    assert step.kind == "crashed_loading"
    assert opened.report.plan.context < full.context
    again = stage.opener.open(str(model), Wish())
    assert again.report.plan.context == opened.report.plan.context
    insisted = stage.opener.open(str(model), Wish(), insist=True)
    assert insisted.report.plan.context == full.context
    assert stage.opener.open(str(model), Wish()).report.plan.context == full.context


def test_a_wish_smaller_than_what_died_is_granted(stage: Stage, model: Path) -> None:
    crash_of(stage, model, plan(context=4096))
    opened = stage.opener.open(str(model), Wish(context=512))
    assert opened.steps == ()
    assert opened.report.plan.context == 512


def test_the_guide_is_never_made_smaller(stage: Stage, tiny_model: Path) -> None:
    crash_of(stage, tiny_model, plan(context=256))
    assert stage.opener.open("guide", Wish()).steps == ()


def test_cancelling_at_any_stage(stage: Stage, model: Path) -> None:
    for stop_at in ("checking", "probing", "loading"):
        token = CancelToken()

        def stop(
            progress: OpenProgress, stop_at: str = stop_at, token: CancelToken = token
        ) -> None:
            if progress.stage == stop_at:
                token.cancel()

        with pytest.raises(CancelledError):
            stage.opener.open(str(model), Wish(), on_progress=stop, cancel=token)
    assert list(stage.marker._crashes_file.parent.glob("running*")) == []


def bad_files(folder: Path, model: Path) -> dict[str, Path]:
    whole = model.read_bytes()
    files = {
        "not_gguf": b"hello, I am a text file" * 100,
        "empty_file": b"",
        "truncated_gguf": whole[: len(whole) * 2 // 3],
    }
    found = {kind: folder / f"{kind}.gguf" for kind in files}
    for kind, content in files.items():
        found[kind].write_bytes(content)
    return {**found, "is_directory": folder, "not_found": folder / "nowhere.gguf"}


@pytest.mark.parametrize(
    "kind", ["not_gguf", "empty_file", "truncated_gguf", "is_directory", "not_found"]
)
def test_bad_files_are_refused_in_words(
    stage: Stage, model: Path, tmp_path: Path, kind: str
) -> None:
    path = bad_files(tmp_path, model)[kind]
    with pytest.raises(ModelFileError) as caught:
        stage.opener.open(str(path), Wish())
    assert caught.value.kind == kind
    assert stage.probed == stage.loaded == []


def test_names_that_do_not_exist(stage: Stage) -> None:
    wrong: list[tuple[str, type[HausgeistError]]] = [
        ("no such model", ModelFileError),
        ("org/repo:Q4_K_M", UsageError),
    ]
    for ref, expected in wrong:
        with pytest.raises(expected):
            stage.opener.open(ref, Wish())


def test_the_plan_of_the_report_is_the_one_that_was_loaded(stage: Stage, model: Path) -> None:
    opened = stage.opener.open(str(model), Wish(context=1024, threads=1))
    assert stage.loaded == [opened.report.plan]
    assert replace(opened.report.plan, use_mmap=True).context == 1024
    assert opened.report.plan.threads == 1
