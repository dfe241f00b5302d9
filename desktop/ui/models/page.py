"""The place "Models": what is recommended, what is on this disk, and how to bring more."""

from __future__ import annotations

from PySide6.QtCore import Signal

from desktop.ui.look import Look
from desktop.ui.mine.section import MyModels
from desktop.ui.mine.shelf import Shelf
from desktop.ui.model_session import ModelSession
from desktop.ui.models.recommended import Recommended
from desktop.ui.parts.boxes import Page
from desktop.ui.parts.text import Text
from desktop.ui.session import Session


class ModelsPage(Page):
    """Sections below each other; files may be dropped anywhere on the window."""

    chat_wanted = Signal()

    def __init__(self, look: Look, session: Session, model: ModelSession, shelf: Shelf) -> None:
        super().__init__(look, self.tr("Models"))
        s = look.sizes
        self._subtitle = Text(kind="muted", wrap=True)
        self.recommended = Recommended(look, session, shelf)
        self.mine = MyModels(look, session, model, shelf)
        self.mine.chat_wanted.connect(self.chat_wanted)
        self.content.addWidget(Text(self.tr("Models"), "title"))
        self.content.addWidget(self._subtitle)
        self.content.addSpacing(s.space_2)
        self.content.addWidget(self.recommended)
        self.content.addSpacing(s.space_2)
        self.content.addWidget(self.mine)
        self.content.addStretch(1)

    def show_machine(self, sentence: str) -> None:
        """What the models are measured by."""
        self._subtitle.setText(sentence)

    def choose_files(self) -> None:
        """Ask for model files with the system's own dialog."""
        self.mine.choose_files()
