"""What a chat wants of an answer's form: its grammar, its reasoning, what reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.chat import Chat, Rendered
from desktop.engine.constraint import Budget, Gate, Grammar
from desktop.engine.grammar.grammar import grammar_for
from desktop.engine.output.answer import answer_parser
from desktop.engine.output.marks import shown_tokens
from desktop.engine.output.parser import OutputParser
from desktop.engine.request import Request
from desktop.engine.templates.chat_format import ChatFormat, reasoning_wish
from desktop.engine.templates.tool_grammar import lazy_gate, tool_grammar
from desktop.engine.templates.tool_rules import ToolRules
from desktop.engine.vocabulary import Vocabulary

_NO_LIMIT = 2**31
_LED_ROOT = "introduced-answer"


@dataclass(frozen=True, slots=True)
class Bound:
    """What binds an answer."""

    grammar: Grammar | None = None
    gate: Gate | None = None
    budget: Budget | None = None


class ChatWishes:
    """Reads them off chats with one model; for any thread."""

    def __init__(self, chat_format: ChatFormat) -> None:
        self.format = chat_format
        self._shown: frozenset[int] | None = None
        self._marks: tuple[str, ...] = ()

    def bound(
        self, request: Request, chat: Chat, rendered: Rendered, vocabulary: Vocabulary
    ) -> Bound:
        """Raises RequestError for a grammar, a schema or tools that cannot be had."""
        style = self.format.reasoning
        # Where reasoning is switched off, none may come before what a grammar binds.
        reasons = style is not None and reasoning_wish(chat) != "off"
        gate = self._gate(rendered) if reasons else None
        if style is not None and reasons and request.constraint is not None:
            gate = style.gate(is_open=rendered.reasoning_open)
        budget = self._budget(chat, gate)
        if request.constraint is not None:
            grammar = grammar_for(request.constraint)
            if style is not None:
                self.shown(vocabulary)
                grammar = _led(grammar, style.lead(rendered.prompt), ToolRules(self._marks))
            return Bound(grammar, gate, budget)
        # Without a grammar the gate only counts what is reasoning.
        if not offers(chat):
            return Bound(None, gate, budget)
        if chat.tool_choice == "required":
            primer = self.format.output.calls.primer
            begun = primer if rendered.prompt.endswith(primer) else ""
            grammar = self._tool_grammar(chat, vocabulary, begun)
            return Bound(grammar, gate, budget)
        lazy = lazy_gate(self.format.output.calls)
        if lazy is None:
            return Bound(None, gate, budget)
        try:
            grammar = self._tool_grammar(chat, vocabulary, lazy.close)
        except RequestError:
            # Nobody asked for the arguments to be bound: a call is then read as it comes.
            return Bound(None, gate, budget)
        if style is not None and gate is not None:
            # What looks like a call within the reasoning is none.
            budget = budget or Budget(_NO_LIMIT, style.end_of_thoughts, gate)
        return Bound(grammar, lazy, budget)

    def parser(self, request: Request, chat: Chat, rendered: Rendered) -> OutputParser | None:
        """What reads the answer; None where it is text and nothing else."""
        tools = chat.tools if offers(chat) else ()
        output = self.format.output
        plain = output.channels is None and not output.dropped
        if self.format.reasoning is None and not tools and plain:
            return None
        return answer_parser(
            request.id,
            output,
            self._gate(rendered),
            tools,
            parallel=chat.parallel_tools,
            prompt_end=rendered.prompt,
            stop=request.stop,
        )

    def shown(self, vocabulary: Vocabulary) -> frozenset[int]:
        """The control tokens that the parser must see."""
        if self._shown is None:
            shown = shown_tokens(vocabulary, self._words())
            self._marks = tuple(vocabulary.special_text(token) for token in shown)
            self._shown = shown
        return self._shown

    def _words(self) -> Iterable[str]:
        style = self.format.reasoning
        yield from self.format.output.framing
        if style is not None:
            yield from (style.open, style.close, style.between, style.answer_header)

    def _tool_grammar(self, chat: Chat, vocabulary: Vocabulary, begun: str) -> Grammar:
        self.shown(vocabulary)
        return tool_grammar(
            self.format.output.calls,
            chat.tools,
            forced=chat.forced_tool,
            parallel=chat.parallel_tools,
            marks=self._marks,
            begun=begun,
        )

    def _gate(self, rendered: Rendered) -> Gate | None:
        style = self.format.reasoning
        if style is None:
            return None
        return Gate(style.open, style.close, is_open=rendered.reasoning_open)

    def _budget(self, chat: Chat, gate: Gate | None) -> Budget | None:
        style = self.format.reasoning
        if style is None or gate is None or not chat.reasoning_budget:
            return None
        end = style.end_of_thoughts if offers(chat) else style.end
        return Budget(chat.reasoning_budget, end, gate)


def _led(grammar: Grammar, lead: tuple[str, str], rules: ToolRules) -> Grammar:
    """The grammar behind the words that introduce an answer."""
    may, must = lead
    if not must:
        return grammar
    begins = f"({rules.literal(may)})? " if may else ""
    root = f"{_LED_ROOT} ::= {begins}{rules.literal(must)} {grammar.root}"
    return Grammar(f"{root}\n{grammar.text}", _LED_ROOT)


def offers(chat: Chat) -> bool:
    """Whether the model may call anything."""
    return bool(chat.tools) and chat.tool_choice != "none"
