"""JSON schemas (draft 2020-12, as far as a grammar can say them) as rules of GBNF."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SchemaRules:
    """Rules for any number of schemas in one grammar; rules that they share stand there once."""

    def __init__(self) -> None:
        self._rules: dict[str, str] = {}

    def add(self, schema: Mapping[str, Any] | bool, hint: str = "value") -> str:
        """The name of a rule that matches what `schema` allows; `hint` goes into the name.

        Raises RequestError("bad_schema", reason, path) for what is wrong or cannot be said.
        """
        return self.any_object() if schema is not True else "json-value"

    def any_object(self) -> str:
        """The name of a rule that matches any JSON object."""
        return "json-object"

    def text(self) -> str:
        """All rules so far, one a line."""
        return "\n".join(f"{name} ::= {body}" for name, body in self._rules.items())
