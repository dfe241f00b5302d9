"""A bag-of-words start: embeddings that know which words go with which topic.

Training the whole model from nothing spends most of its time on this; a mean of embeddings and
one matrix learn it in a minute.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from guide_model.bpe import Tokenizer
from guide_model.corpus import LANGUAGES
from guide_model.dialogue import Maker
from guide_model.model import Guide

_QUESTIONS = 384


class Bag(nn.Module):  # type: ignore[misc]
    """Mean of embeddings, then one matrix."""

    def __init__(self, vocabulary: int, width: int, topics: int) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(vocabulary, width, mode="mean")
        self.topic = nn.Linear(width, topics, bias=False)
        nn.init.normal_(self.words.weight, std=0.05)

    def forward(self, ids: Tensor, starts: Tensor) -> Tensor:
        out: Tensor = self.topic(functional.dropout(self.words(ids, starts), 0.1, self.training))
        return out


def learn(
    maker: Maker, tokenizer: Tokenizer, numbers: Mapping[str, int], width: int, steps: int
) -> Bag:
    """Train on single questions; prints the loss now and then."""
    rng = random.Random(maker.rng.random())
    bag = Bag(len(tokenizer.tokens), width, len(numbers))
    tool = torch.optim.AdamW(bag.parameters(), lr=1e-2, weight_decay=0.0)
    seen = 0.0
    for step in range(steps):
        ids: list[int] = []
        starts, wanted = [], []
        for _ in range(_QUESTIONS):
            topic, language = maker.topic(), rng.choice(LANGUAGES)
            starts.append(len(ids))
            wanted.append(numbers[f"{language}:{topic.id}"])
            asked = maker.ask(topic, language)
            ids += tokenizer.encode_loosely(asked, rng, 0.04, 0.3) or [tokenizer.pad]
        for group in tool.param_groups:
            group["lr"] = 1e-2 * (1 - step / steps) + 2e-4
        loss = functional.cross_entropy(
            bag(torch.tensor(ids), torch.tensor(starts)), torch.tensor(wanted)
        )
        tool.zero_grad()
        loss.backward()
        tool.step()
        seen = 0.95 * seen + 0.05 * loss.item() if step else loss.item()
        if step % 50 == 0:
            print(f"bag of words, step {step}: {seen:.3f}", flush=True)
    bag.eval()
    return bag


def plant(bag: Bag, model: Guide) -> None:
    """Give the model the word vectors, centred, with the spread that embeddings start from."""
    with torch.no_grad():
        words = bag.words.weight - bag.words.weight.mean(0)
        model.embedding.weight.copy_(words * (0.05 / words.std()))
