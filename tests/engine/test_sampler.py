"""Tokens taken from real logits: every sampler, under grammars, with their chances."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from typing import Any

import pytest

from desktop.common.errors import RequestError
from desktop.engine.constraint import Budget, Constraint, Gate, Grammar
from desktop.engine.events import Text, TokenChances
from desktop.engine.grammar.grammar import grammar_for, graph_of
from desktop.engine.loaded import Loaded
from desktop.engine.prepared import Prepared
from desktop.engine.request import Request
from desktop.engine.sampler import Sampler, make_ready
from desktop.engine.sampling import Sampling
from tests.engine.conftest import LoadModel
from tests.engine.driving import GREEDY, answer, ask

PLAIN = Sampling(temperature=1.0, top_k=0, top_p=1.0, min_p=0.0)
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "age": {"type": "integer", "minimum": 1, "maximum": 120},
        "kind": {"enum": ["cat", "dog"]},
        "tags": {"type": "array", "items": {"type": "boolean"}, "maxItems": 2},
    },
    "required": ["name", "age", "kind", "tags"],
}


ALL_BANNED = tuple((token, -math.inf) for token in range(271))


class Logits:
    """What a model thinks comes next, for sampling from it as often as a test likes."""

    def __init__(self, loaded: Loaded, prompt: str = "Hallo") -> None:
        self.loaded = loaded
        answer(loaded.batcher, ask("logits", prompt, 1))
        self.context: Any = loaded.context.handle
        pointer = loaded.model.llama.lib.llama_get_logits_ith(self.context, -1)
        self.values: list[float] = pointer[: loaded.vocabulary.size]

    def sampler(self, sampling: Sampling, **wishes: Any) -> Sampler:
        return Sampler(
            self.loaded.model.llama,
            sampling,
            self.loaded.vocabulary,
            context_tokens=1024,
            **wishes,
        )

    def sample(self, sampling: Sampling, **wishes: Any) -> int:
        sampler = self.sampler(sampling, **wishes)
        token = sampler.sample(self.context, -1)
        sampler.close()
        return token

    def shares(self, tokens: list[int]) -> dict[int, float]:
        """How likely each of these is, if it is one of them."""
        weights = {token: math.exp(self.values[token]) for token in tokens}
        return {token: weight / sum(weights.values()) for token, weight in weights.items()}


def write(loaded: Loaded, request: Request, **prepared: Any) -> tuple[str, str, list[Any]]:
    """The answer's text, why it ended, and all events."""
    tokens = loaded.vocabulary.tokenize(request.prompt)
    events: list[Any] = list(
        loaded.batcher.add(Prepared(request, tokens, request.prompt, **prepared))
    )
    while loaded.batcher.busy:
        events += loaded.batcher.step()
    text = "".join(event.text for event in events if isinstance(event, Text))
    return text, getattr(events[-1], "reason", getattr(events[-1], "kind", "")), events


def test_greedy_takes_the_likeliest(load_model: LoadModel) -> None:
    logits = Logits(load_model())
    assert logits.sample(GREEDY) == logits.values.index(max(logits.values))


def test_a_ban_and_a_gift_of_the_bias(load_model: LoadModel) -> None:
    logits = Logits(load_model())
    best = logits.values.index(max(logits.values))
    banned = Sampling(temperature=0.0, logit_bias=((best, -math.inf),))
    second = logits.sample(banned)
    assert logits.values[second] == max(v for t, v in enumerate(logits.values) if t != best)
    given = Sampling(temperature=1.0, logit_bias=((77, 100.0),))
    assert logits.sample(given) == 77
    # And under a grammar, where the samplers see a few tokens only.
    digit = Grammar("root ::= [0-9]")
    seven = logits.loaded.vocabulary.table().raws.index(b"7")
    assert logits.sample(Sampling(logit_bias=((seven, 100.0),)), grammar=digit) == seven


def test_the_same_seed_takes_the_same_tokens(load_model: LoadModel) -> None:
    logits = Logits(load_model())

    def tokens(seed: int | None) -> list[int]:
        sampler = logits.sampler(Sampling(temperature=2.0, seed=seed, xtc_probability=0.5))
        found = [sampler.sample(logits.context, -1) for _ in range(20)]
        sampler.close()
        return found

    assert tokens(5) == tokens(5)
    assert tokens(5) != tokens(6)
    assert tokens(None) != tokens(None)


