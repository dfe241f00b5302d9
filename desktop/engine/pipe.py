"""A child that speaks in frames, both ways at any time: what it says is heard as it comes."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections.abc import Callable
from typing import Any

from desktop.common.logs import get_logger
from desktop.engine import wire
from desktop.engine.process import ChildDiedError, ChildProcess

_NONSENSE_CODE = -1
_END_S = 5.0

_log = get_logger("engine")


class PipedChild(ChildProcess):
    """`hear` gets every message and `died` the end, once, both in the child's own thread.

    `send` never blocks: what a busy child does not read waits in a queue.
    """

    def __init__(
        self, job: str, hear: Callable[[Any], None], died: Callable[[ChildDiedError], None]
    ) -> None:
        """Raises EngineError("no_child")."""
        self._hear = hear
        self._died = died
        self._frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        super().__init__(job)
        self._writer = threading.Thread(target=self._write, name=f"to-{job}", daemon=True)
        self._reader.start()
        self._writer.start()

    def send(self, message: object) -> None:
        """Queue a message; lost where the child has gone, which `died` tells.

        Raises wire.NonsenseError for one that cannot be sent. May be called while Python collects
        its garbage.
        """
        self._frames.put(wire.encode(message))

    def wait(self, timeout_s: float) -> bool:
        """Whether the child has ended and `died` has been told, at the latest after `timeout_s`."""
        self._reader.join(timeout_s)
        return not self._reader.is_alive()

    def close(self) -> None:
        """End the child at once and wait for its end; not from `hear` or `died`."""
        self.kill()
        self._frames.put(b"")
        self._writer.join()
        super().close()

    def _read(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        death: ChildDiedError | None = None
        try:
            while True:
                self._hear(wire.read(pipe))
        except EOFError:
            pass  # the usual end
        except (wire.NonsenseError, AttributeError, LookupError, TypeError, ValueError) as error:
            _log.warning("the child writes nonsense", exc_info=error)
            self.kill()
            death = ChildDiedError(_NONSENSE_CODE, f"nonsense: {error}")
        except OSError as error:
            _log.warning("the child's pipe broke: %s", error)
            self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self.kill()  # it has nothing more to say, so it must not linger
        ended = self._death()
        self._frames.put(b"")
        self._died(death or ended)

    def _write(self) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        while frame := self._frames.get():
            try:
                pipe.write(frame)
                pipe.flush()
            except OSError:
                return  # it is gone; the reader learns how
