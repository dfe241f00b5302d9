"""The child's side of an isolated engine: a local engine, its answers written to a pipe.

The engine's own thread only says that a stream has something new. One other thread reads all
streams (and so runs their parsers), and sends what there is as one frame.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from desktop.common.errors import EngineError, HausgeistError, LoadError
from desktop.common.logs import get_logger
from desktop.engine import rpc, wire
from desktop.engine.engine import Engine
from desktop.engine.events import Event, Failed, Finished, Stats
from desktop.engine.isolated_words import (
    Call,
    Cancel,
    Close,
    Closed,
    Loading,
    Open,
    Opened,
    Problem,
    Raised,
    Refused,
    Returned,
    Submit,
    Told,
)
from desktop.engine.llama import llama
from desktop.engine.local import load
from desktop.engine.memory_now import memory_now
from desktop.engine.request import Request
from desktop.engine.stream import Stream

METHODS = frozenset(
    (
        "adapters",
        "count_tokens",
        "detokenize",
        "embed",
        "forget",
        "memory_usage",
        "render",
        "rerank",
        "sequences",
        "tokenize",
    )
)
"""Of the engine; "memory_now" is the process's own."""

_TELL_EVERY = 0.01
# A prompt is rendered and split before it is queued, and a long one must not keep the others.
_PREPARED_AT_ONCE = 4
_CALLED_AT_ONCE = 8

_log = get_logger("engine")


def serve(source: BinaryIO, out: BinaryIO) -> None:
    """Load what the first message names and answer until there is no more to come."""
    order = wire.read(source)
    if not isinstance(order, Open):
        raise SystemExit("no model was named")
    channel = _Channel(out)
    server = _Server(channel)
    # From now on, while it loads too: when the parent is gone so are we, at once.
    threading.Thread(target=_listen, args=(source, server.hear), daemon=True).start()
    try:
        engine, before = _opened(order, channel)
    except HausgeistError as error:
        channel.send(Refused(Problem.of(error)))
        return
    except Exception as error:  # noqa: BLE001 - a fault of ours, and no crash of the engine
        _log.exception("the load failed")
        fault = LoadError("load_failed", path=str(order.path), detail=repr(error))
        channel.send(Refused(Problem.of(fault)))
        return
    server.serve(engine, Opened(engine.info, before))


def _opened(order: Open, channel: _Channel) -> tuple[Engine, Any]:
    try:
        if order.servers:
            rpc.connect(llama(), order.servers)
    except EngineError as error:
        server = str(error.params.get("server", ""))
        raise LoadError("pool_server_gone", server=server, detail=str(error)) from error
    before = memory_now(graphics=order.plan.gpu_layers > 0)
    told = -1.0

    def tell(fraction: float) -> None:
        nonlocal told
        if fraction >= told + _TELL_EVERY:
            told = fraction
            channel.send(Loading(fraction))

    return load(order.path, order.plan, on_progress=tell, **order.options), before


def _listen(source: BinaryIO, hear: Callable[[Any], None]) -> None:
    try:
        while True:
            hear(wire.read(source))
    except (EOFError, OSError, wire.NonsenseError):
        os._exit(0)


