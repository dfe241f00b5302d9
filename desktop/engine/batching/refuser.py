"""In the place of a batcher where a model writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.engine.events import Event, Failed
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.slot import Slot, Task


class Refuser:
    """Ends every request at once with the reason; see `Batcher` for the methods."""

    busy = False
    slots: Sequence[Slot] = ()
    queue: Sequence[Task] = ()

    def __init__(self, architecture: str) -> None:
        self._architecture = architecture

    def may_abort(self, request_id: str) -> bool:  # noqa: ARG002
        return False

    def add(
        self,
        wanted: Prepared | Request,
        submitted_s: float | None = None,  # noqa: ARG002
    ) -> list[Event]:
        request = wanted if isinstance(wanted, Request) else wanted.request
        return [Failed(request.id, "not_generative", {"architecture": self._architecture})]

    def cancel(self, request_id: str) -> list[Event]:  # noqa: ARG002
        return []

    def close(self) -> list[Event]:
        return []

    def admit(self) -> list[Event]:
        return []

    def step(self) -> list[Event]:
        return []
