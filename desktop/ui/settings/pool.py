"""Other computers that lend their memory: a row for each, and a field for another one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from desktop.common.errors import HausgeistError
from desktop.common.messages import format_memory
from desktop.ui.look import Look
from desktop.ui.parts.announce import announce
from desktop.ui.parts.boxes import Frame, clear, column, row
from desktop.ui.parts.button import Button, IconButton
from desktop.ui.parts.text import Elided, Tag, Text
from desktop.ui.session import Session

if TYPE_CHECKING:
    from desktop.services.pool import PoolServer

LANE = "pool"


class PoolSettings(QWidget):
    """A computer is kept once it has answered; it is asked again only when somebody wants that."""

    def __init__(self, look: Look, session: Session) -> None:
        super().__init__()
        s = look.sizes
        self._look = look
        self._session = session
        self._found: dict[str, PoolServer] = {}
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("192.168.1.20:50052"))
        self.field.setAccessibleName(self.tr("Address of a computer that lends its memory"))
        self.field.setMaxLength(300)
        self.field.returnPressed.connect(self.add)
        self.field.textChanged.connect(self._typed)
        self.enter = Button(look, self.tr("Add"), self.add)
        self.enter.setAccessibleName(self.tr("Add the computer"))
        self.enter.setEnabled(False)
        self.problem = Text("", "small", wrap=True)
        self.problem.setProperty("role", "problem")
        self.problem.hide()
        line = row(self.field, self.enter, space=s.space_2)
        line.setStretchFactor(self.field, 1)
        words = self.tr(
            "A model that is too large for this computer can use the memory of others, on which "
            "llama.cpp's RPC server runs. The connection is neither encrypted nor protected by a "
            "password: use it only in a network whose users you all trust."
        )
        self.setLayout(
            column(
                Text(self.tr("Memory of other computers"), "heading"),
                Text(words, "small_muted", wrap=True),
                self._rows,
                line,
                self.problem,
                space=s.space_2,
            )
        )
        session.settings_changed.connect(self._show)
        self._show()

    def add(self) -> None:
        """Ask the computer that stands in the field; it is kept if it lends something."""
        address, services = self.field.text().strip(), self._session.services
        if not address or services is None:
            return
        pool = services.pool
        self._busy(self.tr("Looking …"))
        self._session.bridge.run(LANE, lambda: pool.ask(address), self._added, self._fail)

    def ask(self, server: str) -> None:
        """Ask a known one again."""
        services = self._session.services
        if services is None:
            return
        pool = services.pool
        self._session.bridge.run(LANE, lambda: pool.ask(server), self._asked, self._fail)

    def remove(self, server: str) -> None:
        known = self._session.settings.pool_servers
        self._session.change(pool_servers=tuple(one for one in known if one != server))

    def _added(self, server: PoolServer) -> None:
        if not isValid(self):
            return
        self._busy("")
        if server.error is not None:
            self._tell(server.error)
            return
        self.field.clear()
        self._found[server.given] = server
        known = self._session.settings.pool_servers
        if server.given not in known:
            self._session.change(pool_servers=(*known, server.given))
        self._show()

    def _asked(self, server: PoolServer) -> None:
        if isValid(self):
            self._found[server.given] = server
            self._show()

    def _fail(self, error: HausgeistError) -> None:
        if isValid(self):
            self._busy("")
            self._tell(error)

    def _tell(self, error: HausgeistError) -> None:
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

    def _show(self) -> None:
        clear(self._rows)
        for server in self._session.settings.pool_servers:
            self._rows.addWidget(self._row(server))

    def _row(self, server: str) -> Frame:
        s = self._look.sizes
        found = self._found.get(server)
        left = column(Elided(server))
        tag = Tag()
        if found is not None and found.error is not None:
            tag.show_state(self.tr("not reachable"), "warn")
            words = self._session.messages.error(found.error)
            left.addWidget(Text(words, "small_muted", wrap=True))
        elif found is not None:
            free = format_memory(found.free_bytes, self._session.messages.language)
            tag.show_state(self.tr("lends up to {memory}").format(memory=free), "ok")
        tag.setVisible(bool(tag.text()))
        again = IconButton(
            self._look,
            "arrow-clockwise",
            self.tr("Ask “{server}” now").format(server=server),
            partial(self.ask, server),
        )
        leave = IconButton(
            self._look,
            "x",
            self.tr("Do without the memory of “{server}”").format(server=server),
            partial(self.remove, server),
        )
        line = row(left, tag, again, leave, space=s.space_3, margins=(0, s.space_2, 0, s.space_2))
        line.setStretchFactor(left, 1)
        return Frame("row", line)
