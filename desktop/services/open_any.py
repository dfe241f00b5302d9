"""Open whatever a reference means: a model on this computer, or one on a server."""

from __future__ import annotations

from desktop.engine.cancel import CancelToken
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.fit.types import Wish
from desktop.services.open_load import ProgressListener
from desktop.services.open_model import ModelOpener
from desktop.services.open_progress import Opened
from desktop.services.remote_ref import parse_remote
from desktop.services.remotes import Remotes


class AnyOpener:
    """Blocks, so call it off the window's thread."""

    def __init__(self, models: ModelOpener, remotes: Remotes) -> None:
        self._models = models
        self._remotes = remotes

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
    ) -> Opened:
        """See `ModelOpener.open` and `Remotes.open`, to which a wish means nothing."""
        if parse_remote(ref) is not None:
            return self._remotes.open(ref, on_progress=on_progress, cancel=cancel)
        return self._models.open(
            ref,
            wish,
            on_progress=on_progress,
            cancel=cancel,
            start_now=start_now,
            insist=insist,
            usual_context=usual_context,
            apart=apart,
            extras=extras,
        )
