"""Look at this computer: every probe in parallel, each bounded in time."""

from __future__ import annotations

from pathlib import Path

from desktop.hardware.bandwidth import BandwidthCache
from desktop.hardware.machine import Machine


def detect(
    *, disk_path: Path, bandwidth: BandwidthCache | None = None, measure: bool = True
) -> Machine:
    """The machine this process runs on, without what the engine reports.

    GPU probes take at most 2 s together; what does not answer becomes a note. `bandwidth` keeps
    the measured memory bandwidth between starts; with `measure` False it is only looked up.
    Raises MachineError("memory_unknown") where the system does not tell its memory.
    """
    raise NotImplementedError(disk_path, bandwidth, measure)
