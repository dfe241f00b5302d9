"""Work that takes a while, as the window shows it: what it is, how far it is, and a way to stop it.

Verifying, moving, making a smaller version, importing, packing: each is a `Work` that goes on
while its dialog is closed and while the window is built anew. Each kind has one thread and does
its works one after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import CancelledError, HausgeistError
from desktop.engine.cancel import CancelToken
from desktop.ui.bridge import Batch
from desktop.ui.session import Session

T = TypeVar("T")
WorkKind = Literal["import", "verify", "smaller", "move", "pack", "unpack", "stores"]
Run = Callable[[Callable[[object], None], CancelToken], T]
"""Does the work: told a function for progress (anything) and the token that stops it."""


@dataclass(slots=True)
class Work:
    """`words` say what is going on, `fraction` how far it is: None while nobody knows."""

    kind: WorkKind
    subject: str
    words: str
    fraction: float | None = None
    token: CancelToken = field(default_factory=CancelToken)
    last: object = None

    def cancel(self) -> None:
        """Stop; whatever the work has begun it puts in order."""
        self.token.cancel()

    @property
    def stopping(self) -> bool:
        return self.token.cancelled


class Works(QObject):
    """All that is under way; `changed` at most every 33 ms."""

    changed = Signal()
    progressed = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._all: list[Work] = []

    @property
    def all(self) -> tuple[Work, ...]:
        return tuple(self._all)

    def of(self, kind: WorkKind, subject: str = "") -> Work | None:
        """The work of this kind (and on this subject, where one is given); None for none."""
        for work in self._all:
            if work.kind == kind and subject in ("", work.subject):
                return work
        return None

    def start(
        self,
        work: Work,
        run: Run[T],
        done: Callable[[T], object],
        *,
        show: Callable[[Work, Any], None],
        failed: Callable[[HausgeistError], object] | None = None,
        stopped: Callable[[], object] | None = None,
    ) -> Work:
        """Begin, or queue behind the same kind; `show` puts a progress into `work`.

        A failure is told as a banner unless `failed` takes it; a stop is told to `stopped` only.
        """
        self._all.append(work)
        tell = partial(self._session.bridge.post, self._progress)

        def go() -> T:
            work.token.raise_if_cancelled()
            return run(lambda progress: tell((work, progress, show)), work.token)

        def end(result: T) -> None:
            self._end(work)
            done(result)

        def fail(error: HausgeistError) -> None:
            self._end(work)
            if isinstance(error, CancelledError):
                if stopped is not None:
                    stopped()
            elif failed is not None:
                failed(error)
            else:
                self._session.tell_error(error)

        self._session.bridge.run(f"work-{work.kind}", go, end, fail)
        self.changed.emit()
        return work

    def finish(self) -> None:
        """The window closes: stop everything."""
        for work in self._all:
            work.cancel()

    def _progress(self, batch: Batch) -> None:
        newest: dict[int, tuple[Work, Any, Callable[[Work, Any], None]]] = {}
        for work, progress, show in batch:
            newest[id(work)] = (work, progress, show)
        for work, progress, show in newest.values():
            if work in self._all:
                work.last = progress
                show(work, progress)
                self.progressed.emit(work)

    def _end(self, work: Work) -> None:
        self._all.remove(work)
        self.changed.emit()
