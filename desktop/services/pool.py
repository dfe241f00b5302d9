"""Other machines that lend their memory: who they are, whether they may be asked, what they offer.

llama.cpp's RPC knows neither passwords nor encryption, and its own code makes the connections, in
child processes. So each server is looked at here first: its address must lie in a network of
one's own (unless somebody insists), the offline switch counts, and the ledger gets its line.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from desktop.common.errors import EngineError, HausgeistError, UsageError
from desktop.common.ledger import OK, Connection, Ledger
from desktop.common.logs import get_logger
from desktop.common.settings import Settings
from desktop.engine.pool_devices import pool_devices
from desktop.hardware.bounded import Pending
from desktop.hardware.devices import with_pool
from desktop.hardware.machine import Device, Machine, Note
from desktop.hub import reach

PURPOSE = "pool"
DEFAULT_PORT = 50052
"""Of the server that comes with llama.cpp."""

MOST_SERVERS = 16
NAME_LIMIT_S = 2.0
KNOCK_LIMIT_S = 2.0
ASK_LIMIT_S = 6.0
_LOOK_LIMIT_S = NAME_LIMIT_S + KNOCK_LIMIT_S + ASK_LIMIT_S + 1.0

_ADDRESS = re.compile(r"([A-Za-z0-9][A-Za-z0-9.\-]{0,252})(?::(\d{1,5}))?")
_NOTES = {
    "no_rpc": "pool_no_backend",
    "offline_environment": "pool_offline",
    "offline_setting": "pool_offline",
    "pool_server_public": "pool_public",
    "pool_server_unusable": "pool_unusable",
}

_log = get_logger("services")


class Policy(Protocol):
    def require_online(self) -> None:
        """Raises NetworkError."""
        ...


@dataclass(frozen=True, slots=True)
class PoolServer:
    """One server that was asked: its address in numbers, what it offers or why it does not."""

    given: str
    address: str = ""
    devices: tuple[Device, ...] = ()
    error: HausgeistError | None = None

    @property
    def free_bytes(self) -> int:
        """Of all its devices, now."""
        return sum(device.free_bytes for device in self.devices)

    def to_json(self) -> dict[str, object]:
        return {
            "server": self.given,
            "address": self.address or None,
            "total_bytes": sum(device.total_bytes for device in self.devices),
            "free_bytes": self.free_bytes,
            "problem": None if self.error is None else self.error.kind,
        }


@dataclass(frozen=True, slots=True)
class Offered:
    """What the servers together offer now."""

    servers: tuple[PoolServer, ...] = ()

    def added_to(self, machine: Machine) -> Machine:
        """`machine` with the devices of those that answered, and a note for each that did not."""
        there = [(one.address, one.devices) for one in self.servers if one.error is None]
        notes = tuple(
            Note.of(_NOTES.get(one.error.kind, "pool_silent"), server=one.given)
            for one in self.servers
            if one.error is not None
        )
        return replace(with_pool(machine, there), notes=(*machine.notes, *notes))


NOTHING_OFFERED = Offered()


class Lenders(Protocol):
    """Whoever lends memory."""

    @property
    def servers(self) -> tuple[str, ...]: ...

    def look(self) -> Offered: ...


class NoLenders:
    """Nobody does."""

    servers: tuple[str, ...] = ()

    def look(self) -> Offered:
        return NOTHING_OFFERED


class Pool:
    """The servers of the settings, or those that a command names. Any thread."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        policy: Policy,
        ledger: Ledger,
        *,
        ask: Callable[[str, float], tuple[Device, ...]] = pool_devices,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._ledger = ledger
        self._ask = ask
        self._named: tuple[tuple[str, ...], bool] | None = None

    def use(self, servers: Sequence[str], *, anywhere: bool = False) -> None:
        """From now on these and no others, whatever the settings say.

        Raises UsageError("bad_pool_server"), UsageError("too_many_pool_servers").
        """
        if len(servers) > MOST_SERVERS:
            raise UsageError("too_many_pool_servers", limit=MOST_SERVERS)
        self._named = tuple(dict.fromkeys(map(checked_address, servers))), anywhere

    @property
    def servers(self) -> tuple[str, ...]:
        """As they were given."""
        return self._wanted()[0]

    def ask(self, server: str) -> PoolServer:
        """One server, whether it is among those known or not; within some seconds.

        Raises UsageError("bad_pool_server"); everything else stands in the answer.
        """
        return self._look(checked_address(server), self._wanted()[1])

    def look(self) -> Offered:
        """Ask all servers at the same time; within some seconds. Never raises."""
        servers, anywhere = self._wanted()
        if not servers:
            return NOTHING_OFFERED
        deadline = time.monotonic() + _LOOK_LIMIT_S
        asked = [(one, Pending(partial(self._look, one, anywhere), "pool")) for one in servers]
        found: list[PoolServer] = []
        for server, pending in asked:
            try:
                found.append(pending.result(deadline))
            except TimeoutError:
                error = EngineError("pool_server_silent", server=server)
                found.append(PoolServer(server, error=error))
        return Offered(tuple(found))

    @contextmanager
    def noted(self, servers: Sequence[str], subject: str = "") -> Iterator[None]:
        """A line in the ledger for each server that is connected to in the body of the `with`."""
        lines = self.begin(servers, subject)
        outcome = "internal"
        try:
            yield
            outcome = OK
        except HausgeistError as error:
            outcome = error.kind
            raise
        finally:
            self.end(lines, outcome)

    def begin(self, servers: Sequence[str], subject: str = "") -> tuple[PoolLine, ...]:
        """Note connections that last; hand the lines to `end`. Raises NetworkError where the
        offline switch has been turned meanwhile."""
        for server in servers:
            self._require_allowed(server.rpartition(":")[0])
        started = time.monotonic()
        return tuple(
            PoolLine(self._ledger.begin(PURPOSE, server, subject), started) for server in servers
        )

    def end(self, lines: Sequence[PoolLine], outcome: str) -> None:
        for line in lines:
            seconds = time.monotonic() - line.started
            self._ledger.end(line.connection, outcome, seconds=seconds)

    def _wanted(self) -> tuple[tuple[str, ...], bool]:
        if self._named is not None:
            return self._named
        settings = self._settings()
        good: list[str] = []
        for server in settings.pool_servers[:MOST_SERVERS]:
            try:
                good.append(checked_address(server))
            except UsageError:
                _log.warning("no such address of a pool server: %s", server[:80])
        return tuple(dict.fromkeys(good)), settings.pool_anywhere

    def _look(self, server: str, anywhere: bool) -> PoolServer:
        host, _, port = server.rpartition(":")
        address = ""
        try:
            number = self._number(host, anywhere)
            address = f"{number}:{port}"
            with self.noted([address], "memory"):
                try:
                    reach.knock(number, int(port), KNOCK_LIMIT_S)
                except OSError as error:  # TimeoutError is one
                    raise EngineError(
                        "pool_server_silent", server=server, detail=str(error)
                    ) from error
                return PoolServer(server, address, self._ask(address, ASK_LIMIT_S))
        except HausgeistError as error:
            _log.warning("pool: %s", error)
            return PoolServer(server, address, error=error)

    def _number(self, host: str, anywhere: bool) -> str:
        """The address to use. Raises EngineError: pool_server_silent, pool_server_public."""
        try:
            found = reach.addresses_of(host, NAME_LIMIT_S)
        except OSError as error:
            raise EngineError("pool_server_silent", server=host, detail=str(error)) from error
        for number in found:
            if anywhere or reach.is_private(number):
                self._require_allowed(number)
                return number
        raise EngineError("pool_server_public" if found else "pool_server_silent", server=host)

    def _require_allowed(self, number: str) -> None:
        """What stays on this machine may be asked always. Raises NetworkError."""
        if not reach.is_loopback(number):
            self._policy.require_online()


@dataclass(frozen=True, slots=True)
class PoolLine:
    """A connection that lasts: its line in the ledger, and when it began (monotonic)."""

    connection: Connection
    started: float


def checked_address(text: str) -> str:
    """``host:port`` of what somebody wrote. Raises UsageError("bad_pool_server")."""
    match = _ADDRESS.fullmatch(text.strip())
    port = int(match[2] or DEFAULT_PORT) if match else 0
    if match is None or not 0 < port < 1 << 16:
        raise UsageError("bad_pool_server", value=text[:80])
    return f"{match[1]}:{port}"
