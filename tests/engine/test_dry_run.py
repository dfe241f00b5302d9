"""One child answers many dry runs, also of vision parts; what goes wrong in it is an error."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.common.errors import EngineError, LoadError
from desktop.engine import dry_run as module
from desktop.engine.dry_run import DryRun, DryRuns, dry_run
from desktop.gguf.lean import can_be_lean, write_lean
from desktop.gguf.reader import read_header
from tests.engine.driving import plan_for
from tests.fit.architectures import MODELS
from tests.fit.projectors import write_siglip
from tests.gguf_files import I32, Array, write_gguf
from tests.tiny_models import write_tiny_model

SMALL = {"layers": 2, "width": 64, "feed_forward": 128, "heads": 4, "image": 56}


def test_several_questions_are_answered_as_one_each(tiny_model: Path, tmp_path: Path) -> None:
    other = write_tiny_model(tmp_path / "other.gguf", layers=3)
    plans = [plan_for(context=context) for context in (256, 1024, 512)]
    with DryRuns() as ask:
        together = [ask(tiny_model, plan) for plan in plans] + [ask(other, plans[0])]
        again = ask(tiny_model, plans[0])
    assert together[:3] == [dry_run(tiny_model, plan) for plan in plans]
    assert again == together[0] != together[3]


def test_another_file_at_the_same_path_is_another_model(tmp_path: Path) -> None:
    """The last model stays open in the child, known by more than its path."""
    path = write_tiny_model(tmp_path / "m.gguf", layers=1)
    with DryRuns() as ask:
        first = ask(path, plan_for())
        path.unlink()
        write_tiny_model(path, layers=5)
        assert ask(path, plan_for()) == dry_run(path, plan_for()) != first


@pytest.mark.parametrize("name", MODELS)
def test_without_its_words_a_model_is_answered_the_same(name: str, tmp_path: Path) -> None:
    path = MODELS[name]().write(tmp_path / "m.gguf")
    header = read_header(path)
    assert can_be_lean(header)
    (tmp_path / "lean").mkdir()
    lean = write_lean(header, tmp_path / "lean")
    plan = replace(plan_for(context=4096, parallel=2, ubatch=512), kv_type="q8_0")
    with DryRuns(timeout_s=60) as ask:
        assert ask(lean.model, plan, tokenizer=lean.tokenizer) == ask(path, plan)


@pytest.mark.parametrize(
    "change",
    [
        {"tokenizer.ggml.pre": "unheard-of"},
        {"tokenizer.ggml.token_type": Array(I32, [1] * 100)},
        {"tokenizer.ggml.merges": "no list"},
    ],
)
def test_a_tokenizer_that_the_engine_refuses_is_told_without_its_words(
    change: dict[str, object], tmp_path: Path
) -> None:
    model = MODELS["qwen3"]()
    metadata = model.full_metadata() | change
    header = read_header(write_gguf(tmp_path / "m.gguf", metadata, model.tensors))
    (tmp_path / "lean").mkdir()
    lean = write_lean(header, tmp_path / "lean")
    with DryRuns(timeout_s=60) as ask:
        for path, tokenizer in ((header.paths[0], None), (lean.model, lean.tokenizer)):
            with pytest.raises(LoadError, match="load_failed"):
                ask(path, plan_for(), tokenizer=tokenizer)
        assert ask(lean.model, plan_for()).output_bytes > 0  # the tokenizer alone was refused


def test_after_a_refusal_the_next_is_answered(tiny_model: Path, tmp_path: Path) -> None:
    bad = write_tiny_model(tmp_path / "bad.gguf", metadata={"tokenizer.ggml.model": "unheard-of"})
    with DryRuns() as ask:
        with pytest.raises(LoadError, match="load_failed"):
            ask(bad, plan_for())
        assert isinstance(ask(tiny_model, plan_for()), DryRun)


def test_a_child_that_dies_is_replaced(tiny_model: Path) -> None:
    with DryRuns() as ask:
        ask(tiny_model, plan_for())
        child = ask._child
        assert child is not None
        child._process.kill()
        child._process.wait()
        with pytest.raises(LoadError, match="dry_run_died"):
            ask(tiny_model, plan_for())
        assert ask(tiny_model, plan_for()).output_bytes > 0


def test_a_child_that_hangs_is_given_up(tiny_model: Path) -> None:
    with DryRuns(timeout_s=0.0) as ask:
        with pytest.raises(LoadError, match="dry_run_hangs"):
            ask(tiny_model, plan_for())
        assert ask._child is None


def test_a_system_without_processes(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_job: str) -> None:
        raise EngineError("no_child")

    monkeypatch.setattr(module, "open_child", none_left)
    with DryRuns() as ask, pytest.raises(EngineError, match="no_child"):
        ask(tiny_model, plan_for())


def test_a_device_that_is_not_there(tiny_model: Path) -> None:
    gone = replace(plan_for(), gpu_layers=2, device="CUDA7")
    with DryRuns() as ask, pytest.raises(LoadError, match="device_gone"):
        ask(tiny_model, gone)


@pytest.mark.skipif(sys.platform != "linux", reason="libmtmd's answer can be read on Linux only")
def test_what_a_vision_part_takes(tmp_path: Path) -> None:
    path = write_siglip(tmp_path / "mmproj.gguf", **SMALL)
    larger = write_siglip(tmp_path / "larger.gguf", **{**SMALL, "layers": 4})
    with DryRuns() as ask:
        sizes, more = ask.projector_bytes(path), ask.projector_bytes(larger)
        assert sizes is not None
        assert more is not None
        assert sizes["CPU"] > path.stat().st_size * 0.9
        grown = larger.stat().st_size - path.stat().st_size
        assert more["CPU"] - sizes["CPU"] == pytest.approx(grown, rel=0.05)
        with pytest.raises(LoadError, match="device_gone"):
            ask.projector_bytes(path, "CUDA7")


@pytest.mark.skipif(sys.platform != "linux", reason="libmtmd's answer can be read on Linux only")
def test_a_file_that_is_no_vision_part(tiny_model: Path) -> None:
    with DryRuns() as ask, pytest.raises(LoadError, match="load_failed"):
        ask.projector_bytes(tiny_model)
