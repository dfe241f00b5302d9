"""An organisation's own sources of models, and the keys that it trusts, in the settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from desktop.common.errors import HausgeistError
from desktop.ui.look import Look
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Frame, clear, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.library.packs.minisign import PublicKey
    from desktop.services.sources import ModelSource

LANE = "sources"

T = TypeVar("T")


class SourceSettings(QWidget):
    """A row for each source, a field to add one; below them the keys, where somebody pins them."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self._keys = QVBoxLayout()
        self._keys.setSpacing(0)
        self.found: tuple[ModelSource, ...] = ()
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("https://models.example.org/ or a folder"))
        self.field.setAccessibleName(self.tr("Address of a source of models"))
        self.field.returnPressed.connect(self.add)
        self.field.textChanged.connect(self._typed)
        self.enter = Button(look, self.tr("Add"), self.add)
        self.enter.setAccessibleName(self.tr("Add the source"))
        self.enter.setEnabled(False)
        self.browse = Button(look, self.tr("A folder …"), self._choose_folder, icon="folder-open")
        self.problem = Text("", "small", wrap=True)
        self.problem.setProperty("role", "problem")
        self.problem.hide()
        self.key = Button(look, self.tr("Trust a key …"), self._choose_key, icon="shield-check")
        line = row(self.field, self.enter, self.browse, space=s.space_2)
        line.setStretchFactor(self.field, 1)
        words = self.tr(
            "A web server or a shared folder with a list of models (index.json, made by "
            "“hausgeist index”). Its models are shown beside Hugging Face's."
        )
        pinned = self.tr(
            "Once a key is trusted, packs and sources must be signed by it; everything else is "
            "refused."
        )
        self.setLayout(
            column(
                Text(self.tr("Your organisation's models"), "heading"),
                Text(words, "small_muted", wrap=True),
                self._rows,
                line,
                self.problem,
                Text(pinned, "small_muted", wrap=True),
                self._keys,
                row(self.key, 1),
                space=s.space_2,
            )
        )
        session.settings_changed.connect(self._show_keys)
        session.ready.connect(self._look_at_all)
        self._show_keys()
        self._look_at_all()

    def add(self) -> None:
        """Look at what stands in the field; it is kept if there is a list of models."""
        address = self.field.text().strip()
        services = self._session.services
        if not address or services is None:
            return
        sources = services.sources
        self.problem.hide()
        self._busy(self.tr("Looking …"))
        self._run(lambda: sources.look(address), self._added, self._fail)

    def _added(self, source: ModelSource) -> None:
        self._busy("")
        self.field.clear()
        known = self._session.settings.sources
        if source.address not in known:
            self._session.change(sources=(*known, source.address))
        self.found = (*(one for one in self.found if one.id != source.id), source)
        self._show_sources()

    def _fail(self, error: HausgeistError) -> None:
        self._busy("")
        self.problem.setText(self._session.messages.error(error))
        self.problem.setAccessibleName(self.problem.text())
        self.problem.show()
        announce(self.problem)

    def _busy(self, words: str) -> None:
        self.enter.setText(words or self.tr("Add"))
        self.enter.setEnabled(not words and bool(self.field.text().strip()))
        self.field.setReadOnly(bool(words))

    def _typed(self) -> None:
        self.enter.setEnabled(bool(self.field.text().strip()))
        self.problem.hide()

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self.tr("A folder with a list of models"))
        if name:
            self.field.setText(name)
            self.add()

    def _look_at_all(self) -> None:
        """What is known stands there at once; nothing is asked of the network here."""
        services = self._session.services
        if services is not None:
            self._run(services.sources.sources, self._listed, self._session.tell_error)

    def _listed(self, found: tuple[ModelSource, ...]) -> None:
        self.found = found
        self._show_sources()

    def _show_sources(self) -> None:
        clear(self._rows)
        for source in self.found:
            self._rows.addWidget(self._row(source))

    def _row(self, source: ModelSource) -> Frame:
        s = self._look.sizes
        models = self.tr("%n model(s)", "", source.models)
        tag = Tag()
        if source.problem is not None:
            tag.show_state(self.tr("not usable"), "warn")
            tag.setToolTip(self._session.messages.error(source.problem))
        elif source.is_trusted:
            tag.show_state(self.tr("signed"), "ok")
        tag.setVisible(bool(tag.text()))
        left = column(Elided(source.name), Elided(f"{source.address}  ·  {models}", "small_muted"))
        if source.problem is not None:
            text = self._session.messages.error(source.problem)
            left.addWidget(Text(text, "small_muted", wrap=True))
        leave = IconButton(
            self._look,
            "x",
            self.tr("Remove “{name}”; models that are here stay").format(name=source.name),
            lambda: self._remove(source),
        )
        line = row(left, tag, leave, space=s.space_3, margins=(0, s.space_2, 0, s.space_2))
        line.setStretchFactor(left, 1)
        return Frame("row", line)

    def _remove(self, source: ModelSource) -> None:
        known = self._session.settings.sources
        self._session.change(sources=tuple(one for one in known if one != source.address))
        self._listed(tuple(one for one in self.found if one.id != source.id))

    def _choose_key(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, self.tr("A public key"), "", self.tr("Public keys (*.pub);;All files (*)")
        )
        if name:
            self.trust(Path(name))

    def trust(self, path: Path) -> None:
        """Pin the public key in that file."""
        self._run(lambda: _key_in(path), self._trusted, self._fail)

    def _trusted(self, key: PublicKey) -> None:
        known = self._session.settings.trusted_keys
        if key.text not in known:
            self._session.change(trusted_keys=(*known, key.text))
            self._session.when_written(self._look_at_all)

    def _show_keys(self) -> None:
        clear(self._keys)
        for text in self._session.settings.trusted_keys:
            leave = IconButton(
                self._look,
                "x",
                self.tr("Trust this key no longer"),
                partial(self._untrust, text),
            )
            line = row(Elided(text, "small"), leave, space=self._look.sizes.space_3)
            line.setStretch(0, 1)
            self._keys.addWidget(Frame("row", line))

    def _untrust(self, text: str) -> None:
        known = self._session.settings.trusted_keys
        self._session.change(trusted_keys=tuple(one for one in known if one != text))
        self._session.when_written(self._look_at_all)

    def _run(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[HausgeistError], object],
    ) -> None:
        """In the background; what comes after this page was built anew is dropped."""

        def if_there(run: Callable[[T], object]) -> Callable[[T], None]:
            def go(answer: T) -> None:
                if isValid(self):
                    run(answer)

            return go

        def told(error: HausgeistError) -> None:
            if isValid(self):
                failed(error)

        self._session.bridge.run(LANE, work, if_there(done), told)


def _key_in(path: Path) -> PublicKey:
    from desktop.library.packs.minisign import read_public_key  # only when somebody pins one

    return read_public_key(str(path))
