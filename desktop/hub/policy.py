"""What the user and the environment say about the network: whether, where to, and as whom."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import urlsplit

from desktop.common.errors import NetworkError, UsageError

PUBLIC_HUB = "https://huggingface.co"

_NOT_IN_HOSTS = re.compile(r"[\s\x00-\x20\x7f%<>\"'`{}|^\\,;()]")
_VARIABLES = ("HAUSGEIST_OFFLINE", "HF_HUB_OFFLINE")
_NO = ("", "0", "false", "no", "off")
_TRIED: ContextVar[str] = ContextVar("token_tried", default="")

SYSTEM_CERTIFICATES = "system"
"""As the setting: the system's own store, whatever the variables say."""

StoredToken = Callable[[str], str | None]
"""The token that was kept for the Hub at an address; None where there is none."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a secret is bound to."""

    scheme: str
    host: str
    port: int

    @property
    def shown(self) -> str:
        """The host, with its port where that is unusual."""
        usual = {"https": 443, "http": 80}.get(self.scheme)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether this is the very machine that asks."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # a name: wherever it leads today, it may lead elsewhere tomorrow
            return False


def origin_of(url: str) -> Origin | None:
    """Where `url` leads; None for what is no address of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in ("http", "https") or not host or _NOT_IN_HOSTS.search(host):
        return None
    return Origin(scheme, host, port or (443 if scheme == "https" else 80))


class NetworkPolicy:
    """Asked anew at every connection: the switch may be turned while the app runs."""

    def __init__(
        self,
        env: Mapping[str, str],
        is_switched_off: Callable[[], bool],
        stored_token: StoredToken | None = None,
        certificates: Callable[[], str] | None = None,
    ) -> None:
        """`is_switched_off` is the offline switch in the user's settings; `stored_token` is asked
        only where the environment names no token, and only for the Hub itself. `certificates` is
        the setting of that name: "", "system" or a file in PEM form."""
        self._env = env
        self._is_switched_off = is_switched_off
        self._stored_token = stored_token
        self._certificates = certificates

    def require_online(self) -> None:
        """Raises NetworkError: offline_environment, offline_setting."""
        name = self.forced_by
        if name:
            raise NetworkError("offline_environment", name=name)
        if self._is_switched_off():
            raise NetworkError("offline_setting")

    def require_allowed(self, origin: Origin) -> None:
        """As `require_online`, for what its user has named: this very machine may be asked always,
        since nothing leaves it."""
        if not origin.is_loopback:
            self.require_online()

    @property
    def forced_by(self) -> str:
        """The environment variable that forbids all connections; empty where none does."""
        for name in _VARIABLES:
            if self._env.get(name, "").strip().lower() not in _NO:
                return name
        return ""

    @property
    def is_offline(self) -> bool:
        try:
            self.require_online()
        except NetworkError:
            return True
        return False

    @property
    def endpoint(self) -> str:
        """The Hub's address without a slash at its end. Raises UsageError("bad_endpoint")."""
        given = self._env.get("HF_ENDPOINT", "").strip()
        if not given:
            return PUBLIC_HUB
        address = (given if "://" in given else f"https://{given}").rstrip("/")
        if origin_of(address) is None or any(sign in address for sign in "?#@"):
            raise UsageError("bad_endpoint", value=given)
        return address

    @property
    def hub_host(self) -> str:
        """The Hub's name, as a person reads it; what is given for one where it is none."""
        try:
            origin = origin_of(self.endpoint)
        except UsageError:
            origin = None
        return origin.shown if origin else self._env.get("HF_ENDPOINT", "").strip()

    @property
    def certificates(self) -> str:
        """Which certificates count beside or instead of the usual ones; see `__init__`."""
        return self._certificates() if self._certificates else ""

    @property
    def has_own_certificates(self) -> bool:
        """Whether a variable names certificates, and they count."""
        named = self._env.get("SSL_CERT_FILE") or self._env.get("SSL_CERT_DIR")
        return bool(named) and not self.certificates

    @property
    def certificate_store(self) -> str:
        """Whose certificates count, in words that an IT department knows."""
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            if self.has_own_certificates and self._env.get(name):
                return name
        own = self.certificates
        system = {"win32": "Windows", "darwin": "macOS (Keychain)"}.get(sys.platform, "OpenSSL")
        return system if own in ("", SYSTEM_CERTIFICATES) else f"{system} + PEM"

    @property
    def has_token(self) -> bool:
        """Whether the Hub will know who asks."""
        return self.token_for(self.endpoint) is not None

    @property
    def has_token_in_environment(self) -> bool:
        return bool(self._env.get("HF_TOKEN", "").strip())

    @contextmanager
    def trying(self, token: str) -> Iterator[None]:
        """What this thread asks of the Hub meanwhile, it asks with `token`."""
        reset = _TRIED.set(token)
        try:
            yield
        finally:
            _TRIED.reset(reset)

    def token_for(self, url: str) -> str | None:
        """The user's token, for the Hub itself and nobody else: one that is tried, HF_TOKEN, else
        the one that was kept for this very Hub. Raises UsageError("bad_token")."""
        if origin_of(url) != origin_of(self.endpoint):
            return None
        if tried := _TRIED.get():
            return tried
        token = self._env.get("HF_TOKEN", "").strip()
        if not token:
            return self._stored_token(self.endpoint) if self._stored_token else None
        if not token.isascii() or not token.isprintable() or " " in token:
            raise UsageError("bad_token")
        return token
