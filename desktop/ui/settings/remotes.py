"""Servers whose models one talks to from here: a row for each, and a form for another one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from desktop.ui.look import Look
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.choice import Choice
from desktop.ui.parts.text import Elided, Tag, Text, restyle
from desktop.ui.remotes_model import RemotesModel
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.remote_file import RemoteServer


USUAL_S = 600.0
"""A server may have to load its model and to read a long text before the first word."""


class RemoteSettings(QWidget):
    """Says of each server whether what one writes leaves this computer."""

    def __init__(self, look: Look, session: Session, remotes: RemotesModel) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._remotes = remotes
        self._ca_file = ""
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.name = self._field(self.tr("Name"), self.tr("Name of the server"))
        self.address = self._field(
            self.tr("Address, such as 192.168.1.5:1234 or https://llm.example.org"),
            self.tr("Address of the server"),
        )
        self.key = self._field(
            self.tr("Key, where the server wants one"), self.tr("Key of the server")
        )
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.enter = Button(look, self.tr("Add"), self.add)
        self.enter.setAccessibleName(self.tr("Add the server"))
        self.certificates = Button(
            look, self.tr("Own certificates …"), self._choose_file, icon="shield-check"
        )
        self.patience = Choice(
            look,
            self.tr("How long an answer may take to begin"),
            [
                (self.tr("1 minute"), 60.0),
                (self.tr("10 minutes"), 600.0),
                (self.tr("1 hour"), 3600.0),
            ],
        )
        self.patience.choose(USUAL_S)
        self.chosen = Elided("", "small_muted")
        self.problem = Text("", "small", wrap=True)
        self.problem.setProperty("role", "problem")
        self.place = Text("", "small_muted", wrap=True)
        self._build_certificate()
        first = row(self.name, self.address, space=s.space_2)
        first.setStretch(0, 1)
        first.setStretch(1, 2)
        second = row(self.key, self.certificates, self.enter, space=s.space_2)
        second.setStretchFactor(self.key, 1)
        hint = Text(self.tr("An answer must begin within"), "small_muted")
        third = row(hint, self.patience, 1, space=s.space_2)
        words = self.tr(
            "Another computer, or another program on this one, can answer in a model's place: "
            "vLLM, llama-server, Ollama, LM Studio, another Hausgeist or a service on the "
            "internet. What you write to it is sent there."
        )
        self.setLayout(
            column(
                Text(self.tr("Models on servers"), "heading"),
                Text(words, "small_muted", wrap=True),
                self._rows,
                first,
                second,
                third,
                self.chosen,
                self.problem,
                self.card,
                self.place,
                space=s.space_2,
            )
        )
        for field in (self.name, self.address, self.key):
            field.textChanged.connect(self._enable)
            field.returnPressed.connect(self.add)
        remotes.changed.connect(self._show)
        remotes.added.connect(self._clear)
        session.ready.connect(self._ask_where)
        self._show()
        self._ask_where()

    def add(self) -> None:
        """Look at the server that stands in the fields; it is kept if it answers."""
        # Half the house: not before it is needed.
        from desktop.engine.remote.link import Patience
        from desktop.services.remotes import NewServer

        if not self.enter.isEnabled():
            return
        self._remotes.add(
            NewServer(
                self.name.text().strip(),
                self.address.text().strip(),
                key=self.key.text().strip(),
                ca_file=self._ca_file,
                patience=Patience(first_token_s=float(self.patience.currentData())),
            )
        )

    def choose_certificates(self, path: Path) -> None:
        """Certificates signed by those in this file count for the server that is added."""
        self._ca_file = str(path)
        self.chosen.setText(self.tr("Certificates: {path}").format(path=path))
        self.chosen.show()

    def _field(self, hint: str, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(hint)
        field.setAccessibleName(name)
        field.setMaxLength(500)
        return field

    def _build_certificate(self) -> None:
        """What a server shows whose certificate nobody here knows."""
        s = self._look.sizes
        self.shown = Text("", "small", wrap=True, selectable=True)
        self.fingerprint = Text("", "small_strong", wrap=True, selectable=True)
        trust = Button(self._look, self.tr("Trust this certificate"), self._remotes.trust)
        leave = Button(
            self._look, self.tr("Do not trust"), self._remotes.forget_certificate, kind="quiet"
        )
        self.card = Card(
            self._look,
            Text(self.tr("The server shows a certificate that nobody here knows"), "strong"),
            self.shown,
            self.fingerprint,
            row(trust, leave, 1, space=s.space_2),
        )

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Certificates"),
            "",
            self.tr("Certificates (*.pem *.crt *.cer);;All files (*)"),
        )
        if name:
            self.choose_certificates(Path(name))

    def _clear(self) -> None:
        for field in (self.name, self.address, self.key):
            field.clear()
        self._ca_file = ""
        self.chosen.setText("")
        self.patience.choose(USUAL_S)

    def _show(self) -> None:
        model = self._remotes
        clear(self._rows)
        for server in model.servers:
            self._rows.addWidget(self._row(server))
        known = {server.name for server in model.servers}
        adding = bool(model.busy) and model.busy not in known
        self.enter.setText(self.tr("Asking …") if adding else self.tr("Add"))
        self.chosen.setVisible(bool(self._ca_file))
        self._show_problem(known)
        self._show_certificate()
        self._enable()

    def _enable(self) -> None:
        filled = bool(self.name.text().strip()) and bool(self.address.text().strip())
        self.enter.setEnabled(filled and not self._remotes.busy)

    def _show_problem(self, known: set[str]) -> None:
        """What went wrong with the form; a known server's trouble stands in its row."""
        model = self._remotes
        words = ""
        if model.error is not None and model.error_of not in known:
            words = self._session.messages.error(model.error)
        if words != self.problem.text():
            self.problem.setText(words)
            self.problem.setAccessibleName(words)
            if words:
                announce(self.problem)
        self.problem.setVisible(bool(words))
        restyle(self.problem)

    def _show_certificate(self) -> None:
        found = self._remotes.certificate
        self.card.setVisible(found is not None)
        if found is None:
            return
        self.shown.setText(
            self.tr(
                "Made out to {subject}, signed by {issuer}, valid until {until}. Compare its "
                "fingerprint with the one that the server itself tells:"
            ).format(subject=found.subject, issuer=found.issuer, until=found.not_after)
        )
        self.fingerprint.setText(found.fingerprint.replace(":", " "))

    def _row(self, server: RemoteServer) -> Frame:
        s = self._look.sizes
        model = self._remotes
        about = [server.address, self.tr("%n model(s)", "", len(server.models))]
        if server.key_place:
            about.append(self.tr("with a key"))
        left = column(Elided(server.name), Elided("  ·  ".join(about), "small_muted"))
        if server.place.is_open:
            words = self._session.messages.text("remotes.open", server=server.name)
            left.addWidget(Text(words, "small_muted", wrap=True))
        if model.error is not None and model.error_of == server.name:
            left.addWidget(Text(self._session.messages.error(model.error), "small", wrap=True))
        elif model.tested == server.name:
            left.addWidget(Text(self.tr("It answers."), "small_muted"))
        tag = Tag()
        if server.leaves_computer:
            tag.show_state(self.tr("leaves this computer"), "warn")
        else:
            tag.show_state(self.tr("on this computer"), "ok")
        busy = model.busy == server.name
        test = Button(self._look, self.tr("Asking …") if busy else self.tr("Test"))
        test.setAccessibleName(self.tr("Test “{name}”").format(name=server.name))
        test.clicked.connect(lambda _=False: model.test(server.name))
        test.setEnabled(not model.busy)
        leave = IconButton(
            self._look,
            "x",
            self.tr("Remove “{name}” and its key").format(name=server.name),
            partial(model.remove, server.name),
        )
        leave.setEnabled(not model.busy)
        line = row(left, tag, test, leave, space=s.space_3, margins=(0, s.space_2, 0, s.space_2))
        line.setStretchFactor(left, 1)
        return Frame("row", line)

    def _ask_where(self) -> None:
        """Where a key would be kept: nobody should have to guess."""
        self._remotes.ask_where(self._show_where)

    def _show_where(self, place: str) -> None:
        self.place.setText(self._session.messages.text(f"remotes.keeps.{place}"))
