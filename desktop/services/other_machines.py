"""Other computers: common ones by name, and what each step up from this one would bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from desktop.hardware.machine import Machine

PresetGroup = Literal["laptop", "apple", "gpu"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A computer that one can buy: `key` names it in settings and tests."""

    key: str
    group: PresetGroup
    machine: Machine


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A model as another machine would run it."""

    name: str
    file_bytes: int
    parameters: int | None
    tokens_per_s: float | None
    verdict: str


Advise = Callable[[Machine], Sequence[Suggestion]]
