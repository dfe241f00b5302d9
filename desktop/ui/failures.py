"""What nobody foresaw: wholly into the log, to the user as a sentence, never a traceback."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

from desktop.common.errors import HausgeistError
from desktop.ui.bridge import Batch, Bridge
from desktop.ui.log import log
from desktop.ui.session import Session


class Failures:
    """Takes Python's hooks for exceptions that reach the top of a thread."""

    def __init__(self, session: Session, bridge: Bridge) -> None:
        self._session = session
        self._bridge = bridge
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook

    def release(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(130)
        log.error("unforeseen", exc_info=(kind, error, trace))
        self._bridge.post(self._tell, kind.__name__)

    def _thread_hook(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.error(
                "unforeseen in a thread",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )
            self._bridge.post(self._tell, args.exc_type.__name__)

    def _tell(self, batch: Batch) -> None:
        self._session.tell_error(HausgeistError("internal", kind=str(batch[-1])))
