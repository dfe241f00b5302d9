"""All that is known of one model, in a dialog."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.common.errors import HausgeistError
from desktop.common.wording import format_number
from desktop.services.catalog_words import licence_explained, licence_words
from desktop.services.model_details import ModelCloseUp
from desktop.ui.look import Look
from desktop.ui.mine.details import Line, ModelDetails
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Text
from desktop.ui.session import Session


class DetailsSheet(Sheet):
    """Opens at once with what is known, and is filled when the file has been read."""

    def __init__(
        self, look: Look, session: Session, shelf: Shelf, one: Entry, parent: QWidget
    ) -> None:
        super().__init__(look, one.name, parent)
        self._look = look
        self._session = session
        self._one = one
        self.details: ModelDetails | None = None
        self._waiting = Text(self.tr("Reading the file …"), "muted")
        self.content.addWidget(self._waiting)
        self.problem = Text(kind="text", wrap=True)
        self.problem.hide()
        self.content.addWidget(self.problem)
        self.foot.addWidget(Button(look, self.tr("Close"), self.close))
        shelf.look_closely(one.model, self.while_open(self._show), self.while_open(self._fail))
        self.fit()

    def _fail(self, error: HausgeistError) -> None:
        self._waiting.hide()
        self.problem.setText(self._session.messages.error(error))
        self.problem.show()
        self.fit()

    def _show(self, found: ModelCloseUp) -> None:
        self._waiting.hide()
        self.details = ModelDetails(
            self._look, self._session.messages, found.report, self._facts(found)
        )
        self.content.addWidget(self.details)
        self.content.addStretch(1)
        self.fit()

    def _facts(self, found: ModelCloseUp) -> list[Line]:
        messages = self._session.messages
        trained = format_number(found.context_tokens, messages.language)
        return [
            (self.tr("Trained for"), self.tr("{tokens} tokens").format(tokens=trained)),
            (self.tr("Licence"), licence_words(found.licence, messages)),
            ("", licence_explained(found.licence, messages)),
            (self.tr("File"), str(self._one.model.path)),
        ]
