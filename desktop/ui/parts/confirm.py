"""A question before something that cannot be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtWidgets import QWidget

from desktop.ui.look import Look
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Text


class Confirm(Sheet):
    """Title, a sentence, "Cancel", and the button that does it."""

    def __init__(
        self,
        look: Look,
        title: str,
        words: str,
        yes: str,
        on_yes: Callable[[], object],
        parent: QWidget,
        *,
        kind: Literal["danger", "primary"] = "danger",
    ) -> None:
        super().__init__(look, title, parent, width=look.sizes.dialog)
        self.content.addWidget(Text(words, wrap=True))
        self.yes = Button(look, yes, kind=kind)
        self.yes.clicked.connect(self.close)
        self.yes.clicked.connect(lambda _=False: on_yes())
        self.no = Button(look, self.tr("Cancel"), self.close)
        self.foot.addWidget(self.no)
        self.foot.addWidget(self.yes)
        self.no.setFocus()
        self.fit()
