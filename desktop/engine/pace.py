"""How many prompt tokens one step may read, so that no step takes too long."""

from __future__ import annotations

_UNIT_TOKENS = 32
_FIRST_TOKENS = 128


class Pace:
    """Learns the speed of reading and keeps a step near `target_s`.

    Where a step can be aborted (CPU, Metal) the target is for the sake of progress and of the
    others' next token; where it cannot, it is also how long a cancel may take.
    """

    def __init__(self, most_tokens: int, target_s: float = 1.0) -> None:
        self._most_tokens = most_tokens
        self._target_s = target_s
        self.prompt_tokens = min(most_tokens, _FIRST_TOKENS)

    def measured(self, tokens: int, seconds: float) -> None:
        """A step with a prompt read `tokens` in `seconds`."""
        # A few tokens beside others say nothing about the speed of many.
        if tokens < min(_UNIT_TOKENS, self.prompt_tokens) or seconds <= 0:
            return
        wanted = int(tokens * self._target_s / seconds) // _UNIT_TOKENS * _UNIT_TOKENS
        # Slowly up, at once down: a step that was fast by chance must not make the next too long.
        wanted = min(wanted, 2 * self.prompt_tokens)
        self.prompt_tokens = max(
            min(_UNIT_TOKENS, self._most_tokens), min(wanted, self._most_tokens)
        )

    def halve(self) -> None:
        """The cache had no room for a step of this size."""
        self.prompt_tokens = max(1, self.prompt_tokens // 2)
