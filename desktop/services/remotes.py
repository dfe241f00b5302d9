"""Model servers that a person has named: added after a look at them, tried, opened, forgotten."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.common.errors import CancelledError, NetworkError, UsageError
from desktop.engine.cancel import CancelToken
from desktop.engine.remote.address import RemoteAddress, parse_address
from desktop.engine.remote.dialect import ServerFacts, look_at_server
from desktop.engine.remote.engine import open_remote
from desktop.engine.remote.link import Patience, RemoteLink
from desktop.hub.account import is_token
from desktop.hub.answer import Purpose
from desktop.hub.exchange import Trust
from desktop.hub.remote_door import RemoteDoor
from desktop.hub.server_keys import KeyPlace, ServerKeys
from desktop.services.certificate_words import CertificateWords, certificate_words
from desktop.services.open_progress import OpenedRemote, OpenProgress
from desktop.services.remote_file import KnownModel, RemoteFile, RemoteServer
from desktop.services.remote_ref import RemoteRef, is_server_name, parse_remote

if TYPE_CHECKING:
    from desktop.services.core import Core

REMOTES_FILE = "servers.json"
LOOKING = "remote_certificate"


@dataclass(frozen=True, slots=True)
class ServerReport:
    """What a look at a server found, and how long it took to answer."""

    server: RemoteServer
    seconds: float


@dataclass(frozen=True, slots=True)
class NewServer:
    """What a person says of a server. `fingerprint` (SHA-256, hex) is that of its certificate,
    where they trust this one alone; `check` False adds it without a look."""

    name: str
    address: str
    key: str = field(default="", repr=False)
    ca_file: str = ""
    fingerprint: str = ""
    patience: Patience = field(default_factory=Patience)
    check: bool = True


class Remotes:
    """Any thread may ask; what looks at a server takes seconds. Nothing is asked unasked."""

    def __init__(self, file: RemoteFile, keys: ServerKeys, door: RemoteDoor) -> None:
        self._file = file
        self._keys = keys
        self._door = door

    @classmethod
    def of(cls, core: Core) -> Remotes:
        """Those of this home."""
        folder = core.paths.data_dir
        door = RemoteDoor(core.network.door, core.network.ledger)
        return cls(RemoteFile(folder / REMOTES_FILE), ServerKeys(folder), door)

    def servers(self) -> tuple[RemoteServer, ...]:
        """All, with the models that they told of last; makes no connection."""
        return self._file.load()

    def server(self, name: str) -> RemoteServer:
        """Raises UsageError("unknown_remote")."""
        for one in self._file.load():
            if one.name.casefold() == name.casefold():
                return one
        raise UsageError("unknown_remote", server=name[:80])

    def add(self, new: NewServer) -> ServerReport:
        """Look at the server, and keep it if it answers as one.

        Raises UsageError (bad_remote_name, remote_exists, bad_remote_address, bad_server_key,
        no_ca_file), NetworkError (server_untrusted: see `certificate`; other_certificate),
        RemoteError, StorageError.
        """
        server = self._described(new)
        began = time.monotonic()
        if new.fingerprint:
            pem = self._pinned(server.place, new.fingerprint)
            server = replace(server, certificate=pem)
        if new.check:
            facts = look_at_server(self._link(server, new.key))
            server = _with_facts(server, facts)
        seconds = time.monotonic() - began
        if new.key:
            place = self._keys.save(server.name, server.place.origin, new.key)
            server = replace(server, key_place=place)
        self._file.change(lambda servers: (*_without(servers, server.name, new=True), server))
        return ServerReport(server, seconds)

    def remove(self, name: str) -> RemoteServer:
        """Forget the server and its key. Raises UsageError("unknown_remote"), StorageError."""
        server = self.server(name)
        self._keys.forget(server.name, server.place.origin, server.key_place)
        self._file.change(lambda servers: _without(servers, server.name))
        return server

    def test(self, name: str) -> ServerReport:
        """Look at it again; its models are remembered. Raises as `add`."""
        server = self.server(name)
        began = time.monotonic()
        found = _with_facts(server, look_at_server(self._link(server)))
        seconds = time.monotonic() - began
        self._remember(found)
        return ServerReport(found, seconds)

    def certificate(self, address: str) -> CertificateWords:
        """What the server shows to somebody who does not trust it.

        Raises UsageError("bad_remote_address"), NetworkError (no_certificate without TLS).
        """
        place = parse_address(address)
        return certificate_words(self._shown(place), place.host)

    def keeps_keys_in(self) -> KeyPlace:
        """Where a new key would be kept. Raises StorageError("keyring_locked")."""
        return self._keys.keeps_in()

    def open(
        self,
        ref: str,
        *,
        on_progress: Callable[[OpenProgress], None] | None = None,
        cancel: CancelToken | None = None,
    ) -> OpenedRemote:
        """The model that ``remote:SERVER/MODEL`` means, ready to answer.

        Raises UsageError("unknown_remote"), NetworkError, RemoteError, StorageError,
        CancelledError.
        """
        wanted = parse_remote(ref)
        if wanted is None:
            raise UsageError("unknown_remote", server=ref[:80])
        if on_progress is not None:
            on_progress(OpenProgress("checking", 0.0))
        server = self.server(wanted.server)
        token = cancel or CancelToken()
        engine = open_remote(self._link(server), wanted.model, lambda: token.cancelled)
        if token.cancelled:
            engine.close()
            raise CancelledError
        name = str(RemoteRef(server.name, engine.info.name))
        return OpenedRemote(name, engine, server.name, server.place.host, server.leaves_computer)

    def key_of(self, ref: str) -> Hashable:
        """What tells one model of a server from another: a server that was added anew, with
        another address or certificate, is another one. Raises UsageError("unknown_remote")."""
        wanted = parse_remote(ref)
        server = self.server("" if wanted is None else wanted.server)
        model = "" if wanted is None else wanted.model
        return (server.name, server.address, server.ca_file, server.certificate, model)

    def _described(self, new: NewServer) -> RemoteServer:
        """Checked without a look at anything but the disk."""
        name = new.name.strip()
        if not is_server_name(name):
            raise UsageError("bad_remote_name", name=name[:80])
        _without(self._file.load(), name, new=True)
        address = parse_address(new.address)
        if new.key and not is_token(new.key):
            raise UsageError("bad_server_key")
        if new.ca_file and not Path(new.ca_file).is_file():
            raise UsageError("no_ca_file", path=new.ca_file)
        ca_file = str(Path(new.ca_file).absolute()) if new.ca_file else ""
        return RemoteServer(name, address.api, ca_file=ca_file, patience=new.patience)

    def _link(self, server: RemoteServer, new_key: str | None = None) -> RemoteLink:
        def key() -> str:
            if new_key is not None:
                return new_key
            return self._keys.key(server.name, server.place.origin, server.key_place)

        trust = Trust(server.ca_file, server.certificate)
        return RemoteLink(
            self._door, server.name, server.place, key=key, trust=trust, patience=server.patience
        )

    def _pinned(self, address: RemoteAddress, fingerprint: str) -> str:
        """The certificate as PEM, if it is the one that is meant."""
        shown = self._shown(address)
        found = certificate_words(shown, address.host)
        if _plain(found.fingerprint) != _plain(fingerprint):
            raise NetworkError("other_certificate", host=address.host, detail=found.fingerprint)
        return ssl.DER_cert_to_PEM_cert(shown)

    def _shown(self, address: RemoteAddress) -> bytes:
        shown = self._door.look(address.api, Purpose(LOOKING))
        if not shown.certificate:
            raise NetworkError("no_certificate", host=address.host)
        return shown.certificate

    def _remember(self, server: RemoteServer) -> None:
        def change(servers: tuple[RemoteServer, ...]) -> tuple[RemoteServer, ...]:
            return tuple(
                replace(one, models=server.models, software=server.software)
                if one.name == server.name
                else one
                for one in servers
            )

        self._file.change(change)


def _with_facts(server: RemoteServer, facts: ServerFacts) -> RemoteServer:
    models = tuple(KnownModel(one.id, one.context_tokens, one.kind) for one in facts.models)
    return replace(server, models=models, software=facts.dialect.kind)


def _without(
    servers: tuple[RemoteServer, ...], name: str, *, new: bool = False
) -> tuple[RemoteServer, ...]:
    """All but that one; with `new` it must not be there. Raises UsageError("remote_exists")."""
    kept = tuple(one for one in servers if one.name.casefold() != name.casefold())
    if new and len(kept) != len(servers):
        raise UsageError("remote_exists", server=name)
    return kept


def _plain(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").removeprefix("SHA256").casefold()
