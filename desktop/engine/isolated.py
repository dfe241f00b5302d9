"""A model in a child process behind the `Engine` protocol: what kills it does not kill us.

The child is a local engine (`isolated_job.py`) at the other end of a pipe; requests go there and
events come back as they are, gathered to a frame. When it dies every stream ends with a `Failed`
that says what is known of it.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from desktop.common.errors import EngineError, LoadError, Param
from desktop.common.logs import get_logger
from desktop.engine import wire
from desktop.engine.batching.overdue import Overdue
from desktop.engine.cancel import CancelToken
from desktop.engine.chat import Chat, Rendered
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.embedding import EmbeddingRequest, Embeddings, Ranking, RerankRequest
from desktop.engine.engine import EngineKind, ModelInfo, SequenceState
from desktop.engine.events import Event, Failed, Finished
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.isolated_words import (
    Call,
    Cancel,
    Close,
    Closed,
    FromChild,
    Loading,
    Open,
    Opened,
    Raised,
    Refused,
    Returned,
    Submit,
    Told,
)
from desktop.engine.keeping import DEFAULT_KEEPING, Keeping
from desktop.engine.last_words import Cause, cause_of_death
from desktop.engine.memory_now import MemoryNow
from desktop.engine.pipe import PipedChild
from desktop.engine.process import ChildDiedError
from desktop.engine.request import Adapter, Request
from desktop.engine.stream import Inbox, Stream
from desktop.fit.types import Plan

JOB = "engine"
CANCEL_LIMIT_S = 20.0
"""A child that has not ended an answer so long after it should is stuck (a driver that hangs, a
cable that was pulled out) and is ended itself."""
_QUICK = ("memory_now", "memory_usage", "sequences")  # nobody should wait for ever to be told
_CLOSE_LIMIT_S = 10.0
_LOOK_EVERY_S = 0.05

_LOAD_DEATHS: dict[Cause, str] = {
    "": "probe_aborted",
    "driver": "probe_aborted",
    "memory": "probe_out_of_memory",
    "pool": "pool_server_gone",
}

_log = get_logger("engine")

T = TypeVar("T")
OnDeath = Callable[[EngineError], None]


class IsolatedEngine:
    """See `Engine`. Made by `load_isolated`; `close` it."""

    def __init__(
        self,
        order: Open,
        *,
        kind: EngineKind = "isolated",
        on_death: OnDeath | None = None,
        cancel_limit_s: float = CANCEL_LIMIT_S,
    ) -> None:
        """Starts the child; `open` waits for it. Raises EngineError("no_child")."""
        self._order = order
        self._kind = kind
        self._on_death = on_death
        self._lock = threading.Lock()
        self._closing = threading.Lock()  # whoever closes it second waits for the first
        self._serials = itertools.count()
        self._streams: dict[int, tuple[str, Inbox]] = {}
        self._calls: dict[int, Future[Any]] = {}
        self._loading: queue.SimpleQueue[FromChild | ChildDiedError] = queue.SimpleQueue()
        self._opened: Opened | None = None
        self._usage: tuple[DeviceUsage, ...] | None = None
        self._memory: MemoryNow | None = None
        self._death: EngineError | None = None
        self._closed = False
        self._hung = False
        self._overdue = Overdue(cancel_limit_s, self._is_open, self._give_up)
        self._child = PipedChild(JOB, self._hear, self._died)
        self._child.send(order)

    def open(
        self,
        on_progress: Callable[[float], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Wait until the model is loaded. Raises LoadError, CancelledError."""
        while self._opened is None:
            if cancel is not None:
                cancel.raise_if_cancelled()
            try:
                message = self._loading.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                continue
            match message:
                case Loading() if on_progress is not None:
                    on_progress(message.fraction)
                case Opened():
                    self._opened = message
                    self._memory = message.before
                case Refused():
                    raise message.problem.error()
                case ChildDiedError():
                    raise LoadError(
                        _LOAD_DEATHS[cause_of_death(message)],
                        path=str(self._order.path),
                        detail=message.last_words or str(message),
                        server="",
                    )
        self._usage = self.memory_usage()
        if self._death is not None:
            raise LoadError("probe_aborted", path=str(self._order.path), detail=self._death.detail)

    # -- the protocol -------------------------------------------------------------------------

    @property
    def info(self) -> ModelInfo:
        assert self._opened is not None
        return replace(self._opened.info, kind=self._kind)

    @property
    def alive(self) -> bool:
        return self._death is None and not self._closed

    @property
    def pid(self) -> int:
        return self._child.pid

    def submit(self, request: Request) -> Stream:
        serial = next(self._serials)
        stream = Stream(request.id, lambda _request_id: self._cancel(serial))
        with self._lock:
            problem = self._problem()
            if problem is None:
                self._streams[serial] = (request.id, stream.inbox)
        if problem is not None:
            stream.put(Failed(request.id, problem.kind, problem.params, problem.detail))
            return stream
        try:
            self._child.send(Submit(serial, request))
        except wire.NonsenseError as error:
            with self._lock:
                self._streams.pop(serial, None)
            stream.put(Failed(request.id, "bad_request", {"name": "request"}, str(error)))
        return stream

    def count_tokens(self, text: str) -> int:
        return int(self._call("count_tokens", text))

    def tokenize(self, text: str, *, add_special: bool = True, special: bool = True) -> list[int]:
        return list(self._call("tokenize", text, add_special=add_special, special=special))

    def detokenize(self, tokens: Sequence[int], *, special: bool = False) -> str:
        return str(self._call("detokenize", list(tokens), special=special))

    def embed(self, request: EmbeddingRequest) -> Embeddings:
        return _checked(self._call("embed", request), Embeddings)

    def rerank(self, request: RerankRequest) -> Ranking:
        return _checked(self._call("rerank", request), Ranking)

    def adapters(self) -> tuple[Adapter, ...]:
        return tuple(self._call("adapters"))

    def sequences(self) -> tuple[SequenceState, ...]:
        return tuple(self._call("sequences"))

    def forget(self, conversation: str) -> None:
        if self.alive:
            self._call("forget", conversation)

    def render(self, chat: Chat) -> Rendered:
        return _checked(self._call("render", chat), Rendered)

    def memory_usage(self) -> tuple[DeviceUsage, ...] | None:
        if self.alive:
            try:
                self._usage = self._call("memory_usage")
            except EngineError as error:
                _log.debug("no newer figures: %s", error)
        return self._usage

    def close(self) -> None:
        with self._closing:
            with self._lock:
                first, self._closed = not self._closed, True
            if first and self._death is None and self._opened is not None:
                self._child.send(Close())
                if not self._child.wait(_CLOSE_LIMIT_S):
                    _log.warning("the engine's child does not end by itself")
            self._child.close()
            self._overdue.close()

    # -- beyond it ----------------------------------------------------------------------------

    @property
    def memory_before(self) -> MemoryNow:
        """The child's memory before the load."""
        assert self._opened is not None
        return self._opened.before

    def memory_now(self, *, graphics: bool) -> MemoryNow:
        """The child's memory now; where it cannot tell any more, what it told last."""
        assert self._memory is not None
        if self.alive:
            try:
                self._memory = _checked(self._call("memory_now", graphics=graphics), MemoryNow)
            except EngineError as error:
                _log.debug("no newer figures: %s", error)
        return self._memory

    # -- inside -------------------------------------------------------------------------------

    def _call(self, method: str, *args: Any, **named: Any) -> Any:
        """Raises what the method raises in the child, and EngineError where there is none."""
        serial, answer = next(self._serials), Future[Any]()
        try:
            frame = Call(serial, method, args, named)
            with self._lock:
                problem = self._problem()
                if problem is None:
                    self._calls[serial] = answer
            if problem is not None:
                raise problem
            if method in _QUICK:
                self._overdue.expect(serial)
            self._child.send(frame)
        except wire.NonsenseError as error:
            with self._lock:
                self._calls.pop(serial, None)
            raise EngineError("bad_request", name=method, detail=str(error)) from error
        return answer.result()

    def _problem(self) -> EngineError | None:
        """Why there is no answer to be had; under the lock. A new one each time: it is raised."""
        if self._death is not None:
            return _again(self._death)
        return EngineError("engine_closed") if self._closed else None

    def _cancel(self, serial: int) -> None:
        """Without a lock: a stream that nobody holds any more calls it from garbage collection."""
        if serial in self._streams:
            self._overdue.expect(serial)
            self._child.send(Cancel(serial))

    def _is_open(self, serial: int) -> bool:
        return serial in self._streams or serial in self._calls

    def _give_up(self) -> None:
        _log.warning("the engine's child does not stop when it should; ending it")
        self._hung = True
        self._child.kill()

    # -- the child's thread -------------------------------------------------------------------

    def _hear(self, message: Any) -> None:
        """Raises wire.NonsenseError for what no child of ours says."""
        match message:
            case Told():
                for serial, events in message.batches:
                    self._deliver(serial, events)
            case Returned():
                self._answered(message.serial).set_result(message.value)
            case Raised():
                self._answered(message.serial).set_exception(message.problem.error())
            case Loading() | Opened() | Refused():
                self._loading.put(message)
            case Closed():
                self._usage = message.usage
            case _:
                raise wire.NonsenseError(type(message).__name__)

    def _deliver(self, serial: int, events: Sequence[Event]) -> None:
        with self._lock:
            _request_id, inbox = self._streams.get(serial, ("", None))
        for event in events:
            if not isinstance(event, Event):
                raise wire.NonsenseError(type(event).__name__)
            if isinstance(event, Finished | Failed):
                with self._lock:
                    self._streams.pop(serial, None)
            if inbox is not None:
                inbox.put(event)

    def _answered(self, serial: int) -> Future[Any]:
        with self._lock:
            answer = self._calls.pop(serial, None)
        if answer is None:
            raise wire.NonsenseError("an answer to nothing")
        return answer

    def _died(self, death: ChildDiedError) -> None:
        with self._lock:
            error = EngineError("engine_closed")
            if not self._closed:
                error = self._death = died(death, hung=self._hung)
            streams, calls = list(self._streams.values()), list(self._calls.values())
            self._streams.clear()
            self._calls.clear()
        for request_id, inbox in streams:
            inbox.put(Failed(request_id, error.kind, error.params, error.detail))
        for answer in calls:
            answer.set_exception(_again(error))
        self._loading.put(death)
        if self._death is not None and self._opened is not None:
            _log.warning("the engine's child died: %s", death)
            if self._on_death is not None:
                self._on_death(error)


