"""All that is known of one model, in a dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtWidgets import QWidget

from desktop.common.errors import HausgeistError
from desktop.common.wording import format_bytes, format_number
from desktop.fit.types import FitReport
from desktop.services.catalog_words import licence_explained, licence_words
from desktop.services.tune_records import TuneRecord
from desktop.ui.look import Look
from desktop.ui.mine.details import Line, ModelDetails
from desktop.ui.mine.entries import Entry
from desktop.ui.mine.shelf import SeenClosely, Shelf
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Text
from desktop.ui.session import Session
from desktop.ui.words import Counted, pages, parameters, tokens_per_s

_MOST_PATHS = 4


class DetailsSheet(Sheet):
    """Opens at once with what is known, and is filled when the file has been read."""

    def __init__(
        self,
        look: Look,
        session: Session,
        shelf: Shelf,
        one: Entry,
        parent: QWidget,
        *,
        on_verify: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(look, one.name, parent)
        self._look = look
        self._session = session
        self._one = one
        self.parts: list[ModelDetails] = []
        self._waiting = Text(self.tr("Reading the file …"), "muted")
        self.content.addWidget(self._waiting)
        self.problem = Text(kind="text", wrap=True)
        self.problem.hide()
        self.content.addWidget(self.problem)
        if on_verify is not None:
            self.verify = Button(look, self.tr("Verify the file"), icon="shield-check")
            self.verify.clicked.connect(self.close)
            self.verify.clicked.connect(lambda _=False: on_verify())
            self.foot.insertWidget(0, self.verify)
        self.foot.addWidget(Button(look, self.tr("Close"), self.close))
        shelf.look_closely(one.model, self.while_open(self._show), self.while_open(self._fail))
        self.fit()

    def _fail(self, error: HausgeistError) -> None:
        self._waiting.hide()
        self.problem.setText(self._session.messages.error(error))
        self.problem.show()
        self._add(self.tr("The file"), None, self._file(None))
        self.fit()

    def _show(self, found: SeenClosely) -> None:
        self._waiting.hide()
        report = found.close_up.report
        if report is not None:
            self._add(self.tr("On this computer"), report, self._tried(found.close_up.tuned))
        self._add(self.tr("The model"), None, self._model(found))
        self._add(self.tr("The file"), None, self._file(found))
        self.content.addStretch(1)
        self.fit()

    @property
    def lines(self) -> dict[str, str]:
        """All that is shown, by its names."""
        return {name: words for part in self.parts for name, words in part.lines if name}

    def _add(self, heading: str, report: FitReport | None, lines: list[Line]) -> None:
        details = ModelDetails(self._look, self._session.messages, report, lines)
        self.parts.append(details)
        self.content.addWidget(Text(heading, "strong"))
        self.content.addWidget(details)

    def _tried(self, record: TuneRecord | None) -> list[Line]:
        """What looking for the fastest setting found, where somebody has looked."""
        if record is None or not record.speed.tokens_per_s:
            return []
        words = self.tr("%n setting(s) on {day}; the fastest does {speed}", "", len(record.trials))
        speed = tokens_per_s(record.speed.tokens_per_s, self._session.language)
        words = words.format(day=self._day(record.at), speed=speed)
        return [(self.tr("Tried out"), words)]

    def _day(self, moment: float) -> str:
        day = QDateTime.fromSecsSinceEpoch(int(moment)).date()
        return QLocale(self._session.language).toString(day, QLocale.FormatType.ShortFormat)

    def _model(self, found: SeenClosely) -> list[Line]:
        """What the model is, whatever computer it runs on."""
        messages, model = self._session.messages, self._one.model
        close_up = found.close_up
        lines = [(self.tr("Can"), self._one.abilities)]
        if model.parameters and not self._one.is_guide:
            lines.append((self.tr("Size"), parameters(model.parameters, messages.language)))
        if close_up.context_tokens:
            words = self.tr("{pages} at once ({tokens} tokens)").format(
                pages=Counted().pages(pages(close_up.context_tokens)),
                tokens=format_number(close_up.context_tokens, messages.language),
            )
            lines.append((self.tr("Trained for"), words))
        lines.append((self.tr("Licence"), licence_words(close_up.licence, messages)))
        lines.append(("", licence_explained(close_up.licence, messages)))
        return lines

    def _file(self, found: SeenClosely | None) -> list[Line]:
        """Where it lies, whence it came, and whether it is what it should be."""
        model, language = self._one.model, self._session.language
        lines = [(self.tr("File"), str(model.path))]
        if model.file_bytes:
            lines.append(("", format_bytes(model.file_bytes, language)))
        if model.projector is not None:
            lines.append((self.tr("Sees with"), str(model.projector)))
        lines.append((self.tr("From"), self._whence()))
        if found is not None and found.hashes and found.hashes[0]:
            lines.append((self.tr("Hash (SHA-256)"), found.hashes[0]))
        lines.append((self.tr("Verified"), self._verified()))
        if found is not None and found.duplicates:
            paths = [str(path) for path in found.duplicates[:_MOST_PATHS]]
            lines.append((self.tr("The same model"), "\n".join(paths)))
            words = self.tr("It takes its room twice: one of the files can go.")
            lines.append(("", words))
        return lines

    def _whence(self) -> str:
        origin = self._one.model.origin
        shown_to_us = self._one.model.source == "import"
        if origin is None or not origin.where or (shown_to_us and origin.kind == "file"):
            return self._one.origin
        where = f"{origin.where}/{origin.file}" if origin.file else origin.where
        whence = f"{self._one.origin}: {where}"
        return f"{whence} ({origin.commit[:8]})" if origin.commit else whence

    def _verified(self) -> str:
        model = self._one.model
        if model.is_damaged:
            return self.tr("it is damaged: not every byte is as it should be")
        if model.verified_at is not None:
            day = self._day(model.verified_at)
            return self.tr("on {day}: every byte is as it should be").format(day=day)
        if model.origin is not None and model.origin.is_verified:
            return self.tr("when it came: every byte was as it should be")
        return self.tr("not yet")
