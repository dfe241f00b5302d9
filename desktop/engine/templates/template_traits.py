"""What a chat template takes and how it wants it, found out by trying, never by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Any, Literal

from desktop.common.errors import TemplateError
from desktop.engine.templates import template_trial as trial
from desktop.engine.templates.template_trial import (
    ANSWER,
    NEXT,
    QUESTION,
    SYSTEM,
    TemplateTrial,
    say,
)

ArgumentShape = Literal["object", "text", "texts"]
"""A call's arguments as an object, as JSON text, or as an object whose values are all text."""

EmptyContent = Literal["null", "text", "absent"]
"""How a message says that it has no words."""

_RESULT_ROLES = ("tool", "function", "tool_response", "ipython", "observation")
_AS_IN_PYTHON = re.compile(trial.TOOL + r"\(\s*" + trial.KEY + r"\s*=")
_LONG_IDS = (trial.LONG_ID, "call_Qsecondidq")
_SHORT_IDS = (trial.SHORT_ID, "Qidq00002")


@dataclass(frozen=True, slots=True)
class CallTraits:
    """How calls and their results are handed over.

    `result_role` is "" where results must be a user's words. `short_ids`: nine letters and digits.
    `in_function`: name and arguments stand in an object of their own. `words`: what is said beside
    a call arrives with it, or only in a message of its own, or not at all.
    """

    arguments: ArgumentShape = "object"
    empty: EmptyContent = "null"
    result_role: str = "tool"
    short_ids: bool = False
    in_function: bool = True
    parallel: bool = True
    words: Literal["beside", "apart", "lost"] = "beside"


@dataclass(frozen=True, slots=True)
class Traits:
    """What a template takes. `tools` is "" where it drops them, `calls` None where it cannot
    write any: results then have the role `lone_results`, "" for a user's words. `counts_tools`: no
    tools must be an empty list."""

    parts: bool = False
    counts_tools: bool = False
    takes_system: bool = True
    takes_late_system: bool = True
    takes_two_questions: bool = True
    takes_answer_first: bool = True
    tools: Literal["", "wrapped", "bare"] = ""
    tools_need_system: bool = False
    calls: CallTraits | None = None
    lone_results: str = ""


def words(text: str, *, parts: bool) -> object:
    """A message's content in the shape that the template takes."""
    return [{"type": "text", "text": text}] if parts else text


def find_traits(tried: TemplateTrial) -> Traits:
    """Raises TemplateError where the template cannot write even a plain question."""
    parts = _needs_parts(tried)

    def one(role: str, text: str) -> dict[str, Any]:
        return say(role, words(text, parts=parts))

    question, answer, following = one("user", QUESTION), one("assistant", ANSWER), one("user", NEXT)
    system = one("system", SYSTEM)
    traits = Traits(
        parts=parts,
        counts_tools=tried.no_tools is not None,
        takes_system=tried.shows((SYSTEM, QUESTION), [system, question]),
        takes_late_system=tried.shows((SYSTEM, NEXT), [question, answer, system, following]),
        takes_two_questions=tried.shows((QUESTION, NEXT), [question, following]),
        takes_answer_first=tried.shows((ANSWER, QUESTION), [answer, question]),
    )
    traits = _with_tools(tried, traits, question, system)
    calls = _CallTrials(tried, traits).find()
    if calls is None and _knows_results(tried, [question, answer], parts=parts):
        return replace(traits, lone_results=_RESULT_ROLES[0])
    return replace(traits, calls=calls)


def _knows_results(tried: TemplateTrial, chat: list[dict[str, Any]], *, parts: bool) -> bool:
    """Whether a result is written in a way of its own, and not as any role would be."""
    result, other = (
        tried.write([*chat, say(role, words(trial.RESULT, parts=parts))])
        for role in (_RESULT_ROLES[0], trial.ROLE)
    )
    return trial.RESULT in result and result != other.replace(trial.ROLE, _RESULT_ROLES[0])


def _needs_parts(tried: TemplateTrial) -> bool:
    """Raises TemplateError where no form of a plain question arrives."""
    plain = ""
    refusal: TemplateError | None = None
    try:
        plain = tried.must_write([say("user", QUESTION)])
    except TemplateError as error:
        if error.kind == "template_too_slow":
            raise
        refusal = error
    if QUESTION in plain and "'text'" not in plain:
        return False
    if QUESTION in tried.write([say("user", words(QUESTION, parts=True))]):
        return True
    if tried.no_tools is None:
        tried.no_tools = []
        try:
            return _needs_parts(tried)
        except TemplateError as error:
            raise refusal or error from error
    raise refusal or TemplateError("bad_template", reason="the message is not in the prompt")


def _with_tools(
    tried: TemplateTrial, traits: Traits, question: dict[str, Any], system: dict[str, Any]
) -> Traits:
    wrapped = trial.tool(trial.TOOL)
    for shape, offered in (("wrapped", wrapped), ("bare", wrapped["function"])):
        for chat in ([question], [system, question]):
            if tried.shows((trial.TOOL, trial.KEY, QUESTION), chat, tools=[offered]):
                found: Any = shape
                return replace(traits, tools=found, tools_need_system=len(chat) > 1)
    return traits


