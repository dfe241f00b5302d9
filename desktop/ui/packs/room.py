"""What the dialogs of packs need of the shelf; the shelf itself stands above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from desktop.library.model import LibraryModel
from desktop.ui.packs.packing import Packing

if TYPE_CHECKING:
    from desktop.hardware.machine import Machine


class PackRoom(Protocol):
    """`machine` is None while nobody has looked."""

    packing: Packing

    @property
    def models(self) -> list[LibraryModel]: ...

    @property
    def machine(self) -> Machine | None: ...
