"""A closer look at a failing network: what stands between this computer and the Hub."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from desktop.common.errors import HausgeistError, NetworkError
from desktop.common.logs import get_logger
from desktop.hub.answer import Purpose, Shown
from desktop.hub.door import Door

LOOK = "network_look"
_WORTH_A_LOOK = ("tls_untrusted", "tls_failed", "cert_file_unreadable", "portal", "bad_redirect")
_MOST_NAME = 120

_log = get_logger("network")


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found; "" and None for what could not be looked at.

    `proxy` is host and port, never its password. `issuer`, `subject`, `not_before`, `not_after`
    and `fingerprint` (SHA-256) are those of the certificate that the Hub's place showed. `skew_s`:
    how far this computer's clock is ahead of the other side's.
    """

    proxy: str = ""
    issuer: str = ""
    subject: str = ""
    not_before: str = ""
    not_after: str = ""
    fingerprint: str = ""
    skew_s: float | None = None


NO_FINDINGS = Findings()


def look_closer(
    error: HausgeistError, door: Door, *, clock: Callable[[], float] = time.time
) -> Findings:
    """For a failure of `door`: the proxy, and where certificates are the trouble, what is shown.

    One connection at most, within 15 s, written to the ledger; none offline.
    """
    from desktop.hub.http import proxy_of  # 80 ms that only a failing network needs

    url = door.policy.endpoint
    found = Findings(proxy=proxy_of(url) or "")
    if error.kind not in _WORTH_A_LOOK:
        return found
    try:
        shown = door.look(url, Purpose(LOOK))
    except NetworkError as failed:
        _log.info("no closer look: %s", failed)
        return found
    return _with_certificate(_with_clock(found, shown, clock()), shown)


def _with_clock(found: Findings, shown: Shown, now: float) -> Findings:
    from email.utils import parsedate_to_datetime  # 8 ms, as above

    try:
        return replace(found, skew_s=round(now - parsedate_to_datetime(shown.date).timestamp(), 1))
    except (ValueError, TypeError, OverflowError, OSError):
        return found


def _with_certificate(found: Findings, shown: Shown) -> Findings:
    from cryptography import x509  # 50 ms, as above
    from cryptography.hazmat.primitives.hashes import SHA256

    if not shown.certificate:
        return found
    try:
        certificate = x509.load_der_x509_certificate(shown.certificate)
        return replace(
            found,
            issuer=_name(certificate.issuer),
            subject=_name(certificate.subject),
            not_before=f"{certificate.not_valid_before_utc:%Y-%m-%d}",
            not_after=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
            fingerprint=certificate.fingerprint(SHA256()).hex(":").upper(),
        )
    except ValueError as error:  # a certificate that is none is a finding, too
        _log.info("certificate not readable: %s", error)
        return replace(found, fingerprint="?")


def _name(name: object) -> str:
    """ "Company Firewall (Company Ltd)": whom a person would ask."""
    from cryptography.x509 import Name
    from cryptography.x509.oid import NameOID

    if not isinstance(name, Name):
        return ""

    def first(oid: object) -> str:
        values = [str(a.value) for a in name if a.oid == oid]
        return "".join(c for c in values[0] if c.isprintable()) if values else ""

    common, organisation = first(NameOID.COMMON_NAME), first(NameOID.ORGANIZATION_NAME)
    if common and organisation and organisation != common:
        return f"{common} ({organisation})"[:_MOST_NAME]
    return (common or organisation or name.rfc4514_string())[:_MOST_NAME]
