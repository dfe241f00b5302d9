"""Byte-level BPE as llama.cpp reads it (model "gpt2", pre-tokenizer "gpt-2")."""

from __future__ import annotations

import json
import random
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

PAD, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = (PAD, START, STOP)


def _class(letter: str) -> str:
    """A regular expression class body with all characters of a Unicode main category."""
    spans: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code))[0] == letter:
            if spans and spans[-1][1] == code - 1:
                spans[-1][1] = code
            else:
                spans.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)


@lru_cache(maxsize=1)
def _splitter() -> re.Pattern[str]:
    letters, numbers = _class("L"), _class("N")
    return re.compile(
        rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{letters}]+| ?[{numbers}]+|"
        rf" ?[^\s{letters}{numbers}]+|\s+(?!\S)|\s+"
    )


def byte_signs() -> list[str]:
    """The printable stand-in of each byte, the convention of all byte-level BPE files."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    signs = {byte: chr(byte) for byte in plain}
    spare = 256
    for byte in range(256):
        if byte not in signs:
            signs[byte] = chr(spare)
            spare += 1
    return [signs[byte] for byte in range(256)]


_SIGNS = byte_signs()
_BYTES = {sign: byte for byte, sign in enumerate(_SIGNS)}


def split(text: str) -> list[str]:
    """The text cut into words with their leading space, spelt in byte signs."""
    return [
        "".join(_SIGNS[byte] for byte in part.encode("utf-8", "replace"))
        for part in _splitter().findall(text)
    ]


def learn(texts: Iterable[str], size: int) -> list[tuple[str, str]]:
    """The merges, most frequent first, until the vocabulary has the size wanted."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(text))
    words = [list(word) for word in counts]
    weights = list(counts.values())
    pairs: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for at, word in enumerate(words):
        for pair in pairwise(word):
            pairs[pair] += weights[at]
            where[pair].add(at)
    merges: list[tuple[str, str]] = []
    known = set(_SIGNS)
    while len(known) + len(SPECIAL) < size and pairs:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        known.add("".join(best))
        for at in sorted(where[best]):
            word = words[at]
            for pair in pairwise(word):
                pairs[pair] -= weights[at]
            word = words[at] = _merge(word, best)
            for pair in pairwise(word):
                pairs[pair] += weights[at]
                where[pair].add(at)
        del pairs[best], where[best]
    return merges


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    at = 0
    while at < len(word):
        if at + 1 < len(word) and (word[at], word[at + 1]) == pair:
            out.append(word[at] + word[at + 1])
            at += 2
        else:
            out.append(word[at])
            at += 1
    return out


class Tokenizer:
    """Merges and vocabulary; special tokens come last and are never read out of plain text."""

    def __init__(self, merges: Sequence[tuple[str, str]]) -> None:
        self.merges = [(left, right) for left, right in merges]
        tokens = list(dict.fromkeys([*_SIGNS, *(left + right for left, right in merges)]))
        self.tokens = [*tokens, *SPECIAL]
        while len(self.tokens) % 32:
            self.tokens.append(f"<|unused_{len(self.tokens)}|>")
        self.ids = {token: at for at, token in enumerate(self.tokens)}
        self.plain = len(tokens)
        self.pad, self.start, self.stop = (self.ids[token] for token in SPECIAL)
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        merges = json.loads(path.read_text("utf-8"))["merges"]
        return cls([tuple(merge.split(" ")) for merge in merges])

    def save(self, path: Path) -> None:
        merges = [f"{left} {right}" for left, right in self.merges]
        path.write_text(json.dumps({"merges": merges}, ensure_ascii=False, indent=0), "utf-8")

    def _word(self, word: str, rng: random.Random | None, drop: float) -> list[int]:
        parts = list(word)
        while len(parts) > 1:
            ranked = [
                (self._ranks[pair], pair)
                for pair in pairwise(parts)
                if pair in self._ranks and (rng is None or rng.random() >= drop)
            ]
            if not ranked:
                break
            parts = _merge(parts, min(ranked)[1])
        return [self.ids[part] for part in parts]

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text."""
        out: list[int] = []
        for word in split(text):
            if (ids := self._cache.get(word)) is None:
                ids = self._cache[word] = self._word(word, None, 0.0)
            out += ids
        return out

    def encode_loosely(self, text: str, rng: random.Random, share: float, drop: float) -> list[int]:
        """As encode, but a share of the words loses some merges, as a typo would make it."""
        out: list[int] = []
        for word in split(text):
            if rng.random() < share:
                out += self._word(word, rng, drop)
            elif (ids := self._cache.get(word)) is not None:
                out += ids
            else:
                ids = self._cache[word] = self._word(word, None, 0.0)
                out += ids
        return out

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; special tokens are left out."""
        signs = "".join(self.tokens[at] for at in ids if at < self.plain)
        return bytes(_BYTES[sign] for sign in signs).decode("utf-8", "replace")
