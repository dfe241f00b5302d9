"""One model of the pool, and the leases on it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from desktop.common.errors import EngineError
from desktop.engine.engine import Engine
from desktop.engine.events import Failed
from desktop.engine.request import Request
from desktop.engine.stream import Stream
from desktop.services.open_progress import Opened
from desktop.services.wrapped_engine import WrappedEngine


@dataclass(eq=False, slots=True)
class PooledModel:
    """A loaded model; `used_s` is when it was last leased, given back or asked.

    `wanted` is what was wished for when it was opened. The pool's lock guards all but `streams`.
    """

    opened: Opened
    wanted: object
    clock: Callable[[], float]
    leases: int = 0
    used_s: float = 0.0
    streams: weakref.WeakSet[Stream] = field(default_factory=weakref.WeakSet)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.used_s = self.clock()

    @property
    def is_used(self) -> bool:
        """Whether somebody holds it, or reads an answer that is not at its end."""
        return self.leases > 0 or self.is_answering

    @property
    def is_answering(self) -> bool:
        with self.lock:
            return any(not stream.inbox.ended for stream in self.streams)


class Lease(WrappedEngine):
    """The engine as one of its users sees it: closing gives it back and unloads nothing."""

    def __init__(self, model: PooledModel, give_back: Callable[[PooledModel], None]) -> None:
        super().__init__(model.opened.engine)
        self._model = model
        self._give_back = give_back
        self._lock = threading.Lock()
        self._is_over = False

    def submit(self, request: Request) -> Stream:
        """As the engine does; after `close` the answer is Failed("engine_closed")."""
        if self._is_over:
            stream = Stream(request.id, lambda _id: None)
            stream.put(Failed(request.id, EngineError("engine_closed").kind))
            return stream
        stream = self._engine.submit(request)
        model = self._model
        with model.lock:
            model.streams.add(stream)
        model.used_s = model.clock()
        return stream

    def close(self) -> None:
        """A second call does nothing."""
        with self._lock:
            is_over, self._is_over = self._is_over, True
        if not is_over:
            self._give_back(self._model)


def with_engine(opened: Opened, engine: Engine) -> Opened:
    """The same with another engine in front."""
    return replace(opened, engine=engine)