def load_isolated(
    path: Path,
    plan: Plan,
    *,
    on_progress: Callable[[float], None] | None = None,
    cancel: CancelToken | None = None,
    template: str | None = None,
    extras: Extras = NO_EXTRAS,
    keeping: Keeping | None = DEFAULT_KEEPING,
    servers: Sequence[str] = (),
    on_death: OnDeath | None = None,
) -> IsolatedEngine:
    """Load `path` as `plan` says, in a child; blocks.

    Raises LoadError, CancelledError, EngineError("no_child").
    An abort of the child is a LoadError ("probe_aborted", "probe_out_of_memory") as it is when a
    trial load dies, "pool_server_gone" where one of `servers` (llama.cpp's RPC, ``host:port``)
    did not answer or left. `on_death` hears, in a thread of the engine's, that an open one died.
    """
    options = {"template": template, "extras": extras, "keeping": keeping}
    order = Open(path, plan, tuple(servers), options)
    pooled = bool(servers)
    engine = IsolatedEngine(order, kind="pooled" if pooled else "isolated", on_death=on_death)
    try:
        engine.open(on_progress, cancel)
    except BaseException:
        engine.close()
        raise
    return engine


def died(death: ChildDiedError, *, hung: bool = False) -> EngineError:
    """What its users are told: kind "engine_died", or "engine_died_memory", "..._driver",
    "..._pool", "..._hung" where the cause is known."""
    cause = "hung" if hung else cause_of_death(death)
    kind = f"engine_died_{cause}" if cause else "engine_died"
    params: dict[str, Param] = {"code": death.code}
    return EngineError(kind, detail=death.last_words or str(death), **params)


def _again(error: EngineError) -> EngineError:
    """The same, to be raised once more: an exception carries the trace of its raising."""
    return EngineError(error.kind, detail=error.detail, **error.params)


def _checked(value: Any, kind: type[T]) -> T:
    """Raises EngineError for an answer of another kind."""
    if not isinstance(value, kind):
        raise EngineError("engine_failed", detail=f"{type(value).__name__} for {kind.__name__}")
    return value
