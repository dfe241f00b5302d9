"""The look of the moment: which theme holds, and the icons and marks drawn in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPixmap
from PySide6.QtWidgets import QApplication

from desktop.ui import tokens
from desktop.ui.icons import GlyphEngine, Phosphor, mark_pixmap
from desktop.ui.style_sheet import style_sheet

ThemeChoice = Literal["auto", "light", "dark"]

_SCHEMES: dict[ThemeChoice, Qt.ColorScheme] = {
    "auto": Qt.ColorScheme.Unknown,
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
}


class Look(QObject):
    """Owns the theme of the application; follows the system unless the settings say otherwise."""

    changed = Signal()

    def __init__(self, app: QApplication, choice: ThemeChoice = "auto") -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice
        self._phosphor = Phosphor()
        self.theme = tokens.LIGHT
        hints = app.styleHints()
        self._system = hints.colorScheme()
        hints.colorSchemeChanged.connect(self._system_changed)
        hints.setColorScheme(_SCHEMES[choice])
        hints.accessibility().contrastPreferenceChanged.connect(self._refresh)
        self._refresh()

    def choose(self, choice: ThemeChoice) -> None:
        """Follow the system ("auto") or stay light or dark from now on."""
        self._choice = choice
        self._app.styleHints().setColorScheme(_SCHEMES[choice])
        self._refresh()

    def release(self) -> None:
        """Follow the system no longer."""
        hints = self._app.styleHints()
        hints.colorSchemeChanged.disconnect(self._system_changed)
        hints.accessibility().contrastPreferenceChanged.disconnect(self._refresh)

    @property
    def sizes(self) -> tokens.Sizes:
        return self.theme.sizes

    @property
    def motion_ms(self) -> int:
        """How long a movement takes; 0 where the system asks for none."""
        moving = QGuiApplication.platformName() != "offscreen" and QApplication.isEffectEnabled(
            Qt.UIEffect.UI_General
        )
        return self.theme.sizes.motion_ms if moving else 0

    def color(self, token: str) -> QColor:
        """A colour of the present theme by its name."""
        return self.theme.color(token)

    def font(self, size: str = "text", *, bold: bool = False) -> QFont:
        """The interface font in one of the sizes named in `Sizes`."""
        px = float(getattr(self.theme.sizes, size))
        return tokens.text_font(px, tokens.SEMIBOLD if bold else tokens.REGULAR)

    def icon(self, name: str, token: str = "text", on_token: str = "") -> QIcon:
        """A Phosphor icon that follows the theme; `on_token` colours it where it is checked."""
        return QIcon(GlyphEngine(self._phosphor, name, token, on_token or token, self.color))

    def mark(self, side: int, ratio: float) -> QPixmap:
        """The house with its ghost, in the accent of the theme."""
        return mark_pixmap(side, ratio, self.color("accent"), self.color("ghost"))

    def _system_changed(self, scheme: Qt.ColorScheme) -> None:
        self._system = scheme
        self._refresh()

    def _refresh(self) -> None:
        hints = self._app.styleHints()
        by_system = self._choice == "auto" and self._system == Qt.ColorScheme.Dark
        dark = self._choice == "dark" or by_system
        theme = tokens.scaled(tokens.DARK if dark else tokens.LIGHT, tokens.system_text_px())
        if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
            theme = replace(theme, muted=theme.text, line=theme.text, line_strong=theme.text)
        if theme == self.theme and self._app.styleSheet():
            return
        self.theme = theme
        tokens.apply(self._app, theme, style_sheet(theme))
        self.changed.emit()
