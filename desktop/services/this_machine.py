"""What a verdict on a model that is not here asks of this computer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from desktop.fit.corrections import Corrections
from desktop.hardware.machine import Machine


class MachineNow(Protocol):
    """The part of MachineService that is needed."""

    def machine(self, refresh: bool = False) -> Machine: ...


class PastOf(Protocol):
    """The part of History that is needed."""

    def corrections(self, machine: Machine) -> Corrections: ...


class HeldOn(Protocol):
    """The part of HeldMemory that is needed."""

    def by_device(self, machine: Machine | None = None) -> Mapping[str, int]: ...
