"""Open stand-ins of model servers, ask them, and look at what came."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.common.errors import HausgeistError
from desktop.engine.chat import Chat, Message
from desktop.engine.events import Event, Failed, Finished, Reasoning, Text
from desktop.engine.remote.engine import RemoteEngine, open_remote
from desktop.engine.remote.link import Patience
from desktop.engine.request import Request
from tests.engine.model_server import Answer, ModelServer, link_to, model_server

WAIT_S = 20.0
QUICK = Patience(connect_s=2.0, first_token_s=3.0, between_s=1.0, question_s=3.0)
HELLO = Chat((Message("user", "Hello"),))

Open = Callable[..., tuple[RemoteEngine, ModelServer]]


@contextlib.contextmanager
def talking(folder: Path) -> Iterator[Open]:
    """Lends a function that opens a stand-in which gives these answers; the ledger is in `folder`.

    `models` and `own` are what it tells of itself; the rest is `link_to`'s.
    """
    with contextlib.ExitStack() as open_ones:

        def make(*answers: Answer, **more: Any) -> tuple[RemoteEngine, ModelServer]:
            models, own = more.pop("models", None), more.pop("own", {})
            server = open_ones.enter_context(model_server(*answers))
            if models is not None:
                server.models = models
            server.own.update(own)
            more.setdefault("patience", QUICK)
            engine = open_remote(link_to(server, folder, **more), "tiny")
            open_ones.callback(engine.close)
            return engine, server

        yield make


def owned(by: str, **more: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "tiny", "owned_by": by, **more}]}


def all_of(engine: RemoteEngine, request: Request) -> list[Event]:
    stream = engine.submit(request)
    found: list[Event] = []
    until = time.monotonic() + WAIT_S
    while stream.end is None:
        event = stream.get(until - time.monotonic())
        assert event is not None, "the answer did not end in time"
        found.append(event)
    return found


def ask(engine: RemoteEngine, chat: Chat = HELLO, **more: Any) -> list[Event]:
    return all_of(engine, Request("1", chat=chat, **more))


def text_of(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Text))


def reasoning_of(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Reasoning))


def end_of(found: list[Event]) -> Finished:
    assert isinstance(found[-1], Finished), found[-1]
    return found[-1]


def failure_of(found: list[Event]) -> Failed:
    assert isinstance(found[-1], Failed), found[-1]
    return found[-1]


def failing(work: Callable[[], object]) -> HausgeistError:
    with pytest.raises(HausgeistError) as found:
        work()
    return found.value
