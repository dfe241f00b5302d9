"""NVIDIA GPUs, through NVML in a child process that is ended when it does not answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from desktop.hardware.abc import GpuScan
from desktop.hardware.fields import MAX_BYTES
from desktop.hardware.machine import Gpu, Memory, Note

# Return codes of nvml.h with an answer that differs from "it failed".
_NOTES_BY_CODE = {
    4: "nvidia_no_permission",
    9: "nvidia_driver_not_loaded",
    12: "nvidia_no_driver",  # the library is not there
    13: "nvidia_wrong_version",  # a function is missing in the library
    18: "nvidia_wrong_version",  # library and kernel module are of two versions
}
_NO_DRIVER = 12


class NvidiaProbe:
    """Starts the child and reads its answer; `command` is what to start."""

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(command) if command is not None else nvml_command()

    def scan(self, cards: tuple[str, ...], memory: Memory, deadline: float) -> GpuScan:
        """The GPUs as NVML sees them, at the latest at `deadline` (of `time.monotonic`).

        `cards` are the NVIDIA cards that the system lists: they are named where NVML fails.
        """
        name = ", ".join(cards) or "NVIDIA"
        started = time.monotonic()
        try:
            output, code = _run(self._command, deadline)
        except subprocess.TimeoutExpired:
            waited = round(time.monotonic() - started, 1)
            return GpuScan(notes=(Note.of("nvidia_no_answer", name=name, wait_s=waited),))
        except OSError as error:
            return _failed(name, str(error))
        try:
            # The last line: libraries print warnings of their own before it.
            answer = json.loads(output.splitlines()[-1]) if code == 0 else None
        except (ValueError, IndexError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            return _failed(name, f"exit code {code}")
        return read_answer(answer, cards, memory)


def read_answer(answer: Mapping[str, object], cards: tuple[str, ...], memory: Memory) -> GpuScan:
    """GPUs and notes from the child's answer, which is checked: drivers have told nonsense."""
    name = ", ".join(cards) or "NVIDIA"
    code, detail = answer.get("code"), str(answer.get("detail", ""))
    if code == _NO_DRIVER and not cards:
        return GpuScan()  # neither a card nor a driver: there is nothing to say
    if code != 0:
        kind = _NOTES_BY_CODE.get(code) if isinstance(code, int) else None
        return _failed(name, detail) if kind is None else GpuScan(notes=(Note.of(kind, name=name),))
    listed = answer.get("cards")
    if not isinstance(listed, list):
        return _failed(name, "no cards")
    driver = str(answer.get("driver", ""))[:64]
    gpus: list[Gpu] = []
    notes: list[Note] = []
    for item in listed:
        if not isinstance(item, dict):
            return _failed(name, "no cards")
        found = _gpu(item, driver, memory)
        if isinstance(found, Gpu):
            gpus.append(found)
        else:
            notes.append(found)
    if not listed and cards:
        notes.append(Note.of("nvidia_no_card", name=name))
    return GpuScan(tuple(gpus), tuple(notes))


def _gpu(card: Mapping[str, object], driver: str, memory: Memory) -> Gpu | Note:
    name = str(card.get("name") or "NVIDIA GPU")[:128]
    if card.get("error"):
        return Note.of("gpu_unreadable", name=name, detail=str(card["error"]))
    total, free = card.get("total_bytes"), card.get("free_bytes")
    capability = str(card.get("compute_capability", ""))[:16]
    if total is None:  # its memory is main memory
        return Gpu(
            name=name,
            vendor="nvidia",
            backend="cuda",
            total_bytes=memory.total_bytes,
            free_bytes=memory.available_bytes,
            unified=True,
            integrated=True,
            driver=driver,
            compute_capability=capability,
            dedicated_bytes=0,
        )
    if type(total) is not int or not 0 < total <= MAX_BYTES:
        return Note.of("gpu_implausible", name=name)
    known = type(free) is int and 0 <= free <= total
    return Gpu(
        name=name,
        vendor="nvidia",
        backend="cuda",
        total_bytes=total,
        free_bytes=cast("int", free) if known else None,
        driver=driver,
        compute_capability=capability,
    )


def _failed(name: str, detail: str) -> GpuScan:
    return GpuScan(notes=(Note.of("nvidia_failed", name=name, detail=detail[:200]),))


def nvml_command() -> list[str]:
    """The child: -P, because a folder `desktop` may lie where the app is started."""
    return [sys.executable, "-P", "-m", "desktop.hardware.nvml"]


def _run(command: Sequence[str], deadline: float) -> tuple[bytes, int]:
    """The child's output and exit code; raises OSError, subprocess.TimeoutExpired."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    try:
        output, _ = process.communicate(timeout=max(0.05, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        # In a driver's uninterruptible sleep even a killed process stays; somebody else waits.
        threading.Thread(target=_reap, args=(process,), name="nvml-reaper", daemon=True).start()
        raise
    return output, process.returncode


def _reap(process: subprocess.Popen[bytes]) -> None:
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def child_environment() -> dict[str, str]:
    """This process's environment, with the package where the child finds it from any folder."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
