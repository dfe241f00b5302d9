"""How many guessed tokens a step should judge: learned from what steps take and what has held.

Of tokens guessed in a row, each holds with the chance p where those before it did: k of them
bring p + p² + ... + p^k tokens more. What they cost is the time of a larger step, which is little
where reading the weights takes the time, and much where computing does (a processor, or many
sequences already). So the count is chosen for which tokens a second are the most; none where
that is the plain step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 256)
_EXACT_TOKENS = 8
_FIRST_TOKENS = 2
_NEWEST = 0.25  # weight of the last step's time
_HOPE = 0.5  # larger steps are taken to grow by half of what smaller ones did: kernels differ
_FIRST_SLOPE = 0.15  # a further token's part of a plain step, as long as nobody knows
_PLAIN_STALE_STEPS = 512
_STALE_STEPS = 1024
_GAIN_TO_BEGIN = 1.05  # guesses are left off until so much faster, and taken until no faster
_BESIDE_PROMPTS = 0.35  # the least chance of a token in a step that reads a prompt anyway
_MEMORY = 24.0  # tokens of a sequence that its own chance goes back
_MEMORY_OF_ALL = 256.0
_PRIOR = 4.0  # tokens that the chance of all sequences counts for in one
_FIRST_TRY_STEPS = 16
_LAST_TRY_STEPS = 1024
_TRIED_TOKENS = 2
_MOST_TRYING = 2
_BEST_CHANCE = 0.97
_ASKED_AGAIN_STEPS = 32
_LEAST_CHANCE = 0.02


class StepTimes:
    """Seconds that a step takes, by its tokens; what was not measured lies between what was."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}
        self._at: dict[int, int] = {}
        self.steps = 0
        self._table: list[float] = []

    def measured(self, tokens: int, seconds: float) -> None:
        """A step of so many tokens, none of them a prompt's, took `seconds`."""
        size = _size(tokens)
        self.steps += 1
        old = self._seconds.get(size)
        if old is None or self.steps - self._at[size] > _PLAIN_STALE_STEPS:
            self._seconds[size] = seconds
        else:
            self._seconds[size] = old + _NEWEST * (min(seconds, 2 * old) - old)
        self._at[size] = self.steps
        self._table = []

    def is_fresh(self, tokens: int) -> bool:
        """Whether a step of about so many tokens was measured not long ago."""
        at = self._at.get(_size(tokens))
        return at is not None and self.steps - at < _PLAIN_STALE_STEPS

    def horizon(self, plain: int) -> int:
        """The largest step whose time can be told from those measured."""
        oldest = self.steps - _STALE_STEPS
        fresh = [size for size, at in self._at.items() if at > oldest]
        return max(plain + _FIRST_TOKENS, 2 * max(fresh, default=0))

    def table(self, most: int) -> list[float]:
        """Seconds of steps with 0 to `most` tokens."""
        if len(self._table) <= most:
            self._table = self._reckoned(max(most, 2 * len(self._table)))
        return self._table

    def _reckoned(self, most: int) -> list[float]:
        oldest = self.steps - _STALE_STEPS
        points = sorted(size for size in self._seconds if self._at[size] > oldest)
        if not points:
            return [float(n) for n in range(most + 1)]
        seconds = [self._seconds[size] for size in points]
        for place in range(1, len(points)):  # more tokens never take less: that would be chance
            seconds[place] = max(seconds[place], seconds[place - 1])
        table = []
        place = 0
        for tokens in range(most + 1):
            while place < len(points) - 1 and tokens > points[place + 1]:
                place += 1
            table.append(_between(points, seconds, place, tokens))
        return table


def _size(tokens: int) -> int:
    """Steps of nearly the same size are one."""
    if tokens <= _EXACT_TOKENS:
        return max(tokens, 1)
    return next(size for size in reversed(_SIZES) if size <= tokens)


def _between(points: Sequence[int], seconds: Sequence[float], place: int, tokens: int) -> float:
    if tokens <= points[0]:
        return seconds[0]
    if tokens > points[-1] or len(points) == 1:
        slope = _FIRST_SLOPE * seconds[0] / points[0]
        if len(points) > 1:
            slope = _HOPE * (seconds[-1] - seconds[0]) / (points[-1] - points[0])
        return seconds[-1] + slope * (tokens - points[-1])
    low, high = points[place], points[place + 1]
    share = (tokens - low) / (high - low)
    return seconds[place] + share * (seconds[place + 1] - seconds[place])


@dataclass(slots=True)
class Odds:
    """How often guesses of one kind have held; old ones count less and less."""

    memory: float
    held: float = 0.0
    tried: float = 0.0

    def judged(self, proposed: int, accepted: int) -> None:
        tried = accepted + (accepted < proposed)
        fading = max(0.0, 1.0 - tried / self.memory)
        self.held = self.held * fading + accepted
        self.tried = self.tried * fading + tried

    def chance(self, prior: float, weight: float = _PRIOR) -> float:
        return (self.held + weight * prior) / (self.tried + weight)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A guess to be weighed: `length` tokens, each of which takes `cost_s` to make."""

    sequence: int
    kind: int
    length: int
    cost_s: float = 0.0


@dataclass(slots=True)
class _Sequence:
    """What one sequence's guesses were worth, and when to try them again."""

    odds: dict[int, Odds] = field(default_factory=dict)
    misses: int = 0  # guesses in a row of which nothing held
    on: bool = False
    pause: int = 0  # plain steps before the next try
    next_pause: int = _FIRST_TRY_STEPS


