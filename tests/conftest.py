"""What every test stands on: no screen, no user's folders, no network, a real tiny model."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.tiny_models import write_tiny_model

# Qt reads it when the first application object is made, so before any test module is imported.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["HAUSGEIST_OFFLINE"] = "1"

# A shell that starts the tests in the background lets them ignore Ctrl+C, and children inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples at every run, however busy the machine: a red check is a change's fault.
# `--hypothesis-profile=explore` looks for new ones.
_slow = [HealthCheck.too_slow]
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=_slow)
settings.register_profile("explore", deadline=None, suppress_health_check=_slow)
settings.load_profile("steady")


@pytest.fixture(autouse=True, scope="session")
def trash_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What tests throw away lands beside them, in their children, too (read at first use)."""
    trash = tmp_path_factory.mktemp("user") / "share"
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_DATA_HOME", str(trash))
    yield trash / "Trash"
    patch.undo()


class NetworkUsedError(AssertionError):
    """A test tried to leave this machine."""


def _is_local(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Fail whoever connects to anything but loopback; children are not covered."""
    connect, connect_ex, sendto = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.socket.sendto,
    )

    def check(sock: socket.socket, address: Any) -> None:
        if not _is_local(sock.family, address):
            raise NetworkUsedError(f"connection to {address!r}")

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        check(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        check(sock, address)
        return connect_ex(sock, address)

    def guarded_sendto(sock: socket.socket, data: Any, *rest: Any) -> int:
        check(sock, rest[-1])
        return sendto(sock, data, *rest)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket.socket, "sendto", guarded_sendto)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def hausgeist_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home of its own for every test, so that none touches the user's data."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HAUSGEIST_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loadable model with random weights and a ChatML template; do not change the file."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf")
