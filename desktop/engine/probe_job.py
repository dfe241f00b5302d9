"""The child's job behind `probe`: load, read a few tokens, write one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError
from desktop.engine.events import Failed
from desktop.engine.last_words import is_out_of_memory
from desktop.engine.loaded import Loaded
from desktop.engine.peak import peak_bytes
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan

_PROMPT = "Hallo Welt, 1 2 3."
_ANSWER_TOKENS = 2


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    order = next(messages)
    try:
        loaded = Loaded(Path(order["path"]), Plan.from_json(order["plan"]))
        failure = _talk(loaded)
    except HausgeistError as error:
        failure = Failed("", error.kind, error.params, f"{error}")
    if failure is None:
        answer({"ok": True, "peak_bytes": peak_bytes()})
        return
    kind = "out_of_memory" if is_out_of_memory(failure.detail) else "refused"
    answer(
        {
            "ok": False,
            "kind": kind,
            "detail": failure.detail or failure.kind,
            "peak_bytes": peak_bytes(),
            "error_kind": failure.kind,
        }
    )


def _talk(loaded: Loaded) -> Failed | None:
    batcher = loaded.batcher
    sampling = Sampling(temperature=0.0)
    request = Request("probe", _PROMPT, _ANSWER_TOKENS, sampling=sampling, ignore_eos=True)
    events = batcher.add(request)
    while batcher.busy:
        events += batcher.step()
    return next((event for event in events if isinstance(event, Failed)), None)