class _Channel:
    """The way to the parent; any thread."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def send(self, message: object) -> None:
        """A parent that is gone ends this process."""
        frame = wire.encode(message)
        try:
            with self._lock:
                self._out.write(frame)
                self._out.flush()
        except OSError:
            os._exit(0)


@dataclass(slots=True)
class _Answer:
    """One request: `stream` is None while it is prepared, `over` once its end has been told."""

    serial: int
    request_id: str
    stream: Stream | None = None
    over: bool = False


class _Server:
    """Carries out what is asked; `hear` is for the thread that reads the parent's messages."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._answers: dict[int, _Answer] = {}
        self._news: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._preparing = ThreadPoolExecutor(_PREPARED_AT_ONCE, "prepare")
        self._calling = ThreadPoolExecutor(_CALLED_AT_ONCE, "call")

    def serve(self, engine: Engine, opened: Opened) -> None:
        """Until `Close`: then everything that was asked has its end."""
        self._engine = engine
        self._channel.send(opened)
        self._forward()
        self._channel.send(Closed(engine.memory_usage()))

    def hear(self, message: Any) -> None:
        match message:
            case Submit():
                answer = _Answer(message.serial, message.request.id)
                with self._lock:
                    self._answers[message.serial] = answer
                self._preparing.submit(self._submit, answer, message.request)
            case Cancel():
                self._cancel(message.serial)
            case Call():
                self._calling.submit(self._call, message)
            case Close():
                threading.Thread(target=self._close, daemon=True).start()

    # -- answers ------------------------------------------------------------------------------

    def _submit(self, answer: _Answer, request: Request) -> None:
        try:
            assert self._engine is not None
            stream = self._engine.submit(request)
        except Exception as error:  # noqa: BLE001 - a hung stream would be worse than any error
            _log.exception("a request could not be taken")
            failed = Failed(request.id, "engine_failed", {}, f"{type(error).__name__}: {error}")
            self._end(answer, failed)
            return
        with self._lock:
            answer.stream = stream
            over = answer.over
        if over:
            stream.cancel()
            return
        stream.on_put = partial(self._news.put, answer.serial)
        self._news.put(answer.serial)  # for what came before

    def _cancel(self, serial: int) -> None:
        with self._lock:
            answer = self._answers.get(serial)
            stream = None if answer is None else answer.stream
        if stream is not None:
            stream.cancel()
        elif answer is not None:  # still prepared: the parent must not wait for that
            self._end(answer, Finished(answer.request_id, "cancelled", Stats()))

    def _end(self, answer: _Answer, event: Failed | Finished) -> None:
        with self._lock:
            if answer.over:
                return
            answer.over = True
            self._answers.pop(answer.serial, None)
        self._channel.send(Told(((answer.serial, (event,)),)))

    def _forward(self) -> None:
        """Send what the streams have, all of it that there is in one frame."""
        going_on = True
        while going_on:
            serials = [self._news.get()]
            while not self._news.empty():
                serials.append(self._news.get())
            going_on = None not in serials
            batches = []
            for serial in dict.fromkeys(serials):
                events = () if serial is None else self._events_of(serial)
                if serial is not None and events:
                    batches.append((serial, events))
            if batches:
                self._channel.send(Told(tuple(batches)))

    def _events_of(self, serial: int) -> tuple[Event, ...]:
        with self._lock:
            answer = self._answers.get(serial)
        if answer is None or answer.stream is None:
            return ()
        events: list[Event] = []
        try:
            while (event := answer.stream.get(0)) is not None:
                events.append(event)
        except Exception as error:  # noqa: BLE001 - one answer's parser must not end all others
            _log.exception("an answer could not be read")
            answer.stream.close()
            detail = f"{type(error).__name__}: {error}"
            events.append(Failed(answer.request_id, "engine_failed", {}, detail))
        if events and isinstance(events[-1], Finished | Failed):
            with self._lock:
                answer.over = True
                self._answers.pop(serial, None)
        return tuple(events)

    # -- everything else ----------------------------------------------------------------------

    def _call(self, call: Call) -> None:
        try:
            answer: Returned | Raised = Returned(call.serial, self._value(call))
            self._channel.send(answer)
        except HausgeistError as error:
            self._channel.send(Raised(call.serial, Problem.of(error)))
        except Exception as error:  # noqa: BLE001 - whoever waits must learn of it
            _log.exception("%s failed", call.method)
            failed = EngineError("engine_failed", detail=f"{type(error).__name__}: {error}")
            self._channel.send(Raised(call.serial, Problem.of(failed)))

    def _value(self, call: Call) -> Any:
        if call.method == "memory_now":
            return memory_now(**call.named)
        if call.method not in METHODS:
            raise EngineError("not_offered", what=call.method)
        return getattr(self._engine, call.method)(*call.args, **call.named)

    def _close(self) -> None:
        """Every stream gets its end, then the last frame goes out, then the process ends."""
        assert self._engine is not None
        self._preparing.shutdown(wait=False, cancel_futures=True)
        self._engine.close()
        with self._lock:
            unprepared = [answer for answer in self._answers.values() if answer.stream is None]
        for answer in unprepared:
            self._end(answer, Failed(answer.request_id, "engine_closed"))
        self._news.put(None)
