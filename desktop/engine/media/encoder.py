"""Makes vectors of pictures and sound in a thread of its own, while others are answered."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from desktop.common.errors import EngineError, HausgeistError
from desktop.common.logs import get_logger
from desktop.engine.media.mtmd import Encoded, Mtmd, Piece, Split

CACHE_BYTES = 256 << 20

_log = get_logger("engine")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the thread has to make: the chunks of one file. `split` decodes it, anew each time."""

    key: bytes
    split: Callable[[], Split]
    pieces: tuple[Piece, ...]


class ChunkEncoding:
    """One chunk's vectors, sooner or later; see `media.Encoding`."""

    def __init__(self, encoder: Encoder, wanted: Wanted, piece: Piece) -> None:
        self._encoder = encoder
        self.wanted = wanted
        self.piece = piece
        self._there = threading.Event()
        self._begun = False
        self._encoded: Encoded | None = None
        self._error: HausgeistError | None = None

    @property
    def key(self) -> tuple[bytes, int]:
        return self.wanted.key, self.piece.number

    def begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._encoder.want(self)

    @property
    def ready(self) -> bool:
        return self._there.is_set()

    @property
    def error(self) -> HausgeistError | None:
        return self._error

    def wait(self, timeout_s: float) -> bool:
        return self._there.wait(timeout_s)

    def release(self) -> None:
        self._encoded = None
        self._there.clear()
        self._begun = False

    @property
    def encoded(self) -> Encoded:
        """Only where `ready` without `error`."""
        assert self._encoded is not None
        return self._encoded

    def settle(self, result: Encoded | HausgeistError) -> None:
        """The encoder's end."""
        if isinstance(result, HausgeistError):
            self._error = result
        else:
            self._encoded = result
        self._there.set()


class Encoder:
    """A queue, a thread and the chunks made last, up to `cache_bytes`.

    What nobody holds any more (its request was cancelled) is not made.
    """

    def __init__(self, mtmd: Mtmd, cache_bytes: int = CACHE_BYTES) -> None:
        self._mtmd = mtmd
        self._cache_bytes = cache_bytes
        self._state = threading.Condition()
        self._queue: deque[weakref.ref[ChunkEncoding]] = deque()
        self._made: OrderedDict[tuple[bytes, int], Encoded] = OrderedDict()
        self._held_bytes = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def want(self, encoding: ChunkEncoding) -> None:
        """Settle `encoding` soon; at once where it is kept from before."""
        with self._state:
            if self._closed:
                encoding.settle(EngineError("engine_closed"))
                return
            known = self._made.get(encoding.key)
            if known is not None:
                self._made.move_to_end(encoding.key)
                encoding.settle(known)
                return
            self._queue.append(weakref.ref(encoding))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="media", daemon=True)
                self._thread.start()
            self._state.notify()

    def close(self) -> None:
        """Ends when the chunk that is being made is done; the others end in an error."""
        with self._state:
            self._closed = True
            self._state.notify()
        if self._thread is not None:
            self._thread.join()
        for waiting in self._queue:
            encoding = waiting()
            if encoding is not None:
                encoding.settle(EngineError("engine_closed"))
        self._made.clear()

    def _run(self) -> None:
        while (encoding := self._next()) is not None:
            self._make(encoding)
            del encoding

    def _next(self) -> ChunkEncoding | None:
        with self._state:
            while True:
                if self._closed:
                    return None
                while self._queue:
                    encoding = self._queue.popleft()()
                    if encoding is not None:
                        return encoding
                self._state.wait()

    def _make(self, first: ChunkEncoding) -> None:
        """`first`, and whatever else is wanted of the same file."""
        known = self._kept(first)
        if known is not None:
            first.settle(known)
            return
        encoding: ChunkEncoding | None = first
        try:
            with first.wanted.split() as split:
                if split.pieces != first.wanted.pieces:
                    raise EngineError("media_failed", detail="other pieces than counted")
                while encoding is not None:
                    self._make_piece(encoding, split)
                    encoding = self._same_file(first.wanted.key)
        except HausgeistError as error:
            _log.warning("media: %s", error)
            _fail(encoding, error)
        except Exception as error:  # noqa: BLE001
            # Whoever waits for it must learn of it, and the thread serves others too.
            _log.exception("media")
            _fail(encoding, EngineError("media_failed", detail=str(error)))

    def _make_piece(self, encoding: ChunkEncoding, split: Split) -> None:
        try:
            encoded = self._mtmd.encode(split, encoding.piece)
        except HausgeistError as error:
            encoding.settle(error)
            return
        self._keep(encoding.key, encoded)
        encoding.settle(encoded)

    def _same_file(self, key: bytes) -> ChunkEncoding | None:
        """The next one in the queue of this file, taken out of it; None when closing."""
        with self._state:
            if self._closed:
                return None
            for waiting in list(self._queue):
                encoding = waiting()
                if encoding is not None and encoding.wanted.key == key:
                    self._queue.remove(waiting)
                    return encoding
            return None

    def _kept(self, encoding: ChunkEncoding) -> Encoded | None:
        with self._state:
            return self._made.get(encoding.key)

    def _keep(self, key: tuple[bytes, int], encoded: Encoded) -> None:
        with self._state:
            if encoded.nbytes > self._cache_bytes or key in self._made:
                return
            self._made[key] = encoded
            self._held_bytes += encoded.nbytes
            while self._held_bytes > self._cache_bytes:
                _, old = self._made.popitem(last=False)
                self._held_bytes -= old.nbytes


def _fail(encoding: ChunkEncoding | None, error: HausgeistError) -> None:
    if encoding is not None and not encoding.ready:
        encoding.settle(error)
