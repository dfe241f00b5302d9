"""What can be pressed in a message: its actions, the copy button of code, links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRect

Action = Literal["copy", "regenerate", "edit", "retry", "copy_code", "link"]

ICONS: dict[Action, str] = {
    "copy": "copy",
    "regenerate": "arrow-counter-clockwise",
    "edit": "pencil-simple",
    "retry": "arrow-clockwise",
    "copy_code": "copy",
    "link": "",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Something to press, by mouse or keyboard. `rect` lies in its row, from the column's left.

    `label` is its name; what is drawn for "copy_code" is shorter. A `quiet` one is drawn only
    while the pointer is over the message or it has the focus.
    """

    action: Action
    label: str
    rect: QRect
    block: int = -1
    href: str = ""
    quiet: bool = False
    number: int = 0  # tells links apart that lead to the same place

    @property
    def key(self) -> tuple[Action, int, str, int]:
        """What stays the same when the row is laid out anew."""
        return self.action, self.block, self.href, self.number

    def same(self, other: Target | None) -> bool:
        """Whether it is the same target, wherever it lies by now."""
        return other is not None and self.key == other.key
