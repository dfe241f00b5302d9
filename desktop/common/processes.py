"""Who is who among processes: did the owner of this record die, or is it still at work?"""

from __future__ import annotations

import os
from pathlib import Path

import psutil


def process_mark(pid: int | None = None) -> str:
    """A text that names one process for good (None: this one); empty if there is no such process.

    A process id alone is given again to others, so the start time stands beside it; on Linux in
    ticks since boot with the boot's id, because a clock that is set right moves psutil's seconds.
    """
    wanted = os.getpid() if pid is None else pid
    boot = Path("/proc/sys/kernel/random/boot_id")
    try:
        if boot.exists():
            # proc(5): the name in parentheses may hold anything, field 22 is the start time.
            stat = Path(f"/proc/{wanted}/stat").read_text(encoding="utf-8", errors="replace")
            rest = stat.rpartition(")")[2].split()
            if rest[0] in ("Z", "X"):
                return ""
            return f"{wanted}:{rest[19]}:{boot.read_text(encoding='ascii').strip()}"
        return f"{wanted}:{psutil.Process(wanted).create_time():.2f}:"
    except (OSError, psutil.Error, IndexError):
        return ""


def is_alive(mark: str) -> bool:
    """Whether the process that `process_mark` described still runs; an unreadable mark does not."""
    pid = mark.partition(":")[0]
    return pid.isascii() and pid.isdigit() and process_mark(int(pid)) == mark
