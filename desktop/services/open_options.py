"""What may be asked of an opening, for all who hand it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

from desktop.engine.cancel import CancelToken
from desktop.engine.extras import Extras
from desktop.fit.types import FitReport
from desktop.services.open_load import ProgressListener


class OpenOptions(TypedDict, total=False):
    """The keywords of `ModelOpener.open`, which says what they mean."""

    on_progress: ProgressListener | None
    cancel: CancelToken | None
    start_now: CancelToken | None
    insist: bool
    usual_context: int | None
    apart: bool
    extras: Extras
    to_chat: bool
    make_room: Callable[[FitReport], None] | None
