"""Many requests with pictures, adapters and cancels on too little room: each as if alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.engine.chat import Media
from desktop.engine.events import Event
from desktop.engine.extras import AdapterFile, Extras
from desktop.engine.loaded import Loaded
from desktop.engine.media.media import MediaChunk
from desktop.engine.prepared import Prepared
from desktop.engine.request import Adapter
from tests.engine.driving import ask, plan_for, sort_out
from tests.tiny_architectures import write_tiny_qwen2vl
from tests.tiny_lora import write_tiny_lora
from tests.tiny_models import speak_signs_only, write_tiny_model
from tests.tiny_projector import png, write_tiny_eyes

PICTURES = (png(112, 112), png(280, 140), png(140, 280, (9, 200, 30)), png(112, 112, (1, 2, 250)))
TEXTS = ("Look: ", "What is on it? ", "One more thing, please: ", "")
TOKENS = 10


@pytest.fixture(params=["square", "wide"])
def loaded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Loaded]:
    if request.param == "wide":
        model = write_tiny_qwen2vl(tmp_path / "model.gguf", change=speak_signs_only)
        eyes = write_tiny_eyes(tmp_path / "eyes.gguf", kind="qwen2vl_merger")
    else:
        model = write_tiny_model(tmp_path / "model.gguf", seed=3, change=speak_signs_only)
        eyes = write_tiny_eyes(tmp_path / "eyes.gguf")
    architecture = "qwen2vl" if request.param == "wide" else "llama"
    poet = write_tiny_lora(tmp_path / "poet.gguf", architecture=architecture, strength=0.3)
    extras = Extras(projector=eyes, adapters=(AdapterFile(poet, "poet", 0.0),))
    plan = plan_for(context=512, parallel=3, ubatch=64)
    with closing(Loaded(model, plan, extras=extras)) as opened:
        yield opened


def made_up(loaded: Loaded, name: str, recipe: tuple[int, ...], *, poet: bool) -> Prepared:
    """Texts (even) and pictures (odd numbers) in turn."""
    assert loaded.media is not None
    tokens: list[int] = []
    chunks: list[MediaChunk] = []
    for number in recipe:
        if number % 2 == 0:
            tokens += loaded.vocabulary.tokenize(TEXTS[number // 2])
            continue
        found = loaded.media.read(Media("image", PICTURES[number // 2]))
        tokens += found.tokens
        chunks += found.chunks
    adapters = (Adapter("poet", 1.0),) if poet else ()
    request = replace(ask(name, "", TOKENS), adapters=adapters)
    return Prepared(request, tokens, media=tuple(chunks))


def run(loaded: Loaded, wanted: list[Prepared], chance: random.Random | None = None) -> list[Event]:
    batcher = loaded.batcher
    events: list[Event] = []
    waiting = list(wanted)
    for _ in range(20_000):
        if waiting and (chance is None or chance.random() < 0.3):
            events += batcher.add(waiting.pop(0))
        if chance is not None and chance.random() < 0.02:
            events += batcher.cancel(chance.choice(wanted).request.id)
        if batcher.busy:
            events += batcher.step()
        elif not waiting:
            return events
    raise AssertionError("still busy")


def test_each_answer_is_that_of_a_request_alone(loaded: Loaded) -> None:
    chance = random.Random(5)
    recipes = [
        (tuple(chance.randrange(8) for _ in range(chance.randrange(2, 5))), chance.random() < 0.4)
        for _ in range(12)
    ]
    alone: dict[tuple[tuple[int, ...], bool], str] = {}
    for recipe, poet in recipes:
        told = sort_out(run(loaded, [made_up(loaded, "alone", recipe, poet=poet)]))["alone"]
        assert told.end.reason == "length"
        alone[recipe, poet] = told.text
    wanted = {f"r{number}": chance.choice(recipes) for number in range(40)}
    prepared = [made_up(loaded, name, recipe, poet=poet) for name, (recipe, poet) in wanted.items()]
    told_of = sort_out(run(loaded, prepared, chance))
    assert told_of.keys() == wanted.keys()
    whole = [name for name in wanted if told_of[name].end.reason == "length"]
    other = [name for name in whole if told_of[name].text != alone[wanted[name]]]
    assert len(whole) >= 15
    # Rows beside others are rounded a little otherwise, which may turn a close choice.
    assert len(other) <= len(whole) // 10, other
    lib, memory = loaded.model.llama.lib, loaded.context.memory
    for slot in loaded.batcher.slots:
        last = lib.llama_memory_seq_pos_max(memory, slot.sequence)
        assert last <= len(slot.cached) - 1
