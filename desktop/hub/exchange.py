"""One request whose answer is read while it comes: for servers that talk for minutes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from desktop.common.errors import NetworkError
from desktop.common.ledger import OK

_MOST_WAITING_BYTES = 8 << 20  # what may pile up before the server is made to wait
_CANCELLED = "cancelled"
_REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word counts for a protected connection.

    `ca_file` (PEM) counts beside the usual certificates. `certificate` (PEM text) is believed
    alone, whatever its name and its dates: its owner has looked at it.
    """

    ca_file: str = ""
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is sent to `url`: a POST of `body`, or a GET where there is none."""

    url: str
    host: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # a key may be among them
    connect_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Head:
    """How an answer begins; names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an exchange went, for the ledger."""

    outcome: str
    status: int | None
    sent_bytes: int
    received_bytes: int
    seconds: float


class Carrier(Protocol):
    """Makes a request in the thread that calls it; `hub.http_exchange` has the real one."""

    def carry(self, ask: Ask, exchange: Exchange) -> None:
        """Tell `exchange` what happens, up to the end of the body. Raises NetworkError."""
        ...


class Exchange:
    """The reader's end; a thread of its own carries the bytes. Close it, or use it in a `with`.

    `wake` and `close` may be called from any thread, the rest belongs to one reader.
    """

    def __init__(self, ask: Ask, carrier: Carrier, settled: Callable[[Outcome], None]) -> None:
        self.ask = ask
        self._carrier = carrier
        self._settled = settled
        self._changed = threading.Condition()
        self._items: deque[Head | bytes | NetworkError] = deque()
        self._waiting_bytes = 0
        self._woken = False
        self._closed = False
        self._connected = False
        self._shut: Callable[[], None] | None = None
        self._outcome = _CANCELLED
        self._status: int | None = None
        self._sent_bytes = 0
        self._received_bytes = 0
        self._started = time.monotonic()
        name = f"net-{ask.host[:20]}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    # The reader's side

    def get(self, wait_s: float) -> Head | bytes | None:
        """First the head, then pieces of the body, at its end ``b""``.

        None when nothing came within `wait_s` or somebody called `wake`. Raises NetworkError; a
        connection that is not made within `connect_s` is "connection_timeout".
        """
        until = time.monotonic() + wait_s
        with self._changed:
            while not (self._items or self._woken):
                now = time.monotonic()
                left_s = until - now
                if not self._connected:
                    connect_left_s = self._started + self.ask.connect_s - now
                    if connect_left_s <= 0:
                        raise self._failed(self._not_connected())
                    left_s = min(left_s, connect_left_s)
                if until <= now:
                    return None
                self._changed.wait(left_s)
            self._woken = False
            if not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item, bytes):
                self._waiting_bytes -= len(item)
                self._changed.notify_all()
                if not item:
                    self._outcome = _REFUSED if (self._status or 0) >= 400 else OK
        if isinstance(item, NetworkError):
            raise self._failed(item)
        return item

    def wake(self) -> None:
        """Let the reader look around at once."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self, outcome: str = "") -> None:
        """End the connection; `outcome` says how it went where the bytes alone do not tell."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
            shut = self._shut
            found = Outcome(
                outcome or self._outcome,
                self._status,
                self._sent_bytes,
                self._received_bytes,
                time.monotonic() - self._started,
            )
        if shut is not None:
            shut()
        self._settled(found)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The carrier's side

    def connected(self, shut: Callable[[], None]) -> None:
        """There is a line; `shut` ends it from any thread."""
        with self._changed:
            self._shut = shut
            closed = self._closed
        if closed:
            shut()

    def asking(self) -> None:
        """The line is ready: from now on it is the server that is waited for."""
        with self._changed:
            self._connected = True

    def sent(self, n_bytes: int) -> None:
        """So much of the body has left this computer."""
        with self._changed:
            self._sent_bytes = n_bytes

    def hand(self, item: Head | bytes) -> bool:
        """Give the reader what came; waits while too much lies there. False: nobody reads."""
        with self._changed:
            if isinstance(item, Head):
                self._status = item.status
                self._connected = True
            else:
                self._received_bytes += len(item)
                while self._waiting_bytes > _MOST_WAITING_BYTES and not self._closed:
                    self._changed.wait()
                self._waiting_bytes += len(item)
            if self._closed:
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def _work(self) -> None:
        try:
            self._carrier.carry(self.ask, self)
            self.hand(b"")
        except NetworkError as error:
            self._fail(error)
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            self._fail(NetworkError("connection_failed", host=self.ask.host, detail=repr(error)))

    def _fail(self, error: NetworkError) -> None:
        with self._changed:
            self._items.append(error)
            self._changed.notify_all()

    def _failed(self, error: NetworkError) -> NetworkError:
        self._outcome = error.kind
        return error

    def _not_connected(self) -> NetworkError:
        host, waited_s = self.ask.host, round(self.ask.connect_s, 1)
        return NetworkError("connection_timeout", host=host, timeout_s=waited_s)
