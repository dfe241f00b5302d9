"""A plan that has proved itself here, as it is kept."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.fit.types import Plan, Speed


@dataclass(frozen=True, slots=True)
class KnownPlan:
    """A plan that was tried on this machine, and how fast it was."""

    plan: Plan
    speed: Speed
