"""The child's job behind `ChatTemplate`: renders untrusted Jinja, again and again.

The template comes from a file of strangers. The sandbox keeps it from Python's insides; what no
sandbox prevents (endless loops, gigabytes of text) ends with this process, which the parent kills.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox

from desktop.engine.child_limits import TEMPLATE_BYTES, limit_memory

_ROOM_CHARACTERS = 1 << 20
_KEPT_TEMPLATES = 4


class _Generation(jinja2.ext.Extension):
    """``{% generation %}`` marks what a model wrote, for training; here its body alone counts."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own interface

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node | list[jinja2.nodes.Node]:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body, lineno=line)


class TooLongError(Exception):
    """The template writes more than any conversation needs."""


def run(messages: Iterator[dict[str, Any]], answer: Callable[[dict[str, Any]], None]) -> None:
    limit_memory(TEMPLATE_BYTES)
    environment = make_environment()
    compiled: dict[str, jinja2.Template] = {}
    for order in messages:
        source = order["template"]
        try:
            template = compiled.get(source)
            if template is None:
                if len(compiled) >= _KEPT_TEMPLATES:
                    compiled.clear()
                template = compiled[source] = environment.from_string(source)
            answer({"id": order["id"], "prompt": _render(template, order["variables"])})
        except Exception as error:  # noqa: BLE001 - a template may raise whatever it likes
            answer({"id": order["id"], "error": type(error).__name__, "detail": str(error)[:2000]})


def make_environment() -> jinja2.sandbox.SandboxedEnvironment:
    """As chat templates expect it (the conventions of Hugging Face's transformers).

    Lists may be added to, which some templates do: what they can reach is theirs alone.
    """
    environment = jinja2.sandbox.SandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do", _Generation],
    )
    environment.filters["tojson"] = _to_json
    environment.filters["from_json"] = json.loads
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _now
    return environment


def _render(template: jinja2.Template, variables: dict[str, Any]) -> str:
    most = 4 * _characters(variables) + _ROOM_CHARACTERS
    parts: list[str] = []
    length = 0
    for part in template.generate(**variables):
        length += len(part)
        if length > most:
            raise TooLongError(f"more than {most} characters")
        parts.append(part)
    return "".join(parts)


def _characters(value: object) -> int:
    """How much text a template was given, in whatever lists and objects."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_characters(key) + _characters(one) for key, one in value.items())
    if isinstance(value, list):
        return sum(map(_characters, value))
    return 8  # a number


def _to_json(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON without the escapes for HTML that Jinja's own filter makes."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
        default=_listed,
    )


def _listed(value: object) -> list[Any]:
    """What a filter hands on piece by piece, as a list; others are no JSON."""
    if isinstance(value, Iterator):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _now(pattern: str) -> str:
    return datetime.datetime.now().astimezone().strftime(pattern)
