"""One recommended model: why, how fast, under which licence, and how to come by it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.common.messages import Messages
from desktop.common.wording import format_bytes
from desktop.services.catalog_words import (
    languages_words,
    licence_explained,
    licence_words,
    released_words,
)
from desktop.services.downloads_entry import DownloadState
from desktop.services.recommend import Recommendation
from desktop.ui.look import Look
from desktop.ui.mine.details import Line, ModelDetails
from desktop.ui.parts.boxes import Card, Frame, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.flow import Flow
from desktop.ui.parts.text import Elided, Tag, Text, restyle
from desktop.ui.words import page_time, report_words, tokens_per_s

LANGUAGES_NAMED = 2


class RecommendedCard(Card):
    """Words before numbers; the rest stands in a fold."""

    def __init__(
        self,
        look: Look,
        messages: Messages,
        item: Recommendation,
        *,
        on_fetch: Callable[[], object],
        on_copy: Callable[[], object],
        on_details: Callable[[], object],
    ) -> None:
        s = look.sizes
        super().__init__(look, space=s.space_2)
        self._look = look
        self._messages = messages
        self.item = item
        model = item.model
        self.setAccessibleName(model.name)
        size = format_bytes(item.disk_bytes, messages.language)
        self.inner.addWidget(Elided(model.name, "heading"))
        self.inner.addWidget(Elided(f"{item.file.quantization} · {size}", "small_muted"))
        tags = Flow(s.space_1)
        if item.label != "other":
            tags.addWidget(Tag(messages.text(f"recommend.label.{item.label}"), "accent"))
        tags.addWidget(Tag(*report_words(item.report)))
        self.inner.addLayout(tags)
        self.inner.addWidget(Text(self.reason(), "small", wrap=True))
        for name, value in self._facts():
            self.inner.addWidget(self._line(name, value))
        self.inner.addStretch(1)
        self.fetch = Button(look, "", on_fetch, kind="primary")
        self.fold = Button(look, "", on_details, kind="quiet", icon="caret-right")
        self.fold.setAccessibleName(self.tr("Details of {name}").format(name=model.name))
        copy = self.tr("Copy the address of {name}").format(name=model.name)
        self.copy = IconButton(look, "copy", copy, on_copy)
        self.inner.addLayout(row(self.fetch, self.fold, 1, self.copy, space=s.space_1))
        self.show_state(None, is_here=False)
        self.show_fold(is_open=False)

    def reason(self) -> str:
        """The sentence that says why."""
        return self._messages.text(self.item.reason_key, **self.item.reason_params)

    def show_state(self, state: DownloadState | None, *, is_here: bool) -> None:
        """Say what the first button does: fetch it, show how far that is, or chat."""
        words = self._fetch_words(state, is_here=is_here)
        if words != self.fetch.text():
            self.fetch.setText(words)
            name = self.item.model.name
            self.fetch.setAccessibleName(f"{words}: {name}")
        kind = "secondary" if state is not None and not is_here else "primary"
        if kind != self.fetch.property("role"):
            self.fetch.setProperty("role", kind)
            restyle(self.fetch)

    def _fetch_words(self, state: DownloadState | None, *, is_here: bool) -> str:
        if is_here:
            return self.tr("Chat now")
        match state:
            case None | "done":
                return self.tr("Download")
            case "paused":
                return self.tr("Paused")
            case "failed":
                return self.tr("Failed")
            case "waiting" | "metered" | "offline":
                return self.tr("Waiting")
        return self.tr("Being fetched")

    def show_fold(self, *, is_open: bool) -> None:
        """Say whether the details below belong to this card."""
        self.fold.setText(self.tr("Less") if is_open else self.tr("Details"))
        self.fold.show_icon(self._look, "caret-down" if is_open else "caret-right")

    def details(self) -> ModelDetails:
        """What only somebody who looks closer asks for."""
        return ModelDetails(self._look, self._messages, self.item.report, self._more())

    def _facts(self) -> list[Line]:
        language = self._messages.language
        speed = tokens_per_s(self.item.tokens_per_s, language)
        if "embedding" in self.item.model.tasks:
            speed = self.tr("reads {speed}").format(speed=speed)
        else:
            speed = f"{speed}: {page_time(self.item.tokens_per_s, language)}"
        return [
            (self.tr("Speed"), speed),
            (self.tr("Licence"), licence_words(self.item.model.licence, self._messages)),
            (
                self.tr("Languages"),
                languages_words(self.item.model.languages, self._messages, LANGUAGES_NAMED),
            ),
        ]

    def _line(self, name: str, value: str) -> QWidget:
        s = self._look.sizes
        label = Text(name, "small_muted")
        label.setMinimumWidth(s.detail_names // 2)
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
        words = Text(value, "small", wrap=True)
        line = row(label, words, space=s.space_2, margins=(0, s.space_1, 0, s.space_1))
        line.setStretchFactor(words, 1)
        return Frame("row", line)

    def _more(self) -> list[Line]:
        item, model, messages = self.item, self.item.model, self._messages
        lines = [
            (self.tr("Licence"), licence_explained(model.licence, messages)),
            (self.tr("Languages"), languages_words(model.languages, messages)),
            (self.tr("Released"), released_words(model, messages)),
        ]
        for remark in item.remarks:
            words = messages.text(f"recommend.note.{remark.kind}", **remark.params)
            lines.append((self.tr("Note"), words))
        lines.append((self.tr("Chosen by"), messages.text("recommend.basis")))
        lines.append((self.tr("Name for commands"), item.file.reference))
        if item.file.source:
            lines.append((self.tr("Source"), item.file.source))
        return lines
