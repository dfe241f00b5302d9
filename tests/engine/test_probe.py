"""Hostile model files: each a clear error, or a death in a child that is a result here."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from desktop.common.errors import CancelledError, LoadError
from desktop.engine.cancel import CancelToken
from desktop.engine.dry_run import DeviceBuffers, dry_run
from desktop.engine.dry_run_job import device_of
from desktop.engine.loaded import Loaded
from desktop.engine.probe import ProbeResult, probe
from tests.engine.driving import plan_for
from tests.tiny_architectures import write_tiny_bert, write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import Array, vocabulary, write_tiny_model

TIME_S = 60.0


def _probe(path: Path, **plan: Any) -> ProbeResult:
    return probe(path, plan_for(**plan), timeout_s=TIME_S)


def _not_a_number(weights: dict[str, Array]) -> None:
    weights["blk.0.ffn_down.weight"][0, 0] = np.nan


def _all_infinite(weights: dict[str, Array]) -> None:
    weights["output.weight"][:] = np.inf


def test_a_good_model_passes_and_tells_its_peak(tiny_model: Path) -> None:
    result = _probe(tiny_model)
    assert result.ok, result
    assert (result.kind, result.error_kind) == ("", "")
    assert result.peak_bytes is not None
    assert 10 << 20 < result.peak_bytes < 500 << 20


def test_a_large_parent_does_not_make_the_peak_larger(tiny_model: Path) -> None:
    """getrusage would give the child the size that its parent had when it was started."""
    ballast = b"\x01" * (600 << 20)
    result = _probe(tiny_model)
    assert len(ballast) == 600 << 20
    assert result.peak_bytes is not None
    assert result.peak_bytes < 500 << 20


@pytest.mark.parametrize("writer", [write_tiny_mamba, write_tiny_gemma2])
def test_other_architectures_pass(tmp_path: Path, writer: Any) -> None:
    assert _probe(writer(tmp_path / "model.gguf")).ok


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"tokenizer": False}, "load_failed"),
        ({"change": _not_a_number}, "broken_numbers"),
        ({"change": _all_infinite}, "broken_numbers"),
        ({"metadata": {"general.architecture": "made-up"}}, "load_failed"),
        ({"metadata": {"llama.attention.head_count": 0}}, "load_failed"),
        ({"metadata": {"llama.embedding_length": 96}}, "load_failed"),
        ({"metadata": {"llama.block_count": 9}}, "load_failed"),
        ({"metadata": {"tokenizer.ggml.model": "made-up"}}, "load_failed"),
        ({"metadata": {"tokenizer.ggml.tokens": vocabulary(288)[:200]}}, "load_failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_what_llama_cpp_refuses_is_refused_with_its_words(
    tmp_path: Path, more: dict[str, Any], kind: str
) -> None:
    result = _probe(write_tiny_model(tmp_path / "model.gguf", **more))
    assert not result.ok
    assert (result.kind, result.error_kind) == ("refused", kind)
    assert result.detail


@pytest.mark.parametrize("pooling", [gguf.PoolingType.MEAN, gguf.PoolingType.RANK])
def test_a_model_that_only_reads_passes(tmp_path: Path, pooling: gguf.PoolingType) -> None:
    result = _probe(write_tiny_bert(tmp_path / "model.gguf", pooling=pooling))
    assert result.ok, result


@pytest.mark.parametrize(
    "metadata",
    [
        {"llama.attention.layer_norm_rms_epsilon": -1.0},
        {"llama.block_count": 4_000_000_000},
        {"llama.expert_count": 100_000},
        {"llama.rope.scaling.type": "made-up"},
    ],
    ids=str,
)
def test_what_aborts_llama_cpp_aborts_a_child(tmp_path: Path, metadata: dict[str, Any]) -> None:
    result = _probe(write_tiny_model(tmp_path / "model.gguf", metadata=metadata))
    assert not result.ok
    assert result.kind == "aborted"
    assert "GGML_ASSERT" in result.detail or "rope" in result.detail.lower()


@pytest.mark.parametrize(
    "metadata",
    [
        {"tokenizer.ggml.bos_token_id": 4_000_000},
        {"tokenizer.ggml.eos_token_id": 4_000_000},
        {"llama.context_length": 0},
        {"tokenizer.chat_template": "{% broken"},
        {"tokenizer.ggml.pre": "tekken"},
        {"general.name": "x" * 100_000},
    ],
    ids=lambda metadata: next(iter(metadata)),
)
def test_strange_but_harmless_values_work(tmp_path: Path, metadata: dict[str, Any]) -> None:
    result = _probe(write_tiny_model(tmp_path / "model.gguf", metadata=metadata))
    assert result.ok, result


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, tiny_model: Path, share: float) -> None:
    cut = tmp_path / "cut.gguf"
    raw = tiny_model.read_bytes()
    cut.write_bytes(raw[: int(len(raw) * share)])
    result = _probe(cut)
    assert (result.kind, result.error_kind) == ("refused", "load_failed")


_CUT_WHILE_OPEN = """
import os, sys
from pathlib import Path
from desktop.engine.loaded import Loaded
from tests.engine.driving import answer, ask, plan_for
path = Path(sys.argv[1])
loaded = Loaded(path, plan_for(use_mmap=sys.argv[2] == "mapped"))
os.truncate(path, 4096)
answer(loaded.batcher, ask("1", "Hallo, Welt! " * 20, 5)).end
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be cut on Windows")
def test_a_file_cut_while_it_is_mapped_kills_but_read_it_does_not(tmp_path: Path) -> None:
    """Why removable and network drives are not mapped: their files may shrink or vanish."""
    ends = {}
    for way in ("mapped", "read"):
        path = write_tiny_model(tmp_path / f"{way}.gguf", width=256)
        command = [sys.executable, "-c", _CUT_WHILE_OPEN, str(path), way]
        ends[way] = subprocess.run(command, check=False, cwd=Path.cwd()).returncode
    assert ends == {"mapped": -signal.SIGBUS, "read": 0}


