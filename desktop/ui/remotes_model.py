"""The model servers that the person has named, as the window knows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.common.errors import HausgeistError
from desktop.ui.session import Session

if TYPE_CHECKING:  # the services import half the house: only after the first paint
    from desktop.services.certificate_words import CertificateWords
    from desktop.services.remote_file import RemoteServer
    from desktop.services.remotes import NewServer, Remotes, ServerReport

LANE = "remotes"
_UNTRUSTED = "server_untrusted"

T = TypeVar("T")


class RemotesModel(QObject):
    """Reads what is known at the start; servers are asked only when somebody wants it.

    While a new server's certificate waits to be judged, `certificate` holds what it shows and
    `untrusted` the server. `tested` is the name of the one that answered last.
    """

    changed = Signal()
    added = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.servers: tuple[RemoteServer, ...] = ()
        self.loaded = False
        self.busy = ""
        self.tested = ""
        self.error: HausgeistError | None = None
        self.error_of = ""
        self.certificate: CertificateWords | None = None
        self.untrusted: NewServer | None = None
        session.ready.connect(self.look)

    def look(self) -> None:
        """Read the servers that are known; makes no connection."""
        if (remotes := self._remotes()) is not None:
            self._run(remotes.servers, self._listed)

    def server_of(self, ref: str) -> RemoteServer | None:
        """The server that ``remote:SERVER/MODEL`` names."""
        name = ref.removeprefix("remote:").partition("/")[0].casefold()
        return next((one for one in self.servers if one.name.casefold() == name), None)

    def add(self, new: NewServer) -> None:
        """Look at a server and keep it if it answers."""
        remotes = self._remotes()
        if remotes is None or self.busy:
            return
        self._begin(new.name)
        self._run(lambda: remotes.add(new), self._added, partial(self._not_added, new))

    def trust(self) -> None:
        """The certificate that is shown is the right one: add the server with it."""
        certificate, new = self.certificate, self.untrusted
        self.forget_certificate()
        if certificate is not None and new is not None:
            self.add(replace(new, fingerprint=certificate.fingerprint))

    def forget_certificate(self) -> None:
        """Do not trust it; nothing is added."""
        self.certificate = self.untrusted = None
        self.changed.emit()

    def test(self, name: str) -> None:
        """Ask a server which models it has."""
        remotes = self._remotes()
        if remotes is None or self.busy:
            return
        self._begin(name)
        self._run(lambda: remotes.test(name), self._tested)

    def remove(self, name: str) -> None:
        """Forget a server and its key."""
        remotes = self._remotes()
        if remotes is None or self.busy:
            return
        self._begin(name)
        self._run(lambda: remotes.remove(name), lambda _server: self.look())

    def ask_where(self, told: Callable[[str], None]) -> None:
        """Tell where a key would be kept: "keyring" or "file"; nothing while nobody knows."""
        if (remotes := self._remotes()) is not None:
            self._session.bridge.run(LANE, remotes.keeps_keys_in, told, lambda _error: None)

    def _remotes(self) -> Remotes | None:
        services = self._session.services
        return None if services is None else services.remotes

    def _begin(self, name: str) -> None:
        self.busy, self.tested, self.error, self.error_of = name, "", None, ""
        self.certificate = self.untrusted = None
        self.changed.emit()

    def _run(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        failed: Callable[[HausgeistError], object] | None = None,
    ) -> None:
        def finished(found: T) -> None:
            self.busy = ""
            done(found)
            self.changed.emit()

        def broke(error: HausgeistError) -> None:
            self.error_of, self.busy = self.busy, ""
            (failed or self._failed)(error)
            self.changed.emit()

        self._session.bridge.run(LANE, work, finished, broke)

    def _listed(self, servers: tuple[RemoteServer, ...]) -> None:
        self.servers, self.loaded = servers, True

    def _added(self, _report: ServerReport) -> None:
        self.added.emit()
        self.look()

    def _tested(self, report: ServerReport) -> None:
        self.tested = report.server.name
        self.look()

    def _failed(self, error: HausgeistError) -> None:
        self.error = error

    def _not_added(self, new: NewServer, error: HausgeistError) -> None:
        self.error = error
        remotes = self._remotes()
        if error.kind != _UNTRUSTED or remotes is None:
            return

        def seen(found: CertificateWords) -> None:
            self.certificate, self.untrusted = found, new

        self.busy = new.name
        self._run(lambda: remotes.certificate(new.address), seen, lambda _error: None)