class DraftSwitch:
    """Decides for all sequences of a step together; forgets a sequence when told so."""

    def __init__(self, limit: int, first_chances: Mapping[int, float]) -> None:
        """At most `limit` tokens a step over all sequences. `first_chances`: by kind of guess."""
        self.limit = limit
        self.times = StepTimes()
        self._first = dict(first_chances)
        self._all: dict[int, Odds] = {}
        self._sequences: dict[int, _Sequence] = {}
        self._may_pay: dict[int, tuple[int, bool]] = {}  # by step size: until which step, and what

    def judged(self, sequence: int, kind: int, proposed: int, accepted: int) -> None:
        """Of `proposed` tokens that were computed, `accepted` held."""
        if proposed <= 0:
            return
        own = self._sequences.setdefault(sequence, _Sequence())
        own.odds.setdefault(kind, Odds(_MEMORY)).judged(proposed, accepted)
        own.misses = 0 if accepted else own.misses + 1
        self._all.setdefault(kind, Odds(_MEMORY_OF_ALL)).judged(proposed, accepted)

    def forget(self, sequence: int) -> None:
        """Another answer begins there: its chances are those of all."""
        self._sequences.pop(sequence, None)

    def chance(self, sequence: int, kind: int) -> float:
        """Of one token of a guess, where those before it held."""
        of_all = self._all.get(kind)
        prior = self._first.get(kind, 0.5)
        if of_all is not None:
            prior = of_all.chance(prior)
        own = self._sequences.get(sequence)
        odds = own.odds.get(kind) if own is not None else None
        return min(0.99, prior if odds is None else odds.chance(prior))

    def may_pay(self, plain: int) -> bool:
        """Whether even the best guesses could make a step of `plain` tokens worth more.

        Where that is known to be not so, nobody needs to look for guesses. Asked anew now and then.
        """
        times = self.times
        known = self._may_pay.get(plain)
        if known is not None and times.steps < known[0]:
            return known[1]
        table = times.table(plain + self.limit)
        rate, pays = plain / table[plain], not times.is_fresh(plain)
        for drafted in range(1, min(self.limit, times.horizon(plain) - plain) + 1):
            pays = pays or (plain + _BEST_CHANCE * drafted) / table[plain + drafted] > rate
        self._may_pay[plain] = (times.steps + _ASKED_AGAIN_STEPS, pays)
        return pays

    def counts(self, wanted: Sequence[Wanted], plain: int, *, reading: bool) -> list[int]:
        """How many tokens to judge of each guess.

        `plain` tokens are in the step without them (those of sequences without a guess too);
        `reading`: a prompt is in it besides, so that a few tokens more hardly count.
        """
        if not any(one.length for one in wanted):
            return [0] * len(wanted)
        chances = [self.chance(one.sequence, one.kind) for one in wanted]
        if reading:
            likely = [
                _while_likely(chance, one.length)
                for chance, one in zip(chances, wanted, strict=True)
            ]
            return _within(likely, self.limit)
        if not self.times.is_fresh(plain):
            return [0] * len(wanted)  # what a plain step takes must be known to compare
        counts, gain = self._best(chances, wanted, plain)
        return self._with_tries(wanted, counts, gain)

    def _cap(self, sequence: int) -> int:
        """Half of the limit after each guess that failed at once: the text may have turned."""
        own = self._sequences.get(sequence)
        return self.limit if own is None else max(1, self.limit >> own.misses)

    def _best(
        self, chances: Sequence[float], wanted: Sequence[Wanted], plain: int
    ) -> tuple[list[int], float]:
        """The likeliest token next, one after the other, as far as the speed is best then.

        With how much faster that is than the plain step.
        """
        counts, best = [0] * len(wanted), [0] * len(wanted)
        table = self.times.table(plain + self.limit)
        expected, cost_s = float(plain), 0.0
        plain_rate = best_rate = expected / table[plain]
        lengths = [min(one.length, self._cap(one.sequence)) for one in wanted]
        likely = [
            chance if length > 0 else 0.0 for chance, length in zip(chances, lengths, strict=True)
        ]
        most = min(plain + self.limit, self.times.horizon(plain))
        for drafted in range(plain + 1, most + 1):
            gain = max(likely)
            if gain < _LEAST_CHANCE:
                break
            place = likely.index(gain)
            counts[place] += 1
            expected += gain
            cost_s += wanted[place].cost_s
            full = counts[place] >= lengths[place]
            likely[place] = 0.0 if full else gain * chances[place]
            rate = expected / (table[drafted] + cost_s)
            if rate > best_rate:
                best_rate, best = rate, counts.copy()
        return best, best_rate / plain_rate

    def _with_tries(self, wanted: Sequence[Wanted], counts: list[int], gain: float) -> list[int]:
        """Left off where it hardly pays, and tried again now and then: rarer with each failure."""
        for place, one in enumerate(wanted):
            own = self._sequences.setdefault(one.sequence, _Sequence())
            if counts[place] and (own.on or gain >= _GAIN_TO_BEGIN):
                own.on, own.pause, own.next_pause = True, _FIRST_TRY_STEPS, _FIRST_TRY_STEPS
                continue
            own.on, counts[place] = False, 0
            if one.length <= 0:
                continue
            own.pause -= 1
            if own.pause <= 0 and len(wanted) <= _MOST_TRYING:
                counts[place] = min(_TRIED_TOKENS, one.length, self.limit)
                own.next_pause = min(2 * own.next_pause, _LAST_TRY_STEPS)
                own.pause = own.next_pause
        return counts


def _while_likely(chance: float, length: int) -> int:
    count, together = 0, chance
    while count < length and together >= _BESIDE_PROMPTS:
        count, together = count + 1, together * chance
    return count


def _within(counts: list[int], limit: int) -> list[int]:
    """Shortened in turn until all of them together fit."""
    while sum(counts) > limit:
        counts[counts.index(max(counts))] -= 1
    return counts
