"""NVIDIA's cards while they work, from a child process that a hanging driver cannot spread from."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from desktop.hardware.fields import MAX_BYTES
from desktop.hardware.live import GpuLive
from desktop.hardware.nvidia import child_environment

_PATIENCE_S = 6.0
_MOST_STARTS = 3


def live_command() -> list[str]:
    """The child: -P, because a folder `desktop` may lie where the app is started."""
    return [sys.executable, "-P", "-m", "desktop.hardware.nvml_live"]


class NvidiaLive:
    """Asks the child once a reading and never waits for it: an answer is shown one reading later.

    A child that does not answer is ended; after the third, NVIDIA's cards stay unknown.
    """

    def __init__(
        self,
        command: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = list(command) if command is not None else live_command()
        self._clock = clock
        self._child: LiveChild | None = None
        self._starts = 0
        self._asked: float | None = None
        self._known: tuple[GpuLive, ...] = ()

    def sample(self, pids: Sequence[int]) -> tuple[GpuLive, ...]:
        """What the child answered last; `pids` are this app's processes."""
        child = self._child or self._start()
        if child is None:
            return ()
        if (line := child.take()) is not None:
            self._asked = None
            self._known = read_answer(line, pids)
        if child.ended or (self._asked is not None and self._too_late()):
            self.pause()
            return ()
        if self._asked is None:
            self._asked = self._clock()
            child.ask()
        return self._known

    def pause(self) -> None:
        """End the child; the next sample starts another."""
        if self._child is not None:
            self._child.end()
        self._child, self._asked, self._known = None, None, ()

    def _too_late(self) -> bool:
        return self._asked is not None and self._clock() - self._asked > _PATIENCE_S

    def _start(self) -> LiveChild | None:
        if self._starts >= _MOST_STARTS:
            return None
        self._starts += 1
        try:
            self._child = LiveChild(self._command)
        except OSError:
            self._starts = _MOST_STARTS
        return self._child


class LiveChild:
    """The process of `live_command`, and the thread that reads what it says.

    Raises OSError where it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=child_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._lock = threading.Lock()
        self._line: str | None = None
        self._came = threading.Event()
        self.ended = False
        threading.Thread(target=self._read, name="nvml-live", daemon=True).start()

    def ask(self) -> None:
        """Have it answer once."""
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write("\n")
                stdin.flush()
        except (OSError, ValueError):  # it is gone, or its pipe is closed
            self.ended = True

    def take(self) -> str | None:
        """The last answer, once; None when none has come since."""
        with self._lock:
            line, self._line = self._line, None
            self._came.clear()
            return line

    def wait(self, timeout_s: float) -> str | None:
        """As `take`, but waits so long for an answer."""
        self._came.wait(timeout_s)
        return self.take()

    def end(self) -> None:
        """Kill it; nobody waits: in a driver's uninterruptible sleep even a killed one stays."""
        self._process.kill()
        threading.Thread(target=self._reap, name="nvml-live-reaper", daemon=True).start()

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            for line in stdout:
                with self._lock:
                    self._line = line
                    self._came.set()
        self.ended = True
        self._came.set()

    def _reap(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what could not be written any more
                    continue


def read_answer(line: str, pids: Sequence[int]) -> tuple[GpuLive, ...]:
    """The cards of one JSON line; what is no number, or no card's number, is left out."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(found, list):
        return ()
    return tuple(_card(card, set(pids)) for card in found if isinstance(card, dict))


def _card(card: Mapping[str, object], pids: set[int]) -> GpuLive:
    load = _number(card, "load_percent", 100)
    throttle = _number(card, "throttle", 1 << 64)
    temperature = _number(card, "temperature_c", 150)
    power, limit = _number(card, "power_mw", 10**7), _number(card, "power_limit_mw", 10**7)
    return GpuLive(
        name=str(card.get("name") or "NVIDIA GPU")[:128],
        key=str(card.get("key", ""))[:64],
        total_bytes=_number(card, "total_bytes", MAX_BYTES),
        used_bytes=_number(card, "used_bytes", MAX_BYTES),
        ours_bytes=_ours(card.get("processes"), pids),
        load=None if load is None else load / 100,
        temperature_c=temperature or None,
        power_w=None if power is None else power / 1000,
        power_limit_w=None if limit is None else limit / 1000,
        throttled=None if throttle is None else throttle != 0,
    )


def _ours(processes: object, pids: set[int]) -> int | None:
    """None where no process has a size: then the driver tells none, ours or not."""
    if not isinstance(processes, list) or not processes:
        return None
    pairs = [p for p in processes if isinstance(p, list) and len(p) == 2]
    return sum(int(size) for pid, size in pairs if pid in pids and isinstance(size, int))


def _number(card: Mapping[str, object], name: str, most: int) -> int | None:
    value = card.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= most else None
