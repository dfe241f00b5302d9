"""Where a model server is, from whatever its user typed."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from desktop.common.errors import UsageError
from desktop.hub.policy import origin_of

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_ENDPOINTS = ("/chat/completions", "/completions", "/models", "/embeddings", "/rerank")
_USUAL = "/v1"
_MOST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """`api` is what ``/chat/completions`` is put behind, without a slash at its end."""

    api: str

    @property
    def root(self) -> str:
        """Where a server's own paths are (``/props``): the address without ``/v1``."""
        return self.api.removesuffix(_USUAL)

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a key is bound to."""
        found = origin_of(self.api)
        assert found is not None  # `parse` has looked
        return f"{found.scheme}://{found.shown}"

    @property
    def host(self) -> str:
        """For a person: the host, with its port where that is unusual."""
        return self.origin.partition("://")[2]

    @property
    def is_on_this_machine(self) -> bool:
        """Whether what is said there stays on this computer."""
        found = origin_of(self.api)
        return found is not None and found.is_loopback

    @property
    def is_open(self) -> bool:
        """Whether everybody on the way could read along: no TLS, and not on this machine."""
        return self.api.startswith("http://") and not self.is_on_this_machine


def parse_address(text: str) -> RemoteAddress:
    """``localhost:1234``, ``api.example.org``, a whole address with or without an endpoint.

    Without a scheme a name of the internet is asked with TLS, everything else without. Raises
    UsageError("bad_remote_address").
    """
    given = text.strip()
    refusal = UsageError("bad_remote_address", address=given[:80])
    if not given or len(given) > _MOST_CHARACTERS or any(sign in given for sign in "?#@\\"):
        raise refusal
    if _SCHEME.match(given) is None:
        given = f"{'https' if _is_of_the_internet(given) else 'http'}://{given}"
    origin = origin_of(given)
    if origin is None or any(ord(sign) <= 32 or ord(sign) > 126 for sign in given):
        raise refusal
    rest = given.partition("://")[2]
    path = "/" + rest.partition("/")[2].strip("/")
    for endpoint in _ENDPOINTS:
        path = path.removesuffix(endpoint)
    path = path.rstrip("/") or _USUAL
    return RemoteAddress(f"{origin.scheme}://{origin.shown}{path}")


def _is_of_the_internet(given: str) -> bool:
    """Whether it looks like a public name: dots, no port, no number."""
    host = given.partition("/")[0]
    if ":" in host or "." not in host or host.endswith((".local", ".lan", ".home", ".internal")):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False
