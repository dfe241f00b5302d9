"""Is anybody there? Asked of machines that their user has named, before other code talks to them.

Only IPv4, since llama.cpp's RPC client knows nothing else.
"""

from __future__ import annotations

import ipaddress
import socket
import time

from desktop.hardware.bounded import Pending


def addresses_of(host: str, timeout_s: float) -> tuple[str, ...]:
    """The IPv4 addresses behind a name, or the one that it is.

    Raises OSError for a name that nobody knows, TimeoutError.
    """
    try:
        return (str(ipaddress.IPv4Address(host)),)
    except ValueError:
        pass  # a name
    # `getaddrinfo` knows no time limit.
    asked = Pending(
        lambda: socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM), "name"
    )
    try:
        found = asked.result(time.monotonic() + timeout_s)
    except UnicodeError as error:  # what cannot be a name at all
        raise OSError(str(error)) from error
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def is_private(address: str) -> bool:
    """Whether it belongs to this machine or a network of one's own, and never to the internet."""
    found = ipaddress.ip_address(address)
    return not (found.is_global or found.is_multicast or found.is_unspecified)


def knock(address: str, port: int, timeout_s: float) -> None:
    """Connect and go away again. Raises OSError, TimeoutError."""
    socket.create_connection((address, port), timeout=timeout_s).close()
