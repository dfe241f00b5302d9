"""Ways of writing that have names: small changes to what a model recommends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from desktop.common.errors import RequestError
from desktop.engine.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Preset:
    """`warmth` is what the recommended temperature is multiplied with; None keeps a value.

    A model's own temperature counts: some are written for 0.15, some for 1.0.
    """

    warmth: float
    top_p: float | None = None
    min_p: float | None = None
    xtc_probability: float = 0.0
    dry_multiplier: float = 0.0

    def over(self, base: Sampling) -> Sampling:
        """`base`, changed."""
        return replace(
            base,
            temperature=min(base.temperature * self.warmth, 2.0),
            top_p=base.top_p if self.top_p is None else min(base.top_p, self.top_p),
            min_p=base.min_p if self.min_p is None else self.min_p,
            xtc_probability=self.xtc_probability,
            dry_multiplier=self.dry_multiplier,
        )


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # The same question gets the same answer.
        "exact": Preset(warmth=0.0),
        # Facts, code, summaries: few surprises.
        "precise": Preset(warmth=0.4, top_p=0.9, min_p=0.05),
        # What the model's makers recommend.
        "balanced": Preset(warmth=1.0),
        # Stories and ideas: rarer words, the likeliest ones now and then left out, no loops.
        "creative": Preset(warmth=1.4, min_p=0.03, xtc_probability=0.3, dry_multiplier=0.8),
    }
)


def with_preset(name: str, base: Sampling) -> Sampling:
    """`base` in the way that `name` says. Raises RequestError("no_such_preset", name, known)."""
    preset = PRESETS.get(name)
    if preset is None:
        raise RequestError("no_such_preset", name=name, known=", ".join(PRESETS))
    return preset.over(base)
