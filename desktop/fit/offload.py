"""How many layers a row of devices holds: sums over runs of layers, and packing from the back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

from desktop.fit.memory import Footprint
from desktop.fit.types import Plan


class LayerTable:
    """Bytes of runs of layers with one context; place number `places` - 1 is the output."""

    def __init__(self, footprint: Footprint, plan: Plan) -> None:
        experts = footprint.expert_bytes
        output = footprint.output_bytes + (footprint.embedding_bytes if footprint.tied else 0)
        contexts = [footprint.layer_context_bytes(layer, plan) for layer in range(footprint.layers)]
        kept = [
            size - expert + context
            for size, expert, context in zip(footprint.layer_bytes, experts, contexts, strict=True)
        ]
        self.places = footprint.all_layers
        self._kept = [0, *accumulate([*kept, output])]
        self._experts = [0, *accumulate([*experts, 0])]

    def run_bytes(self, first: int, end: int, experts_on_cpu: int) -> int:
        """What the places `first` to `end` - 1 take of a GPU."""
        from_here = min(max(first, experts_on_cpu), end)
        return self._kept[end] - self._kept[first] + self._experts[end] - self._experts[from_here]

    def packed(self, budgets: Sequence[int], experts_on_cpu: int = 0) -> tuple[int, ...]:
        """How many places each device holds, the last device filled first, from the output on."""
        counts: list[int] = []
        end = self.places
        for budget in reversed(budgets):
            first = self._first_held(budget, end, experts_on_cpu)
            counts.append(end - first)
            end = first
        return tuple(reversed(counts))

    def evenly_packed(self, budgets: Sequence[int], experts_on_cpu: int = 0) -> tuple[int, ...]:
        """As `packed` where everything fits, but no device fuller than need be."""
        steps = 64

        def holds(step: int) -> bool:
            parts = [budget * step // steps for budget in budgets]
            return sum(self.packed(parts, experts_on_cpu)) == self.places

        if not holds(steps):
            return self.packed(budgets, experts_on_cpu)
        step = least(steps, holds)
        return self.packed([budget * step // steps for budget in budgets], experts_on_cpu)

    def fewest_experts(self, budgets: Sequence[int], most: int, layers: int) -> int:
        """The least number of leading layers whose experts must go for `layers` to be held."""
        return least(most, lambda n: sum(self.packed(budgets, n)) >= layers)

    def _first_held(self, budget: int, end: int, experts_on_cpu: int) -> int:
        return least(end, lambda first: self.run_bytes(first, end, experts_on_cpu) <= budget)


def least(most: int, holds: Callable[[int], bool]) -> int:
    """The smallest n in 0..most for which `holds(n)`, given that it holds for `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
