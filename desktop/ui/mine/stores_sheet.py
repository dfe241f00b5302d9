"""Models of other programs: which of them shall stand in the list, too. Nothing is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from desktop.common.wording import format_bytes
from desktop.ui.look import Look
from desktop.ui.mine.others import STORE_NAMES
from desktop.ui.mine.shelf import Shelf
from desktop.ui.parts.boxes import clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.sheet import Sheet
from desktop.ui.parts.text import Elided, Text
from desktop.ui.parts.tick import Tick
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.library.stores.model import StoreModel
    from desktop.services.import_stores import FoundStore


class StoresSheet(Sheet):
    """A box for each model, ticked; those that cannot be used say why."""

    def __init__(self, look: Look, session: Session, shelf: Shelf, parent: QWidget) -> None:
        super().__init__(look, self.tr("Models of other programs"), parent)
        self._look = look
        self._session = session
        self._shelf = shelf
        self.boxes: list[tuple[Tick, StoreModel]] = []
        self.state = Text(kind="muted", wrap=True)
        self._list = column()
        words = self.tr(
            "They stay where they are and take no more disk: Hausgeist uses the same files. What "
            "the other program deletes is then gone here, too."
        )
        self.content.addWidget(Text(words, "muted", wrap=True))
        self.content.addWidget(self.state)
        self.content.addLayout(self._list)
        self.content.addStretch(1)
        self.take = Button(look, "", self._take, kind="primary")
        self.foot.addWidget(Button(look, self.tr("Cancel"), self.close))
        self.foot.addWidget(self.take)
        shelf.others.changed.connect(self._show)
        shelf.others.look()
        self._show()

    def _show(self) -> None:
        clear(self._list)
        self.boxes = []
        others = self._shelf.others
        if others.error is not None:
            self.state.setText(self._session.messages.error(others.error))
        elif others.found is None:
            self.state.setText(self.tr("Looking for Ollama, LM Studio, Jan, GPT4All and others …"))
        elif not any(store.models or store.problem for store in others.found):
            self.state.setText(
                self.tr("No models of other programs were found in their usual places.")
            )
        else:
            self.state.setText("")
            for store in others.found:
                self._add_store(store)
        self.state.setVisible(bool(self.state.text()))
        self._say_how_many()
        self.fit()

    def _add_store(self, store: FoundStore) -> None:
        s = self._look.sizes
        if not store.models and store.problem is None:
            return
        head = row(
            Text(STORE_NAMES[store.store], "heading"),
            Elided(str(store.path), "small_muted"),
            1,
            space=s.space_2,
            margins=(0, s.space_3, 0, 0),
        )
        self._list.addLayout(head)
        if store.problem is not None:
            self._list.addWidget(self._problem(self._session.messages.error(store.problem)))
        for model in store.new:
            self._list.addWidget(self._box(model))
        if store.here:
            words = self.tr("%n of them stand in your list already.", "", len(store.here))
            self._list.addWidget(Text(words, "small_muted"))
        for model in store.models:
            if model.problem is not None:
                sentence = self._session.messages.error(model.problem)
                self._list.addWidget(self._problem(f"{model.name}: {sentence}"))

    def _box(self, model: StoreModel) -> Tick:
        parts = [model.name, model.quantization]
        if model.file_bytes:
            parts.append(format_bytes(model.file_bytes, self._session.language))
        box = Tick(self._look, " · ".join(part for part in parts if part))
        box.setChecked(True)
        box.toggled.connect(lambda _: self._say_how_many())
        if model.template_note:
            box.setToolTip(self.tr("With the chat template that the model brings itself."))
        self.boxes.append((box, model))
        return box

    def _problem(self, sentence: str) -> Text:
        words = Text(sentence, "small", wrap=True)
        words.setProperty("role", "problem")
        return words

    @property
    def chosen(self) -> list[StoreModel]:
        """The models that are ticked."""
        return [model for box, model in self.boxes if box.checkState() == Qt.CheckState.Checked]

    def _say_how_many(self) -> None:
        count = len(self.chosen)
        self.take.setText(self.tr("Add %n model(s)", "", count))
        self.take.setEnabled(count > 0)

    def _take(self) -> None:
        self._shelf.bringing.from_stores(self.chosen)
        self.close()
