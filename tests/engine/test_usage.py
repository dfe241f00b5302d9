"""What a loaded model holds: llama.cpp's breakdown, its log, and the two against each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from desktop.engine import usage
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.loaded import Loaded
from desktop.engine.usage import device_free_bytes, logged_sizes, memory_usage
from desktop.fit.memory import Footprint
from desktop.fit.overheads import output_bytes
from desktop.gguf.reader import read_header
from desktop.hardware.machine import Device
from tests.engine.driving import plan_for
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import write_tiny_model

_A_BUFFER = 10_000  # the log rounds to 0.01 MiB

WRITERS = [write_tiny_model, write_tiny_gemma2, write_tiny_mamba]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("mapped", [True, False])
def test_usage_is_what_the_header_says(tmp_path: Path, writer: Any, mapped: bool) -> None:
    path = writer(tmp_path / "model.gguf")
    plan, header = plan_for(use_mmap=mapped), read_header(path)
    loaded = Loaded(path, plan)
    try:
        found = memory_usage(loaded.model, loaded.context)
    finally:
        loaded.close()
    assert found is not None
    (cpu,) = found
    placed = Footprint(header).place(plan)["CPU"]
    assert cpu.device == "CPU"
    assert cpu.weights_bytes == pytest.approx(placed.weights_bytes, abs=_A_BUFFER)
    assert cpu.context_bytes == pytest.approx(placed.context_bytes, abs=_A_BUFFER)
    assert cpu.output_bytes == output_bytes(header, plan)
    assert cpu.compute_bytes > 0
    assert cpu.total_bytes == (
        cpu.weights_bytes + cpu.context_bytes + cpu.compute_bytes + cpu.output_bytes
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the breakdown is readable on Linux only")
@pytest.mark.parametrize("writer", WRITERS)
def test_the_log_says_what_the_breakdown_says(
    tmp_path: Path, writer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = Loaded(writer(tmp_path / "model.gguf"), plan_for(use_mmap=False))
    try:
        exact = memory_usage(loaded.model, loaded.context)
        monkeypatch.setattr(usage, "memory_breakdown", lambda *_: None)
        logged = memory_usage(loaded.model, loaded.context)
    finally:
        loaded.close()
    assert exact is not None
    assert logged is not None
    for one, other in zip(exact, logged, strict=True):
        assert other.device == one.device
        assert other.weights_bytes == pytest.approx(one.weights_bytes, abs=_A_BUFFER)
        assert other.context_bytes == pytest.approx(one.context_bytes, abs=2 * _A_BUFFER)
        assert other.compute_bytes == pytest.approx(one.compute_bytes, abs=_A_BUFFER)


def test_a_log_of_several_devices_is_summed_by_device() -> None:
    lines = [
        "load_tensors:        CUDA0 model buffer size =  1000.00 MiB",
        "load_tensors:   CPU_Mapped model buffer size =   100.00 MiB",
        "load_tensors:   CPU_REPACK model buffer size =    50.00 MiB",
        "llama_kv_cache:      CUDA0 KV buffer size =     4.00 MiB",
        "llama_kv_cache:      CUDA0 KV buffer size =     2.00 MiB",
        "llama_memory_recurrent:      CUDA0 RS buffer size =     1.00 MiB",
        "sched_reserve:      CUDA0 compute buffer size =    30.00 MiB",
        "sched_reserve:  CUDA_Host compute buffer size =     3.00 MiB",
        "sched_reserve:      CUDA0 compute buffer size =    31.00 MiB",
        "something else",
    ]
    found = logged_sizes(lines, [Device("CUDA0", "A card", "gpu", 1, 1)])
    mib = 1 << 20
    assert found["CUDA0"].weights_bytes == 1000 * mib
    assert found["CUDA0"].context_bytes == 7 * mib
    assert found["CUDA0"].compute_bytes == 31 * mib
    assert found["CPU"].weights_bytes == 150 * mib
    assert found["CPU"].compute_bytes == 3 * mib


def test_where_neither_breakdown_nor_log_tells_nothing_is_claimed(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = Loaded(tiny_model, plan_for())
    try:
        monkeypatch.setattr(usage, "memory_breakdown", lambda *_: None)
        loaded.model.buffer_log = ()
        loaded.context.buffer_log = ()
        assert memory_usage(loaded.model, loaded.context) is None
    finally:
        loaded.close()


def test_usage_survives_json_and_refuses_nonsense() -> None:
    row = DeviceUsage("CUDA0", 4, 3, 2, 1)
    assert DeviceUsage.from_json(row.to_json()) == row
    for broken in ({}, {**row.to_json(), "weights_bytes": "4"}, {**row.to_json(), "device": 7}):
        with pytest.raises(ValueError, match="usage"):
            DeviceUsage.from_json(broken)


def test_every_device_tells_what_is_free(tiny_model: Path) -> None:
    loaded = Loaded(tiny_model, plan_for())
    try:
        free = device_free_bytes(loaded.model.llama)
    finally:
        loaded.close()
    assert free["CPU"] > 0
