"""Which tokens may come next in one answer: reasoning first, then what a grammar allows."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.constraint import Budget, Gate
from desktop.engine.grammar.automaton import Automaton, State
from desktop.engine.token_table import TokenTable
from desktop.engine.vocabulary import Vocabulary

_LEAD_BYTES = 8
"""Blank space between reasoning and what a grammar binds."""
_CHARACTER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """How far an answer is: in front of gate `gate` or `inside` of it, with as much of what was
    written as matters (`tail`); behind the last gate, `state` is the grammar's."""

    gate: int = 0
    inside: bool = False
    tail: bytes = b""
    state: State | None = None
    lead: int = 0


class Guard:
    """Follows one answer; for the engine's thread. `take` every token, in order."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        automaton: Automaton | None,
        gate: Gate | None,
        budget: Budget | None,
    ) -> None:
        self._vocabulary = vocabulary
        self._automaton = automaton
        self._table: TokenTable | None = vocabulary.table() if automaton else None
        gates = [] if budget is None else [budget.gate]
        if gate is not None and gate not in gates:
            gates.append(gate)
        self._gates = [(gate, gate.open.encode(), gate.close.encode()) for gate in gates]
        self._budget = budget
        self._forced: list[int] = []
        self._closing = -1  # the gate whose last closing word is being taken
        self._checked: tuple[int, Stage] | None = None
        self._ended = False
        self.reasoning_tokens = 0
        self._stage = self._behind(-1, b"") or Stage(gate=len(self._gates))

    # -- what may come -----------------------------------------------------------------------

    @property
    def free(self) -> bool:
        """Nothing is ever refused: there is no grammar."""
        return self._automaton is None

    @property
    def ended(self) -> bool:
        """The grammar is complete and nothing may follow."""
        state = self._stage.state
        return state is not None and (self._ended or state.over)

    def forced(self) -> int | None:
        """The token that must come next: of the words that end reasoning."""
        if not self._forced and self._budget is not None and self._over_budget(self._budget):
            self._force(self._budget.close or self._budget.gate.close)
        # Behind the reasoning the grammar has the word: what it refuses is dropped.
        is_behind = bool(self._forced) and self._stage.gate >= len(self._gates)
        if is_behind and not self.allows(self._forced[0]):
            self._forced.clear()
        return self._forced[0] if self._forced else None

    def allows(self, token: int) -> bool:
        """Whether `token` may come next. Raises RequestError("grammar_too_complex")."""
        if self._checked is None or self._checked[0] != token:
            stage = self._after(token)
            if stage is None:
                return False
            self._checked = token, stage
        return True

    def must_close(self, token: int) -> bool:
        """Whether `token` would end the answer inside of reasoning, before what a grammar
        wants; the words that end the reasoning are forced then."""
        inside = self._stage.gate < len(self._gates) and self._stage.inside
        if not inside or not self._vocabulary.piece(token)[1]:
            return False
        gate = self._gates[self._stage.gate][0]
        budget = self._budget
        self._force(budget.close if budget is not None and budget.gate == gate else gate.close)
        return True

    def few(self) -> tuple[int, ...] | None:
        """All tokens that may come next, where the grammar binds and they are known already."""
        stage = self._stage
        return None if stage.state is None or stage.lead else stage.state.allowed

    def choices(self) -> tuple[int, ...] | None:
        """All tokens that may come next, where the grammar binds and leaves few; else None."""
        state = self._stage.state
        if state is None or self._table is None or self._automaton is None:
            return None
        return self._table.allowed(self._automaton, state)

    def every_choice(self) -> tuple[int, ...]:
        """As `choices`, however many: takes as long as a step or several."""
        state = self._stage.state
        assert self._table is not None
        assert self._automaton is not None
        if state is None:
            return tuple(token for token in range(self._vocabulary.size) if self.allows(token))
        return self._table.every_allowed(self._automaton, state)

    def take(self, token: int) -> None:
        """`token` was written; it must be allowed."""
        gate = self._stage.gate
        forced = bool(self._forced)
        if forced:
            self._forced.pop(0)
            self._closing = gate if not self._forced else -1
        if gate < len(self._gates) and self._stage.inside and not self._gates[gate][0].optional:
            self.reasoning_tokens += 1
        if self._checked is not None and self._checked[0] == token:
            stage: Stage | None = self._checked[1]
        else:
            stage = self._after(token)
        self._checked = None
        if stage is None and forced and gate < len(self._gates):
            stage = self._behind(gate, b"")  # what stands behind the gate's own words is dropped
        if stage is None:
            raise RequestError("grammar_too_complex")
        # Also where the request goes on behind ends of answers: here nothing else can come.
        self._ended = stage.state is self._stage.state and self._vocabulary.piece(token)[1]
        if self._closing == stage.gate and stage.inside:
            # The words did not say the gate's own: they end the reasoning all the same.
            stage = self._behind(stage.gate, b"") or stage
        self._closing = -1
        self._stage = stage
        if self._automaton is not None:
            self._automaton.rest()

    # -- where a token leads -----------------------------------------------------------------

    def _after(self, token: int) -> Stage | None:
        stage = self._stage
        raw, ends = self._vocabulary.piece(token)
        if stage.state is not None:
            return self._bound(stage, token, raw)
        if stage.gate >= len(self._gates):
            return stage
        if ends and not self._forced:
            return stage if self._may_end(stage) else None
        text = raw or self._vocabulary.special_text(token).encode()
        return self._behind_text(stage, text)

    def _bound(self, stage: Stage, token: int, raw: bytes) -> Stage | None:
        assert self._table is not None
        assert self._automaton is not None
        assert stage.state is not None
        found = self._table.allows(self._automaton, stage.state, token)
        if found is None and stage.lead and raw and raw[:1].isspace():
            blank = len(raw) - len(raw.lstrip())
            if blank == len(raw):
                left = max(stage.lead - blank, 0)
                return Stage(stage.gate, state=stage.state, lead=left)
            found = self._automaton.walk(stage.state, raw[blank:])
        return None if found is None else Stage(stage.gate, state=found)

    def _behind_text(self, stage: Stage, text: bytes) -> Stage | None:
        """Where `text` leads to in front of a gate or inside of it."""
        _, opening, closing = self._gates[stage.gate]
        joined = stage.tail + text
        if stage.inside:
            at = joined.find(closing)
            if at >= 0:
                return self._behind(stage.gate, joined[at + len(closing) :])
            kept = max(len(closing) - 1, _CHARACTER_BYTES)
            return Stage(stage.gate, inside=True, tail=joined[-kept:])
        begun = joined.lstrip()
        if begun.startswith(opening):
            return self._behind_text(Stage(stage.gate, inside=True), begun[len(opening) :])
        if opening.startswith(begun):
            return Stage(stage.gate, tail=joined)
        return self._behind(stage.gate, joined, lead=0)

    def _behind(self, gate: int, text: bytes, lead: int = _LEAD_BYTES) -> Stage | None:
        """Where `text` leads to from behind a gate on."""
        if gate >= 0 and self._gates[gate][0].optional:
            lead = 0
        gate += 1
        if gate < len(self._gates):
            onward = Stage(gate, self._gates[gate][0].is_open)
            return self._behind_text(onward, text) if text else onward
        if self._automaton is None:
            return Stage(gate)
        lead = lead if gate else 0
        start = self._automaton.start
        found = self._automaton.walk(start, text)
        if found is None and lead:
            text = text.lstrip()
            found = self._automaton.walk(start, text)
        if found is None:
            return None
        return Stage(gate, state=found, lead=0 if text else lead)

    def _may_end(self, stage: Stage) -> bool:
        """Whether the answer may end before the last gate."""
        if self._automaton is None:
            return True
        for gate, _, _ in self._gates[stage.gate :]:
            if gate.optional:
                return True
            if stage.inside:
                return False
        return self._automaton.start.complete and not stage.tail

    # -- the words that end reasoning --------------------------------------------------------

    def _over_budget(self, budget: Budget) -> bool:
        stage = self._stage
        if stage.gate >= len(self._gates) or not stage.inside:
            return False
        if self._gates[stage.gate][0] != budget.gate or self.reasoning_tokens < budget.tokens:
            return False
        late = self.reasoning_tokens >= budget.tokens + _CHARACTER_BYTES
        return late or not _is_cut(stage.tail)

    def _force(self, words: str) -> None:
        self._forced = self._vocabulary.tokenize(words, add_special=False)


def _is_cut(text: bytes) -> bool:
    """Whether `text` ends inside of a character."""
    for back in range(1, min(_CHARACTER_BYTES, len(text)) + 1):
        byte = text[-back]
        if byte >= 0xC0:
            return back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4)
        if byte < 0x80:
            return False
    return False
