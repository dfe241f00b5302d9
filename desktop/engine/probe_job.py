"""The child's job behind `probe`: load, with all that goes with it; read and write a little."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop.common.errors import HausgeistError
from desktop.engine.chat import Media
from desktop.engine.events import Failed
from desktop.engine.extras import Extras
from desktop.engine.last_words import is_out_of_memory
from desktop.engine.loaded import Loaded
from desktop.engine.peak import peak_bytes
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan

_PROMPT = "Hallo Welt, 1 2 3."
_ANSWER_TOKENS = 2
_PICTURES = ((640, 480), (480, 640), (64, 64), (1600, 40), (40, 1600), (3, 2), (2048, 2048))
"""Usual and odd ones: a projector of strangers must not end the app at the first strip."""


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    order = next(messages)
    try:
        extras = Extras.from_json(order.get("extras", {}))
        loaded = Loaded(Path(order["path"]), Plan.from_json(order["plan"]), extras=extras)
        # One that makes vectors has made some while it was loaded.
        failure = None if loaded.embedder is not None else _talk(loaded)
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
    """What went wrong first in a few short answers: plain, with each adapter, to each picture."""
    sampling = Sampling(temperature=0.0)
    request = Request("probe", _PROMPT, _ANSWER_TOKENS, sampling=sampling, ignore_eos=True)
    tried: list[Prepared | Request] = [request]
    tried += _with_adapters(loaded, request)
    tried += _with_media(loaded, request)
    for wanted in tried:
        events = loaded.batcher.add(wanted)
        while loaded.batcher.busy:
            events += loaded.batcher.step()
        failure = next((event for event in events if isinstance(event, Failed)), None)
        if failure is not None:
            return failure
    return None


def _with_adapters(loaded: Loaded, request: Request) -> Iterator[Request]:
    if loaded.adapters is None:
        return
    for adapter in loaded.adapters.defaults:
        yield replace(request, adapters=(replace(adapter, scale=1.0),))


def _with_media(loaded: Loaded, request: Request) -> Iterator[Prepared]:
    media = loaded.media
    if media is None:
        return
    seen = [media.blank(*size) for size in _PICTURES] if media.vision else []
    if media.audio:
        seen.append(media.read(Media("audio", _silence())))
    for one in seen:
        tokens = [loaded.vocabulary.first_token, *one.tokens]
        if len(tokens) + _ANSWER_TOKENS < loaded.context.sequence_tokens:
            yield Prepared(request, tokens, media=one.chunks)


def _silence() -> bytes:
    """A second of it, as a WAV file."""
    rate, samples = 16_000, bytes(2 * 16_000)
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    body = b"WAVEfmt " + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body
