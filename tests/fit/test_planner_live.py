"""Plans carried out: layers lie on the devices that the plan names, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.engine.trial import TrialSize, run_trial
from desktop.fit.planner import judge, plan
from desktop.fit.types import FitReport, Wish
from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Gpu, Machine, Memory
from tests.fit.machines import GIB, LAPTOP_CPU
from tests.rpc_servers import rpc_server
from tests.tiny_models import write_tiny_model

MIB = 1 << 20
LITTLE = TrialSize(prompt_tokens=8, gen_tokens=2, measure_s=0.0)


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen layers of 6 MiB: enough to be divided."""
    folder = tmp_path_factory.mktemp("deep")
    return write_tiny_model(folder / "deep.gguf", layers=13, width=512, vocab=2048)


def _cards(*free_mib: int) -> Machine:
    """Cards as large as that; a small one keeps a quarter as its margin."""
    cards = tuple(
        Gpu(f"Card {place}", "other", "", GIB, free * MIB, device=f"RPC{place}")
        for place, free in enumerate(free_mib)
    )
    return Machine(Memory(16 * GIB, 8 * GIB), LAPTOP_CPU, cards)


def _weights_and_context(report: FitReport) -> dict[str, tuple[int, int]]:
    return {row.device: (row.weights_bytes, row.context_bytes) for row in report.memory}


@pytest.mark.parametrize("free", [(90, 60), (60, 90), (80, 80)])
def test_every_layer_lies_where_the_plan_says(deep: Path, free: tuple[int, int]) -> None:
    header: ModelHeader = read_header(deep)
    wish = Wish(context=512, kv_type="f16", ubatch=32, threads=1, gpu_layers=11)
    report = plan(_cards(*free), header, wish)
    assert report.verdict == "partly_gpu"
    assert len(report.plan.split) == 2
    with rpc_server() as one, rpc_server() as other:
        done = run_trial(deep, report.plan, size=LITTLE, servers=[one, other])
    assert done.ok, done.detail
    assert done.usage is not None
    used = {part.device: (part.weights_bytes, part.context_bytes) for part in done.usage}
    assert used == _weights_and_context(report)


def test_another_order_of_the_devices_is_kept(deep: Path) -> None:
    machine = _cards(90, 90)
    header = read_header(deep)
    report = plan(machine, header, Wish(context=512, kv_type="f16", ubatch=32, gpu_layers=9))
    turned = replace(report.plan, device="", split=(("RPC1", 2), ("RPC0", 7)), threads=1)
    judged = judge(machine, header, turned)
    with rpc_server() as one, rpc_server() as other:
        done = run_trial(deep, turned, size=LITTLE, servers=[one, other])
    assert done.ok, done.detail
    assert done.usage is not None
    used = {part.device: (part.weights_bytes, part.context_bytes) for part in done.usage}
    assert used == _weights_and_context(judged)
    assert used["RPC0"][0] > used["RPC1"][0]  # seven places with the output, against two


def test_a_context_that_the_planner_made_cheaper_can_be_opened(deep: Path) -> None:
    header = read_header(deep)
    reports = (
        plan(Machine(Memory(16 * GIB, free * MIB), LAPTOP_CPU), header, Wish(threads=1))
        for free in range(400, 0, -4)
    )
    report = next(report for report in reports if report.plan.kv_type == "q8_0")
    assert report.verdict == "cpu"
    done = run_trial(deep, report.plan, size=LITTLE)
    assert done.ok, done.detail
    assert done.usage is not None
    assert sum(part.context_bytes for part in done.usage) == report.memory[0].context_bytes
