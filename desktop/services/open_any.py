"""Open whatever a reference means: a model on this computer, or one on a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

from desktop.fit.types import Wish
from desktop.services.energy import EnergyShares, MeteredEngine
from desktop.services.open_model import ModelOpener
from desktop.services.open_options import OpenOptions
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

    def open(self, ref: str, wish: Wish, **options: Unpack[OpenOptions]) -> Opened:
        """See `ModelOpener.open` and `Remotes.open`, to which a wish means nothing."""
        if parse_remote(ref) is not None:
            progress, cancel = options.get("on_progress"), options.get("cancel")
            return self._remotes.open(ref, on_progress=progress, cancel=cancel)
        opened = self._models.open(ref, wish, **options)
        info = opened.engine.info
        if self._energy is None or info.plan is None or info.kind == "pooled":
            return opened  # what other computers take nobody counts here
        metered = MeteredEngine(opened.engine, self._energy, with_gpu=info.plan.gpu_layers > 0)
        return replace(opened, engine=metered)
