"""The tokens of a vocabulary, as a grammar looks for them."""

from __future__ import annotations

from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.token_table import TokenTable

# bytes, whether it ends the answer, whether it is a control token
TOKENS = [
    (b"a", False, False),
    (b"ab", False, False),
    (b"abc", False, False),
    (b"b", False, False),
    (b"", False, False),
    (b"\xc3", False, False),
    (b"\xa4", False, False),
    ("ä".encode(), False, False),
    (b"<end>", True, True),
    (b"<call>", False, True),
    (b"z\0", False, False),
    (b"\xff\xff", False, False),
    *((bytes((byte,)) + b"!", False, False) for byte in range(0x20, 0x7F)),
]


def allowed(grammar: str, written: bytes = b"") -> set[bytes] | None:
    table = TokenTable(TOKENS)
    automaton = table.automaton(Graph(parse(grammar), "root"))
    state = automaton.walk(automaton.start, written)
    assert state is not None
    found = table.allowed(automaton, state)
    every = table.every_allowed(automaton, state)
    assert found is None or set(found) == set(every)
    one_by_one = {
        token for token in range(len(TOKENS)) if table.allows(automaton, state, token) is not None
    }
    assert set(every) == one_by_one
    return None if found is None else {table.text(token) for token in found}


def test_tokens_that_begin_or_are_what_may_come() -> None:
    assert allowed('root ::= "abc"') == {b"a", b"ab", b"abc"}
    assert allowed('root ::= "abc"', b"a") == {b"b"}
    assert allowed('root ::= "abd"', b"") == {b"a", b"ab"}
    assert allowed('root ::= [a-b] "!"') == {b"a", b"b", b"a!", b"b!"}
    assert allowed('root ::= "a" "b"?', b"ab") == {b"<end>"}
    assert allowed('root ::= "a" "b"?', b"a") == {b"b", b"<end>"}


def test_parts_of_a_character() -> None:
    assert allowed('root ::= "ä"') == {b"\xc3", "ä".encode()}
    assert allowed('root ::= "ä"', b"\xc3") == {b"\xa4"}
    assert allowed('root ::= "ö"', b"\xc3") == set()


def test_control_tokens_and_the_end_stand_where_they_are_named() -> None:
    assert allowed('root ::= "<call>a"') == {b"<call>"}
    assert allowed('root ::= "x<call>"', b"x") == {b"<call>"}
    assert allowed("root ::= <call> <[0]>") == {b"<call>"}
    assert allowed('root ::= "a<end>"', b"a") == {b"<end>"}


def test_where_very_much_is_allowed_it_is_not_listed() -> None:
    assert allowed("root ::= !<call>") is None
    many = [(b"%d;" % number, False, False) for number in range(2000)]
    table = TokenTable(many)
    automaton = table.automaton(Graph(parse("root ::= .*"), "root"))
    assert table.allowed(automaton, automaton.start) is None
    assert len(table.every_allowed(automaton, automaton.start)) == 2000


def test_a_zero_byte_is_never_allowed() -> None:
    assert allowed('root ::= "z\\x00"') == set()
    assert allowed('root ::= "z" [\\x00]') == set()


def test_the_same_grammar_keeps_its_automaton() -> None:
    table = TokenTable(TOKENS)
    graphs = [Graph(parse(f'root ::= "a"{{{n}}}'), "root") for n in range(1, 40)]
    first = table.automaton(graphs[0])
    assert table.automaton(graphs[0]) is first
    for graph in graphs:
        table.automaton(graph)
    assert table.automaton(graphs[0]) is not first
    assert len(table._automata) <= 16
