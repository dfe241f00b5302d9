"""One file of a repository: what it is, how it does here, and the button that fetches it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout

from desktop.common.messages import Messages
from desktop.common.wording import format_bytes
from desktop.services.downloads_entry import DownloadState
from desktop.services.offers import FileOffer
from desktop.services.remote_model import Beside
from desktop.ui.browse.offer_words import offer_words, size_words
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Frame, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Elided, Tag, Text

LONGEST_QUANTIZATION = 16


class Fetches(Protocol):
    """What a row asks of the downloads."""

    def add(self, reference: str, *, name: str = "", with_projector: bool = True) -> None: ...
    def is_known(self, reference: str) -> DownloadState | None: ...


class FetchButton(Button):
    """ "Download", or how far that is; pressed again it shows the downloads."""

    def __init__(
        self,
        look: Look,
        name: str,
        on_fetch: Callable[[], object],
        on_show: Callable[[], object],
        *,
        primary: bool = False,
    ) -> None:
        super().__init__(look, "", self._go, kind="primary" if primary else "secondary")
        self._name = name
        self._on_fetch = on_fetch
        self._on_show = on_show
        self.state: DownloadState | None = None
        self.is_here = False
        # As wide as its longest word, so that all stand in line.
        self.setMinimumWidth(look.sizes.detail_names)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_state(None, is_here=False)

    def show_state(self, state: DownloadState | None, *, is_here: bool) -> None:
        """Say what the button does now."""
        self.state, self.is_here = state, is_here
        words = self._words()
        if self.text() != words:
            self.setText(words)
        self.setAccessibleName(f"{words}: {self._name}")

    def _words(self) -> str:
        if self.is_here or self.state == "done":
            return self.tr("Is here")
        match self.state:
            case None:
                return self.tr("Download")
            case "failed":
                return self.tr("Failed")
            case "paused":
                return self.tr("Paused")
            case "waiting" | "metered" | "offline":
                return self.tr("Waiting")
        return self.tr("Being fetched")

    def _go(self) -> None:
        if self.state is None and not self.is_here:
            self._on_fetch()
        else:
            self._on_show()


class OfferRow(Frame):
    """Kept as long as its file is shown; `show_offer` says what became known."""

    def __init__(
        self,
        look: Look,
        messages: Messages,
        offer: FileOffer,
        *,
        named_by_file: bool,
        on_fetch: Callable[[], object],
        on_show: Callable[[], object],
    ) -> None:
        """`named_by_file`: several files have this quantization, so it names none of them."""
        super().__init__("row")
        s = look.sizes
        self._messages = messages
        self.offer = offer
        file = offer.group.path.rpartition("/")[2]
        name = offer.quantization or file.removesuffix(".gguf")
        self.setAccessibleName(f"{name}, {file}")
        self.recommended = Tag(self.tr("Recommended"), "accent")
        self._facts = Elided("", "small_muted")
        self._named_by_file = named_by_file or not offer.quantization
        # A quantization says what one takes, so it is not cut; what a stranger calls one may be.
        is_short = len(name) <= LONGEST_QUANTIZATION
        title = Text(name, "strong") if is_short else Elided(name, "strong")
        head = row(title, self.recommended, 1, space=s.space_2)
        left = column(head, self._facts, 1, space=s.space_1)
        self.tag = Tag()
        self.below = Text("", "small_muted", wrap=True)
        self.below.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.below.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        right = column(row(1, self.tag), self.below, space=s.space_1)
        self.fetch = FetchButton(look, file, on_fetch, on_show, primary=offer.is_recommended)
        line = row(left, right, self.fetch, space=s.space_4, margins=(0, s.space_2, 0, s.space_2))
        line.setStretchFactor(left, 3)
        line.setStretchFactor(right, 2)
        self.setLayout(line)
        self.show_offer(offer, None, judging=True)

    def show_offer(self, offer: FileOffer, state: DownloadState | None, *, judging: bool) -> None:
        """What is known now; nothing is laid out anew where nothing changed."""
        self.offer = offer
        said = offer_words(offer, self._messages, judging=judging)
        self.tag.show_state(said.tag, said.tone)
        self.tag.setToolTip(said.tip)
        if self.below.text() != said.below:
            self.below.setText(said.below)
        self.below.setVisible(bool(said.below))
        self.below.setToolTip(said.number)
        facts = self._fact_words()
        if self._facts.text() != facts:
            self._facts.setText(facts)
        self.recommended.setVisible(offer.is_recommended)
        self.fetch.show_state(state, is_here=offer.is_here)
        self.setAccessibleDescription(", ".join(filter(None, (facts, said.tag, said.below))))

    def _fact_words(self) -> str:
        language = self._messages.language
        words = [size_words(self.offer, language)]
        projector = self.offer.projector
        if projector is not None:
            words.append(self.tr("with the part that sees pictures"))
        if self._named_by_file:
            words.append(self.offer.group.path)
        return " · ".join(words)


class BesideRow(Frame):
    """A file that belongs to the models: what it is for, and the button that fetches it alone."""

    def __init__(
        self,
        look: Look,
        messages: Messages,
        beside: Beside,
        *,
        on_fetch: Callable[[], object],
        on_show: Callable[[], object],
    ) -> None:
        super().__init__("row")
        s = look.sizes
        self.beside = beside
        file = beside.reference.partition(":")[2].rpartition("/")[2]
        size = format_bytes(beside.file_bytes, messages.language) if beside.file_bytes else ""
        self.setAccessibleName(f"{file}, {size}")
        left: QVBoxLayout = column(
            Elided(file, "strong"),
            Elided(" · ".join(filter(None, (size, self._for()))), "small_muted"),
            space=s.space_1,
        )
        self.fetch = FetchButton(look, file, on_fetch, on_show)
        line = row(left, self.fetch, space=s.space_4, margins=(0, s.space_2, 0, s.space_2))
        line.setStretchFactor(left, 1)
        self.setLayout(line)

    def _for(self) -> str:
        match self.beside.kind:
            case "projector":
                return self.tr("lets the model see pictures; comes along by itself")
            case "draft":
                return self.tr("a small helper that can make the model write faster")
            case "lora":
                return self.tr("changes how the model answers (LoRA); of no use by itself")
        return ""
