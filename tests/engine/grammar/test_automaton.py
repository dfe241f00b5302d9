"""Grammars matched byte by byte: against llama.cpp's own verdicts, and where those would fail."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable
from typing import Any

import pytest

from desktop.common.errors import RequestError
from desktop.engine.grammar.automaton import Automaton, State
from desktop.engine.grammar.gbnf import parse
from desktop.engine.grammar.grammar_graph import Graph
from desktop.engine.loaded import Loaded
from tests.engine.conftest import LoadModel


def automaton(text: str) -> Automaton:
    return Automaton(Graph(parse(text), "root"))


def matches(text: str) -> Callable[[str], bool]:
    made = automaton(text)

    def check(words: str) -> bool:
        made.rest()
        state = made.walk(made.start, words.encode())
        return state is not None and state.complete

    return check


@pytest.mark.parametrize(
    ("grammar", "good", "bad"),
    [
        ('root ::= "ab"', ["ab"], ["", "a", "abc", "b"]),
        ('root ::= "a" | "ab" | "abc" "d"?', ["a", "ab", "abc", "abcd"], ["", "abd", "b"]),
        ('root ::= "a"*', ["", "a", "aaaa"], ["b", "ab"]),
        ('root ::= "a"+ "b"?', ["a", "aab"], ["", "b"]),
        ('root ::= ("a" | "b"){2,3}', ["ab", "bbb"], ["a", "abab"]),
        ('root ::= ("ab"){0,}', ["", "ab", "abab"], ["a", "aba"]),
        ("root ::= [0-9]{3}", ["123"], ["12", "1234"]),
        ("root ::= [0-9]{2,}", ["12", "123456"], ["1"]),
        ('root ::= ("a"?){3} "b"', ["b", "ab", "aaab"], ["aaaab"]),
        ('root ::= ("a"*)* "b"', ["b", "aaaab"], ["a"]),
        ('root ::= ("a"*){2,5} "b"', ["b", "aaaaaaaaab"], ["a"]),
        ('root ::= "(" root ")" | ""', ["", "((()))"], ["(", "(()", "())"]),
        ('root ::= item ("," item)*\nitem ::= [a-z]+', ["a,b", "abc"], ["", "a,", ",a"]),
        ("root ::= [^a-c\\n]", ["d", "ä", "\U0001f600"], ["a", "\n", ""]),
        ('root ::= [äöü-] "\\x41\\u00e9\\U0001F600"', ["ä\x41é\U0001f600"], ["aAé"]),
        ('root ::= [a\\]\\-"]+', ['a]-"'], ["b"]),
        ('root ::= . "!"', ["x!", "ß!", "\n!"], ["!", "xx!"]),
        ('root ::= # a remark\n "a" # more\n | "b"\n', ["a", "b"], ["ab"]),
        ('root ::= (\n"a"\n|\n"b"\n)', ["a", "b"], ["ab"]),
        ('root ::= x\r\nx ::= "a" | x-1\r\nx-1 ::= "\\t"', ["a", "\t"], ["x"]),
        ('root ::= ""', [""], ["a"]),
        ('root ::= "a"{0} "b"', ["b"], ["ab"]),
        ('root ::= "ab"{2}', ["abab"], ["ab", "abb"]),
        ("root ::= [a-c]{1000000}", [], ["a" * 100]),
        ('root ::= a b\na ::= "x"?\nb ::= "y"?', ["", "x", "y", "xy"], ["yx"]),
    ],
)
def test_words_of_a_grammar(grammar: str, good: list[str], bad: list[str]) -> None:
    check = matches(grammar)
    assert [word for word in good if not check(word)] == []
    assert [word for word in bad if check(word)] == []


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("", "no_root"),
        ('start ::= "a"', "no_root"),
        ("root ::= other", "no_such_rule"),
        ("root ::= root", "left_recursion"),
        ('root ::= root "a" | "b"', "left_recursion"),
        ('root ::= x\nx ::= y? root "a"\ny ::= "c"', "left_recursion"),
        ("root ::= (root){2,3}", "left_recursion"),
        ('root ::= "a', "unexpected"),
        ("root ::= [a", "unexpected"),
        ('root ::= ("a"', "unclosed"),
        ('root ::= "a")', "unexpected"),
        ("root ::= *", "nothing_to_repeat"),
        ('root ::= "a"{5,1}', "repetition_upside_down"),
        ('root ::= "a"{x}', "unexpected"),
        ('root ::= "\\q"', "unknown_escape"),
        ('root ::= "\\ud800"', "bad_character"),
        ('root ::= "\\UFFFFFFFF"', "bad_character"),
        ('root "a"', "is_expected"),
        ('"a" ::= root', "rule_expected"),
        ('root ::= "a" ::= "b"', "unexpected"),
    ],
)
def test_what_is_no_grammar_is_refused_with_its_line(grammar: str, reason: str) -> None:
    with pytest.raises(RequestError) as caught:
        automaton(grammar)
    assert caught.value.kind == "bad_grammar"
    assert caught.value.params["reason"] == reason
    assert "line" in caught.value.params


def test_alternatives_that_begin_alike_are_one_way() -> None:
    words = [f"word{n}" for n in range(3000)]
    made = automaton("root ::= " + " | ".join(f'"{word}"' for word in words))
    assert len(made.start.places) == 1
    state = made.walk(made.start, b"word299")
    assert state is not None
    assert state.complete
    assert not state.over
    end = made.walk(made.start, b"word2999")
    assert end is not None
    assert end.over


def test_an_ambiguous_grammar_costs_what_it_is_long() -> None:
    """llama.cpp keeps a stack for each way: 2^n of them after n letters."""
    made = automaton('root ::= "a" root "b" | "a" root "c" | "x"')
    for length in (10, 20, 40, 80):
        made.rest()
        state = made.walk(made.start, b"a" * length + b"x")
        assert state is not None
        assert made.work < 100 * length
        assert len(state.places) <= 3
    assert made.walk(made.start, b"a" * 40 + b"x" + b"bc" * 20) is not None


def test_what_stands_too_deep_is_closed() -> None:
    made = automaton('root ::= "(" root ")" | "x"')
    state: State | None = made.start
    depth = 0
    while True:
        made.rest()
        assert state is not None
        deeper = made.step(state, ord("("))
        if deeper is None:
            break
        state, depth = deeper, depth + 1
    assert 100 < depth < 300
    end = made.walk(state, b"x" + b")" * depth)
    assert end is not None
    assert end.over


def test_hard_work_ends_with_an_error_not_with_a_wait() -> None:
    made = automaton("root ::= ((((([a-z]{1,1000}){1,1000}){1,1000}){1,1000}){1,1000}){1,1000}")
    with pytest.raises(RequestError, match="grammar_too_complex"):
        made.walk(made.start, b"abcdefgh" * 1000)


def test_what_was_kept_goes_where_it_is_too_much() -> None:
    made = automaton('root ::= [a-z]{0,60000} "."')
    state: State | None = made.start
    most = 0
    for _ in range(30):
        made.rest()
        assert state is not None
        state = made.walk(state, b"x" * 1000)
        most = max(most, len(made._states))
    assert 15_000 < most < 22_000
    assert state is not None
    assert made.walk(state, b"y.") is not None


# -- against llama.cpp -------------------------------------------------------------------------


def random_grammar(dice: random.Random) -> str:
    """Small and not left-recursive: rules call later ones first, or any behind a letter."""
    count = dice.randint(1, 4)

    def element(rule: int, depth: int, at_start: bool) -> str:
        kind = dice.randrange(8 if depth < 3 else 5)
        if kind <= 1:
            text = "".join(dice.choice("abcthe <|") for _ in range(dice.randint(1, 4)))
            return f'"{text}"'
        if kind == 2:
            return dice.choice(["[a-d]", "[^x-z]", "[äöü0-9]", ".", "[\\u0400-\\u04ff]"])
        if kind <= 4:
            later = rule + 1 if at_start else 0
            return f"r{dice.randrange(later, count)}" if later < count else '"z"'
        inner = alternatives(rule, depth + 1, at_start)
        return f"({inner})" + dice.choice(["", "?", "*", "+", "{2}", "{0,3}", "{1,}"])

    def sequence(rule: int, depth: int, at_start: bool) -> str:
        parts = [element(rule, depth, at_start)]
        if dice.random() < 0.8:
            # A letter first, so that what follows may call any rule.
            parts.insert(0, f'"{dice.choice("abcd")}"')
            parts += [element(rule, depth, at_start=False) for _ in range(dice.randrange(3))]
        return " ".join(parts)

    def alternatives(rule: int, depth: int, at_start: bool) -> str:
        return " | ".join(sequence(rule, depth, at_start) for _ in range(dice.randint(1, 3)))

    lines = ["root ::= r0 r0"] + [
        f"r{rule} ::= {alternatives(rule, 0, at_start=True)}" for rule in range(count)
    ]
    return "\n".join(lines)


def graph_or_none(text: str) -> Graph | None:
    """None for a grammar that is left-recursive after all: by way of empty rules."""
    try:
        return Graph(parse(text), "root")
    except RequestError as error:
        if error.params.get("reason") != "left_recursion":
            raise
        return None


class Peer:
    """llama.cpp's own grammar, asked about every token of a vocabulary."""

    def __init__(self, loaded: Loaded, grammar: str) -> None:
        self._lib: Any = loaded.model.llama.lib
        self.handle = self._lib.llama_sampler_init_grammar(
            loaded.model.vocab, grammar.encode(), b"root"
        )
        self._size = loaded.vocabulary.size

    def allowed(self) -> set[int]:
        data = (self._lib.llama_token_data * self._size)()
        for token in range(self._size):
            data[token].id, data[token].logit = token, 0.0
        whole = self._lib.llama_token_data_array(data, self._size, -1, False)  # noqa: FBT003
        self._lib.llama_sampler_apply(self.handle, ctypes.byref(whole))
        return {entry.id for entry in data if entry.logit == 0.0}

    def accept(self, token: int) -> None:
        self._lib.llama_sampler_accept(self.handle, token)

    def close(self) -> None:
        self._lib.llama_sampler_free(self.handle)


