"""A prompt in the very tokens in which a cache holds its beginning.

A model may write a text in other tokens than the tokenizer would ("t" and "h" for "th"). Read back
as text the two part at the first such place, though a chat that is asked again, or goes on from an
earlier turn, says the same. So the tokens that are held are taken for the text that they write.
"""

from __future__ import annotations

from collections.abc import Iterable

from desktop.engine.slot import Task, common_prefix
from desktop.engine.states.saved_state import Holder
from desktop.engine.vocabulary import Vocabulary

_WORTH_TOKENS = 64
_COMPARE_AT_ONCE = 4096


def retold(
    task: Task, holders: Iterable[Holder], vocabulary: Vocabulary, limit: int
) -> list[int] | None:
    """The task's tokens with a beginning as one of `holders` has it, where that saves reading.

    None where the tokenizer's are as good, or would be more than `limit` otherwise.
    """
    prompt = task.prepared.text
    if not prompt or task.requeued or task.scores or task.spans:
        return None
    able = [one for one in holders if one.cached and one.adapters == task.adapters]
    least = max((common_prefix(one.cached, task.tokens) for one in able), default=0)
    least += _WORTH_TOKENS
    best: list[int] | None = None
    rest_at = 0
    for holder in able:
        text = holder.text
        if not text:
            continue
        same = common_text(text, prompt)
        if same * len(holder.cached) < least * len(text):
            continue
        count, length = _boundary(
            holder.cached, prompt[:same], vocabulary, whole=same == len(prompt)
        )
        if count >= least:
            best, rest_at, least = holder.cached[:count], length, count + 1
    if best is None:
        return None
    rest = prompt.encode("utf-8", "replace")[rest_at:].decode("utf-8", "replace")
    tokens = best + vocabulary.tokenize(rest, add_special=False)
    return tokens if len(tokens) < limit else None


def common_text(first: str, second: str) -> int:
    """How many characters both begin with."""
    limit = min(len(first), len(second))
    start = 0
    while start < limit:
        end = min(start + _COMPARE_AT_ONCE, limit)
        if first[start:end] != second[start:end]:
            break
        start = end
    while start < limit and first[start] == second[start]:
        start += 1
    return start


def _boundary(
    tokens: list[int], text: str, vocabulary: Vocabulary, *, whole: bool
) -> tuple[int, int]:
    """How many of `tokens` write a beginning of `text`, and its bytes; (0, 0) for none.

    Only up to a place where no tokenizer joins what stands there: beside a control token, behind
    a line's end. `whole`: something of the text must be left to read.
    """
    raw = text.encode("utf-8", "replace")
    most = len(raw) - whole
    start = 1 if vocabulary.adds_bos and tokens[0] == vocabulary.first_token else 0
    if start and text.startswith(vocabulary.bos_text):
        start = 0
    written: list[bytes] = []
    names: dict[int, bytes] = {}
    length = 0
    found = (0, 0)
    for place in range(start, len(tokens)):
        token = tokens[place]
        piece = vocabulary.piece(token)[0]
        control = not piece
        if control:
            if token not in names:
                names[token] = vocabulary.special_text(token).encode()
            piece = names[token]
            found = (place, length)
        length += len(piece)
        if length > most:
            break
        written.append(piece)
        if control or piece.endswith(b"\n"):
            found = (place + 1, length)
    same = b"".join(written).startswith(raw[: found[1]])
    return found if same else (0, 0)
