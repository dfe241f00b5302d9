"""Asks the Hub: its JSON, and ranges of its files, with a second try where that may help."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from desktop.common.errors import HubError, NetworkError
from desktop.common.logs import get_logger
from desktop.hub.answer import MAX_ANSWER_BYTES, Answer, Purpose, Sink
from desktop.hub.door import STALL_S, Door
from desktop.hub.statuses import require_good

_PASSING = ("connection_cut", "connection_failed", "hub_down")
_PAUSE_S = 0.5
_LEAST_S = 1.0
_SHORT_WAIT_S = 3.0  # a busy Hub is waited for that long; longer waits are the user's to decide
_SLOWEST_BYTES_PER_S = 32_000

_log = get_logger("hub")


class HubClient:
    """The Hub's addresses and manners; every failure is a NetworkError or HubError."""

    def __init__(self, door: Door, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._door = door
        self._pause = pause

    @property
    def endpoint(self) -> str:
        return self._door.policy.endpoint

    @property
    def is_offline(self) -> bool:
        return self._door.policy.is_offline

    def require_online(self) -> None:
        """Raises NetworkError: offline_environment, offline_setting."""
        self._door.policy.require_online()

    def json(
        self,
        path: str,
        purpose: Purpose,
        repo: str,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> Any:
        """The document at `path` below the Hub's address; HubError("hub_bad_answer")."""
        url = f"{self.endpoint}/{path}"
        answer = self.answer(url, purpose, repo, is_cancelled=is_cancelled)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise HubError("hub_bad_answer", repo=repo, detail=str(error)[:200]) from error

    def answer(
        self,
        url: str,
        purpose: Purpose,
        repo: str,
        file: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
        enough_bytes: int | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """The good answer at `url`, a whole address; 15 s for all that is tried, 16 MiB."""
        until = time.monotonic() + STALL_S
        tries = 0

        def ask() -> Answer:
            nonlocal tries
            tries += 1
            left_s = max(_LEAST_S, until - time.monotonic())
            answer = self._door.get(
                url,
                purpose,
                headers=headers,
                max_bytes=max_bytes,
                enough_bytes=enough_bytes,
                timeout_s=None if tries == 1 else left_s,
                is_cancelled=is_cancelled,
            )
            require_good(answer, repo, file)
            return answer

        return self._patiently(ask)

    def bytes_at(
        self,
        url: str,
        offset: int,
        n: int,
        purpose: Purpose,
        repo: str,
        file: str,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> Answer:
        """A range of a file; a host that knows no ranges begins at 0 and is cut short."""

        def ask() -> Answer:
            answer = self._door.get(
                url,
                purpose,
                headers={"Range": f"bytes={offset}-{offset + n - 1}"},
                max_bytes=max(MAX_ANSWER_BYTES, offset + n),
                enough_bytes=offset + n,
                timeout_s=STALL_S + (offset + n) / _SLOWEST_BYTES_PER_S,
                is_cancelled=is_cancelled,
            )
            require_good(answer, repo, file)
            return answer

        return self._patiently(ask)

    def stream(
        self, url: str, purpose: Purpose, sink: Sink, *, headers: Mapping[str, str], stall_s: float
    ) -> Answer:
        """As Door.stream: what is sent goes to `sink` at once; one try."""
        return self._door.stream(url, purpose, sink, headers=headers, stall_s=stall_s)

    def file_url(self, repo: str, revision: str, file: str) -> str:
        """Where the Hub hands out a file."""
        return f"{self.endpoint}/{repo}/resolve/{quote(revision, safe='')}/{quote(file)}"

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Once more after a fault that passes by itself."""
        try:
            return ask()
        except NetworkError as error:
            wait = error.params.get("wait_s", 0)
            if error.kind == "hub_busy" and isinstance(wait, int | float):
                if wait > _SHORT_WAIT_S:
                    raise
                pause_s = float(wait)
            elif error.kind in _PASSING:
                pause_s = _PAUSE_S
            else:
                raise
            _log.info("asking again in %.1f s: %s", pause_s, error)
        self._pause(pause_s)
        return ask()
