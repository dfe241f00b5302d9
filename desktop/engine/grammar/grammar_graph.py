"""A grammar as a graph over bytes: what an automaton walks along.

A position is a node with a count above it (`NODE_BITS`): how many bytes of a literal were read,
or how often a repetition was gone through. So neither long literals nor `{1,1000000}` take room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.common.errors import RequestError
from desktop.engine.grammar.gbnf import (
    Characters,
    Element,
    Group,
    Literal,
    Ranges,
    Reference,
    Repeated,
    TokenMark,
)
from desktop.engine.grammar.utf8_ranges import Step, byte_sequences

NODE_BITS = 24
NODE = (1 << NODE_BITS) - 1
ONE = 1 << NODE_BITS
END = 0
"""The node at which a rule is over."""
MAX_NODES = 60_000

_NO_MOVES: dict[int, int] = {}


class Node:
    """Where a walk may stand, with its ways on; most nodes have one kind of them."""

    __slots__ = (
        "after",
        "body",
        "call",
        "classes",
        "least",
        "mark",
        "most",
        "moves",
        "raw",
        "ways",
    )

    def __init__(self) -> None:
        self.moves = _NO_MOVES  # a byte, and where it leads
        self.classes: list[tuple[bytes, int]] = []  # a table of 256 flags, and where it leads
        self.raw = b""  # a literal, then `after`
        self.mark: TokenMark | None = None  # a token, then `after`
        self.ways: list[int] = []  # without reading anything
        self.call = -1  # a rule, then `after`
        self.body = -1  # a rule, `least` to `most` times, then `after`
        self.least = 0
        self.most: int | None = None
        self.after = END


@dataclass(frozen=True, slots=True)
class Closure:
    """What is reached from a position without reading: positions that read, calls (a rule and
    the position after it), and whether the rule may end here."""

    reads: tuple[int, ...]
    calls: tuple[tuple[int, int], ...]
    ends: bool


class Graph:
    """All that the root can reach; rule 0 is the root.

    `literals` are the places where a word begins, with the word. `ranks` orders the rules so
    that each comes before those that it begins with.
    """

    def __init__(self, rules: dict[str, Group], root: str) -> None:
        """Raises RequestError("bad_grammar") for missing rules and left recursion,
        ("grammar_too_large", limit) beyond MAX_NODES."""
        self.nodes = [Node()]
        self.starts: list[int] = []
        self.literals: list[tuple[int, bytes]] = []
        self._rules = rules
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._unbuilt: list[tuple[int, Element]] = []
        self._closures: dict[int, Closure] = {}
        self._sets: dict[Ranges, list[tuple[Step, ...]]] = {}
        self._flags: dict[tuple[Step, ...], bytes] = {}
        self._rule(root)
        while self._unbuilt:
            number, element = self._unbuilt.pop()
            self.starts[number] = self._build(element, END)
        self._nullable = self._find_nullable()
        self.ranks = self._find_ranks()

    # -- building, from the end of each rule to its start ------------------------------------

    def _rule(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            group = self._rules.get(name)
            if group is None:
                reason = "no_such_rule" if self._numbers else "no_root"
                raise RequestError("bad_grammar", reason=reason, line=0, name=name[:64])
            number = self._numbers[name] = self._new_rule(group, name)
        return number

    def _new_rule(self, element: Element, name: str) -> int:
        self.starts.append(-1)
        self._names.append(name)
        self._unbuilt.append((len(self.starts) - 1, element))
        return len(self.starts) - 1

    def _new(self) -> int:
        if len(self.nodes) >= MAX_NODES:
            raise RequestError("grammar_too_large", limit=MAX_NODES)
        self.nodes.append(Node())
        return len(self.nodes) - 1

    def _build(self, element: Element, after: int) -> int:
        """The node from which `element` is read, with what follows it."""
        if isinstance(element, Literal):
            return self._literal(element.raw, after)
        if isinstance(element, Characters):
            return self._characters(element.ranges, after)
        if isinstance(element, Group):
            return self._group(element, after)
        if isinstance(element, Repeated):
            return self._repeated(element, after)
        number = self._new()
        node = self.nodes[number]
        node.after = after
        if isinstance(element, Reference):
            node.call = self._rule(element.name)
        else:
            node.mark = element
        return number

    def _sequence(self, elements: Sequence[Element], after: int) -> int:
        for element in reversed(elements):
            after = self._build(element, after)
        return after

    def _literal(self, raw: bytes, after: int) -> int:
        number = self._new()
        self.nodes[number].raw, self.nodes[number].after = raw, after
        self.literals.append((number, raw))
        return number

    def _characters(self, ranges: Ranges, after: int) -> int:
        sequences = self._sets.get(ranges)
        if sequences is None:
            sequences = self._sets[ranges] = list(byte_sequences(ranges))
        tails: dict[tuple[Step, ...], int] = {(): after}
        number = self._new()
        self._branch(number, sequences, tails)
        return number

    def _branch(
        self, number: int, sequences: list[tuple[Step, ...]], tails: dict[tuple[Step, ...], int]
    ) -> None:
        """The first bytes of `sequences`, each with the node that reads the rest of them."""
        first: dict[tuple[Step, ...], list[Step]] = {}
        for sequence in sequences:
            first.setdefault(sequence[1:], []).append(sequence[0])
        for tail, steps in first.items():
            if tail not in tails:
                tails[tail] = self._new()
                self._branch(tails[tail], [tail], tails)
            self.nodes[number].classes.append((self._table(tuple(steps)), tails[tail]))

    def _table(self, steps: tuple[Step, ...]) -> bytes:
        table = self._flags.get(steps)
        if table is None:
            flags = bytearray(256)
            for low, high in steps:
                flags[low : high + 1] = b"\x01" * (high + 1 - low)
            table = self._flags[steps] = bytes(flags)
        return table

    def _group(self, group: Group, after: int) -> int:
        if len(group.alternatives) == 1:
            return self._sequence(group.alternatives[0], after)
        words: list[tuple[bytes, Sequence[Element]]] = []
        number = self._new()
        ways = self.nodes[number].ways
        for sequence in group.alternatives:
            if sequence and isinstance(sequence[0], Literal):
                words.append((sequence[0].raw, sequence[1:]))
            else:
                ways.append(self._sequence(sequence, after))
        if words:
            ways.append(self._words(words, after))
        return number

    def _words(self, words: list[tuple[bytes, Sequence[Element]]], after: int) -> int:
        """Alternatives that begin with words, as a tree of their bytes: 20,000 choices then
        cost a step no more than one does."""
        root = self._new()
        todo = [(root, [(raw, 0, rest) for raw, rest in words])]
        self.literals += [(root, raw) for raw, _ in words]
        while todo:
            number, group = todo.pop()
            node = self.nodes[number]
            members: dict[int, list[tuple[bytes, int, Sequence[Element]]]] = {}
            for raw, at, rest in group:
                if at == len(raw):
                    node.ways.append(self._sequence(rest, after))
                else:
                    members.setdefault(raw[at], []).append((raw, at + 1, rest))
            node.moves = {}
            for byte, same in members.items():
                raw, at, rest = same[0]
                if len(same) > 1:
                    node.moves[byte] = child = self._new()
                    todo.append((child, same))
                elif at == len(raw):
                    node.moves[byte] = self._sequence(rest, after)
                else:
                    node.moves[byte] = tail = self._new()
                    self.nodes[tail].after = self._sequence(rest, after)
                    self.nodes[tail].raw = raw[at:]
        return root

    def _repeated(self, element: Repeated, after: int) -> int:
        least, most = element.least, element.most
        if most == 0:
            return after
        if (least, most) == (1, 1):
            return self._build(element.element, after)
        number = self._new()
        node = self.nodes[number]
        if (least, most) == (0, 1):
            node.ways = [self._build(element.element, after), after]
        elif most is None and least <= 1:
            first = self._build(element.element, number)
            node.ways = [first, after]
            return first if least else number
        else:
            node.body = self._new_rule(element.element, "{}")
            node.least, node.most, node.after = least, most, after
        return number

    # -- looking at it -----------------------------------------------------------------------

    def closure(self, position: int) -> Closure:
        known = self._closures.get(position)
        if known is None:
            known = self._closures[position] = self._close(position, self._nullable)
        return known

    def spell(self, start: int, raw: bytes) -> int:
        """Where `raw`, which begins one of `literals` there, leads to; -1 where it does not."""
        position = start
        for byte in raw:
            node = self.nodes[position & NODE]
            at = position >> NODE_BITS
            if node.raw:
                if node.raw[at] != byte:
                    return -1
                position = node.after if at + 1 == len(node.raw) else position + ONE
            else:
                position = node.moves.get(byte, -1)
                if position < 0:
                    return -1
        return position

    def forget(self) -> None:
        """Work every closure out anew: each count of a repetition has one."""
        self._closures.clear()

    def _close(self, position: int, nullable: set[int]) -> Closure:
        reads: list[int] = []
        calls: list[tuple[int, int]] = []
        ends = False
        todo, seen = [position], {position}
        while todo:
            position = todo.pop()
            number = position & NODE
            node = self.nodes[number]
            if number == END:
                ends = True
                continue
            on = list(node.ways)
            if node.raw or node.moves or node.classes or node.mark is not None:
                reads.append(position)
            if node.call >= 0:
                calls.append((node.call, node.after))
                if node.call in nullable:
                    on.append(node.after)
            if node.body >= 0:
                times = position >> NODE_BITS
                if node.most is None or times < node.most:
                    # Without an end, counting beyond the least would only make states differ.
                    more = min(times + 1, node.least) if node.most is None else times + 1
                    calls.append((node.body, number | more << NODE_BITS))
                if times >= node.least or node.body in nullable:
                    on.append(node.after)
            for other in on:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
        return Closure(tuple(reads), tuple(calls), ends)

    def _find_nullable(self) -> set[int]:
        """The rules that can be empty, found from the innermost out."""
        nullable: set[int] = set()
        waiting: dict[int, set[int]] = {}
        todo = list(range(len(self.starts)))
        while todo:
            rule = todo.pop()
            if rule in nullable:
                continue
            closure = self._close(self.starts[rule], nullable)
            if closure.ends:
                nullable.add(rule)
                todo += waiting.pop(rule, ())
            else:
                for called, _ in closure.calls:
                    waiting.setdefault(called, set()).add(rule)
        return nullable

    def _find_ranks(self) -> list[int]:
        """Places of the rules in an order of "begins with". Raises for left recursion."""
        ranks = [-1] * len(self.starts)
        left = len(ranks)
        for first in range(len(ranks)):
            path: list[tuple[int, list[int]]] = []
            here = {first}
            if ranks[first] < 0:
                path.append((first, self._begins_with(first)))
            while path:
                rule, others = path[-1]
                if not others:
                    path.pop()
                    here.discard(rule)
                    left -= 1
                    ranks[rule] = left
                    continue
                other = others.pop()
                if other in here:
                    name = self._names[other][:64]
                    raise RequestError("bad_grammar", reason="left_recursion", line=0, name=name)
                if ranks[other] < 0:
                    here.add(other)
                    path.append((other, self._begins_with(other)))
        return ranks

    def _begins_with(self, rule: int) -> list[int]:
        return [called for called, _ in self.closure(self.starts[rule]).calls]