def test_under_a_grammar_the_allowed_keep_their_shares(load_model: LoadModel) -> None:
    """Free tokens that are allowed and, after a refusal, the mask: both as likely as they are."""
    logits = Logits(load_model())
    grammar = Grammar('root ::= "a" | "b" | "é" | [g-k]')
    table = logits.loaded.vocabulary.table()
    allowed = [table.raws.index(bytes((byte,))) for byte in (*b"abghijk", 0xC3)]
    expected = logits.shares(allowed)
    tries = 3000
    sampler_tokens = Counter(
        logits.sample(Sampling(1.0, 0, 1.0, 0.0, seed=seed), grammar=grammar)
        for seed in range(tries)
    )
    assert set(sampler_tokens) <= set(allowed)
    for token, share in expected.items():
        spread = 4 * math.sqrt(share * (1 - share) / tries)
        assert abs(sampler_tokens[token] / tries - share) <= spread + 1e-3


@pytest.mark.parametrize("top_k", [0, 5, 40])
def test_where_almost_all_is_allowed_the_likeliest_are_asked(
    load_model: LoadModel, top_k: int
) -> None:
    logits = Logits(load_model())
    best = logits.values.index(max(logits.values))
    raw = logits.loaded.vocabulary.table().raws[best]
    grammar = Grammar(f"root ::= !<[{best}]>")
    tokens = {
        logits.sample(Sampling(0.01, top_k, 1.0, 0.0, seed=seed), grammar=grammar)
        for seed in range(40)
    }
    assert best not in tokens, raw
    second = max(v for t, v in enumerate(logits.values) if t != best)
    assert second in {logits.values[token] for token in tokens}


def test_with_far_reaching_penalties_the_likeliest_are_asked_too(load_model: LoadModel) -> None:
    """Once no count of candidates was enough, and every token of the vocabulary was looked at."""
    logits = Logits(load_model())
    grammar = Grammar("root ::= !<[5]>")
    sampling = Sampling(repeat_penalty=1.1, repeat_last_n=-1, dry_multiplier=1.0, seed=1)
    sampler = Sampler(
        logits.loaded.model.llama,
        sampling,
        logits.loaded.vocabulary,
        grammar=grammar,
        context_tokens=100_000,
    )
    guard = sampler._guard
    assert guard is not None
    allowed = sampler._best_allowed(guard, logits.context, -1)
    assert len(allowed) == logits.loaded.vocabulary.size - 2  # but for itself and the zero byte
    automaton = logits.loaded.vocabulary.table().automaton(graph_of(grammar))
    assert automaton.start.allowed is None  # nobody asked for all of them
    sampler.close()


def test_where_nothing_is_allowed_the_answer_ends(load_model: LoadModel) -> None:
    """llama.cpp ends the process: an empty list of candidates, or a refused token accepted."""
    loaded = load_model()
    never = Grammar('root ::= "\\x00"')  # no token writes a zero byte
    text, reason, _ = write(loaded, ask("r", "Hallo", 9, ignore_eos=False), grammar=never)
    assert (text, reason) == ("", "stop")


