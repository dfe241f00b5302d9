"""Pictures and sounds of strangers, decoded in a child process that may die of them."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass
from typing import Any

from desktop.common.errors import EngineError, RequestError
from desktop.engine.chat import MediaKind
from desktop.engine.media.image_job import PIECE_BYTES
from desktop.engine.process import Child, ChildDiedError

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Picture:
    """RGB, a byte each, row by row, upright."""

    width: int
    height: int
    pixels: bytes


class Pictures:
    """Decodes, one at a time, in a child that is started when it is first needed."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: Child | None = None
        self._closed = False

    def decode(self, data: bytes) -> Picture:
        """Raises RequestError("bad_media"), EngineError: no_child, engine_closed."""
        return self._made_of("image", data)

    def hear(self, data: bytes) -> bytes:
        """Samples as floats, `hearing.RATE` a second. Raises as `decode`."""
        return self._made_of("audio", data).pixels

    def _made_of(self, kind: MediaKind, data: bytes) -> Picture:
        with self._lock:
            if self._closed:
                raise EngineError("engine_closed")
            try:
                return self._decode(kind, data)
            except _RefusedError as error:
                raise RequestError(error.kind, detail=error.detail) from error
            except ChildDiedError as death:
                self._end()
                raise RequestError("bad_media", detail=str(death)) from death
            except BaseException:
                # In the middle of an answer: the next one must not read its rest.
                self._end()
                raise

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._end()

    def _decode(self, kind: MediaKind, data: bytes) -> Picture:
        child = self._child = self._child or Child("image")
        deadline = time.monotonic() + self._timeout_s
        pieces = range(0, len(data), PIECE_BYTES)
        child.send({"kind": kind, "pieces": len(pieces)})
        for start in pieces:
            piece = data[start : start + PIECE_BYTES]
            child.send({"piece": base64.b64encode(piece).decode("ascii")})
        head = _next(child, deadline)
        if "error" in head:
            raise _RefusedError(head["error"], detail=head["detail"])
        parts = [base64.b64decode(_next(child, deadline)["piece"]) for _ in range(head["pieces"])]
        return Picture(head["width"], head["height"], b"".join(parts))

    def _end(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            child.close()


class _RefusedError(RequestError):
    """The child said no, and is as good as before."""


def _next(child: Child, deadline: float) -> dict[str, Any]:
    message = child.receive(deadline - time.monotonic())
    if message is None:
        raise RequestError("bad_media", detail="takes too long")
    return message
