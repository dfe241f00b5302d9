"""What is the matter with the network, what to do, and what to tell the IT department."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from desktop.common.errors import HausgeistError, Param
from desktop.common.messages import Messages
from desktop.hub.policy import NetworkPolicy
from desktop.services.network_findings import NO_FINDINGS, Findings
from desktop.services.network_report import write_report

ProblemKind = Literal[
    "offline",  # the switch or a variable says so
    "no_network",  # no way out at all
    "name_resolution",
    "proxy_login",
    "proxy",
    "certificate",
    "portal",
    "clock",
    "rate_limit",
    "hub_down",
    "timeout",
    "blocked",  # refused or cut on the way
    "other",
]

WRONG_CLOCK_S = 300.0
"""Certificates and signed addresses live for minutes to months; five minutes off is no accident."""

_DAY_S = 86_400.0
_KINDS: Mapping[str, ProblemKind] = {
    "offline_environment": "offline",
    "offline_setting": "offline",
    "host_unknown": "name_resolution",
    "proxy_needs_login": "proxy_login",
    "proxy_unreachable": "proxy",
    "proxy_refused": "proxy",
    "proxy_unusable": "proxy",
    "tls_untrusted": "certificate",
    "cert_file_unreadable": "certificate",
    "portal": "portal",
    "hub_busy": "rate_limit",
    "hub_down": "hub_down",
    "hub_bad_answer": "hub_down",
    "hub_bad_list": "hub_down",
    "bad_answer": "hub_down",
    "answer_too_large": "hub_down",
    "connection_timeout": "timeout",
    "connection_refused": "blocked",
    "connection_failed": "blocked",
    "connection_cut": "blocked",
    "tls_failed": "blocked",
    "bad_redirect": "blocked",
    "too_many_redirects": "blocked",
}
_NO_WAY = ("unreachable", "errno 101", "errno 51", "10051", "errno 113", "10065", "no route")
_TOO_EARLY = ("not yet valid",)
_TOO_LATE = ("has expired",)


@dataclass(frozen=True, slots=True)
class NetworkProblem:
    """One failure, explained: ``network.<kind>.headline`` and ``.advice`` with `params`.

    `retry_after_s`: when it makes sense to try again (a countdown), None if that is not known.
    `can_use_system_certificates`: Settings.certificates = "system" may help. `report` is a text
    for the IT department in the user's language; it holds no token and no user's data.
    """

    kind: ProblemKind
    headline_key: str
    advice_key: str
    params: Mapping[str, Param] = field(default_factory=dict)
    retry_after_s: float | None = None
    can_use_system_certificates: bool = False
    report: str = ""

    @property
    def can_retry(self) -> bool:
        return self.kind != "offline"


def explain(
    error: HausgeistError,
    policy: NetworkPolicy,
    messages: Messages,
    *,
    findings: Findings = NO_FINDINGS,
    clock: Callable[[], float] | None = None,
) -> NetworkProblem:
    """Explain `error`; quick, makes no connection.

    `findings` are what a closer look found (services.network_findings). `clock` is time.time if
    None.
    """
    now = (clock or time.time)()
    kind = _kind(error, findings, now)
    key = f"network.{kind}"
    if kind == "offline" and error.kind == "offline_environment":
        key = "network.offline_forced"
    if kind == "certificate" and error.kind == "cert_file_unreadable":
        key = "network.certificate_file"
    params: dict[str, Param] = {
        "host": str(error.params.get("host", policy.hub_host)),
        "proxy": str(error.params.get("proxy", findings.proxy)),
        "name": str(error.params.get("name", "")),
        "issuer": findings.issuer,
        "skew_s": abs(findings.skew_s or 0.0),
        "message": messages.error(error),
    }
    if kind == "certificate" and findings.issuer and error.kind == "tls_untrusted":
        key = "network.certificate_of"
    wait = error.params.get("wait_s")
    retry_after_s = float(wait) if isinstance(wait, int | float) else None
    if kind == "rate_limit" and policy.has_token:
        key = "network.rate_limit_signed_in"
    headline = f"{key}.headline"
    return NetworkProblem(
        kind=kind,
        headline_key=headline,
        advice_key=f"{key}.advice",
        params=params,
        retry_after_s=retry_after_s,
        can_use_system_certificates=_may_help(error, policy),
        report=write_report(
            error, policy, messages, messages.text(headline, **params), findings, now
        ),
    )


def _kind(error: HausgeistError, findings: Findings, now: float) -> ProblemKind:
    kind = _KINDS.get(error.kind, "other")
    detail = error.detail.lower()
    if kind == "blocked" and any(sign in detail for sign in _NO_WAY):
        return "no_network"
    if kind == "certificate" and error.kind == "tls_untrusted":
        is_off = findings.skew_s is not None and abs(findings.skew_s) > WRONG_CLOCK_S
        # The clock cannot be right if this program was installed in its future.
        is_behind = any(s in detail for s in _TOO_EARLY) or now < _installed_at() - _DAY_S
        if is_behind or (is_off and any(s in detail for s in _TOO_LATE)):
            return "clock"
    return kind


def _may_help(error: HausgeistError, policy: NetworkPolicy) -> bool:
    """The system's store is another one than the one that did not do."""
    return error.kind in ("tls_untrusted", "cert_file_unreadable") and policy.has_own_certificates


def _installed_at() -> float:
    try:
        return Path(__file__).stat().st_mtime
    except OSError:  # inside an archive
        return 0.0
