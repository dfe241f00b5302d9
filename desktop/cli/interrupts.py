"""Ctrl+C and SIGTERM: the first Ctrl+C stops what is running, a second one leaves."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Generic, Self, TypeVar, cast

from desktop.common.errors import CancelledError
from desktop.engine.cancel import CancelToken

_Result = TypeVar("_Result")
_LOOK_EVERY_S = 0.1
_LEAVE_WITHIN_S = 10.0


class TerminatedError(BaseException):
    """The system asks this process to end; not an Exception, so that nothing swallows it."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number
        super().__init__(number)


class Interrupts:
    """Signal handlers for the time of a `with`; use in the main thread."""

    def __init__(self) -> None:
        self._cancel: Callable[[], None] | None = None
        self._pressed = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        self._install(signal.SIGINT, self._on_interrupt)
        for name in ("SIGTERM", "SIGHUP", "SIGBREAK"):
            if (number := getattr(signal, name, None)) is not None:
                self._install(number, self._on_terminate)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            if handler is not None:  # None: not Python's own, and nothing Python could set again
                signal.signal(number, handler)  # type: ignore[arg-type]  # what signal() gave us

    @contextlib.contextmanager
    def cancelling(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Within: the first Ctrl+C calls `cancel`, the next one raises KeyboardInterrupt."""
        self._cancel, self._pressed = cancel, False
        try:
            yield
        finally:
            self._cancel = None

    def run(
        self,
        work: Callable[[CancelToken], _Result],
        *,
        discard: Callable[[_Result], None] | None = None,
    ) -> _Result:
        """Run `work` in a thread, so that signals are heard while it is deep inside llama.cpp.

        Ctrl+C cancels its token; leaving waits for it to notice, within reason. Work that was
        done before it noticed keeps its result, or, where that is only the beginning of something
        longer, has it taken back by `discard`: else nobody would hear of that Ctrl+C any more.
        Raises what `work` raises, CancelledError included.
        """
        token = CancelToken()
        job = _Job(lambda: work(token))
        with self.cancelling(token.cancel):
            try:
                job.start()
                while not job.wait(_LOOK_EVERY_S):
                    pass
            except BaseException:
                token.cancel()
                if job.is_alive():
                    job.wait(_LEAVE_WITHIN_S)
                raise
        result = job.result()
        if token.cancelled and discard is not None:
            discard(result)
            raise CancelledError
        return result

    def _install(self, number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        self._before[number] = signal.signal(number, handler)

    def _on_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        cancel = self._cancel
        if cancel is None or self._pressed:
            raise KeyboardInterrupt
        self._pressed = True
        cancel()

    def _on_terminate(self, number: int, _frame: FrameType | None) -> None:
        raise TerminatedError(number)


class _Job(threading.Thread, Generic[_Result]):
    """A thread that keeps what its work returned or raised."""

    def __init__(self, work: Callable[[], _Result]) -> None:
        super().__init__(name="cli-work", daemon=True)
        self._work = work
        self._done = threading.Event()
        self._value: _Result | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001  (raised again in the main thread)
            self._error = error
        finally:
            self._done.set()

    def wait(self, timeout_s: float) -> bool:
        return self._done.wait(timeout_s)

    def result(self) -> _Result:
        if self._error is not None:
            raise self._error
        return cast(_Result, self._value)
