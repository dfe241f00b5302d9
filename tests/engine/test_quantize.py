"""The quantizer in a child: what it writes, and how it ends when it must."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest

from desktop.common.errors import CancelledError, EngineError
from desktop.engine.cancel import CancelToken
from desktop.engine.probe import probe
from desktop.engine.quantize import QuantizeStep, quantize
from desktop.gguf.quantizer import FILE_TYPE_NUMBERS
from desktop.gguf.reader import read_header
from tests.engine.driving import plan_for
from tests.tiny_models import Array, write_tiny_model


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of whole blocks, as real models have them."""
    folder = tmp_path_factory.mktemp("wide")
    return write_tiny_model(folder / "wide.gguf", width=256, layers=4)


@pytest.mark.parametrize("quantization", ["Q8_0", "Q4_K_M", "IQ4_XS", "Q2_K"])
def test_the_new_file_opens_and_writes(wide_model: Path, tmp_path: Path, quantization: str) -> None:
    steps: list[QuantizeStep] = []
    target = tmp_path / "small.gguf"
    quantize(wide_model, target, FILE_TYPE_NUMBERS[quantization], threads=2, on_step=steps.append)
    header = read_header(target)
    assert header.quantization == quantization
    assert len(header.tensors) == len(read_header(wide_model).tensors)
    assert steps
    assert probe(target, plan_for(), timeout_s=60.0).ok


def test_names_beyond_ascii_are_no_hindrance(wide_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "Größe 模型"
    folder.mkdir()
    source = folder / "Übung.gguf"
    source.write_bytes(wide_model.read_bytes())
    quantize(source, folder / "small.part", 7, threads=1, on_step=lambda _step: None)
    assert read_header(folder / "small.part").quantization == "Q8_0"


def test_a_cancel_ends_the_child(wide_model: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    before = set(psutil.Process().children())  # other tests' children, which live on
    children: list[psutil.Process] = []

    def stop(_step: QuantizeStep) -> None:
        children.extend(set(psutil.Process().children()) - before)
        cancel.cancel()

    with pytest.raises(CancelledError):
        quantize(wide_model, tmp_path / "x.part", 7, threads=1, on_step=stop, cancel=cancel)
    assert children
    assert not any(child.is_running() for child in children)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("number", "kind"),
    [("SIGKILL", "out_of_memory_quantizing"), ("SIGABRT", "quantize_died")],
)
def test_a_death_in_the_child_is_an_error_here(
    wide_model: Path, tmp_path: Path, number: str, kind: str
) -> None:
    """Nobody but the system, out of memory, sends SIGKILL."""

    def kill(_step: QuantizeStep) -> None:
        for child in psutil.Process().children():
            os.kill(child.pid, signal.Signals[number])

    with pytest.raises(EngineError) as died:
        quantize(wide_model, tmp_path / "x.part", 7, threads=1, on_step=kill)
    assert died.value.kind == kind


def test_numbers_that_are_none_are_refused_in_words(tmp_path: Path) -> None:
    def spoil(weights: dict[str, Array]) -> None:
        weights["blk.0.ffn_down.weight"][:] = np.nan

    source = write_tiny_model(tmp_path / "nan.gguf", width=256, change=spoil)
    with pytest.raises(EngineError) as refused:
        quantize(source, tmp_path / "x.part", 15, threads=1, on_step=lambda _step: None)
    assert refused.value.kind == "broken_numbers"


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="no limits of memory here")
def test_too_little_memory_is_told_as_such(tmp_path: Path) -> None:
    """llama.cpp catches its own std::bad_alloc and calls it a failure like any other."""
    source = write_tiny_model(tmp_path / "wide.gguf", width=2048, layers=3, vocab=2048)

    def starve(step: QuantizeStep) -> None:
        for child in psutil.Process().children() if step.tensor else ():
            with contextlib.suppress(psutil.Error, OSError):  # done already: then once more
                held = child.memory_info().vms
                child.rlimit(psutil.RLIMIT_AS, (held, held))

    kinds = set()
    for _ in range(10):  # a child may be through its largest tensor before we come to it
        try:
            quantize(source, tmp_path / "x.part", 10, threads=1, on_step=starve)
        except EngineError as error:
            kinds.add(error.kind)
            break
    assert kinds == {"out_of_memory_quantizing"}


def test_what_llama_cpp_does_not_know_is_refused(tmp_path: Path) -> None:
    source = write_tiny_model(tmp_path / "odd.gguf", metadata={"general.architecture": "made-up"})
    with pytest.raises(EngineError) as refused:
        quantize(source, tmp_path / "x.part", 7, threads=1, on_step=lambda _step: None)
    assert refused.value.kind == "quantize_failed"


def test_a_folder_that_is_not_there_is_an_error(wide_model: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        quantize(wide_model, tmp_path / "no" / "x.part", 7, threads=1, on_step=lambda _step: None)
