"""The place "Models": search, what is recommended, what is on this disk, how to bring more."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.ui.house import House
from desktop.ui.mine.section import MyModels
from desktop.ui.models.recommended import Recommended
from desktop.ui.parts.boxes import Page, column
from desktop.ui.parts.text import Text


class ModelsPage(QWidget):
    """`home` shows the sections below each other; files may be dropped anywhere on the window."""

    chat_wanted = Signal()

    def __init__(self, house: House) -> None:
        super().__init__()
        look, session = house.look, house.session
        self.setProperty("role", "page")
        self._subtitle = Text(kind="muted", wrap=True)
        self.recommended = Recommended(look, session, house.shelf)
        self.mine = MyModels(look, session, house.model, house.shelf)
        self.mine.chat_wanted.connect(self.chat_wanted)
        self.home = Page(look, self.tr("Models"))
        self._fill_home(look.sizes.space_2)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.home)
        self.setLayout(column(self._stack))

    def _fill_home(self, space: int) -> None:
        content = self.home.content
        content.addWidget(Text(self.tr("Models"), "title"))
        content.addWidget(self._subtitle)
        for section in (self.recommended, self.mine):
            content.addSpacing(space)
            content.addWidget(section)
        content.addStretch(1)

    def show_machine(self, sentence: str) -> None:
        """What the models are measured by."""
        self._subtitle.setText(sentence)

    def choose_files(self) -> None:
        """Ask for model files with the system's own dialog."""
        self.mine.choose_files()