@pytest.mark.parametrize("seed", range(40))
def test_every_token_is_judged_as_llama_cpp_does(load_model: LoadModel, seed: int) -> None:
    loaded = load_model()
    dice = random.Random(seed)
    table = loaded.vocabulary.table()
    for _ in range(10):
        text = random_grammar(dice)
        peer = Peer(loaded, text)
        graph = graph_or_none(text)
        assert (graph is None) == (not peer.handle), text
        if graph is None:
            continue
        made = table.automaton(graph)
        state = made.start
        for _ in range(12):
            made.rest()
            allowed = {
                token
                for token in range(loaded.vocabulary.size)
                if table.allows(made, state, token) is not None
            }
            # Half a character can be followed by what no character begins with: llama.cpp
            # looks no further than whether some character of the class fits.
            assert allowed <= peer.allowed(), text
            missing = peer.allowed() - allowed - set(table.controls)
            assert all(table.raws[t][-1:] >= b"\x80" for t in missing), (text, missing)
            narrow = table.allowed(made, state)
            assert narrow is None or set(narrow) == allowed, text
            going = sorted(allowed - table.ends)
            if not going:
                break
            token = dice.choice(going)
            peer.accept(token)
            following = table.allows(made, state, token)
            assert following is not None
            state = following
        peer.close()
