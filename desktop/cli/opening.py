"""Open a model for a command: progress on the terminal, steps down and crashes told."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from desktop.cli import options
from desktop.cli.front import Front
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.engine.cancel import CancelToken
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.fit.types import Wish
from desktop.services.core import Core
from desktop.services.open_failures import DEVICE_GONE, POOL_GONE
from desktop.services.open_load import ProgressListener
from desktop.services.open_progress import Opened, OpenedRemote, OpenProgress
from desktop.services.wiring import build_opening


@contextlib.contextmanager
def open_model(
    front: Front,
    core: Core,
    interrupts: Interrupts,
    model: str,
    wish: Wish,
    *,
    insist: bool,
    usual_context: int | None = None,
    given: Namespace | None = None,
    extras: Extras = NO_EXTRAS,
) -> Iterator[Opened]:
    """The open model, closed at the end. Raises what `ModelOpener.open` raises.

    `given`: arguments with `options.apart` and `options.pool`.
    """
    if given is not None:
        options.use_pool(given, core, front)
    for crash in core.crashes:
        front.note(front.text(f"cli.crash.{crash.activity}", model=crash.model_path.stem))
    opener = build_opening(core).opener

    def work(show: ProgressListener, cancel: CancelToken) -> Opened:
        return opener.open(
            model,
            wish,
            on_progress=show,
            cancel=cancel,
            insist=insist,
            usual_context=usual_context,
            apart=given is not None and given.isolated,
            extras=extras,
        )

    opened = _open(front, interrupts, Path(model).name, work)
    try:
        if not opened.is_guide and opened.report is not None:
            options.tell_pool(core, front)
        options.tell_lock(front, opened.engine.info.plan)
        _tell_steps(front, opened)
        _tell_where(front, opened)
        yield opened
    finally:
        opened.engine.close()


def _open(
    front: Front,
    interrupts: Interrupts,
    name: str,
    work: Callable[[ProgressListener, CancelToken], Opened],
) -> Opened:
    with StatusLine(front) as status:

        def show(progress: OpenProgress) -> None:
            status.show(
                front.text(
                    f"cli.open.{progress.stage}",
                    model=name,
                    percent=round(100 * progress.fraction),
                    trial=progress.trial,
                )
            )

        return interrupts.run(
            lambda cancel: work(show, cancel), discard=lambda opened: opened.engine.close()
        )


def _tell_steps(front: Front, opened: Opened) -> None:
    """What was given up, and why: once, from the plan that was meant to the one that works."""
    if not opened.steps:
        return
    first, last = opened.steps[0], opened.steps[-1]
    if any(step.kind == DEVICE_GONE for step in opened.steps):
        front.note(front.text("cli.step.device_gone"))
        return
    if any(step.kind == POOL_GONE for step in opened.steps):
        front.note(front.text("cli.step.pool_gone"))
        return
    crashed = all(step.kind.startswith("crashed") for step in opened.steps)
    lines = [front.text("cli.step.crashed" if crashed else "cli.step.failed")]
    if last.after.gpu_layers != first.before.gpu_layers:
        layers = last.after.gpu_layers
        key = "cli.step.layers" if layers else "cli.step.no_gpu"
        lines.append(front.text(key, layers=layers))
    if last.after.context != first.before.context:
        lines.append(front.text("cli.step.context", context=last.after.context))
    front.note(" ".join(lines))


def _tell_where(front: Front, opened: Opened) -> None:
    """Nobody sends words to another computer without knowing it."""
    if isinstance(opened, OpenedRemote) and opened.leaves_computer:
        front.note(front.text("cli.remotes.leaves", server=opened.server, host=opened.host))
