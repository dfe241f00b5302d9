"""A closer look at a failing network: what stands between this computer and the Hub."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found; "" and None for what could not be looked at.

    `proxy` is host and port, never its password. `issuer`, `subject`, `not_before`, `not_after`
    and `fingerprint` (SHA-256) are those of the certificate that the Hub's place showed. `skew_s`:
    how far this computer's clock is ahead of the other side's. `address`: what the name led to.
    """

    proxy: str = ""
    address: str = ""
    issuer: str = ""
    subject: str = ""
    not_before: str = ""
    not_after: str = ""
    fingerprint: str = ""
    skew_s: float | None = None


NO_FINDINGS = Findings()
