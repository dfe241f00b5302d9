"""Open whatever a reference means: a model on this computer, or one on a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from desktop.engine.cancel import CancelToken
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.fit.types import FitReport, Wish
from desktop.services.energy import EnergyShares, MeteredEngine
from desktop.services.open_load import ProgressListener
from desktop.services.open_model import ModelOpener
from desktop.services.open_progress import Opened
from desktop.services.remote_ref import parse_remote
from desktop.services.remotes import Remotes


class AnyOpener:
    """Blocks, so call it off the window's thread."""

    def __init__(
        self, models: ModelOpener, remotes: Remotes, energy: EnergyShares | None = None
    ) -> None:
        """`energy` measures what the answers of models on this computer take."""
        self._models = models
        self._remotes = remotes
        self._energy = energy

    def open(
        self,
        ref: str,
        wish: Wish,
        *,
        on_progress: ProgressListener | None = None,
        cancel: CancelToken | None = None,
        start_now: CancelToken | None = None,
        insist: bool = False,
        usual_context: int | None = None,
        apart: bool = False,
        extras: Extras = NO_EXTRAS,
        to_chat: bool = True,
        make_room: Callable[[FitReport], None] | None = None,
    ) -> Opened:
        """See `ModelOpener.open` and `Remotes.open`, to which a wish means nothing."""
        if parse_remote(ref) is not None:
            return self._remotes.open(ref, on_progress=on_progress, cancel=cancel)
        opened = self._models.open(
            ref,
            wish,
            on_progress=on_progress,
            cancel=cancel,
            start_now=start_now,
            insist=insist,
            usual_context=usual_context,
            apart=apart,
            extras=extras,
            to_chat=to_chat,
            make_room=make_room,
        )
        info = opened.engine.info
        if self._energy is None or info.plan is None or info.kind == "pooled":
            return opened  # what other computers take nobody counts here
        metered = MeteredEngine(opened.engine, self._energy, with_gpu=info.plan.gpu_layers > 0)
        return replace(opened, engine=metered)
