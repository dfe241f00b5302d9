"""Trials: what works is measured, what dies is a result; on a second real device as well."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import CancelledError, LoadError
from desktop.engine.cancel import CancelToken
from desktop.engine.llama import llama
from desktop.engine.plan_limits import check_plan
from desktop.engine.process import Child
from desktop.engine.rehearsal import rehearse
from desktop.engine.trial import TrialResult, TrialSize, run_trial
from desktop.fit.types import Plan
from tests.engine.driving import plan_for
from tests.rpc_servers import rpc_server
from tests.tiny_architectures import (
    write_tiny_bert,
    write_tiny_gemma2,
    write_tiny_gpt2,
    write_tiny_mamba,
)
from tests.tiny_models import write_tiny_model

SHORT = TrialSize(prompt_tokens=64, gen_tokens=4, measure_s=0.2)
MIB = 1 << 20

needs_rpc = pytest.mark.skipif(
    sys.platform != "linux" or "RPC" not in llama().backends(), reason="this engine has no RPC"
)


def _try(path: Path, plan: Plan, **more: Any) -> TrialResult:
    return run_trial(path, plan, size=SHORT, **more)


def test_a_model_that_makes_vectors_is_measured_within_its_positions(tmp_path: Path) -> None:
    """llama.cpp ended the process behind its table of positions, for any plan."""
    path = write_tiny_bert(tmp_path / "bert.gguf", context=40)
    result = _try(path, plan_for(context=512, ubatch=512, parallel=1))
    assert result.ok, result


def test_a_table_of_positions_is_never_left(tmp_path: Path) -> None:
    """A chat longer than that ended the process."""
    path = write_tiny_gpt2(tmp_path / "two.gguf", context=64)
    result = run_trial(
        path,
        plan_for(context=512, ubatch=128, parallel=1),
        size=TrialSize(prompt_tokens=200, gen_tokens=80, measure_s=0.3),
    )
    assert result.ok, result
    assert result.runs


@pytest.mark.parametrize("writer", [write_tiny_model, write_tiny_gemma2, write_tiny_mamba])
def test_a_good_plan_is_measured(tmp_path: Path, writer: Any) -> None:
    heard: list[float] = []
    result = _try(writer(tmp_path / "model.gguf"), plan_for(), on_progress=heard.append)
    assert result.ok, result
    assert result.kind == ""
    assert result.tokens_per_s is not None
    assert result.tokens_per_s > 0
    assert result.prompt_tokens_per_s is not None
    assert result.prompt_tokens_per_s > 0
    assert result.load_s is not None
    assert 0 < result.load_s < result.seconds
    assert result.usage is not None
    assert [row.device for row in result.usage] == ["CPU"]
    assert result.peak_bytes is not None
    assert result.peak_bytes > result.usage[0].weights_bytes
    assert result.free_before["CPU"] > 0
    assert heard == sorted(heard)


def test_variants_are_measured_with_one_load(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", width=128)
    base = plan_for(context=512, ubatch=128)
    wanted = [replace(base, threads=2), replace(base, kv_type="q8_0"), replace(base, ubatch=32)]
    result = _try(path, base, variants=wanted)
    assert result.ok, result
    assert {run.plan for run in result.runs} == {base, *wanted}
    assert result.runs[0].plan == base


def test_a_variant_whose_context_cannot_be_had_is_left_out(tiny_model: Path) -> None:
    """Heads of 16 values do not fill the blocks of a quantized cache."""
    base = plan_for(context=512)
    result = _try(
        tiny_model, base, variants=[replace(base, kv_type="q8_0"), replace(base, ubatch=8)]
    )
    assert (result.ok, result.kind) == (True, "")
    assert [run.plan.ubatch for run in result.runs] == [64, 8]


def test_a_context_of_a_few_tokens_is_measured_as_well(tiny_model: Path) -> None:
    assert _try(tiny_model, plan_for(context=256, parallel=1, ubatch=512)).ok


def test_what_is_no_model_is_refused_with_its_kind(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", tokenizer=False)
    result = _try(path, plan_for())
    assert (result.ok, result.kind, result.error_kind) == (False, "refused", "load_failed")
    assert result.detail
    assert result.runs == ()


def test_an_abort_of_llama_cpp_is_a_failed_trial(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", metadata={"llama.expert_count": 100_000})
    result = _try(path, plan_for())
    assert (result.ok, result.kind) == (False, "aborted")


def test_a_variant_that_dies_leaves_what_was_measured(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = plan_for(context=512, ubatch=64)
    told = Child.receive

    def receive(self: Child, timeout_s: float) -> dict[str, Any] | None:
        message = told(self, timeout_s)
        if message is not None and message["event"] == "held":
            os.kill(self.pid, signal.SIGABRT)
        return message

    monkeypatch.setattr(Child, "receive", receive)
    result = _try(tiny_model, base, variants=[replace(base, ubatch=n) for n in (8, 16, 32)])
    assert result.ok
    assert result.runs[0].plan == base
    assert result.kind in ("", "aborted")


def test_a_child_that_says_nothing_is_a_timeout(tiny_model: Path) -> None:
    result = run_trial(tiny_model, plan_for(), timeout_s=0.01)
    assert (result.ok, result.kind) == (False, "timeout")


def test_a_trial_can_be_cancelled(tiny_model: Path) -> None:
    token = CancelToken()
    timer = threading.Timer(0.05, token.cancel)
    timer.start()
    with pytest.raises(CancelledError):
        run_trial(tiny_model, plan_for(), size=TrialSize(measure_s=1000.0), cancel=token)
    timer.join()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_systems_kill_for_memory_is_told_apart(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Child.receive

    def receive(self: Child, timeout_s: float) -> dict[str, Any] | None:
        os.kill(self.pid, signal.SIGKILL)
        return told(self, 5.0)

    monkeypatch.setattr(Child, "receive", receive)
    assert run_trial(tiny_model, plan_for()).kind == "out_of_memory"


def test_a_device_that_is_not_there_is_refused(tiny_model: Path) -> None:
    result = _try(tiny_model, plan_for(gpu_layers=2, device="CUDA7"))
    assert (result.kind, result.error_kind) == ("refused", "device_gone")
    assert result.error_params == {"device": "CUDA7"}
    split = _try(tiny_model, plan_for(gpu_layers=2, split=(("CUDA7", 1), ("CUDA8", 1))))
    assert split.error_kind == "device_gone"


@pytest.mark.parametrize(
    "wrong",
    [
        {"split": (("CUDA0", -1), ("CUDA1", 3))},
        {"split": (("CUDA0", 0), ("CUDA1", 0))},
        {"split": tuple((f"CUDA{n}", 1) for n in range(17))},
        {"threads_batch": -1},
        {"threads_batch": 513},
    ],
    ids=str,
)
def test_a_split_that_would_abort_is_no_plan(wrong: dict[str, Any]) -> None:
    with pytest.raises(LoadError, match="bad_plan"):
        check_plan(plan_for(gpu_layers=2, **wrong))


@needs_rpc
def test_layers_lie_where_the_split_says(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", layers=5, width=128)
    with rpc_server() as one, rpc_server() as other:
        plan = plan_for(gpu_layers=5, split=(("RPC1", 2), ("RPC0", 3)), use_mmap=False)
        result = _try(path, plan, servers=[one, other])
    assert result.ok, result
    assert result.usage is not None
    context = {row.device: row.context_bytes for row in result.usage}
    # Of five layers one stays here; the last share holds the output, which has no context.
    assert context["RPC1"] == 2 * context["CPU"]
    assert context["RPC0"] == 2 * context["CPU"]


@needs_rpc
def test_a_server_that_goes_away_is_a_failed_trial(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", layers=4)
    with rpc_server() as server:
        pass
    result = _try(path, plan_for(gpu_layers=5, device="RPC0"), servers=[server])
    assert not result.ok
    assert result.error_kind in ("no_rpc", "device_gone") or result.kind == "aborted"


@needs_rpc
def test_rehearsal_finds_the_end_of_a_devices_memory() -> None:
    with rpc_server(limit_bytes=200 * MIB) as server:
        given = rehearse({"RPC0": 1000 * MIB, "RPC9": MIB}, servers=[server])
        enough = rehearse({"RPC0": 100 * MIB}, servers=[server])
    assert 120 * MIB < given["RPC0"] <= 200 * MIB
    assert given["RPC9"] == 0
    assert enough["RPC0"] == 100 * MIB


def test_rehearsal_without_the_server_gives_nothing() -> None:
    assert rehearse({"RPC0": MIB}, servers=["127.0.0.1:9"]) == {"RPC0": 0}


@needs_rpc
def test_a_device_that_dies_of_its_memory_costs_a_trial(tmp_path: Path) -> None:
    """Loaded all the same, too many layers end the server, and with it llama.cpp's process."""
    path = write_tiny_model(tmp_path / "model.gguf", layers=8, width=512, vocab=4096)
    with rpc_server(limit_bytes=24 * MIB) as server:
        plan = plan_for(gpu_layers=9, device="RPC0", context=2048, ubatch=512, use_mmap=False)
        died = _try(path, plan, servers=[server])
        after = _try(path, replace(plan, gpu_layers=1, context=256, ubatch=32), servers=[server])
    assert not died.ok
    assert died.kind in ("aborted", "out_of_memory", "refused")
    assert after.ok, after
