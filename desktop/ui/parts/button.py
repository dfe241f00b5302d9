"""Buttons in the few kinds that the window has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton

from desktop.ui.look import Look

Kind = Literal["primary", "secondary", "danger", "quiet", "link", "pill", "chip"]

_TOKEN: dict[str, str] = {
    "primary": "on_accent",
    "danger": "bad",
    "quiet": "muted",
    "link": "accent",
}


class Button(QPushButton):
    """A button with words, with an icon before them where `icon` names one."""

    def __init__(
        self,
        look: Look,
        text: str,
        on_click: Callable[[], object] | None = None,
        *,
        kind: Kind = "secondary",
        icon: str = "",
    ) -> None:
        super().__init__(text)
        self.setProperty("role", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if icon:
            self.show_icon(look, icon)
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())

    def show_icon(self, look: Look, icon: str) -> None:
        """Put an icon before the words, with some air between the two."""
        s = look.sizes
        self.setIcon(look.icon(icon, _TOKEN.get(str(self.property("role")), "text")))
        # The icon is drawn in the middle of its box: what is wider than high is air.
        self.setIconSize(QSize(s.icon_small + s.space_2, s.icon_small))


class IconButton(QPushButton):
    """A button that is only an icon; its name is told to screen readers and as a tip."""

    def __init__(
        self,
        look: Look,
        icon: str,
        name: str,
        on_click: Callable[[], object] | None = None,
        *,
        primary: bool = False,
    ) -> None:
        super().__init__()
        self.setProperty("role", "icon_primary" if primary else "icon")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        self.setIcon(look.icon(icon, "on_accent" if primary else "muted"))
        self.setIconSize(QSize(look.sizes.icon, look.sizes.icon))
        self.setAccessibleName(name)
        self.setToolTip(name)
        if on_click is not None:
            self.clicked.connect(lambda _checked=False: on_click())
