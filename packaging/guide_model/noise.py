"""How people really type: no capitals, no umlauts, slips of the finger, missing points."""

from __future__ import annotations

import random

_ROWS = ("qwertzuiopü", "asdfghjklöä", "yxcvbnm")
_ASCII = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)
_BARE = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "s", "Ä": "A", "Ö": "O", "Ü": "U"})


def _neighbours() -> dict[str, str]:
    near: dict[str, str] = {}
    for row in _ROWS:
        for at, key in enumerate(row):
            near[key] = row[max(0, at - 1) : at] + row[at + 1 : at + 2]
    return near


_NEAR = _neighbours()


def slip(word: str, rng: random.Random) -> str:
    """The word with one letter swapped, lost, doubled or hit beside."""
    if len(word) < 4 or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.random()
    if kind < 0.35:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.65:
        return word[:at] + word[at + 1 :]
    if kind < 0.8:
        return word[:at] + word[at] + word[at:]
    near = _NEAR.get(word[at].lower())
    return word[:at] + rng.choice(near) + word[at + 1 :] if near else word


def roughen(text: str, rng: random.Random, amount: float = 1.0) -> str:
    """The text as a hurried person might type it; amount 0 leaves it as it is."""
    if rng.random() < 0.12 * amount:
        words = text.split(" ")
        for _ in range(1 if rng.random() < 0.7 else 2):
            at = rng.randrange(len(words))
            words[at] = slip(words[at], rng)
        text = " ".join(words)
    dice = rng.random()
    if dice < 0.12 * amount:
        text = text.translate(_ASCII)
    elif dice < 0.15 * amount:
        text = text.translate(_BARE)
    dice = rng.random()
    if dice < 0.42 * amount:
        text = text.lower()
    elif dice < 0.435 * amount:
        text = text.upper()
    if rng.random() < 0.25 * amount:
        text = text.replace(",", "")
    if rng.random() < 0.06 * amount:
        text = text.replace("-", " ")
    return text


def end(text: str, rng: random.Random, question: bool = True) -> str:
    """A closing sign, or none."""
    if text.endswith(("?", "!", ".", ":", ")")):
        return text[:-1] if text.endswith(("?", ".")) and rng.random() < 0.3 else text
    dice = rng.random()
    if question:
        signs: tuple[tuple[float, str], ...] = (
            (0.55, "?"),
            (0.60, "??"),
            (0.63, " ?"),
            (0.65, "?!"),
            (0.68, "."),
        )
    else:
        signs = ((0.35, "."), (0.45, "!"), (0.50, "?"), (0.53, " ..."))
    for limit, sign in signs:
        if dice < limit:
            return text + sign
    return text


def start(text: str, rng: random.Random) -> str:
    """A capital in front, mostly."""
    return text[:1].upper() + text[1:] if rng.random() < 0.8 else text
