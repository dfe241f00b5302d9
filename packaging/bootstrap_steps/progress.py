"""Running a long command: everything to a log, one moving line for the person."""

from __future__ import annotations

import collections
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bootstrap_steps.words import say

NINJA = re.compile(r"^\s*\[(\d+)/(\d+)\]")
COLLECTING = re.compile(r"^\s*(?:Collecting|Processing) ([A-Za-z0-9._-]+)")
TAIL_LINES = 60
SECONDS_BETWEEN_LINES = 15.0  # where the output is a file or CI: a sign of life, not a flood


class Result(NamedTuple):
    """How a command ended: its exit code and its last lines."""

    code: int
    tail: list[str]


class Line:
    """One line about a step: rewritten in place on a terminal, now and then elsewhere."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.started = self.said = time.monotonic()
        self.live = sys.stderr.isatty()
        say(label + " ...")

    def show(self, detail: str) -> None:
        """Show `detail` behind the label."""
        now = time.monotonic()
        if self.live:
            sys.stderr.write("\r\033[K    " + detail[:70])
            sys.stderr.flush()
        elif now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            say("    " + detail)

    def close(self) -> None:
        """End the step with the time it took."""
        if self.live:
            sys.stderr.write("\r\033[K")
        say(f"    {time.monotonic() - self.started:.0f} s")


def share_done(line: str) -> str:
    """What to show for a line that the command printed; `` for a line that says nothing new."""
    built = NINJA.match(line)
    if built:
        done, total = int(built.group(1)), int(built.group(2))
        filled = 30 * done // max(total, 1)
        bar = "#" * filled + "." * (30 - filled)
        return f"[{bar}] {100 * done // max(total, 1)} %"
    collecting = COLLECTING.match(line)
    return collecting.group(1) if collecting else ""


def run(label: str, command: list[str], log: Path, environ: Mapping[str, str]) -> Result:
    """Run `command`, its output into `log`; returns its code and last lines."""
    tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
    shown = Line(label)
    with log.open("a", encoding="utf-8", errors="replace") as kept:
        kept.write("\n$ " + " ".join(command) + "\n")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(environ)
        ) as process:
            assert process.stdout is not None
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace")
                kept.write(line)
                tail.append(line.rstrip())
                detail = share_done(line)
                if detail:
                    shown.show(detail)
    shown.close()
    return Result(process.returncode, list(tail))
