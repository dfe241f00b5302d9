"""Chats as token ids, in ChatML, with a mask over what the model is to learn."""

from __future__ import annotations

import random
from dataclasses import dataclass

from guide_model.bpe import Tokenizer
from guide_model.dialogue import Chat

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' "
    "+ message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
_CUT_SINGLE, _CUT_LAST, _CUT_EASY = 0.78, 0.6, 0.93
_CUT_TOKENS = 9


@dataclass(frozen=True, slots=True)
class Example:
    """Ids; where an answer's tokens begin and end; where each answer starts, and about what."""

    ids: list[int]
    learn: list[tuple[int, int]]
    topics: list[tuple[int, str]]


def prompt(tokenizer: Tokenizer, messages: list[tuple[str, str]]) -> list[int]:
    """The ids that the chat template gives for (role, text) pairs, ready for an answer."""
    out: list[int] = []
    for role, text in messages:
        out += [tokenizer.start, *tokenizer.encode(f"{role}\n{text}"), tokenizer.stop]
        out += tokenizer.encode("\n")
    return [*out, tokenizer.start, *tokenizer.encode("assistant\n")]


def example(chat: Chat, tokenizer: Tokenizer, rng: random.Random, *, easy: bool = False) -> Example:
    """One chat; most of them keep only the first words of their last answer, which decide it."""
    newline = tokenizer.encode("\n")
    head = [tokenizer.start, *tokenizer.encode("assistant\n")]
    ids: list[int] = []
    learn: list[tuple[int, int]] = []
    topics: list[tuple[int, str]] = []
    if chat.system:
        ids += [tokenizer.start, *tokenizer.encode(f"system\n{chat.system}"), tokenizer.stop]
        ids += newline
    for turn in chat.turns:
        asked = tokenizer.encode_loosely(f"user\n{turn.asked}", rng, 0.04, 0.3)
        ids += [tokenizer.start, *asked, tokenizer.stop, *newline, *head]
        begin = len(ids)
        ids += [*tokenizer.encode(turn.answer), tokenizer.stop]
        learn.append((begin, len(ids)))
        topics.append((begin - 1, f"{turn.language}:{turn.topic}"))
        ids += newline
    cut = _CUT_EASY if easy else _CUT_SINGLE if len(chat.turns) == 1 else _CUT_LAST
    if rng.random() < cut:
        begin, finish = learn[-1]
        finish = min(finish, begin + _CUT_TOKENS)
        return Example(ids[:finish], [*learn[:-1], (begin, finish)], topics)
    return Example(ids, learn, topics)
