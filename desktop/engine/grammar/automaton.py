"""Walks along a grammar's graph, byte by byte: which bytes may come next, and where they lead.

All that is found is kept, so that a state is worked out once, whoever comes there again. Where
several ways are open, they are walked together; continuations that several ways share are joined
(as a graph-structured stack does), so that an ambiguous grammar costs what it is long, not 2^n.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from desktop.common.errors import RequestError
from desktop.engine.grammar.grammar_graph import END, NODE, NODE_BITS, ONE, Graph

MAX_DEPTH = 200
"""How deep rules may stand inside of each other in an answer; deeper ways are closed."""
MAX_WORK = 30_000
"""Places to look at in one go: some hundredths of a second."""
MAX_PLACES = 3_000
"""Ways that may be open at one place of an answer."""
_MOST_KEPT = 20_000
_OVER = -1


class Stack:
    """What comes after the rule that is being read: positions, each with what comes after it."""

    __slots__ = ("depth", "number", "ways")

    def __init__(self, ways: dict[int, Stack], number: int) -> None:
        self.ways = ways
        self.number = number
        self.depth: int = 1 + max((stack.depth for stack in ways.values()), default=0)


class State:
    """Where the text so far has led to.

    `places` read a byte or a token next; `complete`: the text may end here. `allowed` is for
    whoever has found out which tokens may follow.
    """

    __slots__ = ("allowed", "complete", "kernel", "marks", "moves", "places", "wide")

    def __init__(self, kernel: dict[int, Stack]) -> None:
        self.kernel = kernel
        self.places: list[tuple[int, Stack]] = []
        self.marks: list[tuple[int, Stack]] = []
        self.complete = False
        self.moves: dict[int, State | None] = {}
        self.allowed: tuple[int, ...] | None = None
        self.wide = False

    @property
    def over(self) -> bool:
        """Nothing may follow."""
        return self.complete and not self.places and not self.marks


class Automaton:
    """The states of one grammar. For one thread at a time.

    `tokens` are positions at which a token of the vocabulary may be read, with where it leads;
    -1 minus a token stands for any other one.
    """

    def __init__(self, graph: Graph, tokens: Mapping[int, list[tuple[int, int]]] | None = None):
        self._graph = graph
        self._nodes = graph.nodes
        self._tokens = tokens or {}
        self._stacks: dict[tuple[tuple[int, int], ...], Stack] = {}
        self._unions: dict[tuple[int, int], Stack] = {}
        self._states: dict[frozenset[tuple[int, int]], State] = {}
        self._stack_count = 0
        self.work = 0
        bottom = Stack({}, 0)
        self._root = self._stack({_OVER: bottom})
        self.start = self._enter_root()

    def rest(self, allowance: int = MAX_WORK) -> None:
        """Begin to count the work anew; what was kept goes where it has become too much."""
        self.work = MAX_WORK - allowance
        if len(self._states) > _MOST_KEPT or len(self._stacks) > _MOST_KEPT:
            self._states.clear()
            self._stacks.clear()
            self._unions.clear()
            self._graph.forget()

    def step(self, state: State, byte: int) -> State | None:
        """Where one more byte leads to; None where it is not allowed.

        Raises RequestError("grammar_too_complex") after MAX_WORK since the last `rest`.
        """
        try:
            return state.moves[byte]
        except KeyError:
            pass
        self._spend(len(state.places))
        kernel: dict[int, Stack] = {}
        for position, stack in state.places:
            node = self._nodes[position & NODE]
            if node.raw:
                at = position >> NODE_BITS
                if node.raw[at] == byte:
                    done = at + 1 == len(node.raw)
                    self._put(kernel, node.after if done else position + ONE, stack)
                continue
            target = node.moves.get(byte)
            if target is not None:
                self._put(kernel, target, stack)
            for flags, target in node.classes:
                if flags[byte]:
                    self._put(kernel, target, stack)
        found = state.moves[byte] = self._state(kernel)
        return found

    def walk(self, state: State, raw: bytes) -> State | None:
        """Where all bytes of `raw` lead to."""
        here: State | None = state
        for byte in raw:
            assert here is not None
            moves = here.moves
            here = moves[byte] if byte in moves else self.step(here, byte)
            if here is None:
                return None
        return here

    def take_token(self, state: State, token: int, raw: bytes) -> State | None:
        """Where a token leads to: as one that the grammar names, or by its bytes (`raw`, may be
        empty for a token that writes nothing)."""
        spelled = self.walk(state, raw) if raw else None
        if not state.marks:
            return spelled
        kernel: dict[int, Stack] = dict(spelled.kernel) if spelled else {}
        named = False
        for position, stack in state.marks:
            for wanted, target in self._tokens[position]:
                if wanted == token or (wanted < 0 and token != -1 - wanted):
                    self._put(kernel, target, stack)
                    named = True
        return (self._state(kernel) or spelled) if named else spelled

    def bytes_after(self, state: State) -> list[int]:
        """The bytes that may come next."""
        found = bytearray(256)
        for position, _ in state.places:
            node = self._nodes[position & NODE]
            if node.raw:
                found[node.raw[position >> NODE_BITS]] = 1
            for byte in node.moves:
                found[byte] = 1
            for flags, _ in node.classes:
                either = int.from_bytes(found, "big") | int.from_bytes(flags, "big")
                found[:] = either.to_bytes(256, "big")
        return [byte for byte, allowed in enumerate(found) if allowed]

    def tokens_after(self, state: State) -> list[int]:
        """The tokens that the grammar names here; -1 minus a token for "any but it"."""
        return [token for position, _ in state.marks for token, _ in self._tokens[position]]

    # -- states ------------------------------------------------------------------------------

    def _enter_root(self) -> State:
        state = State({})
        self._close(state, {0: dict(self._root.ways)})
        return state

    def _state(self, kernel: dict[int, Stack]) -> State | None:
        """None for a dead end: what would have to follow stands too deep."""
        if not kernel:
            return None
        key = frozenset((position, stack.number) for position, stack in kernel.items())
        state = self._states.get(key)
        if state is None:
            state = State(kernel)
            self._close(state, {})
            self._states[key] = state
        return state if state.places or state.marks or state.complete else None

    def _close(self, state: State, entries: dict[int, dict[int, Stack]]) -> None:
        """Find all that `state` can read next, and whether it may end.

        First out of the rules that are over, then into those that begin: each once, with all
        that may come after it, since those that it begins with have a higher rank.
        """
        found: dict[int, Stack] = {}
        todo = list(state.kernel.items())
        seen = {(position, stack.number) for position, stack in todo}
        while todo:
            position, stack = todo.pop()
            if position == _OVER:
                state.complete = True
                continue
            closure = self._graph.closure(position)
            self._spend(1 + len(closure.reads) + len(closure.calls))
            for read in closure.reads:
                self._put(found, read, stack)
            for rule, after in closure.calls:
                self._call(entries, rule, after, stack)
            if closure.ends:
                self._spend(len(stack.ways))
                for way, rest in stack.ways.items():
                    if (way, rest.number) not in seen:
                        seen.add((way, rest.number))
                        todo.append((way, rest))
        self._enter(found, entries, state)
        if len(found) > MAX_PLACES:
            raise RequestError("grammar_too_complex")
        for position, stack in found.items():
            if position in self._tokens:
                state.marks.append((position, stack))
            if self._nodes[position & NODE].mark is None:
                state.places.append((position, stack))

    def _enter(
        self, found: dict[int, Stack], entries: dict[int, dict[int, Stack]], state: State
    ) -> None:
        ranks = self._graph.ranks
        waiting = [(ranks[rule], rule) for rule in entries]
        heapq.heapify(waiting)
        if not state.kernel and 0 in entries:  # the very start: the root may be empty
            state.complete = self._graph.closure(self._graph.starts[0]).ends
        while waiting:
            _, rule = heapq.heappop(waiting)
            stack = self._stack(entries[rule])
            if stack.depth > MAX_DEPTH:
                continue
            closure = self._graph.closure(self._graph.starts[rule])
            self._spend(1 + len(closure.reads) + len(closure.calls))
            for read in closure.reads:
                self._put(found, read, stack)
            for called, after in closure.calls:
                if called not in entries:
                    heapq.heappush(waiting, (ranks[called], called))
                self._call(entries, called, after, stack)

    def _call(
        self, entries: dict[int, dict[int, Stack]], rule: int, after: int, stack: Stack
    ) -> None:
        """`rule` begins, and `after` it comes `stack`; the last call of a rule takes its place."""
        ways = entries.setdefault(rule, {})
        if after == END:
            self._spend(len(stack.ways))
            for way, rest in stack.ways.items():
                self._put(ways, way, rest)
        else:
            self._put(ways, after, stack)

    def _put(self, table: dict[int, Stack], position: int, stack: Stack) -> None:
        known = table.get(position)
        table[position] = stack if known is None else self._union(known, stack)

    # -- stacks ------------------------------------------------------------------------------

    def _stack(self, ways: dict[int, Stack]) -> Stack:
        self._spend(len(ways))
        key = tuple(sorted((position, stack.number) for position, stack in ways.items()))
        stack = self._stacks.get(key)
        if stack is None:
            self._stack_count += 1
            stack = self._stacks[key] = Stack(dict(ways), self._stack_count)
        return stack

    def _union(self, first: Stack, second: Stack) -> Stack:
        """Either of both: exact, since a position is followed by what any of them says."""
        if first is second:
            return first
        key = (first.number, second.number)
        known = self._unions.get(key)
        if known is None:
            self._spend(len(second.ways))
            ways = dict(first.ways)
            for position, stack in second.ways.items():
                self._put(ways, position, stack)
            known = self._unions[key] = self._stack(ways)
        return known

    def _spend(self, work: int) -> None:
        self.work += work
        if self.work > MAX_WORK:
            raise RequestError("grammar_too_complex")