def random_sampling(dice: random.Random) -> Sampling:
    def maybe(usual: Any, *others: Any) -> Any:
        return usual if dice.random() < 0.5 else dice.choice(others)

    return Sampling(
        temperature=maybe(0.7, 0.0, 1e-6, 1.0, 100.0),
        top_k=maybe(40, 0, 1, 200, 2**31 - 1),
        top_p=maybe(1.0, 0.0, 0.5, 0.95),
        min_p=maybe(0.0, 0.05, 1.0),
        repeat_penalty=maybe(1.0, 0.01, 0.9, 1.3, 100.0),
        seed=dice.randrange(2**32 - 1),
        dynatemp_range=maybe(0.0, 0.5, 100.0),
        dynatemp_exponent=maybe(1.0, 0.0, 100.0),
        typical_p=maybe(1.0, 0.0, 0.5),
        top_n_sigma=maybe(-1.0, 0.0, 0.5, 100.0),
        xtc_probability=maybe(0.0, 0.5, 1.0),
        xtc_threshold=maybe(0.1, 0.0, 1.0),
        dry_multiplier=maybe(0.0, 0.8, 100.0),
        dry_base=maybe(1.75, 0.0, 1.0, 100.0),
        dry_allowed_length=maybe(2, 0, 2**31 - 1),
        dry_penalty_last_n=maybe(-1, 0, 3, 2**31 - 1),
        dry_sequence_breakers=maybe(("\n", ":"), (), ("the", "t", "😀", "\x01" * 40)),
        repeat_last_n=maybe(64, -1, 0, 1, 2**31 - 1),
        frequency_penalty=maybe(0.0, -100.0, 0.5, 100.0),
        presence_penalty=maybe(0.0, -100.0, 0.5, 100.0),
        mirostat=maybe(0, 1, 2),
        mirostat_tau=maybe(5.0, 0.0, 100.0),
        mirostat_eta=maybe(0.1, 0.0, 1.0),
        logit_bias=maybe((), ((3, -math.inf), (7, 10_000.0)), ALL_BANNED),
        min_keep=maybe(1, 0, 5, 2**31 - 1),
    )


@pytest.mark.parametrize("seed", range(25))
def test_no_mixture_of_samplers_does_harm(load_model: LoadModel, seed: int) -> None:
    loaded = load_model(parallel=4)
    dice = random.Random(seed)
    grammar = grammar_for(Constraint("json_schema", json.dumps(SCHEMA)))
    for number in range(12):
        sampling = random_sampling(dice)
        sampling.check()
        bound = dice.random() < 0.5
        request = Request(f"r{number}", "the cat the cat", 40, sampling=sampling, logprobs=3)
        text, reason, events = write(loaded, request, grammar=grammar if bound else None)
        assert reason in ("stop", "length"), sampling
        assert "".join(e.text for e in events if isinstance(e, Text)) == text
        if bound and reason == "stop" and not sampling.logit_bias:
            json.loads(text)


@pytest.mark.parametrize("seed", range(30))
def test_an_answer_under_a_schema_is_json_or_cut_short(load_model: LoadModel, seed: int) -> None:
    loaded = load_model()
    grammar = grammar_for(Constraint("json_schema", json.dumps(SCHEMA)))
    sampling = Sampling(
        temperature=1.5,
        seed=seed,
        repeat_penalty=1.0 + seed % 3,
        dry_multiplier=float(seed % 2),
        mirostat=(0, 0, 0, 1, 2)[seed % 5],
        top_k=(40, 0, 1)[seed % 3],
    )
    request = Request("r", "Hallo", 500, sampling=sampling, ignore_eos=bool(seed % 2))
    text, reason, _ = write(loaded, request, grammar=grammar)
    assert reason == "stop"
    value = json.loads(text)
    assert list(value) == ["name", "age", "kind", "tags"]
    assert 1 <= value["age"] <= 120
    assert len(value["name"]) <= 8
    assert value["kind"] in ("cat", "dog")


def test_an_answer_that_is_whole_at_the_limit_is_not_cut_short(load_model: LoadModel) -> None:
    loaded = load_model()
    request = ask("r", "Hallo", 3)
    assert write(loaded, request, grammar=Grammar('root ::= "xyz"'))[:2] == ("xyz", "stop")
    assert write(loaded, request, grammar=Grammar('root ::= "xyz!"'))[:2] == ("xyz", "length")


def test_reasoning_comes_before_the_schema(load_model: LoadModel) -> None:
    loaded = load_model()
    gate = Gate("<think>", "</think>", is_open=True)
    request = Request("r", "Hallo", 300, sampling=Sampling(temperature=1.0, seed=3))
    text, reason, events = write(
        loaded,
        request,
        grammar=Grammar('root ::= "yes" | "no"'),
        gate=gate,
        budget=Budget(20, "</think>\n", gate),
    )
    reasoning, closed, rest = text.partition("</think>\n")
    assert closed
    assert rest.strip() in ("yes", "no")
    assert reasoning
    assert reason == "stop"
    assert events[-1].stats.reasoning_tokens == 20 + len(loaded.vocabulary.tokenize("</think>"))


