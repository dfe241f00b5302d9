"""What a chat wants of an answer's form: its grammar, its reasoning, what reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from desktop.engine.chat import Chat, Rendered
from desktop.engine.chat_format import ChatFormat
from desktop.engine.constraint import Budget, Gate, Grammar
from desktop.engine.grammar import grammar_for
from desktop.engine.output.answer import answer_parser
from desktop.engine.output.marks import shown_tokens
from desktop.engine.output.parser import OutputParser
from desktop.engine.request import Request
from desktop.engine.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Bound:
    """What binds an answer."""

    grammar: Grammar | None = None
    gate: Gate | None = None
    budget: Budget | None = None


class ChatWishes:
    """Reads them off chats with one model."""

    def __init__(self, chat_format: ChatFormat) -> None:
        self._format = chat_format
        self._shown: frozenset[int] | None = None

    def bound(self, request: Request, chat: Chat, rendered: Rendered) -> Bound:
        """Raises RequestError for a grammar, a schema or tools that cannot be had."""
        gate, budget = self._gate(rendered), self._budget(chat, rendered)
        if request.constraint is not None:
            return Bound(grammar_for(request.constraint), gate, budget)
        return Bound(budget=budget)

    def parser(self, request: Request, chat: Chat, rendered: Rendered) -> OutputParser | None:
        """What reads the answer; None where it is text and nothing else."""
        style = self._format.reasoning
        tools = chat.tools if offers(chat) else ()
        output = self._format.output
        if style is None and not tools and not output.dropped and output.channels is None:
            return None
        gate = None
        if style is not None and output.channels is None:
            gate = Gate(style.open, style.close, is_open=rendered.reasoning_open)
        return answer_parser(
            request.id,
            output,
            gate,
            tools,
            parallel=chat.parallel_tools,
            prompt_end=rendered.prompt[-200:],
        )

    def shown(self, vocabulary: Vocabulary) -> frozenset[int]:
        """The control tokens that the parser must see."""
        if self._shown is None:
            self._shown = shown_tokens(vocabulary, self._words())
        return self._shown

    def _words(self) -> Iterable[str]:
        style = self._format.reasoning
        yield from self._format.output.framing
        if style is not None:
            yield from (style.open, style.close, style.between, style.answer_header)

    def _gate(self, rendered: Rendered) -> Gate | None:
        style = self._format.reasoning
        return None if style is None else style.gate(is_open=rendered.reasoning_open)

    def _budget(self, chat: Chat, rendered: Rendered) -> Budget | None:
        style = self._format.reasoning
        if style is None or not chat.reasoning_budget:
            return None
        gate = Gate(style.open, style.close, is_open=rendered.reasoning_open)
        return Budget(chat.reasoning_budget, style.end, gate)


def offers(chat: Chat) -> bool:
    """Whether the model may call anything."""
    return bool(chat.tools) and chat.tool_choice != "none"
