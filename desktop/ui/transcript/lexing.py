"""Colours code line by line as it arrives, remembering what is open (a docstring, a comment)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from re import Match
from typing import Any, cast

from pygments.lexer import ExtendedRegexLexer, Lexer, RegexLexer
from pygments.token import Token, _TokenType

LONGEST_LINE_CHARS = 600
_MOST_IDLE_STEPS = 50

Run = tuple[_TokenType, str]
_Rule = tuple[Callable[[str, int], Match[str] | None], Any, Any]


class LineLexer:
    """A lexer that is fed whole lines; each line is read once."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self._states = ["root"]
        self._rules: dict[str, list[_Rule]] | None = None
        if isinstance(lexer, RegexLexer) and not isinstance(lexer, ExtendedRegexLexer):
            self._rules = cast("dict[str, list[_Rule]]", getattr(lexer, "_tokens"))  # noqa: B009

    def line(self, text: str) -> list[Run]:
        """The runs of one line without its line break; a very long line is one plain run."""
        if len(text) > LONGEST_LINE_CHARS:
            return [(Token.Text, text)]
        runs: Iterable[Run]
        if self._rules is None:
            runs = ((kind, value) for _at, kind, value in self._lexer.get_tokens_unprocessed(text))
        else:
            runs = self._regex_runs(text + "\n", self._rules)
        return [(kind, value) for kind, value in _without_break(runs) if value]

    def _regex_runs(self, text: str, rules: dict[str, list[_Rule]]) -> Iterator[Run]:
        # The loop that Pygments documents for RegexLexer, keeping its states between lines.
        position, idle = 0, 0
        while position < len(text):
            for match_at, action, new_states in rules[self._states[-1]]:
                match = match_at(text, position)
                if match is None:
                    continue
                yield from self._act(action, match)
                idle = 0 if match.end() > position else idle + 1
                position = match.end()
                self._enter(new_states)
                break
            else:
                idle = _MOST_IDLE_STEPS + 1
            if idle > _MOST_IDLE_STEPS:
                idle = 0
                if text[position] == "\n":
                    self._states = ["root"]
                yield Token.Text, text[position]
                position += 1

    def _act(self, action: Any, match: Match[str]) -> Iterable[Run]:
        if action is None:
            return ()
        if isinstance(action, _TokenType):
            return ((action, match.group()),)
        return tuple((kind, value) for _at, kind, value in action(self._lexer, match) if value)

    def _enter(self, new: Any) -> None:
        if new is None:
            return
        if isinstance(new, int):
            del self._states[max(1, len(self._states) + new) :]
            return
        for state in (new,) if isinstance(new, str) else new:
            if state == "#pop":
                if len(self._states) > 1:
                    self._states.pop()
            elif state == "#push":
                self._states.append(self._states[-1])
            else:
                self._states.append(state)


def _without_break(runs: Iterable[Run]) -> Iterator[Run]:
    for kind, value in runs:
        yield kind, value.replace("\n", "")
