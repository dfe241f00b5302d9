"""One model server, as it is reached: address, key, certificate and patience."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from desktop.common.errors import RemoteError
from desktop.engine.remote.address import RemoteAddress
from desktop.engine.remote.errors import refusal
from desktop.hub.answer import Answer, Purpose
from desktop.hub.exchange import Exchange, Trust
from desktop.hub.remote_door import RemoteDoor

ASKING = "remote_engine"
LISTING = "remote_models"
MOST_ANSWER_BYTES = 256 << 20
"""Thousands of vectors as decimal text; a list of models is a thousandth of it."""

Key = Callable[[], str]
"""The server's key, "" where it has none; asked at every request."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take, in seconds: to be reached, to begin an answer (it may have to
    load its model and read a long text), between two pieces of it, and for a short question."""

    connect_s: float = 10.0
    first_token_s: float = 600.0
    between_s: float = 120.0
    question_s: float = 20.0


class RemoteLink:
    """Any thread may ask. What goes to the server is named in the ledger as `name`."""

    def __init__(
        self,
        door: RemoteDoor,
        name: str,
        address: RemoteAddress,
        *,
        key: Key = lambda: "",
        trust: Trust | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._door = door
        self._key = key
        self._trust = trust or Trust()
        self._is_cancelled: Callable[[], bool] | None = None
        self.name = name
        self.address = address
        self.patience = patience or Patience()

    def until(self, is_cancelled: Callable[[], bool]) -> RemoteLink:
        """The same link, whose short questions end with CancelledError once it says so."""
        link = copy.copy(self)
        link._is_cancelled = is_cancelled
        return link

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown even where the server repeats it."""
        key = self._key()
        return (key,) if key else ()

    def stream(self, path: str, document: Any) -> Exchange:
        """POST `document` below the API's address; the answer is read as it comes.

        Raises NetworkError: bad_address, offline_*.
        """
        return self._door.begin(
            self.address.api + path,
            Purpose(ASKING, self.name),
            self._trust,
            body=_encoded(document),
            headers=self._headers("text/event-stream, application/json"),
            connect_s=self.patience.connect_s,
        )

    def ask(
        self,
        path: str,
        document: Any = None,
        *,
        timeout_s: float | None = None,
        own_path: bool = False,
        purpose: str = ASKING,
    ) -> Any:
        """The JSON document that the server answers with.

        `own_path`: below the server's root, for what is its own (``/props``). Raises NetworkError,
        and as `remote_errors.refusal`.
        """
        answer = self.answer(
            path, document, timeout_s=timeout_s, own_path=own_path, purpose=purpose
        )
        if not 200 <= answer.status < 300:
            raise refusal(answer.status, answer.headers, answer.body, self.name, self.secrets)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            detail = f"{answer.headers.get('content-type', '')}: {str(error)[:100]}"
            raise RemoteError("remote_nonsense", server=self.name, detail=detail) from error

    def answer(
        self,
        path: str,
        document: Any = None,
        *,
        timeout_s: float | None = None,
        own_path: bool = False,
        purpose: str = ASKING,
    ) -> Answer:
        """The whole answer, whatever its status. Raises NetworkError."""
        base = self.address.root if own_path else self.address.api
        return self._door.fetch(
            base + path,
            Purpose(purpose, self.name),
            self._trust,
            body=None if document is None else _encoded(document),
            headers=self._headers("application/json"),
            timeout_s=timeout_s or self.patience.question_s,
            connect_s=self.patience.connect_s,
            max_bytes=MOST_ANSWER_BYTES,
            is_cancelled=self._is_cancelled,
        )

    def _headers(self, accept: str) -> dict[str, str]:
        key = self._key()
        return {"Accept": accept} | ({"Authorization": f"Bearer {key}"} if key else {})


def _encoded(document: Any) -> bytes:
    # Half a surrogate pair, as broken text may hold one, has no bytes of its own.
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")
