"""How a model writes calls, found in what its template writes for recorded ones.

The template's name and the model's do not matter: a call with known words is written, and the
place of those words says which family it is and which fixed words stand around them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from desktop.engine.output import known_formats
from desktop.engine.output.answer_words import answer_words
from desktop.engine.output.calls import CallFormat
from desktop.engine.output.channels import MESSAGE, ChannelCalls
from desktop.engine.output.frame import Frame, Hole, words_of
from desktop.engine.output.gemma_calls import GemmaCalls
from desktop.engine.output.head import learn_head, with_holes
from desktop.engine.output.json_calls import JsonCalls
from desktop.engine.output.learn_tagged import learn_tagged
from desktop.engine.output.named_calls import NamedCalls
from desktop.engine.output.output_format import OutputFormat
from desktop.engine.output.pythonic_calls import PythonicCalls
from desktop.engine.output.samples import (
    ARGUMENTS,
    CONTENT,
    IDS,
    KEYS,
    NAMES,
    QUOTED,
    Samples,
    Writes,
    plain_answer,
    shared_words,
    take_samples,
    without_thinking,
)

_MOST_OBJECTS = 64
_ADDRESSED = re.compile(r"to=(\S*?)" + NAMES[0] + r"[^\n]*?" + re.escape(MESSAGE))


def learn_output(
    writes: Writes,
    opening: str = "",
    prompt_with_tools: str = "",
    endings: Callable[[str], Collection[str]] = lambda text: (),  # noqa: ARG005
    is_token: Callable[[str], bool] = lambda text: False,  # noqa: ARG005
) -> OutputFormat:
    """What is to be known for reading a model's answers; never fails.

    `opening` is what a generation prompt writes behind the user's text. `prompt_with_tools` is a
    prompt that offers tools: where the template writes no calls, its words may say how.
    `endings` tells which words of a text end an answer in the model's vocabulary, `is_token`
    whether a text is one of its control tokens.
    """
    samples = take_samples(writes, endings)
    calls: CallFormat | None = None
    if samples is not None:
        try:
            calls = _from_samples(samples)
        except (ValueError, IndexError):
            # A stranger's template may put the known words anywhere: such a format is no family.
            calls = None
    if samples is None or calls is None:
        calls = known_formats.shown_in(prompt_with_tools, is_token)
        dropped = answer_words(plain_answer(writes), "", opening, calls)
        return OutputFormat(calls, dropped, taught=False)
    dropped = answer_words(
        samples.plain, samples.behind_text(), opening, calls, endings(samples.plain)
    )
    return OutputFormat(calls, dropped)


def _from_samples(samples: Samples) -> CallFormat | None:
    addressed = _ADDRESSED.search(samples.whole)
    if addressed is not None:
        return _channels(samples, addressed)
    return _call_format(samples)


def _call_format(samples: Samples) -> CallFormat | None:
    one = samples.one
    found = find_json(one, ARGUMENTS)
    if found is not None:
        whole = _around(one)
        return _json(samples, whole) if whole is not None else _named(samples, found)
    name_end = one.rfind(NAMES[0], 0, one.index(KEYS[0])) + len(NAMES[0])
    behind = one[name_end:]
    if re.match(r"\(\s*" + KEYS[0] + r"\s*=", behind):
        return _pythonic(samples)
    if re.match(r"\s*\{\s*" + KEYS[0] + r"\s*:", behind):
        return _gemma(samples, name_end)
    whole = _around(one)
    if whole is not None:
        return _json(samples, whole)
    return learn_tagged(samples, _before(samples, one[: name_end - len(NAMES[0])]))


def find_json(text: str, wanted: object, start: int = 0) -> tuple[int, int] | None:
    """Where `text` holds a JSON object that is `wanted`."""
    for place, value, end in _objects(text, start):
        if value == wanted:
            return place, end
    return None


def _objects(text: str, start: int = 0) -> list[tuple[int, Any, int]]:
    decoder = json.JSONDecoder()
    found: list[tuple[int, Any, int]] = []
    braces = itertools.islice(re.compile(r"\{").finditer(text, start), _MOST_OBJECTS)
    for match in braces:
        try:
            value, end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        found.append((match.start(), value, end))
    return found


def _around(text: str, number: int = 0) -> tuple[int, int] | None:
    """The first object that says both the call's name and its arguments."""
    for place, _, end in _objects(text):
        inner = text[place:end]
        if NAMES[number] in inner and KEYS[1] in inner and NAMES[1 - number] not in inner:
            return place, end
    return None


def _before(samples: Samples, before: str) -> str:
    """The fixed words before a call, without those of the turn and of reasoning."""
    clean = samples.behind_text()
    if clean:
        mine, other = words_of(before), words_of(clean)
        count = 0
        while count < min(len(mine), len(other)) and mine[-1 - count] == other[-1 - count]:
            count += 1
        if count and count < len(mine):
            place = len(before)
            for word in reversed(mine[len(mine) - count :]):
                place = before.rindex(word, 0, place)
            before = before[place:]
    ending = shared_words(samples.plain.partition(CONTENT)[2], clean)
    return without_thinking(before.lstrip().removeprefix(ending)).lstrip()


