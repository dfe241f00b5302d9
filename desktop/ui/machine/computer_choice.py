"""Which computer the page is about: this one, a common one, or one from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu

from desktop.common.errors import HausgeistError
from desktop.ui.look import Look
from desktop.ui.parts.button import Button
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.hardware.machine import Machine
    from desktop.services.other_machines import Preset

LANE = "advice"


class ComputerChoice(Button):
    """A button with a menu. `chosen` carries the machine and its name; None is this computer."""

    chosen = Signal(object, str)

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__(look, self.tr("Another computer …"), icon="desktop-tower")
        self._session = session
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self.setToolTip(self.tr("What would run on a computer that you think of buying?"))

    def actions_shown(self) -> list[QAction]:
        """What the menu offers, its sub-menus' entries included."""
        self._fill()
        found: list[QAction] = []
        for action in self._menu.actions():
            inner = action.menu()
            found += inner.actions() if isinstance(inner, QMenu) else [action]
        return [action for action in found if not action.isSeparator()]

    def open_file(self) -> None:
        """Ask for a description, as `hausgeist hardware --json` writes it."""
        name, _filter = QFileDialog.getOpenFileName(
            self,
            self.tr("Open the description of a computer"),
            "",
            self.tr("Descriptions (*.json)"),
        )
        if name:
            self.read(Path(name))

    def read(self, path: Path) -> None:
        """Take the computer that a file describes; what is wrong with it is told."""

        def work() -> Machine:
            from desktop.hardware.machine_file import read_machine  # not before the first paint

            return read_machine(path)

        def done(machine: Machine) -> None:
            self.chosen.emit(machine, path.stem)

        def failed(error: HausgeistError) -> None:
            self._session.tell_error(error)

        self._session.bridge.run(LANE, work, done, failed)

    def _fill(self) -> None:
        from desktop.services.other_machines import presets  # the planner's floor: when asked for

        self._menu.clear()
        names = {
            "laptop": self.tr("Without a graphics card"),
            "gpu": self.tr("With a graphics card"),
            "apple": self.tr("Apple"),
        }
        menus = {group: self._menu.addMenu(name) for group, name in names.items()}
        for preset in presets():
            action = menus[preset.group].addAction(self._name(preset))
            action.triggered.connect(lambda _on=False, one=preset: self._choose(one))
        self._menu.addSeparator()
        self._menu.addAction(self.tr("Open a description …")).triggered.connect(self.open_file)

    def _name(self, preset: Preset) -> str:
        return self._session.messages.text(f"machine.preset.{preset.group}", **preset.params)

    def _choose(self, preset: Preset) -> None:
        self.chosen.emit(preset.machine, self._name(preset))
