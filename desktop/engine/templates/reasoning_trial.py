"""Finding out how a model reasons, by trying its template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from desktop.engine.templates import template_trial as trial
from desktop.engine.templates.reasoning import EFFORTS, ReasoningStyle, Switch
from desktop.engine.templates.template_traits import Traits, call_as, with_content, words
from desktop.engine.templates.template_trial import (
    ANSWER,
    NEXT,
    QUESTION,
    THOUGHT,
    TemplateTrial,
    say,
)

_KEYS = ("reasoning_content", "thinking", "reasoning")
# A name in brackets, at the end or at the beginning of a text.
_TAG = r"(?:<[^<>\s]{1,48}>|\[/?[A-Z_]{2,32}\]|◁[^◁▷\s]{1,32}▷)"
_TAG_AT_END = re.compile(_TAG + r"\s*\Z")
_TAG_AT_START = re.compile(r"\s*(" + _TAG + ")")
# Three tokens that make one tag: a sign, a name, a sign.
_NAMED_TAG = r"<\|[^<>|\s]{1,16}\|>\w{2,24}<\|[^<>|\s]{1,16}\|>"
_NAMED_TAG_AT_END = re.compile(_NAMED_TAG + r"\s*\Z")
_NAMED_TAG_AT_START = re.compile(r"\s*(" + _NAMED_TAG + ")")
_EMPTY_PAIR = re.compile(f"({_TAG})\\s*({_TAG})")
# What models write by themselves, for templates that know nothing of it or only cut it away.
_KNOWN_PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<reasoning>", "</reasoning>"),
    ("<thought>", "</thought>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("◁think▷", "◁/think▷"),
)
_SWITCHES: tuple[tuple[str, object, object], ...] = (
    ("enable_thinking", True, False),
    ("thinking", True, False),
    ("reasoning", True, False),
    ("enable_reasoning", True, False),
    ("thinking_option", "on", "off"),
    ("thinking_mode", "on", "off"),
    ("thinking_mode", "enabled", "disabled"),
    ("thinking_mode", "think", "nothink"),
    ("reasoning_effort", "high", "none"),
    ("reasoning_effort", "high", "no_think"),
    ("reasoning_mode", "on", "off"),
    ("think", True, False),
    ("thinking_budget", -1, 0),
)
_WORD_SWITCHES = (("/think", "/no_think"), ("/think", "/nothink"))
_KEEPERS: tuple[tuple[str, object, object], ...] = (
    ("clear_thinking", False, True),
    ("preserve_thinking", True, False),
    ("preserved_thinking", True, False),
    ("keep_past_thinking", True, False),
    ("drop_thinking", False, True),
    ("truncate_history_thinking", False, True),
)
_EFFORT_NAMES = ("reasoning_effort", "thinking_effort", "reasoning_strength")


def find_reasoning(
    tried: TemplateTrial, traits: Traits, is_token: Callable[[str], bool]
) -> ReasoningStyle | None:
    """None for a model that does not reason, as far as its template and its tokens tell.

    `is_token`: whether the vocabulary has a token of its own for that text.
    """
    question = say("user", words(QUESTION, parts=traits.parts))
    switch = _find_switch(tried, traits, question)
    on = switch.on if switch is not None else {}
    begun = _added(tried, [question], **on)
    written = _from_history(tried, traits, question, begun, on)
    if written is None:
        pair = _from_beginning(tried, traits, question, switch, begun)
        written = ReasoningStyle(*pair) if pair else known_style(tried.source, is_token)
        if written is None:
            return None
    keep, drop = _find_keepers(tried, traits, question, written.key)
    return replace(
        written,
        answer_header=_answer_header(tried, traits, question, written, switch),
        switch=switch,
        efforts=_find_efforts(tried, question, on),
        keep=keep,
        drop=drop,
    )


def _added(tried: TemplateTrial, chat: list[dict[str, Any]], **values: Any) -> str:
    """What the template adds for the answer to begin."""
    without = tried.write(chat, **{**values, "add_generation_prompt": False})
    begun = tried.write(chat, **values)
    return begun[len(_common(without, begun)) :]


def _common(first: str, second: str) -> str:
    length = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    return first[:length]


def _thinking(traits: Traits, key: str, content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": words(content, parts=traits.parts)}
    return message | {key: THOUGHT}


def _histories(
    traits: Traits, question: dict[str, Any], key: str
) -> Iterable[tuple[list[dict[str, Any]], str]]:
    """Chats whose answer was reasoned about, and the word that ends the reasoning in each."""
    yield [question, _thinking(traits, key, ANSWER)], ANSWER
    following = say("user", words(NEXT, parts=traits.parts))
    yield [question, _thinking(traits, key, ANSWER), following], ANSWER
    if traits.calls is not None:
        name = trial.SHORT_ID if traits.calls.short_ids else trial.LONG_ID
        call = call_as(traits.calls, name, trial.TOOL, dict(trial.ARGUMENTS))
        message = {"role": "assistant", "tool_calls": [call], key: THOUGHT}
        message = with_content(message, "", traits.calls, parts=traits.parts)
        role = traits.calls.result_role
        if role:
            result = say(role, words(trial.RESULT, parts=traits.parts), name=trial.TOOL)
            yield [question, message, result | {"tool_call_id": name}], trial.TOOL
        yield [question, message], trial.TOOL


def _from_history(
    tried: TemplateTrial,
    traits: Traits,
    question: dict[str, Any],
    begun: str,
    on: Mapping[str, Any],
) -> ReasoningStyle | None:
    """From how the template writes an answer that was reasoned about."""
    before = tried.write([question], **{**on, "add_generation_prompt": False})
    header = _plain_header(tried, traits, question, on)
    for key in _KEYS:
        for chat, end in _histories(traits, question, key):
            for final in (False, True):
                written = tried.write(chat, **{**on, "add_generation_prompt": final})
                if THOUGHT not in written:
                    continue
                found = _read_history(written, before, begun, header, end)
                if found is not None:
                    return ReasoningStyle(*found, key=key)
    return None


def _read_history(
    written: str, before: str, begun: str, header: str, end: str
) -> tuple[str, str, str] | None:
    """Tags around the thought in what was `written`; `header` stands before any answer."""
    head, _, rest = written.partition(THOUGHT)
    head = head[len(_common(before, head)) :]
    opening = head[len(_whole_tags(_common(begun, head))) :].strip()
    if not opening:
        at_end = _NAMED_TAG_AT_END.search(head) or _TAG_AT_END.search(head)
        opening = at_end.group().strip() if at_end is not None else ""
        closing = _closing(opening) if opening else ""
        if opening in header and not (closing and rest.lstrip().startswith(closing)):
            # Reasoning has no tag of its own: the prompt's last words introduce it.
            opening = (begun.strip().splitlines() or [""])[-1]
    if not opening:
        return None
    between, found, _ = rest.partition(end)
    if not found or not between.strip():
        return None
    tag = _NAMED_TAG_AT_START.match(between) or _TAG_AT_START.match(between)
    close = tag.group(1) if tag is not None else between.strip().splitlines()[0]
    # Between reasoning and a call stands what begins the call: that is no end of reasoning.
    return opening, close, between if end == ANSWER else ""


def _from_beginning(
    tried: TemplateTrial,
    traits: Traits,
    question: dict[str, Any],
    switch: Switch | None,
    begun: str,
) -> tuple[str, str] | None:
    """From an answer's beginning: it opens the reasoning, or shows it switched off."""
    off = switch.off if switch is not None else {}
    header = _plain_header(tried, traits, question, off)
    for text in (_added(tried, [question], **off), begun):
        added = text[len(_whole_tags(_common(header, text))) :].strip()
        empty = _EMPTY_PAIR.search(added)
        if empty is not None and empty.group(2) == _closing(empty.group(1)):
            return empty.group(1), empty.group(2)
        at_end = _TAG_AT_END.search(added)
        if at_end is None:
            continue
        tag = at_end.group().strip()
        known = [pair for pair in _KNOWN_PAIRS if pair[0] == tag]
        if known:
            return known[0]
        if _closing(tag) and _closing(tag) in tried.source:
            return tag, _closing(tag)
    return None


