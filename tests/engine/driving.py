"""Drives a batcher step by step and collects what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from desktop.engine.batching.batcher import Batcher
from desktop.engine.events import Event, Failed, Finished, PromptProgress, Started, Text
from desktop.engine.request import Request
from desktop.engine.sampling import Sampling
from desktop.fit.types import Plan

GREEDY = Sampling(temperature=0.0)


def plan_for(context: int = 1024, parallel: int = 2, ubatch: int = 64, **fields: Any) -> Plan:
    known: dict[str, Any] = {
        "gpu_layers": 0,
        "kv_type": "f16",
        "flash_attention": True,
        "expert_layers_on_cpu": 0,
        "threads": 1,
        "use_mmap": True,
    }
    return Plan(context=context, parallel=parallel, ubatch=ubatch, **(known | fields))


def ask(name: str, prompt: str, tokens: int | None = 8, **fields: Any) -> Request:
    """A greedy request that no end-of-answer token stops."""
    known: dict[str, Any] = {"sampling": GREEDY, "ignore_eos": True}
    return Request(name, prompt, tokens, **(known | fields))


@dataclass
class Told:
    """What a request's events said, in order."""

    text: str = ""
    started: list[Started] = field(default_factory=list)
    progress: list[PromptProgress] = field(default_factory=list)
    finished: Finished | None = None
    failed: Failed | None = None

    @property
    def cached_tokens(self) -> int:
        return self.started[0].cached_tokens

    @property
    def end(self) -> Finished:
        assert self.failed is None, self.failed
        assert self.finished is not None
        return self.finished


def sort_out(events: list[Event]) -> dict[str, Told]:
    told: dict[str, Told] = {}
    for event in events:
        one = told.setdefault(event.request_id, Told())
        assert one.finished is None, "an event after the last one"
        assert one.failed is None, "an event after the last one"
        if isinstance(event, Text):
            one.text += event.text
        elif isinstance(event, Started):
            one.started.append(event)
        elif isinstance(event, PromptProgress):
            one.progress.append(event)
        elif isinstance(event, Finished):
            one.finished = event
        elif isinstance(event, Failed):
            one.failed = event
    return told


def drive(batcher: Batcher, *requests: Request, most_steps: int = 20_000) -> dict[str, Told]:
    """Add the requests together and step until all have ended."""
    events: list[Event] = []
    for request in requests:
        events += batcher.add(request)
    for _ in range(most_steps):
        check_cache(batcher)
        if not batcher.busy:
            return sort_out(events)
        events += batcher.step()
    raise AssertionError(f"still busy after {most_steps} steps")


def check_cache(batcher: Batcher) -> None:
    """What the batcher believes about each sequence is what llama.cpp's memory holds."""
    lib, memory = batcher._lib, batcher._context.memory
    for slot in batcher.slots:
        last = lib.llama_memory_seq_pos_max(memory, slot.sequence)
        assert last == len(slot.cached) - 1, f"sequence {slot.sequence}"


def answer(batcher: Batcher, request: Request) -> Told:
    return drive(batcher, request)[request.id]