def test_chances_are_those_of_the_model_before_any_sampler(load_model: LoadModel) -> None:
    logits = Logits(load_model())
    sampler = logits.sampler(Sampling(temperature=5.0, top_k=3, seed=1), logprobs=4)
    assert sampler.chances() is None
    token = sampler.sample(logits.context, -1)
    found = sampler.chances()
    assert found is not None
    chosen, top = found
    total = math.log(sum(math.exp(value) for value in logits.values))
    assert chosen.token == token
    assert chosen.logprob == pytest.approx(logits.values[token] - total, abs=1e-4)
    assert chosen.raw == logits.loaded.vocabulary.piece(token)[0]
    order = sorted(range(len(logits.values)), key=lambda t: -logits.values[t])[:4]
    assert [chance.token for chance in top] == order
    for chance in top:
        assert chance.logprob == pytest.approx(logits.values[chance.token] - total, abs=1e-4)
    sampler.close()
    none = logits.sampler(Sampling(), logprobs=0)
    none.sample(logits.context, -1)
    assert none.chances() is not None
    assert (none.chances() or ((), 1))[1] == ()
    none.close()


def test_chances_come_with_every_token(load_model: LoadModel) -> None:
    loaded = load_model()
    _, _, events = write(loaded, ask("r", "Hallo", 5, logprobs=2))
    told = [event for event in events if isinstance(event, TokenChances)]
    assert len(told) == 5
    assert all(len(event.top) == 2 for event in told)
    assert all(event.token.logprob <= event.top[0].logprob for event in told)


def test_what_a_request_may_not_ask_is_told_before_it_waits(load_model: LoadModel) -> None:
    loaded = load_model()
    engine, vocabulary = loaded.model.llama, loaded.vocabulary
    with pytest.raises(RequestError, match="logit_bias"):
        make_ready(engine, vocabulary, Sampling(logit_bias=((271, 1.0),)))
    with pytest.raises(RequestError, match="bad_grammar"):
        make_ready(engine, vocabulary, Sampling(), Grammar("root ::= root"))
    with pytest.raises(RequestError, match="bad_sampling"):
        make_ready(engine, vocabulary, Sampling(top_p=2.0))
    make_ready(engine, vocabulary, Sampling(dry_multiplier=1.0), Grammar('root ::= "a"'))


def test_a_bias_of_all_tokens_is_no_slower_than_it_must_be(load_model: LoadModel) -> None:
    """llama.cpp searches for tokens out of range among all, for each: 16,384 of them hang."""
    logits = Logits(load_model())
    many = tuple((10**6 + number, 1.0) for number in range(1 << 14))
    assert logits.sample(Sampling(temperature=0.0, logit_bias=many)) >= 0
    chain = logits.sampler(Sampling(logit_bias=many))._chain
    assert chain.biases == {}
    chain.close()


HARD = {
    "ambiguous": 'root ::= ("a" | "aa" | [a-z] | "b"?)* "!"',
    "counts": "root ::= ((([a-z ]{1,300}){1,300}){1,300}){1,300}",
    "any": "root ::= .{500,}",
    "words": "root ::= (" + " | ".join(f'"w{n}"' for n in range(3000)) + "){100}",
    "rules": "root ::= r0*\n" + "\n".join(f'r{n} ::= "{chr(97 + n % 26)}" r{n + 1}? | [a-z]'
                                         for n in range(500)) + '\nr500 ::= "z"',
    "deep": 'root ::= "a" root "b" | [a-z] root? ',
    "cyrillic": "root ::= [\\u0400-\\u04ff]{200}",
}  # fmt: skip


@pytest.mark.parametrize("name", HARD)
def test_a_hard_grammar_ends_in_an_answer_or_in_its_own_error(
    load_model: LoadModel, name: str
) -> None:
    loaded = load_model(parallel=2)
    request = Request("hard", "Hallo", 60, sampling=Sampling(temperature=1.0, seed=4))
    text, reason, _ = write(loaded, request, grammar=Grammar(HARD[name]))
    assert reason in ("stop", "length", "grammar_too_complex")
    assert text or reason != "length"
    assert answer(loaded.batcher, ask("next", "Hallo", 3)).end.reason == "length"
