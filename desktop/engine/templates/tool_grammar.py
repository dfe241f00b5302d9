"""The grammar of a forced call: a model's own words around arguments that fit the tool's schema."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from desktop.common.errors import RequestError
from desktop.engine.chat import Tool
from desktop.engine.constraint import Gate, Grammar
from desktop.engine.output.calls import CallFormat
from desktop.engine.output.channels import START, ChannelCalls
from desktop.engine.output.frame import Frame, Hole
from desktop.engine.output.gemma_calls import GemmaCalls
from desktop.engine.output.json_calls import JsonCalls
from desktop.engine.output.json_text import inner_of_string
from desktop.engine.output.named_calls import NamedCalls
from desktop.engine.output.pythonic_calls import PythonicCalls
from desktop.engine.output.tagged_calls import TaggedCalls
from desktop.engine.templates.tool_rules import ToolRules

MOST_CALLS = 32
"""In one answer; a model that calls for ever must end, too."""


def tool_grammar(
    calls: CallFormat,
    tools: Sequence[Tool],
    *,
    forced: str = "",
    parallel: bool = True,
    marks: Collection[str] = (),
    begun: str = "",
) -> Grammar:
    """A grammar for one or several calls, of `forced` alone where that is named.

    `marks` are the texts of the control tokens among the format's words. `begun` are the first
    words of the format that stand there already: in the prompt, or before a lazy grammar.
    Raises RequestError: ``unknown_tool``, or ``bad_schema`` for parameters that cannot be said.
    """
    offered = [tool for tool in tools if not forced or tool.name == forced]
    if not offered:
        raise RequestError("unknown_tool", name=forced)
    rules = ToolRules(marks)
    writer = _Writer(rules, offered, parallel=parallel)
    return Grammar(rules.text(writer.root(calls, begun)))


def lazy_gate(calls: CallFormat) -> Gate | None:
    """Free text up to the word that begins a call; None where no word tells a call for certain."""
    if isinstance(calls, ChannelCalls):
        # Whom a message is for stands in its header; a namespace makes that unmistakable.
        word = f"to={calls.namespace}" if calls.namespace else ""
    else:
        word = "" if calls.only_first or not calls.triggers else calls.triggers[0]
    return Gate("", word, is_open=True, optional=True) if word else None


class _Writer:
    """Puts one grammar together."""

    def __init__(self, rules: ToolRules, tools: Sequence[Tool], *, parallel: bool) -> None:
        self._rules = rules
        self._tools = tools
        self._parallel = parallel

    def root(self, calls: CallFormat, begun: str) -> str:
        if isinstance(calls, ChannelCalls):
            return self._channels(calls, begun)
        if isinstance(calls, PythonicCalls):
            return self._pythonic(calls, begun)
        assert isinstance(calls, JsonCalls | NamedCalls | TaggedCalls | GemmaCalls)
        cores = [self._core(calls, tool) for tool in self._tools]
        return self._row(calls.frame, self._rules.either("call", cores), begun)

    def _row(self, frame: Frame, core: str, begun: str) -> str:
        """One call or several with the words around them."""
        literal = self._rules.literal
        more = f"({literal(frame.between)} {core}){{0,{MOST_CALLS - 1}}}" if self._parallel else ""
        before = literal(frame.before.removeprefix(begun))
        return " ".join(part for part in (before, core, more, literal(frame.after)) if part)

    def _core(self, calls: JsonCalls | NamedCalls | TaggedCalls | GemmaCalls, tool: Tool) -> str:
        """The rule of one call of `tool`."""
        parts: list[str] = []
        for part in calls.frame.core:
            if isinstance(part, str):
                parts.append(self._rules.literal(part))
            elif part is Hole.NAME:
                is_json = isinstance(calls, JsonCalls)
                name = inner_of_string(tool.name) if is_json else tool.name
                parts.append(self._rules.literal(name))
            elif part is Hole.ARGUMENTS:
                parts.append(self._arguments(calls, tool))
            else:
                parts.append("[0-9]{1,3}" if part is Hole.NUMBER else "[A-Za-z0-9]{9}")
        return self._rules.rule("tool", " ".join(part for part in parts if part))

    def _arguments(
        self, calls: JsonCalls | NamedCalls | TaggedCalls | GemmaCalls, tool: Tool
    ) -> str:
        if not isinstance(calls, JsonCalls | NamedCalls):
            self._rules.check(tool.parameters)
        if isinstance(calls, TaggedCalls):
            return self._rules.tagged(calls.words, tool.parameters)
        if isinstance(calls, GemmaCalls):
            return self._rules.gemma(calls.quote, tool.parameters)
        return self._rules.json(tool.parameters)

    def _pythonic(self, calls: PythonicCalls, begun: str) -> str:
        literal = self._rules.literal
        cores: list[str] = []
        for tool in self._tools:
            self._rules.check(tool.parameters)
            arguments = self._rules.pythonic(tool.parameters)
            cores.append(self._rules.rule("tool", f'{literal(tool.name + "(")} {arguments} ")"'))
        frame = Frame(calls.open + "[", (), ", ", "]" + calls.close)
        return self._row(frame, self._rules.either("call", cores), begun)

    def _channels(self, calls: ChannelCalls, begun: str) -> str:
        """One message to a tool, behind as much of its header as `begun`; it ends the answer."""
        literal = self._rules.literal
        options: list[str] = []
        for tool in self._tools:
            if calls.inner is None:
                body = self._rules.json(tool.parameters)
            else:
                inner = _Writer(self._rules, [tool], parallel=False)
                body = inner.root(calls.inner, "")
            known = [
                header.partition(begun)[2] if begun else header
                for header in calls.headers(tool.name)
            ]
            headers = " | ".join(literal(header) for header in known)
            options.append(self._rules.rule("tool", f"({headers}) {body}"))
        call = self._rules.either("call", options)
        return call if begun else f"({literal(START + 'assistant')})? {call}"
