"""Reasoning first, then what a grammar binds: which tokens may come when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.engine.constraint import Budget, Gate, Grammar
from desktop.engine.grammar.grammar import graph_of
from desktop.engine.guard import Guard
from desktop.engine.loaded import Loaded
from tests.engine.conftest import LoadModel

THINK = Gate("<think>", "</think>")
OPENED = replace(THINK, is_open=True)
DIGITS = Grammar('root ::= [0-9]+ "!"')
CALL = Grammar('root ::= "{" [a-z]+ "}" "</call>"')


class Told:
    """A guard that takes text, a token for each byte of it."""

    def __init__(
        self,
        loaded: Loaded,
        grammar: Grammar | None = None,
        gate: Gate | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._vocabulary = loaded.vocabulary
        automaton = None
        if grammar is not None:
            automaton = loaded.vocabulary.table().automaton(graph_of(grammar))
        self.guard = Guard(loaded.vocabulary, automaton, gate, budget)

    def take(self, text: str) -> str:
        """What of `text` was allowed, from its start."""
        for place, byte in enumerate(text.encode()):
            token = self._token(byte)
            if not self.guard.allows(token):
                return text.encode()[:place].decode()
            self.guard.take(token)
        return text

    def may_end(self) -> bool:
        end = self._vocabulary.single_token("<|im_end|>")
        assert end is not None
        return self.guard.allows(end)

    def ended(self) -> bool:
        return self.guard.ended

    def forced(self) -> str:
        """All that is forced now, taken."""
        found = ""
        while (token := self.guard.forced()) is not None and len(found) < 100:
            assert self.guard.allows(token)
            self.guard.take(token)
            found += self._vocabulary.text([token])
        return found

    def _token(self, byte: int) -> int:
        table = self._vocabulary.table()
        return table.raws.index(bytes((byte,)))


def test_without_a_gate_the_grammar_binds_at_once(load_model: LoadModel) -> None:
    told = Told(load_model(), DIGITS)
    assert told.take("x") == ""
    assert told.take(" ") == ""
    assert told.take("12") == "12"
    assert not told.may_end()
    assert not told.ended()
    assert told.take("!") == "!"
    assert told.ended()
    assert told.may_end()


def test_what_the_prompt_has_opened_is_free_until_it_is_closed(load_model: LoadModel) -> None:
    told = Told(load_model(), DIGITS, OPENED)
    free = "x and <think> or </thin k>: 12!"
    assert told.take(free) == free
    assert not told.may_end()  # the answer is still to come
    assert told.take("</think>\n\n12x") == "</think>\n\n12"
    assert told.guard.reasoning_tokens == len(free + "</think>")
    assert told.take("!") == "!"
    assert told.ended()


def test_reasoning_may_be_opened_by_the_model_or_not(load_model: LoadModel) -> None:
    loaded = load_model()
    told = Told(loaded, DIGITS, THINK)
    assert told.take("\n<think>\nhm </think>7!") == "\n<think>\nhm </think>7!"
    told = Told(loaded, DIGITS, THINK)
    assert told.take("7!") == "7!"
    assert told.ended()
    assert told.guard.reasoning_tokens == 0
    told = Told(loaded, DIGITS, THINK)
    assert told.take("<thx") == "<th"


def test_blank_space_behind_reasoning_comes_to_an_end(load_model: LoadModel) -> None:
    told = Told(load_model(), DIGITS, OPENED)
    told.take("</think>")
    assert told.take("\n" * 30) == "\n" * 8
    assert told.take("1") == "1"
    assert told.take("\n") == ""


def test_a_token_that_closes_and_goes_on_hands_the_rest_to_the_grammar(
    load_model: LoadModel,
) -> None:
    loaded = load_model()
    the = loaded.vocabulary.table().raws.index(b"the")
    gate = Gate("", "t", is_open=True, optional=True)
    assert Told(loaded, Grammar('root ::= "he" [0-9]'), gate).guard.allows(the)
    assert not Told(loaded, Grammar('root ::= "hi" [0-9]'), gate).guard.allows(the)


def test_an_optional_gate_binds_only_behind_it(load_model: LoadModel) -> None:
    told = Told(load_model(), CALL, Gate("", "<call>", is_open=True, optional=True))
    assert told.take("Hello. ") == "Hello. "
    assert told.may_end()
    assert told.take("<call>") == "<call>"
    assert not told.may_end()
    assert told.take("12") == ""
    assert told.take("\n") == ""  # no blank space that the call's own form does not have
    assert told.take("{abc}</call>") == "{abc}</call>"
    assert told.ended()
    assert told.guard.reasoning_tokens == 0


def test_reasoning_may_speak_of_calls(load_model: LoadModel) -> None:
    """Two gates: the budget's is that of reasoning, the other one that of calls."""
    call = Gate("", "<call>", is_open=True, optional=True)
    told = Told(load_model(), CALL, call, Budget(100, "</think>", OPENED))
    assert told.take("a <call>12</think>Now <call>1") == "a <call>12</think>Now <call>"
    assert told.guard.reasoning_tokens == len("a <call>12</think>")


