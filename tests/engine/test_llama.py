"""The one door to llama.cpp."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desktop.engine.abort import AbortFlag
from desktop.engine.backends import report, report_in_child
from desktop.engine.batching.pace import Pace
from desktop.engine.llama import llama
from desktop.engine.loaded import Loaded
from desktop.engine.log_tail import LogTail
from tests.engine.conftest import LoadModel
from tests.engine.driving import plan_for

_LIGHT = """
import sys
from desktop.engine.llama import llama
llama()
heavy = {"numpy", "jinja2", "llama_cpp", "llama_cpp.llama"} & set(sys.modules)
assert not heavy, heavy
import llama_cpp
assert llama_cpp.llama_cpp is llama().lib
assert llama_cpp.__version__ == llama().version
"""


def test_the_bindings_come_alone_and_the_whole_package_still_can() -> None:
    subprocess.run([sys.executable, "-c", _LIGHT], check=True, cwd=Path.cwd())


def test_importing_the_engine_loads_no_library() -> None:
    code = (
        "import sys, desktop.engine.local, desktop.engine.probe, desktop.engine.dry_run\n"
        "assert not {m for m in sys.modules if m.startswith(('llama_cpp', 'jinja2', 'numpy'))}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path.cwd())


def test_the_cpu_is_always_a_device() -> None:
    info = report()
    assert "CPU" in info.backends
    cpu = next(device for device in info.devices if device.type == "cpu")
    assert cpu.name == "CPU"
    assert cpu.total_bytes > 0
    assert llama().find_device("CPU")
    assert llama().find_device("CUDA99") is None


def test_the_same_report_from_a_child() -> None:
    mine, other = report(), report_in_child(30)
    assert (mine.version, mine.backends) == (other.version, other.backends)
    assert [device.name for device in mine.devices] == [device.name for device in other.devices]


def test_nothing_is_printed(load_model: LoadModel, capfd: pytest.CaptureFixture[str]) -> None:
    loaded = load_model()
    assert any("llama" in line for line in loaded.model.llama.log.since(0))
    assert capfd.readouterr() == ("", "")


def test_the_log_keeps_the_last_lines_and_finds_the_complaints() -> None:
    log = LogTail()
    log.receive(2, b"loading\n", None)
    mark = log.mark()
    log.receive(1, b"debug is left out\n", None)
    log.receive(3, b"a warning\n", None)
    assert log.complaints(mark) == "a warning"
    log.receive(4, b"an error: ", None)
    log.receive(5, b"its second half\n", None)
    log.receive(2, b"......\n", None)
    assert log.complaints(mark) == "an error:\nits second half"
    assert log.since(mark) == ["a warning", "an error:", "its second half"]
    for number in range(5000):
        log.receive(2, f"{number}\n".encode(), None)
    assert log.since(mark)[-1] == "4999"
    assert len(log.since(0)) == 3000
    assert log.complaints(log.mark()) == ""


def test_the_abort_flag_is_a_string_length() -> None:
    flag = AbortFlag(llama().lib.ggml_abort_callback)
    assert not flag.callback(flag.data)
    flag.set()
    assert flag.is_set
    assert flag.callback(flag.data)
    flag.clear()
    assert not flag.callback(flag.data)


def test_the_pace_keeps_a_step_near_its_target() -> None:
    pace = Pace(512, target_s=0.05)
    assert pace.prompt_tokens == 128  # nothing is known yet
    pace.measured(128, 0.01)
    pace.measured(256, 0.02)
    assert pace.prompt_tokens == 512
    pace.measured(512, 1.0)  # 512 tokens a second: 25 in 50 ms, and 32 at least
    assert pace.prompt_tokens == 32
    pace.measured(32, 0.001)
    assert pace.prompt_tokens == 64  # not at once to 512: it may have been chance
    pace.measured(10, 10.0)  # too few to judge by
    assert pace.prompt_tokens == 64
    pace.halve()
    assert pace.prompt_tokens == 32
    for _ in range(10):
        pace.halve()
    assert pace.prompt_tokens == 1
    for _ in range(10):
        pace.measured(pace.prompt_tokens, 0.001)
    assert pace.prompt_tokens == 512


@pytest.mark.parametrize("mapped", [True, False])
def test_a_model_whose_memory_is_locked(tiny_model: Path, mapped: bool) -> None:
    """As far as the system's limit allows; beyond it llama.cpp warns and goes on."""
    loaded = Loaded(tiny_model, plan_for(use_mmap=mapped, lock_memory=True))
    locked = _locked_bytes()
    loaded.close()
    assert locked is None or locked > 0


def _locked_bytes() -> int | None:
    """What of this process cannot be swapped out; None where nobody tells or none is allowed."""
    try:
        import resource

        status = Path("/proc/self/status").read_text(encoding="ascii")
    except (ImportError, OSError):
        return None
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == 0:
        return None
    return int(status.partition("VmLck:")[2].split()[0])
