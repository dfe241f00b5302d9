"""Open a model for a command: progress on the terminal, steps down and crashes told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from desktop.cli.front import Front
from desktop.cli.interrupts import Interrupts
from desktop.cli.progress import StatusLine
from desktop.engine.cancel import CancelToken
from desktop.fit.types import Wish
from desktop.services.open_progress import OpenedModel, OpenProgress
from desktop.services.wiring import Core


@contextlib.contextmanager
def open_model(
    front: Front, core: Core, interrupts: Interrupts, model: str, wish: Wish, *, insist: bool
) -> Iterator[OpenedModel]:
    """The open model, closed at the end. Raises what `ModelOpener.open` raises."""
    for crash in core.crashes:
        front.note(front.text(f"cli.crash.{crash.activity}", model=crash.model_path.stem))
    opened = _open(front, core, interrupts, model, wish, insist=insist)
    try:
        _tell_steps(front, opened)
        yield opened
    finally:
        opened.engine.close()


def _open(
    front: Front, core: Core, interrupts: Interrupts, model: str, wish: Wish, *, insist: bool
) -> OpenedModel:
    name = Path(model).name
    with StatusLine(front) as status:

        def show(progress: OpenProgress) -> None:
            percent = round(100 * progress.fraction)
            status.show(front.text(f"cli.open.{progress.stage}", model=name, percent=percent))

        def work(cancel: CancelToken) -> OpenedModel:
            return core.opener.open(model, wish, on_progress=show, cancel=cancel, insist=insist)

        return interrupts.run(work)


def _tell_steps(front: Front, opened: OpenedModel) -> None:
    for step in opened.steps:
        key = (
            "cli.step.layers"
            if step.after.gpu_layers != step.before.gpu_layers
            else "cli.step.context"
        )
        front.note(
            front.text(
                key,
                before=step.before.gpu_layers if key.endswith("layers") else step.before.context,
                after=step.after.gpu_layers if key.endswith("layers") else step.after.context,
            )
        )
