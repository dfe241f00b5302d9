"""Cuts text where it runs on for too long without a break, before llama.cpp splits it.

Many vocabularies (Mistral's tekken, DeepSeek's, GPT-4o's, Llama 4's and others) are split by the
C++ library's regular expressions, which recurse once for each character of a match: 2,700 equal
characters in a row overflow a stack of 1 MB and kill the process.
"""

from __future__ import annotations

import itertools
import re

LONGEST_RUN = 512
_LOOK_BACK = 48
_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}|\s{{{LONGEST_RUN + 1},}}")


def cut_long_runs(text: str) -> list[str]:
    """`text` in pieces; one piece unless something in it runs on for over `LONGEST_RUN`."""
    cuts = [cut for run in _RUN.finditer(text) for cut in _cuts(text, *run.span())]
    marks = [0, *cuts, len(text)]
    return [text[start:end] for start, end in itertools.pairwise(marks)]


def _cuts(text: str, start: int, end: int) -> list[int]:
    cuts = []
    while end - start > LONGEST_RUN:
        start = _good_place(text, start + LONGEST_RUN)
        cuts.append(start)
    return cuts


def _good_place(text: str, place: int) -> int:
    """Where a cut hardly changes the tokens: before a mark that may open a special token, or
    behind the last sign that is no letter."""
    window = text[place - _LOOK_BACK : place]
    for opening in ("<", "["):
        found = window.rfind(opening)
        if found > 0 and not {">", "]"} & set(window[found:]):
            return place - _LOOK_BACK + found
    for back in range(1, _LOOK_BACK):
        if not text[place - back].isalnum():
            return place - back + 1
    return place
