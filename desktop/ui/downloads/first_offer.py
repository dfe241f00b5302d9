"""The offer on the welcome page: a first model, and how far it is once somebody wants it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from desktop.common.wording import format_bytes
from desktop.ui.downloads.face import DownloadFace
from desktop.ui.downloads.first_model import FirstModel
from desktop.ui.downloads.words import DownloadWords
from desktop.ui.look import Look
from desktop.ui.parts.boxes import column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session
from desktop.ui.words import page_time


class FirstOffer(QWidget):
    """Takes no room while there is nothing to offer. `button` stands where its owner puts it."""

    def __init__(self, look: Look, session: Session, first: FirstModel) -> None:
        super().__init__()
        s = look.sizes
        self._session = session
        self._first = first
        self._words = DownloadWords(session.language)
        self._name = Elided(kind="strong")
        self._facts = Text(kind="small_muted", wrap=True)
        head = row(
            self._name, Tag(self.tr("a good first model here"), "accent"), 1, space=s.space_2
        )
        self._offered = QWidget()
        self._offered.setLayout(column(head, self._facts, space=s.space_1))
        self.face = DownloadFace(look)
        self.button = Button(look, "", self._act, kind="primary")
        self.setLayout(column(self._offered, self.face, margins=(0, s.space_1, 0, s.space_1)))
        self.hide()
        first.changed.connect(self.refresh)
        first.progressed.connect(self._show_figures)
        self.refresh()

    def refresh(self) -> None:
        """Show what is offered, or how far it is."""
        offer, download = self._first.offer, self._first.download
        is_running = download is not None and download.state != "done"
        self._offered.setVisible(not is_running)
        self.face.setVisible(is_running)
        if offer is not None:
            from desktop.services.catalog_words import licence_words  # not before the first paint

            messages = self._session.messages
            language = messages.language
            self._name.setText(offer.model.name)
            facts = (
                format_bytes(offer.disk_bytes, language),
                page_time(offer.tokens_per_s, language),
                licence_words(offer.model.licence, messages),
            )
            self._facts.setText(" · ".join(facts))
            label = self.tr("Show") if is_running else self.tr("Download")
            self.button.setText(label)
            self.button.setAccessibleName(f"{label}: {offer.model.name}")
        self._show_figures()
        for part in (self, self.button):
            if offer is None:
                part.hide()
            elif part.parentWidget() is not None:  # else it would be a window for a moment
                part.show()

    def _show_figures(self) -> None:
        download = self._first.download
        if download is not None and download.state != "done":
            self.face.show_words(download.name, self._words.line(download))
            self.face.show_share(download.share, "accent")
            self.face.setAccessibleName(f"{download.name}: {self.face.words}")

    def _act(self) -> None:
        if self._first.download is None:
            self._first.fetch()
        else:
            self._first.show_download()
