"""One model of "My models": its name, what it is, how it does on this computer, what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QSizePolicy, QVBoxLayout

from desktop.common.messages import Messages
from desktop.common.wording import format_bytes
from desktop.fit.types import FitReport
from desktop.library.model import LibraryModel
from desktop.ui.chats.view_turns import display_name
from desktop.ui.look import Look
from desktop.ui.mine.details import Line, ModelDetails
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.words import last_used, page_time, parameters, report_words


class ModelRow(Frame):
    """Two lines and two buttons; the second line says what is wrong where something is."""

    def __init__(
        self,
        look: Look,
        messages: Messages,
        model: LibraryModel,
        report: FitReport | None,
        *,
        judged: bool,
        in_use: bool,
        on_chat: Callable[[], object],
        on_remove: Callable[[], object],
        on_details: Callable[[], object],
    ) -> None:
        super().__init__("row")
        s = look.sizes
        self._look = look
        self._messages = messages
        self._on_remove = on_remove
        self._in_use = in_use
        self.model = model
        self.details: ModelDetails | None = None
        self.setAccessibleName(display_name(model.name))
        left = self._left(report)
        layout = row(left, space=s.space_4, margins=(s.space_1, s.space_3, 0, s.space_3))
        layout.setStretchFactor(left, 1)
        if not model.problem:
            layout.addLayout(self._verdict(report, judged=judged))
        if not model.problem and (report is None or report.reason_key != "fit.too_large"):
            self.chat = Button(look, self.tr("Chat"), on_chat, icon="chat-circle")
            self.chat.setAccessibleName(
                self.tr("Chat with {name}").format(name=display_name(model.name))
            )
            layout.addWidget(self.chat)
        ends = row(space=0)
        if not model.problem:
            self.fold = IconButton(look, "caret-right", "", on_details)
            ends.addWidget(self.fold)
            self._say_fold()
        if model.source != "built_in":
            self.more = IconButton(look, "dots-three", self.tr("More"), self._open_menu)
            name = self.tr("More about {name}").format(name=display_name(model.name))
            self.more.setAccessibleName(name)
            ends.addWidget(self.more)
        else:
            ends.addSpacing(s.target)
        layout.addLayout(ends)
        self._below = column(layout)
        self.setLayout(self._below)

    def _left(self, report: FitReport | None) -> QVBoxLayout:
        """The name with its tags, and below it the facts or what is wrong."""
        s, model = self._look.sizes, self.model
        head = row(Elided(display_name(model.name), "strong"), space=s.space_2)
        if model.source == "built_in":
            head.addWidget(Tag(self.tr("built in"), "accent"))
        elif model.quantization:
            head.addWidget(Tag(model.quantization))
        if self._in_use:
            head.addWidget(Tag(self.tr("in use"), "accent"))
        head.addStretch(1)
        left = column(head, space=s.space_1)
        if model.problem:
            left.addWidget(self._problem())
        else:
            left.addWidget(Elided(self._facts(), "small_muted"))
        if not model.problem and report is not None and report.verdict == "too_large":
            left.addWidget(Text(self._reason(report), "small", wrap=True))
        return left

    def show_details(self, report: FitReport | None, more: list[Line]) -> None:
        """Open the fold; `more` stands below what `report` says."""
        self.hide_details()
        self.details = ModelDetails(self._look, self._messages, report, more)
        self._below.addWidget(self.details)
        self._say_fold()

    def hide_details(self) -> None:
        """Close the fold."""
        if self.details is not None:
            self.details.hide()
            self.details.deleteLater()
            self.details = None
            self._say_fold()

    def _say_fold(self) -> None:
        words = (
            self.tr("Hide the details of {name}") if self.details else self.tr("Details of {name}")
        )
        name = words.format(name=display_name(self.model.name))
        self.fold.setIcon(self._look.icon("caret-down" if self.details else "caret-right", "muted"))
        self.fold.setAccessibleName(name)
        self.fold.setToolTip(name)

    def menu(self) -> QMenu:
        """What else can be done to the model."""
        menu = QMenu(self)
        remove = menu.addAction(self._look.icon("trash"), self.tr("Remove from the list"))
        if self.model.source == "copy":
            remove.setText(self.tr("Remove and delete the file"))
        remove.triggered.connect(self._on_remove)
        return menu

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def _facts(self) -> str:
        language = self._messages.language
        model = self.model
        parts = [format_bytes(model.file_bytes, language)]
        if model.source == "built_in":
            parts.append(self.tr("knows Hausgeist itself"))
        elif model.parameters:
            parts.append(parameters(model.parameters, language))
        if not self._in_use:
            parts.append(last_used(model.last_used_at, date.today(), language))
        match model.source:
            case "built_in":
                parts.append(self.tr("made by us"))
            case "copy":
                parts.append(self.tr("copied into Hausgeist"))
            case "import":
                parts.append(
                    self.tr("from the folder “{folder}”").format(folder=model.path.parent.name)
                )
        return " · ".join(parts)

    def _problem(self) -> Text:
        words = Text(self._messages.problem(self.model.problem), "small", wrap=True)
        words.setProperty("role", "problem")
        words.setToolTip(str(self.model.path))
        return words

    def _verdict(self, report: FitReport | None, *, judged: bool) -> QVBoxLayout:
        """The tag with the word, and below it how long a page takes."""
        s = self._look.sizes
        language = self._messages.language
        words = ""
        if self.model.source == "built_in":
            tag, words = Tag(self.tr("Always fits"), "ok"), self.tr("answers at once")
        elif report is None:
            tag = Tag(self.tr("Cannot be judged") if judged else self.tr("Looking …"))
        else:
            tag = Tag(*report_words(report))
            speed = report.speed.tokens_per_s
            tag.setToolTip(self._reason(report))
            if speed and report.verdict != "too_large":
                words = page_time(speed, language)
        small = Elided(words, "small_muted")
        small.setAlignment(Qt.AlignmentFlag.AlignRight)
        small.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        return column(row(1, tag), small, space=s.space_1)

    def _reason(self, report: FitReport) -> str:
        """The fit's own sentence: what is needed, what is there, what helps."""
        return self._messages.text(report.reason_key, **report.reason_params)
