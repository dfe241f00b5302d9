"""One answer of a model server, from the request to the last event, in a thread of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from desktop.common.errors import (
    CancelledError,
    EngineError,
    HausgeistError,
    NetworkError,
    RemoteError,
    RequestError,
)
from desktop.common.logs import get_logger
from desktop.engine.events import Event, Failed, Finished, Started, Stats
from desktop.engine.remote.answer import RemoteAnswer
from desktop.engine.remote.body import Body, body_of
from desktop.engine.remote.dialect import Dialect, context_after_loading
from desktop.engine.remote.errors import fields_named, refusal
from desktop.engine.remote.fit import Estimate, Learned, characters_of, fit, fit_tighter
from desktop.engine.remote.link import RemoteLink
from desktop.engine.remote.sse import EventTooLongError, SseReader
from desktop.engine.request import Request
from desktop.engine.stream import Inbox
from desktop.engine.templates.chat_fit import Fitted
from desktop.hub.exchange import Exchange, Head

_MOST_REFUSAL_BYTES = 64 << 10
_REFUSAL_S = 15.0
_AFTER_END_S = 5.0
"""How long the figures (``usage``) are waited for behind the last word."""
_MOST_ADAPTIONS = 12
_MOST_PASSING = 2
_LONGEST_WAIT_S = 15.0
_LOADING_PAUSE_S = 1.0
_PASSING_PAUSE_S = 0.5
_PASSING = ("connection_cut", "connection_failed")
_BROKEN_OFF = ("connection_cut", "remote_cut")
_ONLY_STREAMS = ("stream_options", "return_progress", "max_completion_tokens")
_DONE = "[DONE]"

_log = get_logger("remote")


@dataclass(frozen=True, slots=True)
class Target:
    """Which model of which server, and what is known of both."""

    link: RemoteLink
    model: str
    dialect: Dialect
    learned: Learned


class RemoteTurn:
    """Tries again only as long as nothing of the answer was seen."""

    def __init__(
        self,
        target: Target,
        request: Request,
        inbox: Inbox,
        ended: Callable[[str], None],
        *,
        own_sampling: bool = False,
    ) -> None:
        """`own_sampling`: the server samples as it likes. `ended` hears the request's id before
        its last event is told."""
        self._target = target
        self._link = target.link
        self._request = request
        self._inbox = inbox
        self._ended = ended
        self._own_sampling = own_sampling
        self._submitted_s = time.monotonic()
        self._lock = threading.Lock()
        self._exchange: Exchange | None = None
        self._stopping = threading.Event()
        self._closing = ""
        self._answer: RemoteAnswer | None = None
        self._fitted: Fitted[Estimate] | None = None
        self._told_left_out: tuple[int, ...] | None = None
        self._adaptions = 0
        self._passing = 0
        self._accepted = False  # the server has said that it will answer
        self._asked_why = False
        self._thread = threading.Thread(target=self._run, name="remote-turn", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def cancel(self, closing: str = "") -> None:
        """End it at once, from any thread: as cancelled, or as failed of the kind `closing`."""
        with self._lock:
            self._closing = self._closing or closing
            self._stopping.set()
            exchange = self._exchange
        if exchange is not None:
            exchange.wake()

    def join(self, timeout_s: float) -> None:
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            events = self._answered()
        except CancelledError:
            events = self._stopped()
        except HausgeistError as error:
            events = [*self._rest(), self._failed(error.kind, error)]
        except Exception as error:  # noqa: BLE001  (whoever reads must not wait for ever)
            _log.exception("a remote answer failed")
            events = [Failed(self._request.id, "internal", {"kind": type(error).__name__})]
        self._ended(self._request.id)
        self._tell(events)
        if isinstance(events[-1], Finished):
            self._look_again()

    def _answered(self) -> list[Event]:
        """All attempts; the last events of the one that worked."""
        chat = self._request.chat
        if chat is not None:
            self._fitted = fit(chat, self._target.learned)
        while True:
            body = self._body()
            try:
                return self._converse(body)
            except (EngineError, NetworkError) as error:
                if self._answer is not None and self._answer.has_begun:
                    raise
                reason = self._reason_for(error, body)
                if not self._adapts(reason, body):
                    raise reason from error

    def _body(self) -> Body:
        request, target = self._request, self._target
        if self._fitted is not None:
            request = replace(request, chat=self._fitted.written.chat)
        return body_of(
            request,
            target.model,
            target.dialect,
            own_sampling=self._own_sampling,
            refused=target.learned.refused,
        )

    def _adapts(self, error: EngineError | NetworkError, body: Body) -> bool:
        """Whether another attempt may go better, once this has waited or changed something."""
        self._adaptions += 1
        if self._adaptions > _MOST_ADAPTIONS and error.kind != "remote_loading":
            return False
        if isinstance(error, NetworkError):
            self._passing += 1
            if error.kind not in _PASSING or self._passing > _MOST_PASSING:
                return False
            return self._pause(_PASSING_PAUSE_S)
        if error.kind == "remote_loading":
            waited_s = time.monotonic() - self._submitted_s
            return waited_s < self._link.patience.first_token_s and self._pause(_LOADING_PAUSE_S)
        if error.kind == "remote_busy":
            self._passing += 1
            wait_s = error.params.get("wait_s")
            if self._passing > _MOST_PASSING or not isinstance(wait_s, int | float):
                return False
            return wait_s <= _LONGEST_WAIT_S and self._pause(float(wait_s))
        if isinstance(error, RequestError):
            return self._cuts(error)
        named = fields_named(error, body.optional) - self._target.learned.refused
        if named:
            _log.info("%s does without %s", self._link.name, ", ".join(sorted(named)))
            self._target.learned.refuse(named)
        return bool(named)

    def _reason_for(
        self, error: EngineError | NetworkError, body: Body
    ) -> EngineError | NetworkError:
        """Servers that promise a stream and then find the request wrong just break it off
        (llama-cpp-python's, with a prompt that is too long). Asked for one token without a
        stream, they say why."""
        if self._asked_why or not self._accepted or error.kind not in _BROKEN_OFF:
            return error
        self._asked_why = True
        document = {k: v for k, v in body.document.items() if k not in _ONLY_STREAMS}
        document |= {"stream": False, "max_tokens": 1}
        try:
            with self._opened(body.path, document) as exchange:
                self._head(exchange, time.monotonic() + self._link.patience.first_token_s)
        except (EngineError, NetworkError) as reason:
            return reason
        return error

    def _cuts(self, error: RequestError) -> bool:
        chat, fitted = self._request.chat, self._fitted
        if chat is None or fitted is None or chat.overflow != "drop_oldest":
            return False
        if not error.kind.startswith("prompt_too_long"):
            return False
        self._fitted = fit_tighter(chat, fitted, self._target.learned, error)
        return True

    def _pause(self, seconds: float) -> bool:
        if self._stopping.wait(seconds):
            raise CancelledError
        return True

    def _converse(self, body: Body) -> list[Event]:
        """One attempt."""
        self._answer = answer = RemoteAnswer(
            self._request,
            body,
            self._link.name,
            submitted_s=self._submitted_s,
            hide=self._link.secrets,
            context_tokens=self._target.learned.context_tokens,
        )
        self._accepted = False
        with self._opened(body.path, body.document) as exchange:
            try:
                until = time.monotonic() + self._link.patience.first_token_s
                self._begin(exchange, until)
                self._read(exchange, answer, until)
                events = answer.finished()
            except HausgeistError as error:
                exchange.close(error.kind)
                raise
            exchange.close("ok")
        self._learn(answer.stats())
        return events

    def _opened(self, path: str, document: Any) -> Exchange:
        """An exchange that `cancel` wakes."""
        exchange = self._link.stream(path, document)
        with self._lock:
            self._exchange = exchange
        return exchange

    def _head(self, exchange: Exchange, until: float) -> None:
        """Raises as `remote_errors.refusal`."""
        head = self._next(exchange, until)
        assert isinstance(head, Head)  # an exchange begins with it
        if not 200 <= head.status < 300:
            body = self._refusal_body(exchange)
            raise refusal(head.status, head.headers, body, self._link.name, self._link.secrets)
        if head.headers.get("content-type", "").lower().startswith("text/html"):
            raise RemoteError("remote_not_there", server=self._link.name, detail="a web page")
        self._accepted = True

    def _begin(self, exchange: Exchange, until: float) -> None:
        """The head of the answer, and word of it to the reader."""
        self._head(exchange, until)
        fitted = self._fitted
        left_out = () if fitted is None else fitted.left_out
        if self._told_left_out != left_out:
            self._told_left_out = left_out
            first_kept = 0 if fitted is None else fitted.first_kept
            self._tell([Started(self._request.id, 0, 0, left_out, first_kept)])

    def _refusal_body(self, exchange: Exchange) -> bytes:
        pieces: list[bytes] = []
        size = 0
        until = time.monotonic() + _REFUSAL_S
        while size < _MOST_REFUSAL_BYTES:
            piece = self._next(exchange, until, begun=True)
            if not isinstance(piece, bytes) or not piece:
                break
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    def _read(self, exchange: Exchange, answer: RemoteAnswer, until: float) -> None:
        """The stream to its end, or until nothing more is wanted of it."""
        reader = SseReader()
        while True:
            try:
                piece = self._next(exchange, until, begun=answer.has_begun)
            except RemoteError:
                if answer.reason is None:
                    raise
                return  # all was said; only the figures are missing
            assert isinstance(piece, bytes)
            documents = self._documents(reader, piece)
            for data in documents:
                if data.strip() == _DONE:
                    self._require_said(answer)
                    return
                if data.strip():
                    self._tell(answer.take(self._document(data)))
                if answer.done:
                    return
            if not piece:
                self._require_said(answer, whole=True)
                return
            if documents:
                until = time.monotonic() + self._patience_now(answer)

    def _patience_now(self, answer: RemoteAnswer) -> float:
        patience = self._link.patience
        if answer.reason is not None:
            return min(_AFTER_END_S, patience.between_s)
        return patience.between_s if answer.has_begun else patience.first_token_s

    def _require_said(self, answer: RemoteAnswer, *, whole: bool = False) -> None:
        """A stream that just ends was cut; one that says it is done may have kept quiet why."""
        if answer.reason is None and (whole or not answer.has_begun):
            raise RemoteError("remote_cut", server=self._link.name)

    def _documents(self, reader: SseReader, piece: bytes) -> list[str]:
        try:
            return reader.feed(piece) if piece else reader.finish()
        except EventTooLongError as error:
            raise self._nonsense("an event without end") from error

    def _document(self, data: str) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._nonsense(str(error)[:100]) from error

    def _nonsense(self, detail: str) -> RemoteError:
        return RemoteError("remote_nonsense", server=self._link.name, detail=detail)

    def _next(self, exchange: Exchange, until: float, *, begun: bool = False) -> Head | bytes:
        """Raises CancelledError, NetworkError, RemoteError: remote_stalled, remote_first_token."""
        started = time.monotonic()
        while True:
            if self._stopping.is_set():
                raise CancelledError
            left_s = until - time.monotonic()
            if left_s <= 0:
                waited_s = round(max(until - started, 0.1), 1)
                name = self._link.name
                if begun:
                    raise RemoteError("remote_stalled", server=name, timeout_s=waited_s)
                raise RemoteError("remote_first_token", server=name, timeout_s=waited_s)
            item = exchange.get(left_s)
            if item is not None:
                return item

    def _look_again(self) -> None:
        """Nobody waits for this: the answer has ended."""
        learned = self._target.learned
        if not learned.context_tokens:
            learned.context_tokens = context_after_loading(
                self._link, self._target.dialect, self._target.model
            )

    def _learn(self, stats: Stats) -> None:
        characters = len(self._request.prompt)
        if self._fitted is not None:
            characters = characters_of(self._fitted.written.chat)
        self._target.learned.measured(characters, stats.prompt_tokens)

    def _rest(self) -> list[Event]:
        return [] if self._answer is None else self._answer.rest()

    def _stopped(self) -> list[Event]:
        if self._closing:
            return [*self._rest(), Failed(self._request.id, self._closing)]
        if self._answer is not None:
            rest = self._answer.rest()
            return [*rest, Finished(self._request.id, "cancelled", self._answer.stats())]
        return [Finished(self._request.id, "cancelled", Stats())]

    def _failed(self, kind: str, error: HausgeistError) -> Failed:
        return Failed(self._request.id, kind, error.params, error.detail)

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._inbox.put(event)
