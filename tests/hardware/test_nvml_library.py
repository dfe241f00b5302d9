"""The whole way to NVIDIA's driver and back, with libraries in its place that we compile here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desktop.hardware.detect import survey
from desktop.hardware.linux import LinuxPlatform
from desktop.hardware.machine import Machine, Memory
from desktop.hardware.nvidia import NvidiaProbe
from tests.hardware.trees import GIB, Tree

_COMPILER = shutil.which("cc") or shutil.which("gcc")
pytestmark = pytest.mark.skipif(
    _COMPILER is None or sys.platform != "linux", reason="needs a C compiler and Linux' loader"
)

# NVML's functions by their names in the library (nvml.h); every one succeeds.
_HEALTHY = """
#include <string.h>
#include <stdlib.h>
#include <unistd.h>
typedef struct { unsigned long long total, free, used; } memory_t;
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned n) { strcpy(text, "560.35.03"); return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 1; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **device) { *device = (void *)1; return 0; }
int nvmlDeviceGetName(void *device, char *text, unsigned n) { strcpy(text, "Test RTX"); return 0; }
int nvmlDeviceGetCudaComputeCapability(void *device, int *a, int *b) { *a = 8; *b = 9; return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory_t *m)
{ m->total = 8ull << 30; m->free = 7ull << 30; m->used = 1ull << 30; return 0; }
const char *nvmlErrorString(int code) { return "told by the library"; }
"""


@pytest.fixture
def driver(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A machine with a listed NVIDIA card, and a folder where its library is looked for."""
    tree.pci("0000:01:00.0", 0x10DE, 0x2684)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tree.root / "lib"))
    return tree


def _look(tree: Tree, old: str = "", new: str = "", *, limit_s: float = 20) -> Machine:
    """Compile the library with one change, and look at the machine with it."""
    assert old in _HEALTHY
    source = tree.write("nvml.c", _HEALTHY.replace(old, new))
    library = tree.root / "lib" / "libnvidia-ml.so.1"
    library.parent.mkdir()
    assert _COMPILER is not None
    subprocess.run([_COMPILER, "-shared", "-fPIC", "-w", "-o", library, source], check=True)
    linux = LinuxPlatform(tree.files, lambda: Memory(16 * GIB), lambda: None)
    return survey(linux, NvidiaProbe(), disk_path=Path(), measure=False, gpu_limit_s=limit_s)


def _kinds(machine: Machine) -> list[str]:
    return [note.kind for note in machine.notes]


def test_a_healthy_driver(driver: Tree) -> None:
    machine = _look(driver)
    (gpu,) = machine.gpus
    assert (gpu.name, gpu.driver, gpu.compute_capability) == ("Test RTX", "560.35.03", "8.9")
    assert (gpu.total_bytes, gpu.free_bytes) == (8 * GIB, 7 * GIB)
    assert machine.notes == ()


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("flags) { return 0; }", "flags) { return 18; }", "wrong_version"),
        ("flags) { return 0; }", "flags) { return 9; }", "driver_not_loaded"),
        ("flags) { return 0; }", "flags) { return 999; }", "failed"),
        ("flags) { return 0; }", "flags) { abort(); }", "failed"),
        ("int nvmlDeviceGetCount_v2", "int nvmlDeviceGetCount_v9", "wrong_version"),
        ("*n = 1; return 0;", "return 1;", "failed"),
        ("*n = 1; return 0;", "*n = 0; return 0;", "no_card"),
    ],
)
def test_a_driver_that_fails(driver: Tree, old: str, new: str, kind: str) -> None:
    machine = _look(driver, old, new)
    assert machine.gpus == ()
    assert _kinds(machine) == [f"nvidia_{kind}"]


def test_a_driver_that_lies(driver: Tree) -> None:
    machine = _look(driver, "m->total = 8ull << 30;", "m->total = ~0ull;")
    assert machine.gpus == ()
    assert _kinds(machine) == ["gpu_implausible"]


@pytest.mark.parametrize(
    "function", ["nvmlInitWithFlags(unsigned flags) {", "nvmlDeviceGetCount_v2(unsigned *n) {"]
)
def test_a_driver_that_hangs(driver: Tree, function: str) -> None:
    """Deaf to signals, too, as far as a process can be."""
    deaf = (
        f"{function} signal(15, (void (*)(int))1); signal(2, (void (*)(int))1); for (;;) pause();"
    )
    started = time.monotonic()
    machine = _look(driver, function, deaf, limit_s=1.5)
    assert time.monotonic() - started < 8  # 1.5 s, and compiling on a busy machine
    assert machine.gpus == ()
    assert _kinds(machine) == ["nvidia_no_answer"]


def test_no_library(driver: Tree) -> None:
    linux = LinuxPlatform(driver.files, lambda: Memory(16 * GIB), lambda: None)
    machine = survey(linux, NvidiaProbe(), disk_path=Path(), measure=False, gpu_limit_s=20)
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has a real driver, which answers instead")
    assert machine.gpus == ()
    assert _kinds(machine) == ["nvidia_no_driver"]
