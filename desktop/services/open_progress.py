"""What opening a model tells while it runs, and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from desktop.engine.engine import Engine
from desktop.fit.types import FitReport, Plan

Stage = Literal["checking", "probing", "tuning", "loading"]


@dataclass(frozen=True, slots=True)
class OpenProgress:
    """Where an opening stands; `fraction` runs from 0 to 1 within its stage.

    While "tuning", `trial` of `trials` at most is being made (counted from 1).
    """

    stage: Stage
    fraction: float
    trial: int = 0
    trials: int = 0


@dataclass(frozen=True, slots=True)
class StepDown:
    """One plan that did not work, why (`kind` of the error), and the smaller one tried next."""

    before: Plan
    after: Plan
    kind: str


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """A model that answers, what was planned for it, and every step down on the way.

    `holder` is the name by which `HeldMemory` knows what it holds.
    """

    name: str
    engine: Engine
    report: FitReport
    steps: tuple[StepDown, ...] = ()
    is_guide: bool = False
    mapped: bool = True
    holder: str = ""

    @property
    def leaves_computer(self) -> bool:
        """Whether what is said to it leaves this computer."""
        return False

    @property
    def server(self) -> str:
        """The name of the server where it runs: none."""
        return ""


@dataclass(frozen=True, slots=True)
class OpenedRemote:
    """A model on a server that answers: nothing was planned for it here, and nothing loaded.

    `leaves_computer` is False where the server runs on this very machine; `server` is its name,
    `host` where it is.
    """

    name: str
    engine: Engine
    server: str
    host: str
    leaves_computer: bool
    report: None = None
    steps: tuple[StepDown, ...] = ()
    is_guide: bool = False
    holder: str = ""


Opened = OpenedModel | OpenedRemote
