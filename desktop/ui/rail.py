"""The narrow rail at the left: the places, with words under their icons."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QLabel, QToolButton

from desktop.ui.look import Look
from desktop.ui.parts.boxes import Frame, column

CHATS, MODELS, MACHINE, SETTINGS = "chats", "models", "machine", "settings"


class Rail(Frame):
    """One button a place; the mark on top, the offline switch and settings below."""

    chosen = Signal(str)
    offline_wanted = Signal(bool)

    def __init__(self, look: Look) -> None:
        super().__init__("rail")
        s = look.sizes
        self._look = look
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._mark = QLabel()
        self._mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._mark.setAccessibleName("Hausgeist")
        self.setFixedWidth(s.rail)
        self.offline = self._switch()
        # As the places themselves are titled, where the rail has room for a short word only.
        settings = QCoreApplication.translate("SettingsPage", "Settings")
        machine = QCoreApplication.translate("MachinePage", "This computer")
        self.setLayout(
            column(
                self._mark,
                self._gap(s.space_2),
                self._place(CHATS, "chat-circle", self.tr("Chats"), "Ctrl+1"),
                self._place(MODELS, "cube", self.tr("Models"), "Ctrl+2"),
                self._place(MACHINE, "cpu", self.tr("Computer"), "Ctrl+3", machine),
                1,
                self.offline,
                self._place(SETTINGS, "gear", self.tr("Settings"), "Ctrl+,", settings),
                space=s.space_1,
                margins=(s.space_2, s.space_4, s.space_2, s.space_3),
            )
        )
        look.changed.connect(self._draw_mark)
        self._draw_mark()

    def show_place(self, place: str) -> None:
        """Mark the place that is shown."""
        self._buttons[place].setChecked(True)

    def button(self, place: str) -> QToolButton:
        return self._buttons[place]

    def _place(self, place: str, icon: str, words: str, keys: str, whole: str = "") -> QToolButton:
        button = self._button(icon, words)
        button.setToolTip(f"{whole or words} ({keys})")
        button.setAccessibleName(whole or words)
        button.clicked.connect(lambda: self.chosen.emit(place))
        self._group.addButton(button)
        self._buttons[place] = button
        return button

    def show_offline(self, is_offline: bool, *, forced: bool) -> None:
        """How the switch stands; `forced`: not for the user to turn."""
        self.offline.setChecked(is_offline)
        self.offline.setEnabled(not forced)
        words = (
            self.tr("Offline: no connection leaves this computer.")
            if is_offline
            else self.tr("Hausgeist asks the internet only when you want something from there.")
        )
        self.offline.setToolTip(words)
        self.offline.setAccessibleDescription(words)

    def _switch(self) -> QToolButton:
        """Offline: pressed means that no connection leaves this computer."""
        button = self._button("shield-check", self.tr("Offline"))
        button.setAccessibleName(self.tr("Offline"))
        button.clicked.connect(lambda pressed: self.offline_wanted.emit(pressed))
        return button

    def _button(self, icon: str, words: str) -> QToolButton:
        """An icon with a word under it, that can be pressed in."""
        s = self._look.sizes
        button = QToolButton()
        button.setProperty("role", "rail")
        button.setText(words)
        button.setIcon(self._look.icon(icon, "muted", "accent_strong"))
        button.setIconSize(QSize(s.icon_rail, s.icon_rail))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setFixedSize(s.rail_item, s.rail_item_height)
        button.setCheckable(True)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _gap(self, height: int) -> Frame:
        gap = Frame("gap")
        gap.setFixedHeight(height)
        return gap

    def _draw_mark(self) -> None:
        side = self._look.sizes.mark
        self._mark.setPixmap(self._look.mark(side, self.devicePixelRatioF()))
