"""A chat template tried out with words that it cannot know, to be found again in what it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from desktop.common.errors import TemplateError

# Words that no template contains.
SYSTEM, QUESTION, ANSWER, NEXT = "Qsysq", "Qfirstq", "Qanswerq", "Qnextq"
THOUGHT, RESULT, OTHER_RESULT = "Qthoughtq", "Qresultq", "Qotherresultq"
TOOL, OTHER_TOOL, ROLE = "Qtoolq", "Qothertoolq", "Qroleq"
KEY, FLAG, LIST, INNER = "Qkeyq", "Qflagq", "Qlistq", "Qinnerq"
WORD, OTHER_WORD = "Qwordq", "Qotherwordq"
LONG_ID, SHORT_ID = "call_Qfirstidq", "Qidq00001"
ARGUMENTS: Mapping[str, Any] = {KEY: WORD, FLAG: True, LIST: [{INNER: 7717}]}

MOST_S = 20.0
"""All trials of one template together; usual ones take some hundredths of a second."""

Variables = Mapping[str, Any]
Writes = Callable[[Variables], str]
"""Renders with these variables. Raises TemplateError."""


class TemplateTrial:
    """Writes small chats with one template. Raises TemplateError only where it is too slow.

    `no_tools` is what stands for tools where there are none: usually None, as templates expect.
    """

    def __init__(
        self, write: Writes, source: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self.source = source
        self.no_tools: list[Any] | None = None
        self._clock = clock
        self._until_s = clock() + MOST_S

    def must_write(self, messages: Sequence[Variables], **values: Any) -> str:
        """Raises TemplateError where the template refuses."""
        if self._clock() > self._until_s:
            raise TemplateError("template_too_slow", limit_s=MOST_S)
        given = {"tools": values.pop("tools", None) or self.no_tools, **values}
        return self._write({"messages": list(messages), "add_generation_prompt": True, **given})

    def write(self, messages: Sequence[Variables], **values: Any) -> str:
        """What the template makes of it; empty where it refuses."""
        try:
            return self.must_write(messages, **values)
        except TemplateError as error:
            if error.kind == "template_too_slow":
                raise
            return ""

    def shows(self, words: Sequence[str], messages: Sequence[Variables], **values: Any) -> bool:
        """Whether all of `words` arrive in the prompt."""
        written = self.write(messages, **values)
        return all(word in written for word in words)


def say(role: str, content: object, **more: object) -> dict[str, Any]:
    """A message as templates know it."""
    return {"role": role, "content": content, **more}


def tool(name: str) -> dict[str, Any]:
    """A function that is offered, as templates know it."""
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": "Qdescriptionq",
            "parameters": {
                "type": "object",
                "properties": {KEY: {"type": "string", "description": "Qmeaningq"}},
                "required": [KEY],
            },
        },
    }
