"""Tools in words, for a system message where the model's template has none for them."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.engine.chat import Tool, ToolCall
from desktop.engine.output.json_text import written

EXAMPLE = ToolCall("", "name-of-the-function", '{"name-of-an-argument": "its value"}')
"""What a format writes to show how a call looks."""
_OFFERED = """You may call functions to help with the user's request.

These functions are offered, each with the JSON schema of its parameters:
<tools>
{tools}
</tools>

"""
_FORM = """To call one, write exactly this, with the function's name and its own arguments:
{example}
Several calls stand one after the other. Without need of a function just answer."""


def tool_instructions(tools: Sequence[Tool], example: str) -> str:
    """`example` is a call as the format writes it."""
    described = [
        written(
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                },
            }
        )
        for tool in tools
    ]
    return _OFFERED.format(tools="\n".join(described)) + _FORM.format(example=example.strip())
