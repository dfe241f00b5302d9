"""Random requests, cancels and failures: every request ends once, and the cache stays true."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from desktop.engine.events import Event, Failed, Finished
from desktop.engine.loaded import Loaded
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.engine.states.states import States
from tests.engine.conftest import LoadModel
from tests.engine.driving import check_cache, sort_out
from tests.tiny_architectures import write_tiny_gemma2, write_tiny_mamba
from tests.tiny_models import write_tiny_model

_BEGINNINGS = ("", "Du bist ein Geist. ", "Du bist ein Haus. " * 6, "x" * 90)
_OPERATIONS = 400


def _request(chance: random.Random, number: int, told: list[str]) -> Request:
    """A new question, or the next turn of what was answered before."""
    if told and chance.random() < 0.4:
        prompt = chance.choice(told) + "<|im_end|>\nUnd dann?"
    else:
        prompt = chance.choice(_BEGINNINGS) + "wort " * chance.choice((0, 1, 3, 20, 60))
    return Request(
        id=str(number),
        prompt=prompt,
        max_tokens=chance.choice((None, 0, 1, 5, 30, 100)),
        stop=chance.choice(((), ("a",), ("<|im_start|>", "zz"))),
        sampling=Sampling(
            temperature=chance.choice((0.0, 1.0)),
            top_k=chance.choice((0, 1, 40)),
            repeat_penalty=chance.choice((1.0, 1.2)),
            seed=number,
        ),
        conversation=chance.choice(("", "chat", "other")),
        client=chance.choice(("", "one", "two")),
        priority=chance.choice((0, 0, 5)),
        ignore_eos=chance.random() < 0.5,
        keep_state=chance.random() < 0.8,
        echo=(scored := chance.random() < 0.1),
        logprobs=2 if scored else None,
    )


def _break_sometimes(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch, chance: random.Random
) -> None:
    real = loaded.model.llama.lib.llama_decode

    def decode(context: object, batch: object) -> int:
        if chance.random() < 0.05:
            return chance.choice((1, 2, -2, -3))
        code: int = real(context, batch)
        return code

    monkeypatch.setattr(loaded.model.llama.lib, "llama_decode", decode)


@pytest.mark.parametrize("kind", ["llama", "mamba", "gemma2"])
@pytest.mark.parametrize("seed", range(4))
def test_every_request_ends_once_whatever_happens(
    load_model: LoadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    writers = {"llama": write_tiny_model, "mamba": write_tiny_mamba, "gemma2": write_tiny_gemma2}
    path = writers[kind](tmp_path / "model.gguf", seed=seed)
    loaded = load_model(path, context=512, parallel=3, ubatch=64)
    batcher, chance = loaded.batcher, random.Random(seed)
    batcher.cache._states = states = States(1 << 20)
    if seed % 2:
        _break_sometimes(loaded, monkeypatch, chance)
    events: list[Event] = []
    asked: dict[str, Request] = {}
    told: list[str] = []
    for number in range(_OPERATIONS):
        action = chance.random()
        if action < 0.12:
            request = _request(chance, number, told)
            asked[request.id] = request
            events += batcher.add(request)
        elif action < 0.15 and asked:
            events += batcher.cancel(chance.choice(list(asked)))
        elif action < 0.16:
            batcher.cache.forget("other")
            states.forget("other")
        else:
            events += batcher.step()
            check_cache(batcher)
        told = [
            asked[name].prompt + one.text for name, one in sort_out(events).items() if one.finished
        ][-4:]
    for _ in range(20_000):
        if not batcher.busy:
            break
        events += batcher.step()
        check_cache(batcher)
    assert not batcher.busy
    ends = Counter(event.request_id for event in events if isinstance(event, Finished | Failed))
    assert ends == dict.fromkeys(asked, 1)
    allowed = {"context_exceeded"} | ({"decode_failed"} if seed % 2 else set())
    assert {event.kind for event in events if isinstance(event, Failed)} <= allowed
    for name, one in sort_out(events).items():
        limit = asked[name].max_tokens
        if one.finished is not None and limit is not None:
            assert one.finished.stats.completion_tokens <= limit
        if not asked[name].echo:
            assert not any(stop in one.text for stop in asked[name].stop)
