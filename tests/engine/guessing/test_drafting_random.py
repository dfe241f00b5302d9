"""Right and wrong guesses at random, beside cancels and a memory that is too small for all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desktop.engine.events import Event
from desktop.engine.guessing.draft_switch import DraftSwitch, Wanted
from desktop.engine.guessing.prompt_lookup import PromptLookup
from desktop.engine.guessing.proposer import NO_GUESS, Guess, Writer
from desktop.engine.loaded import Loaded
from tests.engine.driving import ask, check_cache, plan_for, sort_out
from tests.tiny_guessers import ALPHABET, recited, reciting, write_tiny_lfm2, write_tiny_qwen35
from tests.tiny_models import write_tiny_model


class _Whims(PromptLookup):
    """Sometimes the right tokens, sometimes right at first, sometimes anything at all."""

    def __init__(self, source: random.Random) -> None:
        super().__init__(288)
        self._random = source

    def propose(self, writers: Sequence[Writer]) -> list[Guess]:
        return [self._guess(writer) for writer in writers]

    def _guess(self, writer: Writer) -> Guess:
        length = self._random.randrange(writer.most + 1)
        if length == 0:
            return NO_GUESS
        tokens = [ord(letter) for letter in recited(chr(writer.last), length)]
        for place in range(self._random.choice((length, length // 2, 0)), length):
            tokens[place] = self._random.randrange(256)
        return Guess(tokens, self._random.randrange(3))


class _AtRandom(DraftSwitch):
    """As many as the limit allows, or fewer."""

    source = random.Random(0)

    def may_pay(self, plain: int) -> bool:
        return True

    def counts(self, wanted: Sequence[Wanted], plain: int, *, reading: bool) -> list[int]:
        left, counts = self.limit, []
        for one in wanted:
            counts.append(self.source.randint(0, min(left, one.length)))
            left -= counts[-1]
        return counts


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("write", [write_tiny_model, write_tiny_lfm2, write_tiny_qwen35])
def test_whatever_is_guessed_the_answers_are_right(write: Any, seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    path = write(tmp_path / "model.gguf", change=reciting())
    plan = plan_for(context=512, parallel=4, ubatch=32, draft_tokens=6)
    with closing(Loaded(path, plan)) as loaded:
        drafter, batcher = loaded.drafter, loaded.batcher
        assert drafter is not None
        drafter._lookup = _Whims(source)
        drafter.switch = _AtRandom(plan.draft_tokens, {})
        drafter.switch.source = source
        prompts: dict[str, str] = {}
        events: list[Event] = []
        cancelled: set[str] = set()
        for step in range(600):
            if len(prompts) < 40 and source.random() < 0.3:
                name = str(len(prompts))
                prompts[name] = _prompt(source)
                draft = source.choice(("auto", "auto", "off"))
                tokens = source.randrange(0, 60)
                events += batcher.add(ask(name, prompts[name], tokens, draft=draft))
            if prompts and source.random() < 0.05:
                name = source.choice(list(prompts))
                cancelled.add(name)
                events += batcher.cancel(name)
            if source.random() < 0.1:
                loaded.context.abort.set()
            events += batcher.step()
            loaded.context.abort.clear()
            check_cache(batcher)
            if step > 200 and not batcher.busy:
                break
        told = sort_out(events)
        assert set(told) == set(prompts)
        for name, one in told.items():
            assert one.text == recited(prompts[name], len(one.text)), name
            assert one.end.reason == "length" or name in cancelled
        assert sum(one.end.stats.accepted_tokens for one in told.values()) > 50


def _prompt(source: random.Random) -> str:
    text = "".join(source.choice("xyz-") for _ in range(source.randrange(80)))
    return text + source.choice(ALPHABET)
