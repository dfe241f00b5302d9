"""Delivers a step's events to their streams, text in portions a reader can keep up with."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.common.errors import Param
from desktop.engine.events import Event, Failed, Finished, Text
from desktop.engine.stream import Inbox

PORTION_S = 0.01
"""A fast model makes thousands of tokens a second; a reader is woken a hundred times at most."""


class Outbox:
    """The engine's thread alone puts events in; streams are read by anyone.

    A request whose stream has ended is taken out of `open_ids`.
    """

    def __init__(self, open_ids: set[str]) -> None:
        self._open_ids = open_ids
        # Not the streams themselves: one that its reader has let go of must be able to end.
        self._streams: dict[str, Inbox] = {}
        self._text: dict[str, list[str]] = {}
        self._sent_s: dict[str, float] = {}

    def open(self, request_id: str, inbox: Inbox) -> None:
        self._streams[request_id] = inbox

    def deliver(self, events: Iterable[Event], now_s: float) -> None:
        """Hand out `events`; text that came too soon after the last waits for `flush`."""
        for event in events:
            request_id = event.request_id
            if isinstance(event, Text):
                self._text.setdefault(request_id, []).append(event.text)
                continue
            self._send_text(request_id, now_s)
            stream = self._streams.get(request_id)
            if stream is None:
                continue
            if isinstance(event, Finished | Failed):
                self._close(request_id)
            stream.put(event)
        self.flush(now_s)

    def flush(self, now_s: float, *, all_of_it: bool = False) -> None:
        """Send what has waited a portion's time."""
        for request_id in list(self._text):
            if all_of_it or now_s - self._sent_s.get(request_id, 0.0) >= PORTION_S:
                self._send_text(request_id, now_s)

    def fail_all(self, kind: str, detail: str, **params: Param) -> None:
        """End every stream, because the engine cannot go on."""
        for request_id, stream in list(self._streams.items()):
            self._send_text(request_id, 0.0)
            self._close(request_id)
            stream.put(Failed(request_id, kind, params, detail))

    def _send_text(self, request_id: str, now_s: float) -> None:
        parts = self._text.pop(request_id, None)
        stream = self._streams.get(request_id)
        if parts and stream is not None:
            self._sent_s[request_id] = now_s
            stream.put(Text(request_id, "".join(parts)))

    def _close(self, request_id: str) -> None:
        self._open_ids.discard(request_id)
        for table in (self._streams, self._text, self._sent_s):
            table.pop(request_id, None)
