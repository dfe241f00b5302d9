"""The thread that owns llama.cpp: it loads, decodes and frees; everybody else sends it data."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from desktop.common.errors import EngineError, HausgeistError, RequestError
from desktop.engine.batching.batcher import check_length, failed
from desktop.engine.batching.outbox import Outbox
from desktop.engine.cancel import CancelToken
from desktop.engine.device_usage import DeviceUsage
from desktop.engine.engine import SequenceState
from desktop.engine.extras import NO_EXTRAS, Extras
from desktop.engine.keeping import DEFAULT_KEEPING, Keeping
from desktop.engine.loaded import Loaded
from desktop.engine.model import Progress
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.slot import Slot
from desktop.engine.stream import Inbox, Stream
from desktop.engine.threads import Threads
from desktop.engine.usage import memory_usage
from desktop.fit.types import Plan

MAX_REQUESTS = 256
"""Requests that may run and wait at once; the next one is told that the engine is busy."""
_CHARACTERS_PER_TOKEN = 32
_IDLE_S = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Submit:
    prepared: Prepared
    inbox: Inbox
    submitted_s: float


@dataclass(frozen=True, slots=True)
class _Cancel:
    request_id: str


@dataclass(frozen=True, slots=True)
class _Forget:
    conversation: str


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[[Loaded], Any]
    result: Future[Any]


class _Close:
    pass


_Command = _Submit | _Cancel | _Forget | _Call | _Close
_Answer = TypeVar("_Answer")


class Worker:
    """One model with its thread. `start` loads; then `submit` from any thread; `close` frees."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        extras: Extras = NO_EXTRAS,
        keeping: Keeping | None = DEFAULT_KEEPING,
    ) -> None:
        """`keeping` says where the states of idle conversations are kept, None: nowhere."""
        self._path = path
        self._plan = plan
        self._extras = extras
        self._keeping = keeping
        self._commands: queue.SimpleQueue[_Command] = queue.SimpleQueue()
        self._open_ids: set[str] = set()
        self._outbox = Outbox(self._open_ids)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._loaded: Loaded | None = None
        self._ready = threading.Event()
        self._load_error: BaseException | None = None
        # Guards the order of the queue (nothing comes behind `_Close`) and the count of callers
        # that use the vocabulary, which must not be freed under them.
        self._state = threading.Condition()
        self._readers = 0
        self._closed = False
        self._failed = False
        self._progress: Progress | None = None
        self._cancel_load = CancelToken()
        self._usage: tuple[DeviceUsage, ...] | None = None

    @property
    def usage(self) -> tuple[DeviceUsage, ...] | None:
        """What the loaded model holds by device; when the thread has ended, what it held last."""
        return self._usage

    @property
    def alive(self) -> bool:
        """Whether requests may still be answered."""
        return not (self._failed or self._closed)

    def start(
        self, on_progress: Progress | None = None, cancel: CancelToken | None = None
    ) -> Loaded:
        """Load the model; blocks. Raises LoadError or CancelledError.

        `on_progress` is called in the engine's thread with 0.0 to 1.0.
        """
        self._progress = on_progress
        self._cancel_load = cancel or self._cancel_load
        self._thread.start()
        self._ready.wait()
        if self._load_error is not None:
            self._thread.join()
            raise self._load_error
        assert self._loaded is not None
        return self._loaded

    def submit(self, wanted: Prepared | Request) -> Stream:
        """Queue a request; whatever is wrong with it ends its stream with Failed.

        Of one that was not prepared the `prompt` counts. It is split in the caller's thread, so
        that a long one does not stop the others.
        """
        if isinstance(wanted, Prepared):
            request, parser = wanted.request, wanted.parser
        else:
            request, parser = wanted, None
        stream = Stream(request.id, self.cancel, parser)
        submitted_s = time.perf_counter()
        try:
            request.check()
            prepared = wanted if isinstance(wanted, Prepared) else self._split(request)
            self._fetch_state(prepared)
            with self._state:
                self._open()
                if request.id in self._open_ids:
                    raise RequestError("duplicate_request", request_id=request.id)
                if len(self._open_ids) >= MAX_REQUESTS:
                    raise RequestError(
                        "engine_busy", limit=MAX_REQUESTS, requests=len(self._open_ids)
                    )
                self._open_ids.add(request.id)
                self._commands.put(_Submit(prepared, stream.inbox, submitted_s))
        except HausgeistError as error:
            stream.put(failed(request.id, error))
        return stream

    def call(self, function: Callable[[Loaded], _Answer]) -> _Answer:
        """Run `function` on the engine's thread between two steps; blocks, raises what it raises.

        It must be short: all answers wait for it. Raises EngineError when closed.
        """
        result: Future[_Answer] = Future()
        with self._state:
            self._open()
            self._commands.put(_Call(function, result))
        return result.result()

    def cancel(self, request_id: str) -> None:
        """End one request; a step that works for it is aborted, the others repeat theirs."""
        self._commands.put(_Cancel(request_id))
        loaded = self._loaded
        if loaded is not None and loaded.batcher.may_abort(request_id):
            loaded.context.abort.set()

    def forget(self, conversation: str) -> None:
        """Keep nothing of a conversation, in no memory and no file. Harmless when closed."""
        with self._state:
            if not self._closed and self._loaded is not None:
                self._commands.put(_Forget(conversation))

    def sequences(self) -> tuple[SequenceState, ...]:
        """What each sequence does; empty when closed. As it looks from outside: never exact."""
        try:
            with self.reading() as loaded:
                return tuple(_seen(slot) for slot in loaded.batcher.slots)
        except EngineError:
            return ()

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as a part of a prompt. Raises EngineError when closed."""
        with self.reading() as loaded:
            return len(loaded.vocabulary.tokenize(text, add_special=False))

    def close(self) -> None:
        """End every stream, free the model; safe to call twice, and from any thread but its own.

        Called while the model still loads, it stops that (Ctrl+C in the thread that waits).
        """
        if not self._ready.is_set():
            self._cancel_load.cancel()
        with self._state:
            if not self._closed:
                self._closed = True
                self._commands.put(_Close())
                if self._loaded is not None:
                    self._loaded.context.abort.set()
        if self._thread.is_alive():
            self._thread.join()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Loaded]:
        """Use the vocabulary from a caller's thread. Raises EngineError when closed."""
        with self._state:
            loaded = self._open()
            self._readers += 1
        try:
            yield loaded
        finally:
            with self._state:
                self._readers -= 1
                self._state.notify_all()

    # -- the callers' side -------------------------------------------------------------------

    def _open(self) -> Loaded:
        if self._failed:
            raise EngineError("engine_failed")
        if self._closed or self._loaded is None:
            raise EngineError("engine_closed")
        return self._loaded

    def _fetch_state(self, prepared: Prepared) -> None:
        with self.reading() as loaded:
            if loaded.keeper is not None:
                loaded.keeper.fetch(prepared)

    def _split(self, request: Request) -> Prepared:
        with self.reading() as loaded:
            tokens = _split(loaded, request.prompt)
        return Prepared(request, tokens, request.prompt, request.stop)

    # -- the engine's thread -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            loaded = Loaded(
                self._path,
                self._plan,
                self._progress,
                self._cancel_load,
                self._extras,
                self._keeping,
            )
        except BaseException as error:  # noqa: BLE001 - `start` raises it in the caller's thread
            self._load_error = error
            self._ready.set()
            return
        self._loaded = loaded
        self._usage = memory_usage(loaded.model, loaded.context, loaded.beside)
        self._ready.set()
        try:
            self._serve(loaded)
        except Exception as error:  # noqa: BLE001
            # A hung stream would be worse than any error: whatever it is, every reader learns it.
            _log.exception("the engine's thread failed")
            self._fail(error)
        finally:
            with self._state:
                self._closed = True
                self._state.wait_for(lambda: self._readers == 0)
            # Compute buffers may have grown while it worked.
            self._usage = memory_usage(loaded.model, loaded.context, loaded.beside)
            loaded.close()

    def _serve(self, loaded: Loaded) -> None:
        batcher = loaded.batcher
        beside = [context for _, context in loaded.beside]
        threads = Threads(loaded.context, self._plan, beside=beside)
        while self._obey(loaded):
            if batcher.queue:
                self._outbox.deliver(batcher.admit(), time.perf_counter())
            threads.look()
            self._outbox.deliver(batcher.step(), time.perf_counter())
        self._outbox.deliver(batcher.close(), time.perf_counter())
        if loaded.keeper is not None:
            loaded.keeper.close()

    def _obey(self, loaded: Loaded) -> bool:
        """Carry out what has been asked, and wait for it when there is nothing else to do.

        False means to close. Whoever sets the abort flag has queued his command before: so the
        flag may be cleared when the queue is empty after that.
        """
        while True:
            busy = loaded.batcher.busy
            if not busy:
                self._outbox.flush(time.perf_counter(), all_of_it=True)
            try:
                # Not written at once after each answer: the next one makes it worthless.
                command = self._commands.get(not busy, _IDLE_S)
            except queue.Empty:
                if not busy:
                    if loaded.keeper is not None:
                        loaded.keeper.idle()
                    continue
                loaded.context.abort.clear()
                if self._commands.empty():
                    return True
                continue
            if isinstance(command, _Close):
                return False
            if isinstance(command, _Call):
                _carry_out(command, loaded)
                continue
            if isinstance(command, _Forget):
                if loaded.keeper is not None:
                    loaded.keeper.forget(command.conversation)
                continue
            if isinstance(command, _Cancel):
                events = loaded.batcher.cancel(command.request_id)
            else:
                self._outbox.open(command.prepared.request.id, command.inbox)
                events = loaded.batcher.add(command.prepared, command.submitted_s)
            self._outbox.deliver(events, time.perf_counter())

    def _fail(self, error: Exception) -> None:
        detail = f"{type(error).__name__}: {error}"
        with self._state:
            self._failed = True
        while not self._commands.empty():
            command = self._commands.get()
            if isinstance(command, _Submit):
                self._outbox.open(command.prepared.request.id, command.inbox)
            elif isinstance(command, _Call):
                command.result.set_exception(EngineError("engine_failed"))
        self._outbox.fail_all("engine_failed", detail)


