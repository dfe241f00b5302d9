"""The ledger in the settings: every connection that left this computer, for its user to read."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QLocale
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.common.ledger import OK, Connection
from desktop.common.messages import format_bytes
from desktop.ui.look import Look
from desktop.ui.parts.boxes import Card, Frame, clear, column, row
from desktop.ui.parts.button import Button
from desktop.ui.parts.text import Elided, Tag, Text, Tone
from desktop.ui.session import Session

SHOWN = 30
_CALM = (OK, "cancelled")


class Connections(QWidget):
    """Hidden until it is asked for; read anew each time it is shown."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        self._look = look
        self._session = session
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.forget = Button(look, self.tr("Empty the list"), self._forget, kind="link")
        self.setLayout(column(Card(look, self._rows), row(self.forget, 1)))
        self.hide()

    def show_or_hide(self) -> bool:
        """Turn over; whether it is shown now."""
        if self.isHidden():
            self._read()
            self.show()
        else:
            self.hide()
        return not self.isHidden()

    def _read(self) -> None:
        services = self._session.services
        if services is None:  # the house is still being put together
            self._fill(())
            return
        ledger = services.network.ledger
        self._session.bridge.run(
            "ledger", lambda: ledger.entries(SHOWN), self._fill, self._session.tell_error
        )

    def _forget(self) -> None:
        services = self._session.services
        if services is not None:
            ledger = services.network.ledger
            self._session.bridge.run(
                "ledger", ledger.clear, lambda _done: self._read(), self._session.tell_error
            )

    def _fill(self, connections: tuple[Connection, ...]) -> None:
        clear(self._rows)
        for connection in reversed(connections):
            self._rows.addWidget(self._row(connection, last=connection is connections[0]))
        if not connections:
            words = self.tr("No connection has left this computer so far.")
            self._rows.addWidget(Text(words, "muted", wrap=True))
        self.forget.setVisible(bool(connections))

    def _row(self, connection: Connection, *, last: bool) -> Frame:
        s = self._look.sizes
        text = self._session.messages.text
        language = self._session.language
        key = f"ledger.purpose.{connection.purpose}"
        purpose = text(key) if key in self._session.messages else connection.purpose
        when = QLocale(language).toString(
            QDateTime.fromSecsSinceEpoch(round(connection.started_at)),
            QLocale.FormatType.ShortFormat,
        )
        size = format_bytes(connection.received_bytes, language)
        if connection.sent_bytes:
            sent = format_bytes(connection.sent_bytes, language)
            size = self.tr("{sent} sent, {received} received").format(sent=sent, received=size)
        what = f"{purpose}: {connection.subject}" if connection.subject else purpose
        left = column(
            Elided(what[:1].upper() + what[1:]),
            Elided(f"{when}  ·  {connection.host}  ·  {size}", "small_muted"),
        )
        line = row(left, Tag(*self._outcome(connection)), space=s.space_3)
        line.setContentsMargins(0, s.space_2, 0, s.space_2)
        line.setStretchFactor(left, 1)
        frame = Frame("row", line)
        frame.setProperty("last", last)
        return frame

    def _outcome(self, connection: Connection) -> tuple[str, Tone]:
        key = f"ledger.outcome.{connection.outcome}"
        if key not in self._session.messages:
            key = "ledger.outcome.failed"
        return self._session.messages.text(key), "" if connection.outcome in _CALM else "warn"