def test_a_probe_that_takes_too_long_is_a_result(tiny_model: Path) -> None:
    result = probe(tiny_model, plan_for(), timeout_s=0.001)
    assert (result.ok, result.kind) == (False, "timeout")


def test_a_probe_can_be_cancelled(tiny_model: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        probe(tiny_model, plan_for(), timeout_s=TIME_S, cancel=token)


def test_broken_numbers_are_refused_in_this_process_too(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "nan.gguf", change=_not_a_number)
    with pytest.raises(LoadError) as caught:
        Loaded(path, plan_for())
    assert caught.value.kind == "broken_numbers"


def test_the_dry_run_says_what_the_real_load_takes(tiny_model: Path) -> None:
    found = dry_run(tiny_model, plan_for(context=4096, parallel=4, ubatch=256), timeout_s=TIME_S)
    assert found.output_bytes == 288 * 4 * 4
    cpu = found.devices["CPU"]
    assert cpu.compute_bytes > 100_000
    if sys.platform == "linux":
        # 2 layers, keys and values of 2 heads of 16 values, f16
        assert cpu.context_bytes == 4096 * 2 * 2 * 32 * 2
        assert cpu.weights_bytes is not None
        assert math.isclose(cpu.weights_bytes, tiny_model.stat().st_size, rel_tol=0.1)


def test_a_dry_run_of_no_model_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "no.gguf"
    path.write_text("nothing")
    with pytest.raises(LoadError) as caught:
        dry_run(path, plan_for(), timeout_s=TIME_S)
    assert caught.value.kind == "load_failed"
    with pytest.raises(LoadError) as caught:
        dry_run(path, plan_for(), timeout_s=0.001)
    assert caught.value.kind == "dry_run_hangs"


def test_a_dry_run_that_dies_is_an_error(tmp_path: Path) -> None:
    metadata = {"llama.block_count": 4_000_000_000}
    path = write_tiny_model(tmp_path / "model.gguf", metadata=metadata)
    with pytest.raises(LoadError) as caught:
        dry_run(path, plan_for(), timeout_s=TIME_S)
    assert caught.value.kind == "dry_run_died"


def test_buffers_belong_to_devices() -> None:
    known = ["CUDA0", "MTL0", "CPU"]
    assert device_of("CUDA0", known) == "CUDA0"
    assert device_of("MTL0_Mapped", known) == "MTL0"
    assert {device_of(name, known) for name in ("CUDA_Host", "CPU_REPACK", "CPU_Mapped")} == {"CPU"}
    assert DeviceBuffers(None, None, 5).compute_bytes == 5