def _plain_header(
    tried: TemplateTrial, traits: Traits, question: dict[str, Any], off: Mapping[str, Any]
) -> str:
    """What stands before an answer in the history."""
    answer = say("assistant", words(ANSWER, parts=traits.parts))
    following = say("user", words(NEXT, parts=traits.parts))
    written = tried.write([question, answer, following], **off)
    before = tried.write([question], **{**off, "add_generation_prompt": False})
    return written[len(_common(before, written)) :].partition(ANSWER)[0]


def _whole_tags(text: str) -> str:
    """Without the beginning of a tag that ends elsewhere."""
    return re.sub(r"[<\[◁][^<>\[\]◁▷\s]*\Z", "", text)


def _closing(tag: str) -> str:
    """The tag that ends what `tag` begins, by the usual ways of naming them; "" if unusual."""
    if "START" in tag:
        return tag.replace("START", "END")
    if "begin" in tag:
        return tag.replace("begin", "end")
    return tag[0] + "/" + tag[1:] if tag[1:2] not in ("/", "|") else ""


def known_style(source: str, is_token: Callable[[str], bool]) -> ReasoningStyle | None:
    """What the words of a template or the tokens of a vocabulary say by themselves."""
    for opening, closing in _KNOWN_PAIRS:
        if closing in source or (is_token(opening) and is_token(closing)):
            return ReasoningStyle(opening, closing)
    return None


