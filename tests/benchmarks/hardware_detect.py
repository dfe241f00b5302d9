"""How long it takes to look at this machine, and how steady the bandwidth measurement is.

Run: python tests/benchmarks/hardware_detect.py [--repeat 10]. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from desktop.hardware.abc import GpuScan
from desktop.hardware.bandwidth import BandwidthCache
from desktop.hardware.detect import detect, native_platform, survey
from desktop.hardware.memory_speed import measure_bandwidth
from desktop.hardware.nvidia import NvidiaProbe

_HANGS = "import threading; threading.Event().wait()"
_IMPORT = (
    "import time; start = time.perf_counter(); import desktop.hardware.detect; "
    "print(time.perf_counter() - start)"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=10)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        looks = [_timed_detect(place) for _ in range(repeat)]
        cache = BandwidthCache(place / "bandwidth.json")
        first = time.perf_counter()
        machine = detect(disk_path=place, bandwidth=cache)
        first = time.perf_counter() - first
        second = time.perf_counter()
        detect(disk_path=place, bandwidth=cache)
        second = time.perf_counter() - second
    rates, took, steady = [], [], 0
    for _ in range(repeat):
        start = time.perf_counter()
        speed = measure_bandwidth(machine.cpu, machine.memory)
        rates.append(speed.bytes_per_s / 1e9 if speed else 0.0)
        steady += bool(speed and speed.is_steady)
        took.append(time.perf_counter() - start)
    figures = {
        "import_s": float(_output([sys.executable, "-c", _IMPORT])),
        "detect_without_bandwidth_s": {"median": statistics.median(looks), "max": max(looks)},
        "detect_first_s": first,
        "detect_with_cached_bandwidth_s": second,
        "bandwidth_s": {"median": statistics.median(took), "max": max(took)},
        "bandwidth_gb_per_s": {
            "best": max(rates),
            "median": statistics.median(rates),
            "least": min(rates),
            "steady_share": steady / repeat,
        },
        "nvml_child_s": _nvml_child_s(),
        "everything_hangs_s": _hanging_s(),
    }
    print(json.dumps(figures))


def _timed_detect(place: Path) -> float:
    start = time.perf_counter()
    detect(disk_path=place, measure=False)
    return time.perf_counter() - start


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _nvml_child_s() -> float:
    """NVML's child from start to answer, whatever it answers here."""
    memory = native_platform().memory().memory
    start = time.perf_counter()
    NvidiaProbe().scan(("card",), memory, time.monotonic() + 60)
    return time.perf_counter() - start


def _hanging_s() -> float:
    """The whole look with NVIDIA's driver and the system's GPU scan both hanging."""

    class Hanging(type(native_platform())):  # type: ignore[misc]  # the class is chosen at run time
        def nvidia_cards(self) -> tuple[str, ...]:
            return ("card",)

        def gpus(self, memory: object) -> GpuScan:
            time.sleep(30)
            return GpuScan()

    start = time.perf_counter()
    survey(Hanging(), NvidiaProbe([sys.executable, "-c", _HANGS]), disk_path=Path(), measure=False)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