class _CallTrials:
    """Tries calls and results in the shapes that there are."""

    def __init__(self, tried: TemplateTrial, traits: Traits) -> None:
        self._tried = tried
        self._parts = traits.parts
        self._question = say("user", words(QUESTION, parts=traits.parts))
        tools = [trial.tool(trial.TOOL), trial.tool(trial.OTHER_TOOL)]
        if traits.tools == "bare":
            tools = [one["function"] for one in tools]
        self._tools = tools if traits.tools else None

    def find(self) -> CallTraits | None:
        """The shape in which a call and its result arrive whole and unharmed."""
        best: tuple[tuple[int, int], CallTraits] | None = None
        for group in _shapes():
            for traits in group:
                written = self._write(traits, _call(traits, 1), trial.RESULT)
                if trial.RESULT not in written or not _is_whole(written):
                    continue
                # Of several the shortest: the others write an empty answer beside the call.
                rank = (_harm(written), len(written))
                if best is None or rank < best[0]:
                    best = rank, traits
            if best is not None and best[0][0] == 0:
                break
        if best is None:
            return self._without_results()
        found = best[1]
        return replace(found, parallel=self._parallel(found), words=self._words(found))

    def _write(self, traits: CallTraits, call: dict[str, Any], *results: str) -> str:
        answers = [
            _result(traits, text, number, parts=self._parts) for number, text in enumerate(results)
        ]
        return self._tried.write([self._question, call, *answers], tools=self._tools)

    def _without_results(self) -> CallTraits | None:
        """For a template that writes calls but knows no results."""
        for traits in chain.from_iterable(_shapes()):
            written = self._write(traits, _call(traits, 1))
            if _is_whole(written) and _harm(written) == 0:
                return replace(traits, result_role="")
        return None

    def _parallel(self, traits: CallTraits) -> bool:
        written = self._write(traits, _call(traits, 2), trial.RESULT, trial.OTHER_RESULT)
        arrive = (trial.WORD, trial.OTHER_WORD, trial.RESULT, trial.OTHER_RESULT)
        return all(word in written for word in arrive)

    def _words(self, traits: CallTraits) -> Literal["beside", "apart", "lost"]:
        call, spoken = _call(traits, 1), {"content": words(ANSWER, parts=self._parts)}
        result = _result(traits, trial.RESULT, 0, parts=self._parts)
        arrive = (ANSWER, trial.WORD, trial.RESULT)
        beside = [self._question, call | spoken, result]
        if self._tried.shows(arrive, beside, tools=self._tools):
            return "beside"
        apart = [self._question, {"role": "assistant", **spoken}, call, result]
        shown = self._tried.shows(arrive, apart, tools=self._tools)
        return "apart" if shown else "lost"


def _shapes() -> Iterator[list[CallTraits]]:
    """Shapes to try, the usual ones first, in groups that differ in what stands for no words."""
    arguments: tuple[ArgumentShape, ...] = ("object", "text", "texts")
    empties: tuple[EmptyContent, ...] = ("null", "text", "absent")
    for in_function, short, shape in product((True, False), (False, True), arguments):
        yield [CallTraits(shape, empty, "tool", short, in_function) for empty in empties]
    for role, in_function in product(_RESULT_ROLES[1:], (True, False)):
        yield [CallTraits("object", empty, role, in_function=in_function) for empty in empties]


def _call(traits: CallTraits, count: int) -> dict[str, Any]:
    ids = _SHORT_IDS if traits.short_ids else _LONG_IDS
    names, said = (trial.TOOL, trial.OTHER_TOOL)[:count], (trial.WORD, trial.OTHER_WORD)
    calls = [
        call_as(traits, ids[number], name, {**trial.ARGUMENTS, trial.KEY: said[number]})
        for number, name in enumerate(names)
    ]
    return with_content({"role": "assistant", "tool_calls": calls}, "", traits, parts=False)


def _result(traits: CallTraits, text: str, number: int, *, parts: bool) -> dict[str, Any]:
    ids = _SHORT_IDS if traits.short_ids else _LONG_IDS
    name = (trial.TOOL, trial.OTHER_TOOL)[number]
    content = words(text, parts=parts)
    return say(traits.result_role, content, name=name, tool_call_id=ids[number])


def call_as(
    traits: CallTraits, call_id: str, name: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    """One call in the shape that the template takes."""
    given: object = arguments
    if traits.arguments == "text":
        given = json.dumps(arguments, ensure_ascii=False)
    elif traits.arguments == "texts":
        given = {
            key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for key, value in arguments.items()
        }
    function = {"name": name, "arguments": given}
    if traits.in_function:
        return {"id": call_id, "type": "function", "function": function}
    return {"id": call_id, "type": "function", **function}


def with_content(
    message: dict[str, Any], text: str, traits: CallTraits, *, parts: bool
) -> dict[str, Any]:
    """The message with its words, or with what stands for none."""
    if text:
        return {**message, "content": words(text, parts=parts)}
    if traits.empty == "absent":
        return message
    return {**message, "content": None if traits.empty == "null" else ""}


def _is_whole(written: str) -> bool:
    """Whether name and arguments of the trial's call are there."""
    return all(
        word in written
        for word in (trial.TOOL, trial.KEY, trial.WORD, trial.FLAG, trial.INNER, "7717")
    )


def _harm(written: str) -> int:
    """How many signs there are that the arguments arrived in a form that nobody can read back."""
    signs = [f'\\"{trial.KEY}', f'\\"{trial.INNER}']  # JSON within JSON
    if not _AS_IN_PYTHON.search(written):
        signs += [f"'{trial.KEY}'", f"'{trial.INNER}'"]  # Python's words for an object
    return sum(sign in written for sign in signs)
