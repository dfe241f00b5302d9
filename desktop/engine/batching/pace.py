"""How many prompt tokens one step may read, so that no step takes too long."""

from __future__ import annotations

from dataclasses import dataclass

_UNIT_TOKENS = 32
_FIRST_TOKENS = 128
_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class _Step:
    tokens: int
    seconds: float


class Pace:
    """Learns the speed of reading and keeps a step near `target_s`.

    Where a step can be aborted (CPU, Metal) the target is for the sake of progress and of the
    others' next token; where it cannot, it is also how long a cancel may take.

    `prompt_tokens` are for a step in which only prompts are read, `beside_tokens` for one in which
    others write and wait for their next token: on the processor 128 at once are read as fast as
    512, so a shorter step costs the reader nothing.

    With `copies` each step moves weights to another device first, which costs the same for many
    tokens as for few. Then a step may take twice that time: at least half of it is reading.
    """

    def __init__(self, most_tokens: int, target_s: float = 1.0, *, copies: bool = False) -> None:
        self._most_tokens = most_tokens
        self._target_s = target_s
        self._copies = copies
        self._last: _Step | None = None  # the newest step
        self._other: _Step | None = None  # the newest of a clearly different size
        self.prompt_tokens = min(most_tokens, _FIRST_TOKENS)
        self.beside_tokens = self.prompt_tokens
        self._a_token_s = 0.0

    def measured(self, tokens: int, seconds: float) -> None:
        """A step with a prompt read `tokens` in `seconds`."""
        # A few tokens beside others say nothing about the speed of many.
        if tokens < min(_UNIT_TOKENS, self.prompt_tokens) or seconds <= 0:
            return
        self._a_token_s = seconds / tokens
        wanted = int(self._wanted(tokens, seconds)) // _UNIT_TOKENS * _UNIT_TOKENS
        # Slowly up, at once down: a step that was fast by chance must not make the next too long.
        wanted = min(wanted, 2 * self.prompt_tokens)
        self.prompt_tokens = max(
            min(_UNIT_TOKENS, self._most_tokens), min(wanted, self._most_tokens)
        )
        self._set_beside()

    def _wanted(self, tokens: int, seconds: float) -> float:
        """Tokens of a step that takes as long as one should."""
        if not self._copies:
            return tokens * self._target_s / seconds
        if self._last is not None and not 2 / 3 < tokens / self._last.tokens < 3 / 2:
            self._other = self._last
        self._last = _Step(tokens, seconds)
        if self._other is None:
            # What a step costs in itself shows in a second size: half of this one, or twice.
            return tokens / 2 if seconds > self._target_s else tokens * 2
        # A line through both: seconds = fixed + a_token * tokens.
        a_token = (seconds - self._other.seconds) / (tokens - self._other.tokens)
        if a_token <= 0:
            return self._most_tokens  # more of them cost nothing that can be seen
        fixed_s = max(0.0, seconds - a_token * tokens)
        return (max(self._target_s, 2 * fixed_s) - fixed_s) / a_token

    def halve(self) -> None:
        """The cache had no room for a step of this size."""
        self.prompt_tokens = max(1, self.prompt_tokens // 2)
        self._set_beside()

    def _set_beside(self) -> None:
        """As many as take no longer than a pause that somebody sees may last."""
        tokens = self.prompt_tokens
        if not self._copies and self._a_token_s > 0:
            tokens = min(tokens, max(int(_PAUSE_S / self._a_token_s), _UNIT_TOKENS))
        self.beside_tokens = tokens
