"""Files that are opened with a model: checked, counted, tried in a child once, handed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import LoadError, ModelFileError
from desktop.engine.chat import Chat, Media, Message
from desktop.engine.embedding import EmbeddingRequest
from desktop.engine.events import Finished
from desktop.engine.extras import NO_EXTRAS, AdapterFile, Extras
from desktop.engine.probe import ProbeResult
from desktop.engine.request import Request
from desktop.fit.types import Wish
from desktop.services.crash_marker import CrashMarker
from desktop.services.open_extras import adapter_files, files_of
from desktop.services.open_model import OpenTools
from tests.services.opening import Stage
from tests.tiny_architectures import write_tiny_bert
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import write_tiny_model
from tests.tiny_projector import png, write_tiny_eyes


@pytest.fixture
def stage(tmp_path: Path, tiny_model: Path, marker: CrashMarker) -> Iterator[Stage]:
    built = Stage(tmp_path, tiny_model, marker)
    yield built
    built.library.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "own.gguf", seed=7, context=2048)


@pytest.fixture
def eyes(tmp_path: Path) -> Path:
    return write_tiny_eyes(tmp_path / "mmproj-own.gguf")


@pytest.fixture
def poet(tmp_path: Path) -> AdapterFile:
    return AdapterFile(write_tiny_lora(tmp_path / "poet.gguf"), "poet")


def test_they_reach_the_trial_and_the_load(
    stage: Stage, model: Path, eyes: Path, poet: AdapterFile
) -> None:
    extras = Extras(projector=eyes, adapters=(poet,))
    stage.opener.open(str(model), Wish(), extras=extras)
    assert stage.probed_with == [extras]
    assert stage.extras == extras
    stage.opener.open(str(model), Wish(), apart=True, extras=extras)
    assert stage.extras == extras
    stage.opener.open(str(model), Wish())
    assert stage.extras == NO_EXTRAS


def test_each_is_tried_once_with_this_model(
    stage: Stage, model: Path, eyes: Path, poet: AdapterFile, tmp_path: Path
) -> None:
    stage.opener.open(str(model), Wish())
    assert len(stage.probed) == 1
    for extras, trials in (
        (Extras(projector=eyes), 2),
        (Extras(projector=eyes), 2),
        (Extras(projector=eyes, adapters=(poet,)), 3),
        (Extras(adapters=(poet,)), 3),
        (NO_EXTRAS, 3),
    ):
        stage.opener.open(str(model), Wish(), extras=extras)
        assert len(stage.probed) == trials
    other = write_tiny_model(tmp_path / "other.gguf", seed=8)
    stage.opener.open(str(other), Wish())
    stage.opener.open(str(other), Wish(), extras=Extras(projector=eyes))
    assert len(stage.probed) == 5


def test_what_they_take_is_counted(stage: Stage, model: Path, eyes: Path) -> None:
    plain = stage.opener.open(str(model), Wish()).report
    seeing = stage.opener.open(str(model), Wish(), extras=Extras(projector=eyes)).report
    assert seeing.total_bytes - plain.total_bytes >= eyes.stat().st_size - 4096
    assert seeing.plan == plain.plan


def test_nothing_is_learned_from_a_sum(stage: Stage, model: Path, eyes: Path) -> None:
    opened = stage.opener.open(str(model), Wish(), extras=Extras(projector=eyes))
    opened.engine.close()
    assert stage.history.sessions() == ()
    stage.opener.open(str(model), Wish()).engine.close()
    assert len(stage.history.sessions()) == 1


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("adapter_of_another_model", lambda path: write_tiny_lora(path, architecture="qwen2")),
        ("not_an_adapter", lambda path: write_tiny_model(path)),
        (
            "activated_adapter",
            lambda path: write_tiny_lora(path, metadata={"adapter.alora.invocation_tokens": [1]}),
        ),
    ],
)
def test_wrong_adapters_are_told_before_anything_is_loaded(
    kind: str, write: object, stage: Stage, model: Path, tmp_path: Path
) -> None:
    assert callable(write)
    wrong = AdapterFile(write(tmp_path / "wrong.gguf"), "wrong")
    with pytest.raises(ModelFileError) as caught:
        stage.opener.open(str(model), Wish(), extras=Extras(adapters=(wrong,)))
    assert caught.value.kind == kind
    assert stage.loaded == stage.probed == []


def test_a_projector_that_is_none_or_cut_short_is_told(
    stage: Stage, model: Path, eyes: Path, tmp_path: Path
) -> None:
    """llama.cpp would see with whatever lies in memory."""
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(eyes.read_bytes()[:-5000])
    for path, kind in ((model, "not_a_projector"), (cut, "truncated_gguf")):
        with pytest.raises(ModelFileError) as caught:
            stage.opener.open(str(model), Wish(), extras=Extras(projector=path))
        assert caught.value.kind == kind


def test_the_eyes_that_the_library_keeps_are_opened_with_it(
    stage: Stage, model: Path, eyes: Path
) -> None:
    name = stage.library.add(model, projector=eyes).name
    stage.opener.open(name, Wish())
    assert stage.extras.projector == eyes


def test_but_they_never_keep_a_model_from_opening(stage: Stage, model: Path, eyes: Path) -> None:
    name = stage.library.add(model, projector=eyes).name
    stage.probes = [ProbeResult(ok=False, kind="aborted"), ProbeResult(ok=True)]
    stage.opener.open(name, Wish())
    assert [one.projector for one in stage.probed_with] == [eyes, None]
    assert len(stage.loaded) == 1
    stage.loads = [LoadError("projector_failed", path=str(eyes))]
    stage.opener.open(name, Wish())
    assert len(stage.loaded) == 3
    assert stage.extras.projector is None
    for damage in (lambda: eyes.write_bytes(b"GGUF, or not"), eyes.unlink):
        damage()
        stage.opener.open(name, Wish())
        assert stage.extras.projector is None


def test_what_ends_the_child_beside_a_model_is_not_tried_with_less(
    stage: Stage, model: Path, eyes: Path
) -> None:
    stage.probes = [ProbeResult(ok=False, kind="aborted")]
    with pytest.raises(LoadError, match="probe_aborted"):
        stage.opener.open(str(model), Wish(), extras=Extras(projector=eyes))
    assert len(stage.probed) == 1


def test_names_of_adapters_are_those_of_their_files(tmp_path: Path) -> None:
    paths = [(tmp_path / "a" / "poet.gguf", 1.0), (tmp_path / "b" / "poet.gguf", 0.5)]
    named = adapter_files(paths)
    assert [(one.name, one.scale) for one in named] == [("poet", 1.0), ("poet-2", 0.5)]
    assert files_of(Extras(adapters=named)) == tuple(path for path, _ in paths)


def test_for_real_a_model_opened_so_sees(
    stage: Stage, model: Path, eyes: Path, poet: AdapterFile
) -> None:
    stage.opener._tools = stage.opener._loader._tools = OpenTools()
    extras = Extras(projector=eyes, adapters=(replace(poet, scale=0.5),))
    opened = stage.opener.open(str(model), Wish(context=1024), extras=extras)
    with closing(opened.engine) as engine:
        assert engine.info.abilities.vision
        assert [adapter.name for adapter in engine.adapters()] == ["poet"]
        message = Message("user", "What is this?", media=(Media("image", png(112, 112)),))
        request = Request("a", chat=Chat((message,)), max_tokens=4, ignore_eos=True)
        _, end = engine.submit(request).collect(60)
        assert isinstance(end, Finished), end
        assert end.stats.prompt_tokens > 16


def test_a_model_that_makes_vectors_is_opened_by_whoever_wants_them(
    stage: Stage, tmp_path: Path
) -> None:
    path = write_tiny_bert(tmp_path / "bert.gguf")
    with pytest.raises(LoadError) as caught:
        stage.opener.open(str(path), Wish())
    assert (caught.value.kind, caught.value.params) == ("not_generative", {"architecture": "bert"})
    assert stage.probed == stage.loaded == []
    stage.opener._tools = stage.opener._loader._tools = OpenTools()
    with closing(stage.opener.open(str(path), Wish(), to_chat=False).engine) as engine:
        assert engine.info.abilities.embeddings
        assert len(engine.embed(EmbeddingRequest(("a", "b"))).vectors) == 2
