"""The words around arguments that stand one by one, found in a recorded call."""

from __future__ import annotations

import re

from desktop.engine.output.frame import Frame, Hole, words_of
from desktop.engine.output.head import learn_head
from desktop.engine.output.samples import ARGUMENTS, IDS, INNER, KEYS, MARKED, NAMES, TYPED, Samples
from desktop.engine.output.tagged_calls import KEY, ArgumentWords, TaggedCalls

_WRITTEN = {
    "string": "qwordaq",
    "number": "77017",
    "boolean": "[Tt]rue",
    "null": "null|None",
    "object": r"\{.*\}",
    "array": r"\[.*\]",
}


def learn_tagged(samples: Samples, before: str) -> TaggedCalls | None:
    """None where the words of a recorded call stand in no such order."""
    words = (str(ARGUMENTS[KEYS[0]]), str(ARGUMENTS[KEYS[1]]))
    text = samples.one
    name_end = text.rfind(NAMES[0], 0, text.index(KEYS[0])) + len(NAMES[0])
    order = [KEYS[0], words[0], KEYS[1], words[1]]
    places: list[int] = []
    at = name_end
    for word in order:
        at = text.find(word, at)
        if at < 0:
            return None
        places.append(at)
        at += len(word)
    to_key = text[name_end : places[0]]
    value_open = text[places[0] + len(KEYS[0]) : places[1]]
    to_next = text[places[1] + len(words[0]) : places[2]].replace(KEYS[0], KEY)
    rest = text[places[3] + len(words[1]) :].replace(KEYS[1], KEY)
    key_open = _shared_words(to_key, to_next)
    closing = to_next.removesuffix(key_open)
    value_close = closing.rstrip()
    if not value_open.strip() or not value_close.strip() or not rest.startswith(value_close):
        return None
    after = rest.removeprefix(value_close)
    lead = to_key.removesuffix(key_open)
    between, other_head = _between(samples, value_close, key_open)
    head, number = learn_head(lead, other_head, IDS)
    if Hole.NUMBER in head or Hole.ID in head:
        lead = ""  # the head is read and written apart
    else:
        head = ()
    core = (Hole.NAME, *head, Hole.ARGUMENTS)
    frame = Frame(before, core, between or after + before, after, number)
    inner = samples.with_value(TYPED["object"])
    types, type_open, type_close = _types(samples, value_open, value_close)
    argument_words = ArgumentWords(
        lead=lead,
        key_open=key_open,
        value_open=type_open or value_open,
        value_close=value_close,
        gap=closing[len(value_close) :],
        none="" if len(core) > 2 else _none(samples, after),
        types=types,
        type_close=type_close,
        nested=key_open.removesuffix("<") if f"{key_open}{INNER}>" in inner else "",
        cdata="<![CDATA[" in samples.with_value(MARKED),
    )
    return TaggedCalls(frame, argument_words)


def _shared_words(first: str, second: str) -> str:
    """The words that both end with, as the second writes them."""
    mine, other = words_of(first), words_of(second)
    count = 0
    while count < min(len(mine), len(other)) and mine[-1 - count] == other[-1 - count]:
        count += 1
    # The first argument's own opening may be all there is before the second one's value.
    count = count or 1
    place = len(second)
    for word in reversed(other[len(other) - count :]):
        place = second.rindex(word, 0, place)
    return second[place:]


def _between(samples: Samples, value_close: str, key_open: str) -> tuple[str, str]:
    """What stands between two calls, and what stands behind the second one's name."""
    two = samples.two
    word = str(ARGUMENTS[KEYS[1]])
    last = two.rfind(KEYS[0])
    name = two.rfind(NAMES[1], 0, last) if last >= 0 else -1
    end = two.find(word)
    if name < 0 or end < 0 or end > name:
        return "", ""
    between = two[end + len(word) : name].removeprefix(value_close.replace(KEY, KEYS[1]))
    return between, two[name + len(NAMES[1]) : last].removesuffix(key_open)


def _none(samples: Samples, after: str) -> str:
    """What stands behind a name without arguments, before the call's end."""
    text = samples.none
    place = text.rfind(NAMES[0])
    behind = text[place + len(NAMES[0]) :] if place >= 0 else ""
    return behind.rstrip().removesuffix(after.strip()).rstrip(" ")


def _types(samples: Samples, value_open: str, value_close: str) -> tuple[dict[str, str], str, str]:
    """How each type is named where types are named at all, and what stands around that name."""
    closing = value_close.replace(KEY, KEYS[0])
    openings: dict[str, str] = {}
    for kind, value in TYPED.items():
        # The last of the key: it may stand in the closing tag, too.
        whole = samples.with_value(value).rpartition(closing)[0]
        behind = whole.rpartition(KEYS[0])[2]
        match = re.search(f"(?:{_WRITTEN[kind]})$", behind)
        openings[kind] = behind[: match.start()] if match else ""
    distinct = {opening for opening in openings.values() if opening}
    if len(distinct) < 2 or openings["string"] != value_open:
        return {}, "", ""
    before = _shared_start(distinct)
    after = _shared_start({opening[::-1] for opening in distinct})[::-1]
    types = {
        kind: opening[len(before) : len(opening) - len(after)] if opening else ""
        for kind, opening in openings.items()
    }
    if not words_of(after) or any(len(opening) < len(before) + len(after) for opening in distinct):
        return {}, "", ""
    return types, before, after


def _shared_start(texts: set[str]) -> str:
    first, last = min(texts), max(texts)
    length = next((n for n, sign in enumerate(first) if last[n : n + 1] != sign), len(first))
    return first[:length]