def _between(samples: Samples, first_end: int, second_start: int, frame: Frame) -> Frame:
    """The frame with what stands between two calls, or what should where only one is written."""
    if samples.two and first_end <= second_start:
        between = samples.two[first_end:second_start]
    else:
        between = frame.after + frame.before or "; "
    return Frame(frame.before, frame.core, between, frame.after, frame.first_number)


def _json(samples: Samples, place: tuple[int, int]) -> JsonCalls:
    start, end = place
    text = samples.one
    first, second = _around(samples.two), _around(samples.two, 1)
    ends = (first[1], second[0]) if first and second else (1, 0)
    core, number = _holes(text[start:end], samples.two[slice(*second)] if second else "")
    frame = Frame(_before(samples, text[:start]), core, "", text[end:], number)
    frame = _between(samples, *ends, frame)
    python_tag = "" if words_of(frame.before) else "<|python_tag|>"
    return JsonCalls(frame, python_tag=python_tag)


def _holes(text: str, other: str) -> tuple[tuple[str | Hole, ...], int]:
    """An object's text with holes for what a call fills in; `other` is the second call's."""
    number = 0
    digits, others = (re.search(r"_id\"\s*:\s*\"?(\d+)", each) for each in (text, other))
    found = find_json(text, ARGUMENTS, 1)
    marks: list[tuple[int, int, Hole]] = []
    if found is not None:
        marks.append((*found, Hole.ARGUMENTS))
    else:
        inner = json.dumps(json.dumps(dict(ARGUMENTS)))
        place = text.find(inner)
        if place >= 0:
            marks.append((place, place + len(inner), Hole.ARGUMENTS))
    if digits and others and digits.group(1) != others.group(1):
        number = int(digits.group(1))
        marks.append((*digits.span(1), Hole.NUMBER))
    for word, hole in ((NAMES[0], Hole.NAME), (IDS[0], Hole.ID)):
        place = text.find(word)
        if place >= 0:
            marks.append((place, place + len(word), hole))
    return with_holes(text, marks), number


def _named(samples: Samples, found: tuple[int, int]) -> NamedCalls | None:
    text = samples.one
    start = text.rfind(NAMES[0], 0, found[0])
    if start < 0:
        return None
    head = text[start + len(NAMES[0]) : found[0]]
    other_head = ""
    ends = (1, 0)
    before = _before(samples, text[:start])
    if samples.two:
        first = find_json(samples.two, ARGUMENTS)
        other = samples.two.rfind(NAMES[1])
        second = find_json(samples.two, ARGUMENTS, other) if other >= 0 else None
        if first and second:
            ends = (first[1], other)
            other_head = samples.two[other + len(NAMES[1]) : second[0]]
    core, number = learn_head(head, other_head, IDS)
    before, _, behind_id = before.partition(IDS[0])
    own: tuple[str | Hole, ...] = (Hole.ID, behind_id) if behind_id else ()
    frame = Frame(before, (*own, Hole.NAME, *core, Hole.ARGUMENTS), "", text[found[1] :], number)
    frame = _between(samples, *ends, frame)
    if own:
        frame = replace(frame, between=frame.between.partition(IDS[1])[0] or frame.after + before)
    primer = ""
    if not words_of(frame.before) and words_of(frame.between):
        # The generation prompt ends with the words that introduce a call.
        primer = frame.between.strip()
        frame = Frame(primer, frame.core, frame.between, frame.after, frame.first_number)
    return NamedCalls(frame, primer=primer)


def _pythonic(samples: Samples) -> PythonicCalls:
    text = samples.one
    start = text.index(NAMES[0])
    end = text.rindex(")") + 1
    quoted = samples.with_value(QUOTED)
    raw = next((sign for sign in ("'", '"') if f"={sign}{QUOTED}{sign}" in quoted), "")
    opening = _before(samples, text[:start]).rstrip().removesuffix("[")
    return PythonicCalls(opening, text[end:].lstrip().removeprefix("]"), raw if raw == "'" else "")


def _gemma(samples: Samples, name_end: int) -> GemmaCalls:
    text = samples.one
    word = str(ARGUMENTS[KEYS[0]])
    quote = text[name_end:].partition(KEYS[0])[2].partition(word)[0].lstrip(": ")
    end = text.rindex("}") + 1
    before = _before(samples, text[: name_end - len(NAMES[0])])
    frame = Frame(before, (Hole.NAME, Hole.ARGUMENTS), "", text[end:])
    other = samples.two.rfind(NAMES[1])
    first_end = samples.two.rfind("}", 0, other) + 1 if other >= 0 else 1
    return GemmaCalls(_between(samples, first_end, other, frame), quote)


def _channels(samples: Samples, addressed: re.Match[str]) -> ChannelCalls:
    header = addressed.group()
    channelled = "<|channel|>" in header
    body = samples.whole[addressed.end() :]
    inner: CallFormat | None = None
    if NAMES[0] in body:
        # A body that says the name again has a format of its own.
        inner = _call_format(samples)
        if inner is not None:
            inner = known_formats.from_header(inner, MESSAGE)
    return ChannelCalls(channelled, inner, addressed.group(1))
