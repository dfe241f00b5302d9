"""The one door to the network: asks whether it may, says why, and writes it down.

Every request has bounds on time and size, and every failure a kind that a front can put in words.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from urllib.parse import urljoin

from desktop.common.errors import CancelledError, HausgeistError, NetworkError
from desktop.common.ledger import OK, Ledger
from desktop.hub.answer import (
    MAX_ANSWER_BYTES,
    Answer,
    Bounds,
    Purpose,
    Shown,
    Sink,
    Transport,
)
from desktop.hub.policy import NetworkPolicy, Origin, origin_of

STALL_S = 15.0
MAX_REDIRECTS = 5
_MAX_REFUSAL_BYTES = 64 << 10
_LOOK_EVERY_S = 0.1  # how soon Ctrl+C and a wish to stop are seen (Windows wakes no waiting thread)
_REDIRECTS = (301, 302, 303, 307, 308)


class Door:
    """Any thread may ask. Close it at the end."""

    def __init__(
        self,
        policy: NetworkPolicy,
        ledger: Ledger,
        *,
        transport: Callable[[], Transport] | None = None,
        stall_s: float = STALL_S,
    ) -> None:
        self.policy = policy
        self._ledger = ledger
        self._make_transport = transport or (lambda: _http_transport(policy.certificates))
        self._stall_s = stall_s
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._certificates = ""

    def get(
        self,
        url: str,
        purpose: Purpose,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        enough_bytes: int | None = None,
        timeout_s: float | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """The answer at `url`, whatever its status; redirects are followed.

        All may take `timeout_s` (15 if None) and be silent for 15 s. Reading stops after
        `enough_bytes` of a body (None: never). Raises CancelledError, NetworkError:
        offline_environment, offline_setting, bad_redirect, too_many_redirects, hub.http's kinds.
        """
        deadline = time.monotonic() + (self._stall_s if timeout_s is None else timeout_s)

        def bounds() -> Bounds:
            return Bounds(deadline, self._stall_s, max_bytes, enough_bytes)

        return self._follow(url, purpose, headers or {}, bounds, is_cancelled)

    def stream(
        self,
        url: str,
        purpose: Purpose,
        sink: Sink,
        *,
        headers: Mapping[str, str] | None = None,
        stall_s: float | None = None,
    ) -> Answer:
        """As `get`, with the body of a good answer going to `sink`, in this very thread.

        It may last as long as something comes at least every `stall_s`. Raises what the sink
        raises, too.
        """
        patience_s = self._stall_s if stall_s is None else stall_s

        def bounds() -> Bounds:
            return Bounds(math.inf, patience_s, MAX_ANSWER_BYTES, _MAX_REFUSAL_BYTES, sink)

        return self._follow(url, purpose, headers or {}, bounds, None)

    def _follow(
        self,
        url: str,
        purpose: Purpose,
        headers: Mapping[str, str],
        make_bounds: Callable[[], Bounds],
        is_cancelled: Callable[[], bool] | None,
    ) -> Answer:
        """From host to host until one gives more than another address."""
        passed: list[Answer] = []
        while True:
            origin = origin_of(url)
            if origin is None:
                raise NetworkError("bad_redirect" if passed else "bad_address", host=url[:80])
            bounds = make_bounds()
            bounds.redirected = tuple(passed)
            answer = self._one(url, origin, purpose, headers, bounds, is_cancelled)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return replace(answer, redirected=tuple(passed))
            passed.append(answer)
            if len(passed) > MAX_REDIRECTS:
                raise NetworkError("too_many_redirects", host=origin.shown)
            url = _next(answer, origin)

    def look(self, url: str, purpose: Purpose, *, own_machine: bool = False) -> Shown:
        """What the host of `url` shows to somebody who does not trust it; within 15 s.

        With `own_machine` a server of this very machine is looked at although all is offline.
        Raises NetworkError: bad_address, offline_*, hub.http's kinds.
        """
        origin = origin_of(url)
        if origin is None:
            raise NetworkError("bad_address", host=url[:80])
        if own_machine:
            self.policy.require_allowed(origin)
        else:
            self.policy.require_online()
        line = self._ledger.begin(purpose.slug, origin.shown, purpose.subject)
        started, outcome = time.monotonic(), "internal"
        try:
            shown = _within(lambda: _look_at(origin, self._stall_s), self._stall_s, origin)
            outcome = OK
            return shown
        except HausgeistError as error:
            outcome = error.kind
            raise
        finally:
            self._ledger.end(line, outcome, seconds=time.monotonic() - started)

    def close(self) -> None:
        """Give up all connections."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _one(
        self,
        url: str,
        origin: Origin,
        purpose: Purpose,
        headers: Mapping[str, str],
        bounds: Bounds,
        is_cancelled: Callable[[], bool] | None,
    ) -> Answer:
        """One request, written to the ledger."""
        self.policy.require_online()
        token = self.policy.token_for(url)
        sent = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})
        started = time.monotonic()
        line = self._ledger.begin(purpose.slug, origin.shown, purpose.subject)
        outcome, status = "internal", None
        try:
            if bounds.sink is not None:
                answer = self._open().send(url, sent, bounds)
            else:
                answer = self._wait(url, origin, sent, bounds, is_cancelled)
            outcome, status = OK if answer.status < 400 else "refused", answer.status
            return answer
        except HausgeistError as error:
            outcome = error.kind
            raise
        except KeyboardInterrupt:
            outcome = "cancelled"
            raise
        finally:
            self._ledger.end(
                line,
                outcome,
                status=status,
                received_bytes=bounds.received_bytes,
                seconds=time.monotonic() - started,
            )

    def _wait(
        self,
        url: str,
        origin: Origin,
        headers: Mapping[str, str],
        bounds: Bounds,
        is_cancelled: Callable[[], bool] | None,
    ) -> Answer:
        """The request runs in a thread of its own: looking up a name has no time limit, and on
        Windows a waiting socket hears no Ctrl+C."""
        future: Future[Answer] = Future()
        transport = self._open()

        def work() -> None:
            try:
                future.set_result(transport.send(url, headers, bounds))
            except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
                future.set_exception(error)

        threading.Thread(target=work, name=f"net-{origin.host[:20]}", daemon=True).start()
        try:
            while not _done(future, min(_LOOK_EVERY_S, max(0.0, bounds.left_s))):
                if is_cancelled is not None and is_cancelled():
                    raise CancelledError
                if bounds.left_s <= 0:
                    waited_s = bounds.waited_s
                    raise NetworkError("connection_timeout", host=origin.shown, timeout_s=waited_s)
        except BaseException:
            bounds.stopped.set()
            raise
        return future.result()

    def _open(self) -> Transport:
        with self._lock:
            wanted = self.policy.certificates
            if self._transport is not None and wanted != self._certificates:
                self._transport.close()  # somebody has just chosen others
                self._transport = None
            if self._transport is None:
                self._transport = self._make_transport()
                self._certificates = wanted
            return self._transport


