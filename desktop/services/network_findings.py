"""A closer look at a failing network: what stands between this computer and the Hub."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from desktop.common.errors import HausgeistError, NetworkError
from desktop.common.logs import get_logger
from desktop.hub.answer import Purpose, Shown
from desktop.hub.door import Door
from desktop.services.certificate_words import certificate_words

LOOK = "network_look"
_WORTH_A_LOOK = ("tls_untrusted", "tls_failed", "cert_file_unreadable", "portal", "bad_redirect")

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
    return _with_certificate(_with_clock(found, shown, clock()), shown, door.policy.hub_host)


def _with_clock(found: Findings, shown: Shown, now: float) -> Findings:
    from email.utils import parsedate_to_datetime  # 8 ms, as above

    try:
        return replace(found, skew_s=round(now - parsedate_to_datetime(shown.date).timestamp(), 1))
    except (ValueError, TypeError, OverflowError, OSError):
        return found


def _with_certificate(found: Findings, shown: Shown, host: str) -> Findings:
    if not shown.certificate:
        return found
    try:
        words = certificate_words(shown.certificate, host)
    except NetworkError as error:  # a certificate that is none is a finding, too
        _log.info("certificate not readable: %s", error)
        return replace(found, fingerprint="?")
    return replace(
        found,
        issuer=words.issuer,
        subject=words.subject,
        not_before=words.not_before,
        not_after=words.not_after,
        fingerprint=words.fingerprint,
    )
