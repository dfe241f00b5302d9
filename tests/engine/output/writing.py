"""Templates written in the test's own process, in the shape of message that each one takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from typing import Any

import jinja2

from desktop.common.errors import TemplateError
from desktop.engine.chat import ToolCall
from desktop.engine.output.samples import ARGUMENTS, IDS, KEYS, NAMES
from desktop.engine.templates.template_job import make_environment

QUESTION = "qquestionq"
_QUESTION = {"role": "user", "content": QUESTION}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Where"}},
        },
    },
}


class Template:
    """One template; `writes` is what `learn_output` asks for."""

    def __init__(self, source: str) -> None:
        self._template = make_environment().from_string(source)
        self._shape = self._find_shape()

    def render(self, messages: Sequence[dict[str, Any]], **values: Any) -> str:
        try:
            return self._template.render(
                messages=list(messages), bos_token="<s>", eos_token="</s>", **values
            )
        except (jinja2.TemplateError, TypeError, ValueError, KeyError) as error:
            raise TemplateError("template_refuses", reason=str(error)) from error

    def writes(self, content: str, calls: Sequence[ToolCall]) -> str:
        return self._behind_question([_QUESTION, self._answer(content, calls, *self._shape)])

    def opening(self) -> str:
        try:
            return self._behind_question([_QUESTION], add_generation_prompt=True)
        except TemplateError:
            return ""

    def with_tools(self) -> str:
        try:
            return self.render([_QUESTION], tools=[TOOL], add_generation_prompt=True)
        except TemplateError:
            return ""

    def _behind_question(self, messages: list[dict[str, Any]], **values: Any) -> str:
        values.setdefault("add_generation_prompt", False)
        return self.render(messages, tools=[TOOL], **values).rpartition(QUESTION)[2]

    def _answer(
        self, content: str, calls: Sequence[ToolCall], as_text: bool, empty: object
    ) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": content or empty}
        if calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {
                        "name": call.name,
                        "arguments": call.arguments if as_text else json.loads(call.arguments),
                    },
                }
                for call in calls
            ]
        return message

    def _find_shape(self) -> tuple[bool, object]:
        """Arguments as an object or as text, no words as "" or None: what arrives unharmed."""
        call = ToolCall(IDS[0], NAMES[0], json.dumps(dict(ARGUMENTS)))
        for as_text, empty in product((False, True), ("", None)):
            self._shape = (as_text, empty)
            try:
                written = self.writes("", (call,))
            except TemplateError:
                continue
            whole = all(word in written for word in (NAMES[0], *KEYS))
            if whole and f"'{KEYS[0]}'" not in written and f'\\"{KEYS[0]}' not in written:
                return self._shape
        return (False, "")