def _answer_header(
    tried: TemplateTrial,
    traits: Traits,
    question: dict[str, Any],
    style: ReasoningStyle,
    switch: Switch | None,
) -> str:
    """What a plain answer begins with, beyond what the template adds for any answer."""
    if not style.between.strip() or not style.key:
        return ""
    behind = style.between.strip().removeprefix(style.close).strip()
    if not behind:
        return ""
    off = switch.off if switch is not None else {}
    head = _plain_header(tried, traits, question, off)
    begun = _added(tried, [question], **off)
    # A space before it is part of it.
    header = head[len(_whole_tags(_common(begun, head))) :].rstrip()
    return header if header.strip() and behind.endswith(header) else ""


def _find_switch(tried: TemplateTrial, traits: Traits, question: dict[str, Any]) -> Switch | None:
    for name, on, off in _SWITCHES:
        if name not in tried.source:
            continue
        first, second = (tried.write([question], **{name: value}) for value in (on, off))
        if first and second and not _is_only_said(first, on, second, off):
            return Switch({name: on}, {name: off})
    for on_word, off_word in _WORD_SWITCHES:
        if off_word not in tried.source or not traits.takes_system:
            continue
        chats = [
            [say("system", words(word, parts=traits.parts)), question]
            for word in (on_word, off_word)
        ]
        first, second = (tried.write(chat) for chat in chats)
        if first and second and first.replace(on_word, "") != second.replace(off_word, ""):
            return Switch(on_word=on_word, off_word=off_word)
    return None


def _is_only_said(first: str, one: object, second: str, other: object) -> bool:
    """Whether two prompts differ in nothing but the value's own word."""
    return first == second or first.replace(str(one), "") == second.replace(str(other), "")


def _find_efforts(
    tried: TemplateTrial, question: dict[str, Any], on: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """The efforts that make a difference in the prompt; none where none does."""
    for name in _EFFORT_NAMES:
        if name not in tried.source:
            continue
        written = {
            effort: text
            for effort in EFFORTS
            if (text := tried.write([question], **{**on, name: effort}))
        }
        if len(set(written.values())) < 2:
            continue
        if _is_only_said(written.get("low", ""), "low", written.get("max", "?"), "max"):
            # It says whatever it is given: only what models usually know.
            written = {effort: written[effort] for effort in ("low", "medium", "high")}
        return {effort: {name: effort} for effort in written}
    return {}


def _find_keepers(
    tried: TemplateTrial, traits: Traits, question: dict[str, Any], key: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The variables that keep the reasoning of earlier turns, and those that drop it."""
    if not key:
        return {}, {}
    following = say("user", words(NEXT, parts=traits.parts))
    chat = [question, _thinking(traits, key, ANSWER), following]
    for name, keep, drop in _KEEPERS:
        if name not in tried.source:
            continue
        for on in ({}, {"thinking": True}, {"enable_thinking": True}):
            kept, dropped = (tried.write(chat, **on, **{name: value}) for value in (keep, drop))
            if THOUGHT in kept and THOUGHT not in dropped:
                return {name: keep}, {name: drop}
    return {}, {}