def _seen(slot: Slot) -> SequenceState:
    """A slot while its owner goes on working with it."""
    task = slot.task
    if task is None:
        state: Literal["idle", "reading", "writing"] = "idle"
    else:
        state = "reading" if task.first_token_s is None else "writing"
    return SequenceState(
        slot.sequence,
        "" if task is None else task.request.id,
        slot.conversation if task is None else task.request.conversation,
        state,
        len(slot.cached),
        len(slot.pending),
        0 if task is None else task.completion_tokens,
    )


def _carry_out(call: _Call, loaded: Loaded) -> None:
    try:
        call.result.set_result(call.function(loaded))
    except Exception as error:  # noqa: BLE001 - raised in the thread that asked
        call.result.set_exception(error)


def _split(loaded: Loaded, prompt: str) -> list[int]:
    """The prompt's tokens. Raises RequestError("context_exceeded")."""
    context_tokens = loaded.context.sequence_tokens
    usual_characters = context_tokens * _CHARACTERS_PER_TOKEN
    if len(prompt) > usual_characters:
        # Megabytes too much: a share of it tells how much, without minutes of splitting.
        share = len(loaded.vocabulary.tokenize(prompt[:usual_characters]))
        check_length(share * len(prompt) // usual_characters, context_tokens)
    tokens = loaded.vocabulary.tokenize(prompt)
    check_length(len(tokens), context_tokens)
    return tokens
