"""How the next token of one answer is taken from the logits."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any

from desktop.common.errors import RequestError
from desktop.engine.chances import chances
from desktop.engine.constraint import Budget, Gate, Grammar
from desktop.engine.events import TokenChance
from desktop.engine.grammar.grammar import graph_of
from desktop.engine.guard import Guard
from desktop.engine.llama import Llama
from desktop.engine.sampler_chain import Chain
from desktop.engine.sampling import Sampling
from desktop.engine.vocabulary import Vocabulary

_FEW = 256
_MANY = 4096
_AT_ONCE = 64
"""With so few tokens allowed, taking one of them is cheaper than to try a free one first."""


def make_ready(
    engine: Llama,
    vocabulary: Vocabulary,
    sampling: Sampling,
    grammar: Grammar | None = None,
    *,
    context_tokens: int = 0,
) -> None:
    """Do what takes long, in the caller's thread, so that the engine's need not.

    Raises RequestError: "bad_grammar", "grammar_too_large", "grammar_too_complex", or
    "bad_sampling" for a bias of a token that there is not.
    """
    sampling.check()
    for token, _ in sampling.logit_bias:
        if token >= vocabulary.size:
            raise RequestError(
                "bad_sampling", name="logit_bias", value=str(token), low=0, high=vocabulary.size - 1
            )
    if grammar is not None:
        vocabulary.table().automaton(graph_of(grammar))
    if sampling.dry_multiplier > 0.0:
        Chain(engine, sampling, vocabulary, context_tokens).close()


class Sampler:
    """The samplers, the grammar and the limits of reasoning of one answer; for one thread.

    `handle` is the bare chain. `ended` says that the grammar is complete and nothing else may
    follow, `broken` that the logits are no numbers, `reasoning_tokens` how many were reasoning.
    """

    def __init__(
        self,
        engine: Llama,
        sampling: Sampling,
        vocabulary: Vocabulary,
        *,
        grammar: Grammar | None = None,
        gate: Gate | None = None,
        budget: Budget | None = None,
        logprobs: int | None = None,
        context_tokens: int = 0,
    ) -> None:
        """`sampling` must have passed its `check`; penalties look `context_tokens` back at most.

        Raises RequestError as `make_ready` does, which has done what takes long.
        """
        self._sample: Any = engine.keeping_the_lock("llama_sampler_sample")
        self._logits: Any = engine.keeping_the_lock("llama_get_logits_ith")
        self._vocabulary = vocabulary
        self._logprobs = logprobs
        self._guard: Guard | None = None
        if grammar is not None or gate is not None or budget is not None:
            automaton = None
            if grammar is not None:
                automaton = vocabulary.table().automaton(graph_of(grammar))
            self._guard = Guard(vocabulary, automaton, gate, budget)
        self._chain = Chain(engine, sampling, vocabulary, context_tokens)
        self.handle: Any = self._chain.whole
        self._last: tuple[Any, int, int] | None = None
        self.broken = False

    @property
    def ended(self) -> bool:
        return self._guard is not None and self._guard.ended

    @property
    def reasoning_tokens(self) -> int:
        return 0 if self._guard is None else self._guard.reasoning_tokens

    def accept_prompt(self, tokens: Iterable[int]) -> None:
        """Let the penalties know the prompt."""
        if self._chain.remembers:
            self._chain.accept_prompt(list(tokens))

    def sample(self, context: Any, place: int) -> int:
        """The next token, from the logits at `place`; -1 where none is allowed.

        It counts as written: penalties and grammar know it. Raises
        RequestError("grammar_too_complex"), then this answer is over.
        """
        guard = self._guard
        if guard is None:
            token: int = self._sample(self.handle, context, place)
        else:
            token = self._guarded(guard, context, place)
            if token < 0:
                return token
        logit = self._logits(context, place)[token]
        self.broken = logit != logit
        self._last = (context, place, token)
        return token

    def chances(self) -> tuple[TokenChance, tuple[TokenChance, ...]] | None:
        """The last token's log probability and the likeliest ones', where they were asked for.

        To be called before the next step, which overwrites the logits.
        """
        if self._last is None or self._logprobs is None:
            return None
        return chances(self._vocabulary, *self._last, self._logprobs)

    def close(self) -> None:
        self.handle = None
        self._chain.close()

    # -- under a grammar ---------------------------------------------------------------------

    def _guarded(self, guard: Guard, context: Any, place: int) -> int:
        forced = guard.forced()
        if forced is None and guard.free:
            token: int = self._sample(self.handle, context, place)
        else:
            token = self._choose(guard, context, place) if forced is None else forced
            if token >= 0:
                self._chain.accept(token)
        if token >= 0:
            guard.take(token)
        return token

    def _choose(self, guard: Guard, context: Any, place: int) -> int:
        """A free token where it is allowed, else one of those that are."""
        choices = guard.few()
        if choices is None or len(choices) > _AT_ONCE:
            token = self._freely(context, place)
            if guard.allows(token):
                return token
            if guard.must_close(token):
                forced = guard.forced()
                return token if forced is None else forced
            choices = guard.choices()
        if choices is None:
            choices = self._best_allowed(guard, context, place)
        return self._among(choices, context, place)

    def _freely(self, context: Any, place: int) -> int:
        chain = self._chain
        if not chain.remembers:
            token: int = self._sample(chain.whole, context, place)
            return token
        # What is refused must not be remembered as written.
        candidates = self._vocabulary.candidates()
        candidates.fill(context, place, chain.biases)
        return candidates.apply(chain.inner)

    def _among(self, tokens: tuple[int, ...], context: Any, place: int) -> int:
        if len(tokens) <= 1:
            return tokens[0] if tokens else -1
        candidates = self._vocabulary.candidates()
        candidates.fill_with(tokens, self._logits(context, place), self._chain.biases)
        return candidates.apply(self._chain.inner)

    def _best_allowed(self, guard: Guard, context: Any, place: int) -> tuple[int, ...]:
        """The likeliest of very many allowed tokens.

        With top-k that is exact: what it would leave of all of them is among these. Else the
        likeliest of 4,096 stand for all.
        """
        wanted = min(self._chain.wanted or _MANY, _MANY)
        candidates, logits = self._vocabulary.candidates(), self._logits(context, place)
        allowed: tuple[int, ...] = ()
        for count in (_FEW, _MANY):
            if wanted > count:
                continue
            candidates.fill(context, place, self._chain.biases)
            allowed = tuple(_allowed(guard, candidates.best(count), wanted))
            if len(allowed) >= wanted:
                return allowed
        if allowed:
            return allowed
        every = guard.every_choice()
        return tuple(heapq.nlargest(_MANY, every, key=lambda token: logits[token]))


def _allowed(guard: Guard, tokens: list[int], wanted: int) -> list[int]:
    """The first `wanted` that may come next; of a hard grammar as many as it can be asked about."""
    found: list[int] = []
    for token in tokens:
        try:
            if guard.allows(token):
                found.append(token)
                if len(found) == wanted:
                    break
        except RequestError:
            if found:
                break
            raise
    return found