def _within(work: Callable[[], Shown], timeout_s: float, origin: Origin) -> Shown:
    """In a thread of its own, as `Door._wait` says."""
    future: Future[Shown] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            future.set_exception(error)

    threading.Thread(target=run, name=f"look-{origin.host[:20]}", daemon=True).start()
    try:
        return future.result(timeout=timeout_s)
    except TimeoutError:
        host = origin.shown
        raise NetworkError("connection_timeout", host=host, timeout_s=timeout_s) from None


def _look_at(origin: Origin, timeout_s: float) -> Shown:
    from desktop.hub.look import look_at  # 80 ms that only a failing network needs

    return look_at(origin, timeout_s)


def _done(future: Future[Answer], timeout_s: float) -> bool:
    try:
        future.exception(timeout=timeout_s)
    except TimeoutError:
        return False
    return True


def _next(answer: Answer, origin: Origin) -> str:
    """Where a redirection leads; never from a protected connection to an open one."""
    try:
        url = urljoin(answer.url, answer.headers["location"])
    except ValueError as error:
        raise NetworkError("bad_redirect", host=origin.shown, detail=str(error)) from error
    target = origin_of(url)
    if target is None or (origin.scheme == "https" and target.scheme == "http"):
        raise NetworkError("bad_redirect", host=origin.shown)
    return url


def _http_transport(certificates: str) -> Transport:
    from desktop.hub.http import HttpTransport  # 80 ms that only a connection needs

    return HttpTransport(certificates)