def test_the_budget_forces_the_closing_words(load_model: LoadModel) -> None:
    budget = Budget(5, " Enough.</think>\n", OPENED)
    told = Told(load_model(), DIGITS, OPENED, budget)
    assert told.guard.forced() is None
    assert told.take("1234") == "1234"
    assert told.guard.forced() is None
    assert told.take("5") == "5"
    assert told.forced() == " Enough.</think>\n"
    assert told.take("x") == ""
    assert told.take("12!") == "12!"


def test_a_budget_of_nothing_closes_at_once(load_model: LoadModel) -> None:
    told = Told(load_model(), None, None, Budget(0, "</think>", OPENED))
    assert told.guard.free
    assert told.forced() == "</think>"
    assert told.take("anything </think> goes") == "anything </think> goes"
    assert told.forced() == ""
    told = Told(load_model(), None, None, Budget(0, "</think>", THINK))
    assert told.forced() == ""
    told.take("<think>")
    assert told.forced() == "</think>"


def test_closing_words_without_the_gates_own_end_the_reasoning_too(load_model: LoadModel) -> None:
    told = Told(load_model(), DIGITS, OPENED, Budget(2, "That is all. ", OPENED))
    told.take("ab")
    assert told.forced() == "That is all. "
    assert told.take("5!") == "5!"


def test_forced_words_that_the_grammar_refuses_are_dropped(load_model: LoadModel) -> None:
    """They went on behind the last gate, and an IndexError ended the engine for everybody."""
    told = Told(load_model(), DIGITS, OPENED, Budget(2, "</think>So, ", OPENED))
    told.take("ab")
    assert told.forced() == "</think>"
    assert told.take("7!") == "7!"


def test_the_budget_waits_for_the_end_of_a_character(load_model: LoadModel) -> None:
    told = Told(load_model(), None, None, Budget(2, "</think>", OPENED))
    told.take("a")
    euro = "€".encode()
    table = load_model().vocabulary.table()
    for byte in euro:
        assert told.guard.forced() is None
        told.guard.take(table.raws.index(bytes((byte,))))
    assert told.forced() == "</think>"


def test_an_end_inside_of_reasoning_forces_its_closing_words(load_model: LoadModel) -> None:
    loaded = load_model()
    told = Told(loaded, DIGITS, OPENED)
    told.take("hm")
    end = loaded.vocabulary.single_token("<|im_end|>")
    assert end is not None
    assert not told.guard.allows(end)
    assert told.guard.must_close(end)
    assert told.forced() == "</think>"
    assert told.take("3!") == "3!"


def test_control_tokens_stand_where_the_grammar_names_them_only(load_model: LoadModel) -> None:
    loaded = load_model()
    start = loaded.vocabulary.single_token("<|im_start|>")
    assert start is not None
    told = Told(loaded, Grammar('root ::= "a<|im_start|>b" | [^z]{9}'))
    assert not told.guard.allows(start)
    told.take("a")
    assert told.guard.allows(start)
    told.guard.take(start)
    assert told.guard.choices() == (told._token(ord("b")),)
    spelled = Told(loaded, Grammar('root ::= "a<|im_start|>b"'))
    assert spelled.take("a<|im_start|>b") == "a<|im_start|>b"


@pytest.mark.parametrize(
    ("grammar", "allowed"),
    [
        ('root ::= <[65]> "x"', True),
        ('root ::= !<[65]> "x"', False),
        ("root ::= <|im_start|>", False),
        ("root ::= !<|im_start|>", True),
    ],
)
def test_tokens_named_by_number_or_text(load_model: LoadModel, grammar: str, allowed: bool) -> None:
    told = Told(load_model(), Grammar(grammar))
    assert told.guard.allows(65) == allowed
