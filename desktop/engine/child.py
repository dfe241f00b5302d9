"""What runs in a child process: one job, named by the argument. See `process.py`.

Each job is imported when it is asked for: a child is started for every unknown model, so it
must be at work within some hundredths of a second.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

Message = dict[str, Any]
Job = Callable[[Iterator[Message], Callable[[Message], None]], None]


def main() -> None:
    """Run the job `sys.argv[1]` until its input or its work ends."""
    out = _private_output()
    _die_first()
    if sys.argv[1] == "engine":
        from desktop.engine.isolated_job import serve

        serve(sys.stdin.buffer, out)
        os._exit(0)

    def answer(message: Message) -> None:
        out.write(json.dumps(message).encode() + b"\n")
        out.flush()

    _job(sys.argv[1])(_messages(), answer)
    out.flush()
    # Without the farewells of libraries: a driver that hangs at its end must not keep us.
    os._exit(0)


def _job(name: str) -> Job:
    if name == "probe":
        from desktop.engine.probe_job import run as probe

        return probe
    if name == "pool":
        from desktop.engine.pool_devices_job import run as pool_devices

        return pool_devices
    if name == "dry_run":
        from desktop.engine.dry_run_job import run as dry_run

        return dry_run
    if name == "report":
        from desktop.engine.report_job import run as report

        return report
    if name == "template":
        from desktop.engine.templates.template_job import run as template

        return template
    if name == "trial":
        from desktop.engine.trial_job import run as trial

        return trial
    if name == "rehearsal":
        from desktop.engine.rehearsal_job import run as rehearsal

        return rehearsal
    if name == "kernels":
        from desktop.engine.kernels_job import run as kernels

        return kernels
    if name == "quantize":
        from desktop.engine.quantize_job import run as quantize

        return quantize
    if name == "image":
        from desktop.engine.media.image_job import run as image

        return image
    raise SystemExit(f"no such job: {name}")


def _private_output() -> BinaryIO:
    """The channel to the parent; whatever else is printed goes to standard error."""
    sys.stdout.flush()
    channel = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(channel, "wb")


def _messages() -> Iterator[Message]:
    """The parent's messages. When they end the parent is gone, and so are we, at once."""
    arrived: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            arrived.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield arrived.get()


def _die_first() -> None:
    """Where memory runs out, the system should take this process and no other."""
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:
        return  # not Linux, or not allowed


if __name__ == "__main__":
    main()
