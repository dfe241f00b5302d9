"""The door to servers that their user named: same switch, same ledger, their own trust and key."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from desktop.common.errors import CancelledError, NetworkError
from desktop.common.ledger import Ledger
from desktop.hub.answer import MAX_ANSWER_BYTES, Answer, Purpose, Shown
from desktop.hub.door import Door
from desktop.hub.exchange import Ask, Carrier, Exchange, Head, Outcome, Trust
from desktop.hub.policy import NetworkPolicy, origin_of

CONNECT_S = 10.0
_LOOK_EVERY_S = 0.1  # how soon a wish to stop is seen

MakeCarrier = Callable[[Trust, str], Carrier]


class RemoteDoor:
    """Any thread may ask. What is on this very machine may be asked although all is offline.

    The Hub's access token never goes through here.
    """

    def __init__(
        self, door: Door, ledger: Ledger, *, make_carrier: MakeCarrier | None = None
    ) -> None:
        self._door = door
        self._policy: NetworkPolicy = door.policy
        self._ledger = ledger
        self._make_carrier = make_carrier or _http_carrier
        self._lock = threading.Lock()
        self._carriers: dict[tuple[str, Trust, str], Carrier] = {}

    def begin(
        self,
        url: str,
        purpose: Purpose,
        trust: Trust,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        connect_s: float = CONNECT_S,
    ) -> Exchange:
        """Ask, and read the answer as it comes. Raises NetworkError: bad_address, offline_*."""
        origin = origin_of(url)
        if origin is None:
            raise NetworkError("bad_address", host=url[:80])
        self._policy.require_allowed(origin)
        carrier = self._carrier(f"{origin.scheme}://{origin.shown}", trust)
        line = self._ledger.begin(purpose.slug, origin.shown, purpose.subject)

        def settled(found: Outcome) -> None:
            self._ledger.end(
                line,
                found.outcome,
                status=found.status,
                received_bytes=found.received_bytes,
                sent_bytes=found.sent_bytes,
                seconds=found.seconds,
            )

        return Exchange(Ask(url, origin.shown, body, headers or {}, connect_s), carrier, settled)

    def fetch(
        self,
        url: str,
        purpose: Purpose,
        trust: Trust,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float,
        connect_s: float = CONNECT_S,
        max_bytes: int = MAX_ANSWER_BYTES,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """The whole answer, whatever its status.

        Raises NetworkError as `begin`, hub.http's kinds, answer_too_large; CancelledError.
        """
        until = time.monotonic() + timeout_s
        with self.begin(
            url, purpose, trust, body=body, headers=headers, connect_s=min(connect_s, timeout_s)
        ) as exchange:
            head = Head(0, {})
            pieces: list[bytes] = []
            received = 0
            while True:
                left_s = until - time.monotonic()
                item = exchange.get(min(max(0.0, left_s), _LOOK_EVERY_S))
                if is_cancelled is not None and is_cancelled():
                    raise CancelledError
                if item is None and left_s > 0:
                    continue
                if item is None:
                    exchange.close("connection_timeout")
                    waited_s = round(timeout_s, 1)
                    host = exchange.ask.host
                    raise NetworkError("connection_timeout", host=host, timeout_s=waited_s)
                if isinstance(item, Head):
                    head = item
                elif not item:
                    return Answer(url, head.status, head.headers, b"".join(pieces))
                else:
                    received += len(item)
                    pieces.append(item)
                    if received > max_bytes:
                        exchange.close("answer_too_large")
                        host = exchange.ask.host
                        raise NetworkError("answer_too_large", host=host, limit_bytes=max_bytes)

    def look(self, url: str, purpose: Purpose) -> Shown:
        """What the server shows to somebody who does not trust it; see `Door.look`."""
        return self._door.look(url, purpose, own_machine=True)

    def is_on_this_machine(self, url: str) -> bool:
        """Whether what is asked there stays on this computer."""
        origin = origin_of(url)
        return origin is not None and origin.is_loopback

    def _carrier(self, host: str, trust: Trust) -> Carrier:
        certificates = self._policy.certificates
        key = (host, trust, certificates)
        with self._lock:
            if key not in self._carriers:
                self._carriers[key] = self._make_carrier(trust, certificates)
            return self._carriers[key]


def _http_carrier(trust: Trust, certificates: str) -> Carrier:
    from desktop.hub.http_exchange import HttpCarrier  # 80 ms that only a connection needs

    return HttpCarrier(trust, certificates)
