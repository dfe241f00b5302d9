"""Fit with llama.cpp's own figures where they can be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from desktop.common.errors import EngineError, ModelFileError
from desktop.engine.dry_run import DeviceBuffers, DryRun
from desktop.fit.types import Plan, Wish
from desktop.gguf.part import read_part
from desktop.gguf.reader import read_header
from desktop.gguf.source import open_reader
from desktop.hardware.machine import Cpu, EngineInfo, Gpu, Machine, Memory
from desktop.services import fit_model
from desktop.services.companion_files import companions_of
from desktop.services.fit_model import fit
from tests.fit.architectures import MODELS
from tests.fit.projectors import write_siglip
from tests.gguf_files import F32, Array, LlamaShape, Tensor, write_gguf, write_split
from tests.tiny_models import write_tiny_model

GIB = 2**30
SMALL = Machine(Memory(8 * GIB, 6 * GIB), Cpu(logical_cores=2))
WITH_GPU = Machine(
    Memory(8 * GIB, 6 * GIB),
    Cpu(logical_cores=2),
    (Gpu("RTX", "nvidia", "cuda", 8 * GIB, 7 * GIB, device="CUDA0"),),
    engine=EngineInfo("1", ("CUDA", "CPU")),
)


class Runs:
    """Counts what is asked of llama.cpp and answers with one figure."""

    def __init__(self, compute_bytes: int = 1_000_000) -> None:
        self.asked: list[tuple[Path, Plan]] = []
        self._compute_bytes = compute_bytes

    def __call__(self, path: Path, plan: Plan) -> DryRun:
        assert path.stat().st_size > 0
        self.asked.append((path, plan))
        return DryRun({"CPU": DeviceBuffers(None, None, self._compute_bytes)}, 0)


def test_llama_cpp_is_asked_for_its_buffers(tiny_model: Path) -> None:
    runs = Runs(123_456)
    report = fit(tiny_model, SMALL, Wish(), run=runs)
    assert report.method == "dry_run"
    assert report.memory[0].compute_bytes >= 123_456
    assert runs.asked[0][0] == tiny_model


def test_the_real_dry_run_agrees_with_the_header(tiny_model: Path) -> None:
    asked = fit(tiny_model, SMALL, Wish(context=1024))
    assert asked.method == "dry_run"
    computed = fit(tiny_model, SMALL, Wish(context=1024), try_out=False)
    assert computed.method == "header"
    assert asked.memory[0].weights_bytes == computed.memory[0].weights_bytes
    assert asked.memory[0].compute_bytes > 0


def test_a_header_whose_data_is_missing_is_answered_the_same(
    tiny_model: Path, tmp_path: Path
) -> None:
    header = read_header(tiny_model)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny_model.read_bytes()[: header.data_offset + 10])
    with pytest.raises(ModelFileError, match="truncated_gguf"):
        read_header(cut)
    whole, partial = fit(tiny_model, SMALL, Wish()), fit(cut, SMALL, Wish())
    assert partial.method == "dry_run"
    assert partial.memory == whole.memory
    assert partial.model.file_bytes == whole.model.file_bytes


def test_a_described_machine_with_graphics_is_not_asked_here(tiny_model: Path) -> None:
    runs = Runs()
    report = fit(tiny_model, WITH_GPU, Wish(), this_machine=False, run=runs)
    assert report.verdict == "gpu"
    assert report.method == "header"
    assert runs.asked == []
    on_cpu = fit(tiny_model, WITH_GPU, Wish(gpu_layers=0), this_machine=False, run=runs)
    assert on_cpu.method == "dry_run"
    assert len(runs.asked) == 1


def test_an_engine_that_cannot_be_asked_leaves_the_arithmetic(tiny_model: Path) -> None:
    def broken(_path: Path, _plan: Plan) -> DryRun:
        raise EngineError("dry_run_died")

    report = fit(tiny_model, SMALL, Wish(), run=broken)
    assert report.method == "header"
    assert report == fit(tiny_model, SMALL, Wish(), try_out=False)


def test_a_file_that_the_engine_refuses_is_not_just_called_fitting(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "m.gguf", metadata={"tokenizer.ggml.model": "unheard-of"})
    report = fit(path, SMALL, Wish())
    assert report.method == "header"
    assert [warning.kind for warning in report.warnings] == ["engine_refuses"]


def test_files_that_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="not_gguf"):
        fit(tmp_path / "x.gguf", SMALL, Wish())


def test_a_split_model_whose_data_is_missing_is_tried_out(tmp_path: Path) -> None:
    """As of headers from the Hub: parts that end behind their tensor lists."""
    shape = LlamaShape(layers=4, vocab=64)
    tensors = shape.tensors()
    metadata = shape.metadata() | {"tokenizer.ggml.model": "test"}
    metadata["tokenizer.ggml.scores"] = Array(F32, [0.0] * 64)
    first = write_split(tmp_path / "m.gguf", metadata, [tensors[:9], tensors[9:20], tensors[20:]])
    whole = fit(first, SMALL, Wish(context=512))
    for number, path in enumerate(read_header(first).paths):
        with open_reader(path) as reader:
            part = read_part(reader, str(path), number)
        os.truncate(path, part.data_offset)
    cut = read_header(first, allow_missing_data=True)
    assert not cut.complete
    partial = fit(cut, SMALL, Wish(context=512))
    assert (whole.method, partial.method) == ("dry_run", "dry_run")
    assert partial.memory == whole.memory


def test_what_is_opened_beside_the_model_counts(tiny_model: Path, tmp_path: Path) -> None:
    sizes = {"layers": 2, "width": 64, "feed_forward": 128, "heads": 4, "image": 56}
    projector = write_siglip(tmp_path / "mmproj.gguf", **sizes)
    companions = companions_of(projector=projector, draft=tiny_model)
    alone = fit(tiny_model, SMALL, Wish(context=512))
    together = fit(tiny_model, SMALL, Wish(context=512), companions=companions)
    more = together.memory[0].weights_bytes - alone.memory[0].weights_bytes
    assert more == alone.memory[0].weights_bytes + read_header(projector).tensor_bytes
    assert together.memory[0].context_bytes == 2 * alone.memory[0].context_bytes


def test_a_projector_that_cannot_be_tried_is_estimated(tiny_model: Path, tmp_path: Path) -> None:
    """Its tensors do not belong to such a tower: libmtmd refuses, the estimate stays."""
    bad = write_gguf(
        tmp_path / "mmproj.gguf",
        {"general.architecture": "clip", "clip.projector_type": "unheard-of"},
        [Tensor("v.nothing.weight", (32, 32))],
    )
    report = fit(tiny_model, SMALL, Wish(), companions=companions_of(projector=bad))
    assert report.method == "dry_run"
    assert report.memory[0].compute_bytes > 16 << 20


def test_files_that_are_not_what_they_are_given_as(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not_a_projector"):
        companions_of(projector=tiny_model)
    with pytest.raises(ModelFileError, match="not_an_adapter"):
        companions_of(loras=[tiny_model])
    projector = write_siglip(tmp_path / "mmproj.gguf", layers=1, width=64, heads=4)
    with pytest.raises(ModelFileError, match="no_language_model"):
        companions_of(draft=projector)


def test_what_the_arithmetic_overlooks_is_not_lost(tiny_model: Path) -> None:
    """A kind of model whose context llama.cpp knows and the formulas do not."""

    def more(_path: Path, _plan: Plan) -> DryRun:
        return DryRun({"CPU": DeviceBuffers(3 * GIB, 100, 1_000_000)}, 0)

    report = fit(tiny_model, SMALL, Wish(), run=more)
    assert report.memory[0].total_bytes == pytest.approx(3 * GIB, rel=0.01)
    elsewhere = fit(tiny_model, SMALL, Wish(), run=more, this_machine=False)
    assert elsewhere.memory[0].total_bytes < 1 * GIB


def test_a_large_vocabulary_is_left_out_and_the_answer_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = MODELS["qwen3"]().write(tmp_path / "m.gguf")
    lean = fit(path, SMALL, Wish(context=1024), advise=False)

    def no_holes(*_arguments: object) -> None:
        raise OSError("this disk stores empty space in full")

    monkeypatch.setattr(fit_model, "write_lean", no_holes)
    whole = fit(path, SMALL, Wish(context=1024), advise=False)
    assert lean.method == whole.method == "dry_run"
    assert lean == whole


def test_a_tokenizer_that_the_engine_does_not_know_is_told_all_the_same(tmp_path: Path) -> None:
    model = MODELS["qwen3"]()
    metadata = model.full_metadata() | {"tokenizer.ggml.pre": "unheard-of"}
    path = write_gguf(tmp_path / "m.gguf", metadata, model.tensors)
    report = fit(path, SMALL, Wish(), advise=False)
    assert report.method == "header"
    assert "engine_refuses" in [warning.kind for warning in report.warnings]


def test_a_header_without_its_data_and_with_a_large_vocabulary(tmp_path: Path) -> None:
    """As every header that comes from the Hub."""
    path = MODELS["gemma3"]().write(tmp_path / "m.gguf", with_data=False)
    report = fit(path, SMALL, Wish(context=1024), advise=False)
    assert report.method == "dry_run"
    whole = MODELS["gemma3"]().write(tmp_path / "whole.gguf")
    assert report.memory == fit(whole, SMALL, Wish(context=1024), advise=False).memory
