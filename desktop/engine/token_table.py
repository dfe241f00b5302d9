"""What each token of a vocabulary writes, ordered so that a grammar finds those that it allows."""

from __future__ import annotations

import contextlib
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable

from desktop.common.errors import RequestError
from desktop.engine.grammar.automaton import Automaton, State
from desktop.engine.grammar.grammar_graph import Graph

MANY_BYTES = 64
"""From so many possible next bytes on, a state is "wide": inside of a text, say."""
_FEW_TOKENS = 12
_MOST_LOOKED_AT = 4_000
_WORK = 10_000
_MOST_AUTOMATA = 16


class TokenTable:
    """The tokens of one model. `raws` are the bytes of each, empty for those that write nothing;
    `controls` the texts of control tokens; `ends` the tokens that end an answer.

    Made in any thread, then used by the engine's alone, but for `automaton`.
    """

    def __init__(self, tokens: Iterable[tuple[bytes, bool, bool]]) -> None:
        """`tokens` in their order: bytes, whether it ends an answer, whether it is a control."""
        self.raws: list[bytes] = []
        self.controls: dict[int, bytes] = {}
        self.ends: set[int] = set()
        for token, (raw, ends, control) in enumerate(tokens):
            # No grammar gets a zero byte, as in llama.cpp: half of the world's programs end there.
            self.raws.append(b"" if control or b"\0" in raw else raw)
            if control and raw:
                self.controls[token] = raw
            if ends:
                self.ends.add(token)
        spoken = [token for token, raw in enumerate(self.raws) if raw and token not in self.ends]
        self._tokens = sorted(spoken, key=self.raws.__getitem__)
        self._sorted = [self.raws[token] for token in self._tokens]
        self._automata: OrderedDict[Graph, Automaton] = OrderedDict()
        self._lock = threading.Lock()

    def text(self, token: int) -> bytes:
        """What a token writes, control tokens their text."""
        return self.raws[token] or self.controls.get(token, b"")

    def automaton(self, graph: Graph) -> Automaton:
        """The one of this grammar and vocabulary, with all that it has found out so far."""
        with self._lock:
            known = self._automata.pop(graph, None)
            if known is None:
                known = Automaton(graph, self._named_tokens(graph))
            self._automata[graph] = known
            while len(self._automata) > _MOST_AUTOMATA:
                self._automata.popitem(last=False)
            return known

    def _named_tokens(self, graph: Graph) -> dict[int, list[tuple[int, int]]]:
        """Where tokens are read that the grammar names, or whose text stands in a literal.

        "<tool_call>" in a grammar means the control token of that text too, and a control token
        is allowed nowhere else.
        """
        found: dict[int, list[tuple[int, int]]] = {}
        for number, node in enumerate(graph.nodes):
            if node.mark is not None:
                token = node.mark.number if node.mark.number >= 0 else self._find(node.mark.text)
                if 0 <= token < len(self.raws):
                    wanted = -1 - token if node.mark.negated else token
                    found.setdefault(number, []).append((wanted, node.after))
        words = {raw for _, raw in graph.literals}
        everything = b"\0".join(words)
        named = {t: text for t, text in self.controls.items() if text in everything}
        for start, raw in graph.literals if named else ():
            for token, text in named.items():
                at = raw.find(text)
                while at >= 0:
                    place = graph.spell(start, raw[:at])
                    target = graph.spell(start, raw[: at + len(text)])
                    if place >= 0 and target >= 0:
                        edges = found.setdefault(place, [])
                        if (token, target) not in edges:
                            edges.append((token, target))
                    at = raw.find(text, at + 1)
        return found

    def _find(self, text: str) -> int:
        raw = text.encode()
        for token, known in self.controls.items():
            if known == raw:
                return token
        at = bisect_left(self._sorted, raw)
        return self._tokens[at] if at < len(self._sorted) and self._sorted[at] == raw else -1

    # -- which tokens a state allows -----------------------------------------------------------

    def allows(self, automaton: Automaton, state: State, token: int) -> State | None:
        """Where `token` leads to; one that ends the answer stays, where that is complete."""
        if token in self.ends:
            named = automaton.take_token(state, token, b"") if state.marks else None
            return named or (state if state.complete else None)
        if not self.raws[token] and token not in self.controls:
            return None  # writes nothing, and would for ever
        return automaton.take_token(state, token, self.raws[token])

    def allowed(self, automaton: Automaton, state: State) -> tuple[int, ...] | None:
        """All tokens that may follow, where those are not too many to look for; else None."""
        if state.allowed is None and not state.wide:
            automaton.rest(_WORK)
            # Too much work for all of them: the likeliest ones can be asked about.
            with contextlib.suppress(RequestError):
                state.allowed = self._narrow(automaton, state)
            automaton.rest()
            state.wide = state.allowed is None
        return state.allowed

    def every_allowed(self, automaton: Automaton, state: State) -> tuple[int, ...]:
        """All tokens that may follow, however many: about a tenth of a second for 128,000."""
        if state.allowed is None:
            allows = self.allows
            tokens = [*self._tokens, *self.controls, *self.ends]
            found = {token for token in tokens if allows(automaton, state, token) is not None}
            state.allowed = tuple(found)
        return state.allowed

    def _narrow(self, automaton: Automaton, state: State) -> tuple[int, ...] | None:
        if any(token < 0 for token in automaton.tokens_after(state)):
            return None
        found: list[int] = self._special(automaton, state)
        todo: list[tuple[State, int, int, bytes]] = [(state, 0, len(self._sorted), b"")]
        looked_at = 0
        while todo:
            here, low, high, prefix = todo.pop()
            following = automaton.bytes_after(here)
            looked_at += len(following)
            if high - low <= _FEW_TOKENS + 2 * len(following):
                looked_at += high - low
                found += self._one_by_one(automaton, here, low, high, len(prefix))
            elif len(following) >= MANY_BYTES:
                return None
            else:
                for byte in following:
                    longer = prefix + bytes((byte,))
                    first = bisect_left(self._sorted, longer, low, high)
                    if first == high or not self._sorted[first].startswith(longer):
                        continue
                    last = bisect_left(self._sorted, _past(longer), first, high)
                    onward = automaton.step(here, byte)
                    if onward is None:
                        continue
                    while first < last and len(self._sorted[first]) == len(longer):
                        found.append(self._tokens[first])
                        first += 1
                    if first < last:
                        todo.append((onward, first, last, longer))
            if looked_at > _MOST_LOOKED_AT:
                return None
        return tuple(found)

    def _one_by_one(
        self, automaton: Automaton, state: State, low: int, high: int, known: int
    ) -> list[int]:
        walk, texts = automaton.walk, self._sorted
        return [
            self._tokens[place]
            for place in range(low, high)
            if walk(state, texts[place][known:]) is not None
        ]

    def _special(self, automaton: Automaton, state: State) -> list[int]:
        """Tokens without bytes of their own: named ones, and the ends of a complete answer."""
        named = [token for token in set(automaton.tokens_after(state)) if token >= 0]
        ends = [token for token in self.ends if token not in named] if state.complete else []
        return named + ends


def _past(prefix: bytes) -> bytes:
    """The first text behind all those that begin with `prefix`."""
    shorter = prefix.rstrip(b"\xff")
    return shorter[:-1] + bytes((shorter[-1] + 1,)) if shorter else b"\xff" * 64
