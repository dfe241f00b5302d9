"""Open a model for a command: progress on the terminal, steps down and crashes told."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from desktop.cli.front import Front
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.engine.cancel import CancelToken
from desktop.fit.types import Wish
from desktop.services.core import Core
from desktop.services.open_failures import DEVICE_GONE
from desktop.services.open_load import ProgressListener
from desktop.services.open_progress import OpenedModel, OpenProgress
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
) -> Iterator[OpenedModel]:
    """The open model, closed at the end. Raises what `ModelOpener.open` raises."""
    for crash in core.crashes:
        front.note(front.text(f"cli.crash.{crash.activity}", model=crash.model_path.stem))
    opener = build_opening(core).opener

    def work(show: ProgressListener, cancel: CancelToken) -> OpenedModel:
        return opener.open(
            model,
            wish,
            on_progress=show,
            cancel=cancel,
            insist=insist,
            usual_context=usual_context,
        )

    opened = _open(front, interrupts, Path(model).name, work)
    try:
        _tell_steps(front, opened)
        yield opened
    finally:
        opened.engine.close()


def _open(
    front: Front,
    interrupts: Interrupts,
    name: str,
    work: Callable[[ProgressListener, CancelToken], OpenedModel],
) -> OpenedModel:
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


def _tell_steps(front: Front, opened: OpenedModel) -> None:
    """What was given up, and why: once, from the plan that was meant to the one that works."""
    if not opened.steps:
        return
    first, last = opened.steps[0], opened.steps[-1]
    if any(step.kind == DEVICE_GONE for step in opened.steps):
        front.note(front.text("cli.step.device_gone"))
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
