"""How likely the tokens of a prompt itself are, for whoever asks for it with its echo."""

from __future__ import annotations

from typing import Any

from desktop.engine.chances import chances
from desktop.engine.events import Event, TokenChance, TokenChances
from desktop.engine.slot import Task
from desktop.engine.vocabulary import Vocabulary


def prompt_chances(
    task: Task, vocabulary: Vocabulary, context: Any, row: int, first: int, count: int
) -> list[Event]:
    """What the logits behind the tokens `first` to `first + count` say of those that follow.

    They lie in `context` from `row` on. What was told before, by a task that had to begin anew,
    is not told again; of the first token nothing is known.
    """
    request, tokens = task.request, task.tokens
    events: list[Event] = []
    if task.scored == 0:
        raw = vocabulary.piece(tokens[0])[0] or vocabulary.special_text(tokens[0]).encode()
        events.append(TokenChances(request.id, TokenChance(tokens[0], raw, 0.0), of_prompt=True))
        task.scored = 1
    end = min(first + count + 1, task.prompt_tokens)
    for place in range(max(first + 1, task.scored), end):
        behind = row + place - first - 1
        told, top = chances(vocabulary, context, behind, tokens[place], request.logprobs or 0)
        events.append(TokenChances(request.id, told, top, of_prompt=True))
        task.scored = place + 1
    return events
